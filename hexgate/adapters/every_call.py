"""Whether a decision on one call is the decision on every call of the tool: where calls cannot be seen, and in lists of what a role may do."""

from __future__ import annotations

from collections.abc import Iterable

from hexgate.decision.decision import RuleReference
from hexgate.decision.tool_patterns import matches_pattern

DEFAULT_POLICY = "default_policy"
"""The entry of tools that nothing names."""


def holds_for_every_call(tool: str, rule: RuleReference | None, rules: Iterable[RuleReference]) -> bool:
    """Whether the rule that decided on a call of `tool` decides on all others alike, given all `rules` of the policy: it is the first of its
    entry and has no constraints, nor has the boundary's entry any. None is a tool that nothing names, in all calls."""
    if rule is None:
        return True
    if rule.number != 0 or rule.constraints:
        return False
    return not boundary_depends(tool, rules)


def boundary_depends(tool: str, rules: Iterable[RuleReference]) -> bool:
    """Whether an entry of the boundary that may cover the tool has constraints."""
    named = (each.tool for each in rules if each.role is None and each.constraints)
    return any(entry == DEFAULT_POLICY or matches_pattern(entry, tool) for entry in named)
