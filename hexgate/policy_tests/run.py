"""Decide every case on every engine, and compare with what is expected."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hexgate.decision.decision import Decision, Reason, RuleReference, Verdict
from hexgate.decision.engine import DecisionEngine
from hexgate.place import Place
from hexgate.policy.checked import CheckedEntry, CheckedPolicy, CheckedRole
from hexgate.policy_tests.suite import PolicyCase


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An expected value that the decision does not have. `got` is None where there is none."""

    name: str
    expected: str | None
    got: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The decisions on a case by the engines' names, and what is not as expected. `seconds` is the time that deciding took."""

    case: PolicyCase
    decisions: Mapping[str, Decision]
    mismatches: tuple[Mismatch, ...]
    seconds: float

    @property
    def decision(self) -> Decision:
        """The first engine's decision."""
        return next(iter(self.decisions.values()))

    @property
    def engines_agree(self) -> bool:
        """Whether all engines decide alike. Where they do not, it is a fault of Hexgate."""
        return all(decision == self.decision for decision in self.decisions.values())

    @property
    def passed(self) -> bool:
        """Whether the engines agree, on what is expected."""
        return self.engines_agree and not self.mismatches


def run_case(case: PolicyCase, engines: Mapping[str, DecisionEngine]) -> CaseResult:
    """A case decided by every engine. What is expected is compared with the first one's decision."""
    began = time.perf_counter()
    decisions = {
        name: engine.decide(case.tool, case.args, case.user, ctx=case.ctx, resource=case.resource, now=case.now)
        for name, engine in engines.items()
    }
    seconds = time.perf_counter() - began
    found = facts_of(next(iter(decisions.values())))
    mismatches = [
        Mismatch(name, cell.text, found[name], cell.source.place)
        for name, cell in case.expected.cells.items()
        if cell.text != found[name]
    ]
    return CaseResult(case, decisions, tuple(mismatches), seconds)


def facts_of(decision: Decision) -> dict[str, str | None]:
    """What a case may expect of a decision, as tests spell it."""
    return {
        "verdict": decision.verdict.value,
        "reason": decision.reason.value,
        "constraint": None if decision.constraint is None else decision.constraint.text,
        "fault": None if decision.fault is None else decision.fault.code,
        "message": decision.message,
    }


@dataclass(slots=True)
class RuleCoverage:
    """Which rules of a policy held in some test, by their places."""

    rules: dict[Place, RuleReference] = field(default_factory=dict)
    held: set[Place] = field(default_factory=set)

    @classmethod
    def of(cls, policy: CheckedPolicy) -> RuleCoverage:
        """Nothing held so far. The rules are those that decide for some role; in the boundary those that limit, for of two that allow the
        role's is the one that decides (docs/language.md P5)."""
        rules = [rule.reference for row in policy.roles.values() for entry in _entries(row) for rule in entry.rules]
        if policy.boundary is not None:
            limits = [rule.reference for entry in _entries(policy.boundary) for rule in entry.rules]
            rules += [rule for rule in limits if rule.mode is not Verdict.ALLOW]
        return cls({rule.place: rule for rule in rules})

    def add(self, results: Iterable[CaseResult]) -> None:
        """Counts the rules that decided. A rule that failed, or whose constraint was a fault, did not hold."""
        for result in results:
            rule = result.decision.rule
            if rule is not None and result.decision.reason is Reason.RULE:
                self.held.add(rule.place)

    @property
    def missed(self) -> list[RuleReference]:
        """The rules that held in no test, in the order of files and lines."""
        missed = [rule for place, rule in self.rules.items() if place not in self.held]
        return sorted(missed, key=lambda rule: (rule.place.file, rule.place.line, rule.place.column))


def _entries(row: CheckedRole) -> tuple[CheckedEntry, ...]:
    return (*row.exact.values(), *row.patterns, *(() if row.default is None else (row.default,)))
