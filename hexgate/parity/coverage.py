"""Which constraints of a policy were seen true, false and in error, as the interpreter evaluates them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hexgate.decision.decision import ConstraintReference, Verdict
from hexgate.faults import EvaluationFault
from hexgate.parity.possible import Outcome, possible_outcomes
from hexgate.policy.checked import CheckedConstraint, CheckedPolicy, CheckedRule
from hexgate.policy.interpret import InterpreterEngine


@dataclass(slots=True)
class ConstraintCoverage:
    """How often a constraint had each outcome, and the outcomes that it can have at all as far as is proved."""

    reference: ConstraintReference
    possible: frozenset[Outcome]
    true: int = 0
    false: int = 0
    error: int = 0

    def count(self, outcome: Outcome) -> int:
        """How often an outcome was seen."""
        return {Outcome.TRUE: self.true, Outcome.FALSE: self.false, Outcome.ERROR: self.error}[outcome]


class Coverage:
    """The coverage of every constraint that decides for some role, by its place in the policy's files."""

    def __init__(self, policy: CheckedPolicy) -> None:
        self._by_place: dict[Any, ConstraintCoverage] = {}
        for rule, earlier, held in _rules(policy):
            possible = possible_outcomes(rule, earlier, held)
            for constraint, outcomes in zip(rule.constraints, possible, strict=True):
                reference = constraint.reference
                found = self._by_place.setdefault(reference.place, ConstraintCoverage(reference, outcomes))
                found.possible |= outcomes

    def of(self, constraint: CheckedConstraint) -> ConstraintCoverage:
        """The counts of a constraint."""
        return self._by_place[constraint.reference.place]

    @property
    def constraints(self) -> list[ConstraintCoverage]:
        """Every constraint in the order of files and lines."""
        return sorted(self._by_place.values(), key=lambda found: (found.reference.place.file, found.reference.place.line, found.reference.place.column))

    @property
    def branches(self) -> tuple[int, int, int]:
        """How many outcomes were seen, how many were not and are not proved impossible, and how many are impossible."""
        seen = missed = impossible = 0
        for found in self._by_place.values():
            for outcome in Outcome:
                if found.count(outcome):
                    seen += 1
                elif outcome in found.possible:
                    missed += 1
                else:
                    impossible += 1
        return seen, missed, impossible


def _rules(policy: CheckedPolicy) -> Iterator[tuple[CheckedRule, tuple[CheckedRule, ...], CheckedRule | None]]:
    """Every rule that decides for some role, with the rules before it in its entry, and the one rule of the boundary that must
    have held where its entry has no other."""
    boundary = policy.boundary
    for row in (*policy.roles.values(), *(() if boundary is None else (boundary,))):
        for entry in (*row.exact.values(), *row.patterns, *(() if row.default is None else (row.default,))):
            limit = boundary.entry_for(entry.pattern) if boundary not in (None, row) and entry.pattern in row.exact else None
            rules = () if limit is None else limit.rules
            held = rules[0] if len(rules) == 1 and rules[0].reference.mode is not Verdict.DENY else None
            for number, rule in enumerate(entry.rules):
                yield rule, entry.rules[:number], held


class ObservedInterpreter(InterpreterEngine):
    """The interpreter, counting what each constraint it evaluates comes to."""

    def __init__(self, policy: CheckedPolicy, coverage: Coverage) -> None:
        super().__init__(policy)
        self._coverage = coverage

    def _holds(self, constraint: CheckedConstraint) -> Callable[[Any], bool]:
        inner, counts = super()._holds(constraint), self._coverage.of(constraint)

        def holds(variables: Any) -> bool:
            try:
                value = inner(variables)
            except EvaluationFault:
                counts.error += 1
                raise
            if value:
                counts.true += 1
            else:
                counts.false += 1
            return value

        return holds
