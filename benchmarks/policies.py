"""The policies that are measured, as sources."""

from __future__ import annotations

from hexgate.policy.check import check
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.link import link
from hexgate.policy.parse import parse

REFUNDS = {
    "read_only.yaml": b"version: 1\ntools:\n  get_order:\n    mode: allow\n",
    "billing.yaml": b"""version: 1
inherits: [read_only]
default_policy:
  mode: deny
tools:
  refund_order:
    mode: allow
    constraints:
      - args.amount <= 500
      - args.currency == "USD"
  wire_transfer:
    mode: approval_required
""",
}
"""The policy of the README."""


def grid(roles: int, tools: int) -> dict[str, bytes]:
    """So many roles, each with so many tools of its own with four different constraints."""
    files = {}
    for role in range(roles):
        lines = ["version: 1", "tools:"]
        for tool in range(tools):
            n = role * tools + tool
            lines += [
                f"  tool_{tool}:", "    mode: allow", "    constraints:",
                f"      - args.amount <= {n}", f'      - args.currency == "C{n}"',
                f'      - args.path.startsWith("/srv/{n}/")', f"      - size(args.items) < {n + 10}",
            ]  # fmt: skip
        files[f"role_{role}.yaml"] = "\n".join(lines).encode()
    return files


def wide(roles: int, tools: int) -> dict[str, bytes]:
    """A base of so many tools, and so many roles that inherit it and limit one tool each."""
    base = ["version: 1", "abstract: true", "tools:"]
    for tool in range(tools):
        base += [f"  tool_{tool}:", "    mode: allow", "    constraints:", "      - args.amount <= 500", '      - args.currency == "USD"']
    files = {"base.yaml": "\n".join(base).encode()}
    for role in range(roles):
        lines = ["version: 1", "inherits: [base]", "tools:", f"  tool_{role % tools}:", "    mode: approval_required", "    constraints:", f"      - args.amount <= {role}"]
        files[f"role_{role}.yaml"] = "\n".join(lines).encode()
    return files


def checked(files: dict[str, bytes]) -> CheckedPolicy:
    """The checked policy of sources."""
    return check(link(parse(files)))
