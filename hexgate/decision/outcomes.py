"""The policy table: every outcome that a module can answer with, and what a host must send it.

The compiler writes it next to the module (`policy.json` of a bundle); a host builds its decisions from it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hexgate.decision.decision import BundleReference, Decision, Reason, RuleReference, Verdict
from hexgate.decision.reads import Reads
from hexgate.decision.tool_patterns import matches_pattern
from hexgate.faults import Fault

FIXED_OUTCOMES = (
    Reason.UNKNOWN_ROLE,
    Reason.UNKNOWN_TOOL,
    Reason.MALFORMED_REQUEST,
    Reason.MISSING_USER,
    Reason.REQUEST_TOO_LARGE,
    Reason.ENGINE_FAULT,
)
"""Reasons of the outcomes that are the same in every module, by index (docs/abi.md A3.2). The last two are the host's."""

MODULE_OUTCOMES = 4
"""How many of them a module may answer with."""

FIRST_OUTCOME = 8
"""Index of a policy's own first outcome."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a rule can end: index of the rule, and of its constraint where that decided."""

    reason: Reason
    rule: int
    constraint: int | None


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """Rules and outcomes by index (outcome n of the module is `outcomes[n - FIRST_OUTCOME]`), and the projections.

    `roles` are the names a user can hold. `tool_reads`, `pattern_reads` and `default_reads` are as in `CheckedPolicy`.
    """

    rules: tuple[RuleReference, ...]
    outcomes: tuple[Outcome, ...]
    roles: tuple[str, ...]
    tool_reads: Mapping[str, Reads]
    pattern_reads: tuple[tuple[str, Reads], ...]
    default_reads: Reads

    def reads_for(self, tool: str) -> Reads:
        """What a host must send of a request for a tool."""
        reads = self.tool_reads.get(tool)
        if reads is not None:
            return reads
        reads = self.default_reads
        for pattern, more in self.pattern_reads:
            if matches_pattern(pattern, tool):
                reads = reads.join(more)
        return reads

    def decision(
        self, outcome: int, fault: int, role: str | None, tool: str | None, bundle: BundleReference | None = None
    ) -> Decision:
        """The decision of an answer (docs/abi.md A3). Raises IndexError or ValueError for an answer that no module of
        this policy gives."""
        if outcome < FIRST_OUTCOME:
            if fault or not 0 <= outcome < MODULE_OUTCOMES:
                raise ValueError("the answer is none that a module may give")
            return fixed_decision(FIXED_OUTCOMES[outcome], role, tool, bundle)
        found = self.outcomes[outcome - FIRST_OUTCOME]
        if (fault != 0) != (found.reason is Reason.EVALUATION_ERROR):
            raise ValueError("the answer's fault does not fit its outcome")
        rule = self.rules[found.rule]
        constraint = None if found.constraint is None else rule.constraints[found.constraint]
        verdict = rule.mode if found.reason is Reason.RULE else Verdict.DENY
        return Decision(
            verdict, found.reason, role, tool, rule, constraint, Fault(fault) if fault else None, bundle
        )


def fixed_decision(
    reason: Reason, role: str | None, tool: str | None, bundle: BundleReference | None = None
) -> Decision:
    """The denial for a reason that no rule of a policy gives."""
    return Decision(Verdict.DENY, reason, role, tool, bundle=bundle)
