"""What became of recorded calls: verdicts by tool, and which rule or constraint decided how often."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hexgate.decision.decision import Decision, Verdict
from hexgate_cli.recorded_calls import RecordedCall


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A call that was not answered as expected, or that the engines answered differently."""

    call: RecordedCall
    answers: dict[str, Decision]


@dataclass(slots=True)
class ToolTally:
    """The decisions on one tool. `causes` counts decisions that differ in nothing but the call."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    causes: Counter[Decision] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """The decisions on all calls, by tool."""

    calls: int = 0
    expected: int = 0
    tools: dict[str, ToolTally] = field(default_factory=dict)
    mismatches: list[Mismatch] = field(default_factory=list)
    disagreements: list[Mismatch] = field(default_factory=list)

    def add(self, call: RecordedCall, answers: dict[str, Decision]) -> None:
        """Count one call. Where the engines differ, the first one's answer counts."""
        first, *rest = answers.values()
        self.calls += 1
        tally = self.tools.setdefault(call.request.tool, ToolTally())
        tally.verdicts[first.verdict] += 1
        tally.causes[first] += 1
        if any(answer != first for answer in rest):
            self.disagreements.append(Mismatch(call, answers))
        if call.expectation is not None:
            self.expected += 1
            if not call.expectation.is_met_by(first):
                self.mismatches.append(Mismatch(call, answers))

    def count(self, verdict: Verdict) -> int:
        """Calls with a verdict."""
        return sum(tally.verdicts[verdict] for tally in self.tools.values())

    def sorted_tools(self) -> list[tuple[str, ToolTally]]:
        """Tools by name."""
        return sorted(self.tools.items())

    @property
    def failed(self) -> bool:
        """Whether something was not as expected."""
        return bool(self.mismatches or self.disagreements)


def causes_of(tally: ToolTally) -> list[tuple[Decision, int]]:
    """The causes with their counts: the stricter verdict first, then the more frequent, then by place."""
    strictness = {Verdict.DENY: 0, Verdict.APPROVAL_REQUIRED: 1, Verdict.ALLOW: 2}

    def key(cause: tuple[Decision, int]) -> tuple[int, int, str, str, int, int]:
        decision, count = cause
        place = decision.constraint.place if decision.constraint is not None else None
        if place is None and decision.rule is not None:
            place = decision.rule.place
        where = ("", 0, 0) if place is None else (place.file, place.line, place.column)
        return (strictness[decision.verdict], -count, decision.reason.value, *where)

    return sorted(tally.causes.items(), key=key)
