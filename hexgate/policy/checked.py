"""The checked policy: the only thing that the interpreter decides with and that the compiler lowers.

Only `hexgate.policy.check.check` makes a `CheckedPolicy`. Inheritance is resolved: `entries` of a role are all that
it decides with. A rule that several roles inherit is one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hexgate.decision.decision import ConstraintReference, RuleReference
from hexgate.decision.mask_paths import MaskPath
from hexgate.decision.reads import Reads
from hexgate.decision.tool_patterns import matches_pattern
from hexgate.language.checked import CheckedExpression


@dataclass(frozen=True, slots=True, eq=False)
class CheckedConstraint:
    """A constraint proved to be a bool (or known only at run time). `reference` is how decisions name it."""

    expression: CheckedExpression
    reference: ConstraintReference


@dataclass(frozen=True, slots=True, eq=False)
class CheckedRule:
    """A mode (`reference.mode`) and the constraints that must all hold, in order. `reference.constraints` are theirs."""

    reference: RuleReference
    constraints: tuple[CheckedConstraint, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CheckedEntry:
    """What a role says of a tool name or pattern: rules, of which the first that holds decides. Never empty."""

    pattern: str
    rules: tuple[CheckedRule, ...]
    reads: Reads


@dataclass(frozen=True, slots=True, eq=False)
class CheckedRole:
    """A role's effective entries: by exact tool name, and by pattern in the order in which they are tried."""

    name: str
    exact: Mapping[str, CheckedEntry]
    patterns: tuple[CheckedEntry, ...]
    default: CheckedEntry | None

    def entry_for(self, tool: str) -> CheckedEntry | None:
        """The entry that decides on a tool: exact name, first pattern that covers it, default policy, or none."""
        entry = self.exact.get(tool)
        if entry is not None:
            return entry
        for candidate in self.patterns:
            if matches_pattern(candidate.pattern, tool):
                return candidate
        return self.default


@dataclass(frozen=True, slots=True, eq=False)
class CheckedPolicy:
    """A policy set: the roles a user can hold, by name, and the boundary, if there is one.

    `boundary` is a role without a name. `tool_reads` gives, for every tool that some role or the boundary names exactly, what the
    rules of all roles and of the boundary read for it together; `reads_for` extends that to all names.
    """

    roles: Mapping[str, CheckedRole]
    boundary: CheckedRole | None
    tool_reads: Mapping[str, Reads]
    pattern_reads: tuple[tuple[str, Reads], ...]
    default_reads: Reads
    masks: tuple[MaskPath, ...] = ()
    """Values of calls that a log must not hold, in order of text (P9). They decide nothing."""

    @property
    def rules(self) -> tuple[RuleReference, ...]:
        """The rules of the boundary and of all roles, each once."""
        decided_by = [*self.roles.values()] if self.boundary is None else [self.boundary, *self.roles.values()]
        entries = (entry for role in decided_by for entry in (*role.exact.values(), *role.patterns, role.default) if entry is not None)
        return tuple({id(rule): rule.reference for entry in entries for rule in entry.rules}.values())

    def reads_for(self, tool: str) -> Reads:
        """What the rules of all roles and of the boundary may read for a tool."""
        reads = self.tool_reads.get(tool)
        if reads is not None:
            return reads
        reads = self.default_reads
        for pattern, more in self.pattern_reads:
            if matches_pattern(pattern, tool):
                reads = reads.join(more)
        return reads
