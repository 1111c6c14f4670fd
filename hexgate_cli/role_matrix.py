"""What each role may do with each tool, in a word: the matrix of `hexgate explain`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hexgate.decision.decision import Verdict
from hexgate.policy.checked import CheckedEntry, CheckedPolicy, CheckedRole


class Access(Enum):
    """The most that an entry can grant, and whether constraints stand before it."""

    ALLOW = "allow"
    ALLOW_IF = "allow if"
    APPROVAL = "approval"
    APPROVAL_IF = "approval if"
    DENY = "deny"
    DENY_IF = "deny if"
    UNNAMED = "-"
    """Nothing names the tool: denied for a role, no opinion for the boundary."""


@dataclass(frozen=True, slots=True)
class Row:
    """A tool name or pattern, and the access of each holder in the matrix's order."""

    tool: str
    cells: tuple[Access, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Holders are the roles by name, then `boundary` where there is one."""

    holders: tuple[str, ...]
    rows: tuple[Row, ...]


def access_of(entry: CheckedEntry | None, *, boundary: bool = False) -> Access:
    """An entry in a word. For the boundary, rules that all deny are a limit and no grant: `deny if`."""
    if entry is None:
        return Access.UNNAMED
    granting = [rule for rule in entry.rules if rule.reference.mode is not Verdict.DENY]
    if not granting:
        conditional = all(rule.constraints for rule in entry.rules)
        return Access.DENY_IF if boundary and conditional else Access.DENY
    loosest = Verdict.ALLOW if any(r.reference.mode is Verdict.ALLOW for r in granting) else Verdict.APPROVAL_REQUIRED
    first = entry.rules[0]
    unconditional = first.reference.mode is loosest and not first.constraints
    if loosest is Verdict.ALLOW:
        return Access.ALLOW if unconditional else Access.ALLOW_IF
    return Access.APPROVAL if unconditional else Access.APPROVAL_IF


def build_matrix(policy: CheckedPolicy) -> Matrix:
    """Every tool name and pattern of the set, for every role that a user can hold, and for the boundary. The last row is
    what no entry names."""
    roles = [policy.roles[name] for name in sorted(policy.roles)]
    holders: list[tuple[str, CheckedRole, bool]] = [(role.name, role, False) for role in roles]
    if policy.boundary is not None:
        holders.append(("boundary", policy.boundary, True))
    exact = sorted({name for _, holder, _ in holders for name in holder.exact})
    patterns = sorted({entry.pattern for _, holder, _ in holders for entry in holder.patterns})
    rows = [
        Row(name, tuple(access_of(holder.entry_for(name), boundary=limit) for _, holder, limit in holders))
        for name in exact
    ]
    rows += [
        Row(name, tuple(access_of(_pattern_entry(holder, name), boundary=limit) for _, holder, limit in holders))
        for name in patterns
    ]
    rows.append(
        Row("(any other)", tuple(access_of(holder.default, boundary=limit) for _, holder, limit in holders))
    )
    return Matrix(tuple(name for name, _, _ in holders), tuple(rows))


def _pattern_entry(holder: CheckedRole, pattern: str) -> CheckedEntry | None:
    """The entry of a pattern as it is written, else what other tools get."""
    return next((entry for entry in holder.patterns if entry.pattern == pattern), holder.default)
