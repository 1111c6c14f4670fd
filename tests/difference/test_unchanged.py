"""Where two policies cannot differ, row by row: what changes anything that decides is never passed over."""

from __future__ import annotations

import pytest

from hexgate.difference.unchanged import Unchanged
from tests.policy.sets import check_text

OLD = """\
version: 1
consts: {limit: 500, zero: 0.0, status: {gold: 1}}
roles:
  clerk:
    tools:
      pay: {mode: allow, constraints: [args.amount <= consts.limit, args.amount != consts.zero]}
      hold: {mode: approval_required, approvers: [lead], expires_in: 1h, message: wait}
      "get_*": {mode: allow, constraints: ["args.id in consts.status"]}
    default_policy: {mode: deny, message: no}
  lead:
    tools:
      pay: {mode: allow}
boundary:
  default_policy: {mode: allow}
  tools:
    pay: {mode: allow, constraints: [size(args.note) < 100]}
"""

# what changes in the text, roles and tools that are no longer decided alike
CHANGES: list[tuple[str, str, list[str]]] = [
    ("version: 1\n", "# a comment\nversion: 1\n\n", []),
    ("limit: 500", "limit: 501", ["clerk pay"]),
    ("limit: 500", "limit: 500.0", ["clerk pay"]),
    ("zero: 0.0", "zero: -0.0", ["clerk pay"]),
    ("gold: 1", "gold: 2", ["clerk get_x"]),
    ("args.amount <= consts.limit, args.amount != consts.zero", "args.amount != consts.zero, args.amount <= consts.limit", ["clerk pay"]),
    ("[lead], expires_in: 1h", "[chief], expires_in: 1h", ["clerk hold"]),
    ("expires_in: 1h", "expires_in: 2h", ["clerk hold"]),
    ("message: wait", "message: stay", ["clerk hold"]),
    ("approval_required, approvers: [lead], expires_in: 1h, message: wait", "allow", ["clerk hold"]),
    ('"get_*"', '"g*"', ["clerk gone", "lead gone"]),
    ("message: no", "message: never", ["clerk gone"]),
    ("      pay: {mode: allow}\n", "      pay: {mode: allow}\n      hold: {mode: allow}\n", ["lead hold"]),
    ("size(args.note) < 100", "size(args.note) < 99", ["clerk pay", "lead pay"]),
    # what one role reads of a tool's arguments counts against the size of every role's requests
    ("      pay: {mode: allow}\n", "      pay: {mode: allow, constraints: [args.memo != 'x']}\n", ["clerk pay", "lead pay"]),
    ("  default_policy: {mode: allow}\n  tools:\n", "  default_policy: {mode: allow, constraints: [ctx.a == 1]}\n  tools:\n",
     ["clerk get_x", "clerk gone", "clerk hold", "lead get_x", "lead gone", "lead hold"]),
    ("  lead:\n", "  chief:\n", ["chief get_x", "chief gone", "chief hold", "chief pay", "lead get_x", "lead gone", "lead hold", "lead pay"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "changed"), CHANGES)
def test_what_is_not_decided_alike(before: str, after: str, changed: list[str]) -> None:
    assert OLD.count(before) == 1
    old, new = check_text(OLD, "p.yaml"), check_text(OLD.replace(before, after), "p.yaml")
    for unchanged in (Unchanged(old, new), Unchanged(new, old)):
        names = [(role, tool) for role in ("chief", "clerk", "lead") for tool in ("get_x", "gone", "hold", "pay")]
        assert [f"{role} {tool}" for role, tool in names if not unchanged.at(role, tool)] == changed


def test_the_constraints_that_changed() -> None:
    old, new = check_text(OLD, "p.yaml"), check_text(OLD.replace("limit: 500", "limit: 400").replace("size(args.note) < 100", "args.note != ''"), "p.yaml")
    before, after = ([each.reference.text for each in side] for side in Unchanged(old, new).changed("clerk", "pay"))
    assert (before, after) == (["size(args.note) < 100", "args.amount <= consts.limit"], ["args.note != ''", "args.amount <= consts.limit"])
    assert Unchanged(old, old).changed("clerk", "pay") == ((), ())
