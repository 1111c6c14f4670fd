"""One of the two policies that are compared: what decides for it, and what it suggests to try."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hexgate.decision.decision import Decision, RuleReference
from hexgate.decision.engine import DecisionEngine
from hexgate.decision.tool_patterns import matches_pattern
from hexgate.parity.call import Call
from hexgate.policy.checked import CheckedEntry, CheckedPolicy, CheckedRole

ANY_OTHER = "(any other)"
"""Stands for the tools that no entry names."""


@dataclass(frozen=True, slots=True)
class Named:
    """The names in a policy: roles that a user can hold, tools by exact name, patterns. `grounds` are the roles with the tools and
    patterns that their own rules name."""

    roles: tuple[str, ...]
    tools: tuple[str, ...]
    patterns: tuple[str, ...]
    grounds: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Side:
    """A policy as one or two engines decide it, by the engine's name. `policy` is what calls are derived from, None where there is only
    a module. `is_compiled_here`: the module is what this release makes of the policy, and was not taken from a bundle."""

    policy: CheckedPolicy | None
    engines: Mapping[str, DecisionEngine]
    named: Named
    is_compiled_here: bool = False

    def decide(self, call: Call) -> dict[str, Decision]:
        """Every engine's decision on a call."""
        return {name: decide_call(engine, call) for name, engine in self.engines.items()}

    def fastest(self) -> DecisionEngine:
        """The engine that goes through all calls: the module."""
        return self.engines.get("wasm") or next(iter(self.engines.values()))

    def entry_name(self, role: str, tool: str, decision: Decision) -> str | None:
        """The longest pattern that the role or the boundary has for a tool that nothing names exactly; None where there is none."""
        if self.policy is None:
            rule = decision.rule
            return None if rule is None or rule.tool not in self.named.patterns else rule.tool
        rows = (self.policy.roles.get(role), self.policy.boundary)
        patterns = (entry.pattern for row in rows if row is not None for entry in row.patterns)
        return max((pattern for pattern in patterns if matches_pattern(pattern, tool)), key=len, default=None)


def decide_call(engine: DecisionEngine, call: Call) -> Decision:
    """An engine's decision on a call."""
    return engine.decide(call.tool, call.args, call.user, ctx=call.ctx, resource=call.resource, now=call.now)


def names_in_policy(policy: CheckedPolicy) -> Named:
    """The names in a policy, each kind in order."""
    rows: list[tuple[str | None, CheckedRole]] = [(role.name, role) for role in policy.roles.values()]
    if policy.boundary is not None:
        rows.append((None, policy.boundary))
    found = [(role, entry) for role, row in rows for entry in _entries(row)]
    return Named(
        tuple(sorted(policy.roles)),
        tuple(sorted({name for _, row in rows for name in row.exact})),
        tuple(sorted({entry.pattern for _, row in rows for entry in row.patterns})),
        tuple(sorted({(role, entry.pattern) for role, entry in found if role is not None})),
    )


def _entries(row: CheckedRole) -> Iterable[CheckedEntry]:
    return (*row.exact.values(), *row.patterns)


def names_in_table(roles: Iterable[str], rules: Iterable[RuleReference]) -> Named:
    """The names that a signed table has: those of its roles, and those of entries. A rule that a role inherits is under the role that
    wrote it, so every role may have every name."""
    entries = {rule.tool for rule in rules if rule.tool != "default_policy"}
    holders = sorted(roles)
    return Named(
        tuple(holders),
        tuple(sorted(name for name in entries if "*" not in name)),
        tuple(sorted(name for name in entries if "*" in name)),
        tuple((role, name) for role in holders for name in sorted(entries)),
    )
