"""Where two policies cannot differ: the same rules, over the same parts of a request.

Two rules are the same when their modes, terms and checked constraints are, constants included. What else a call is decided by is how
much of it is read for the tool, since requests have a largest size; that comes from all roles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from hexgate.policy.checked import CheckedConstraint, CheckedEntry, CheckedPolicy, CheckedRule

_Print: TypeAlias = tuple[object, ...]


@dataclass(slots=True)
class Unchanged:
    """Compares two policies, entry by entry."""

    old: CheckedPolicy
    new: CheckedPolicy
    _prints: dict[int, tuple[object, _Print]] = field(default_factory=dict)
    """By the id of an entry, which is kept so that its id stays its own."""

    def at(self, role: str, tool: str) -> bool:
        """Whether the policies decide every call of a role to a tool alike."""
        old, new = self.old.roles.get(role), self.new.roles.get(role)
        if old is None or new is None or self.old.reads_for(tool) != self.new.reads_for(tool):
            return (old is None) is (new is None) is True
        return self._entries(self.old, role, tool) == self._entries(self.new, role, tool)

    def changed(self, role: str, tool: str) -> tuple[tuple[CheckedConstraint, ...], tuple[CheckedConstraint, ...]]:
        """The constraints of each policy that the other does not have for a role and a tool."""
        sides = [_constraints(policy, role, tool) for policy in (self.old, self.new)]
        texts = [{_print_of(constraint) for constraint in constraints} for constraints in sides]
        found = [
            tuple(constraint for constraint in constraints if _print_of(constraint) not in other)
            for constraints, other in zip(sides, reversed(texts), strict=True)
        ]
        return found[0], found[1]

    def _entries(self, policy: CheckedPolicy, role: str, tool: str) -> tuple[_Print | None, ...]:
        return tuple(None if entry is None else self._print(entry) for entry in entries_for(policy, role, tool))

    def _print(self, entry: CheckedEntry) -> _Print:
        known = self._prints.get(id(entry))
        if known is None:
            known = self._prints[id(entry)] = entry, tuple(map(_print_of_rule, entry.rules))
        return known[1]


def entries_for(policy: CheckedPolicy, role: str, tool: str) -> tuple[CheckedEntry | None, CheckedEntry | None]:
    """The boundary's entry and the role's for a tool."""
    own, boundary = policy.roles.get(role), policy.boundary
    return None if boundary is None else boundary.entry_for(tool), None if own is None else own.entry_for(tool)


def _constraints(policy: CheckedPolicy, role: str, tool: str) -> tuple[CheckedConstraint, ...]:
    entries = entries_for(policy, role, tool)
    return tuple(constraint for entry in entries if entry is not None for rule in entry.rules for constraint in rule.constraints)


def _print_of_rule(rule: CheckedRule) -> _Print:
    reference = rule.reference
    return (reference.mode, reference.message, reference.approvers, reference.expires_in, *map(_print_of, rule.constraints))


def _print_of(constraint: CheckedConstraint) -> str:
    """A checked constraint as text: equal texts are equal trees, where `1` and `1.0`, or `0.0` and `-0.0`, are not."""
    return repr(constraint.expression.root)
