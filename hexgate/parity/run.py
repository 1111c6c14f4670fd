"""One parity run over a policy: derived calls, then random ones, on every engine; the first disagreement ends it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from hexgate.compiler.compile import CompiledPolicy, compile_policy
from hexgate.decision.decision import Decision, User
from hexgate.parity.call import Call
from hexgate.parity.coverage import Coverage
from hexgate.parity.derive import Derivation
from hexgate.parity.engines import DEFAULT_ENGINES, ENGINES, BatchEngine
from hexgate.parity.random_calls import RandomCalls
from hexgate.parity.shrink import shrink
from hexgate.place import Place
from hexgate.policy.checked import CheckedPolicy

BATCH = 512
"""Calls that are handed to an engine at once."""

LEAST_CASES = 100_000
"""Calls of a run that does not say how many: the derived ones, and random ones up to this many in all."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a run goes on: so many calls (None: all derived ones, and at least `LEAST_CASES`), so many seconds at most (None:
    no limit), whichever ends first. A seed and a number of calls reproduce a run."""

    cases: int | None = None
    seconds: float | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The smallest call found on which engines differ, with each one's decision. `number` counts the run's calls from 1;
    `original` is the call with that number."""

    number: int
    call: Call
    original: Call
    decisions: dict[str, Decision]

    @property
    def place(self) -> Place | None:
        """Where in the policy the engines' decisions point, as far as one of them names a constraint or rule."""
        for decision in self.decisions.values():
            if decision.constraint is not None:
                return decision.constraint.place
        return next((decision.rule.place for decision in self.decisions.values() if decision.rule is not None), None)


@dataclass(slots=True)
class Report:
    """What a run compared. `seconds` is the time of all but compiling, `parts` the same by what it went into: `generate`, the
    name of each engine, `compare`. `targets` are the roles and tools that the policy suggests to try. `is_complete`: every derived call was compared."""

    engines: tuple[str, ...]
    seed: int
    targets: tuple[tuple[str, str], ...] = ()
    derived: int = 0
    random: int = 0
    seconds: float = 0.0
    parts: Counter[str] = field(default_factory=Counter)
    by_target: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    coverage: Coverage | None = None
    is_complete: bool = False
    disagreement: Disagreement | None = None

    @property
    def cases(self) -> int:
        """How many calls every engine decided."""
        return self.derived + self.random


Watch: TypeAlias = Callable[[Report], None]
"""Is shown the report after every batch."""


def run_parity(
    policy: CheckedPolicy,
    budget: Budget | None = None,
    engines: Sequence[str] = DEFAULT_ENGINES,
    *,
    compiled: CompiledPolicy | None = None,
    watch: Watch | None = None,
) -> Report:
    """Compares the engines on a policy. `compiled` is the policy's module where there is one already.

    Raises KeyError for a name that is no engine's, EngineUnavailableError.
    """
    coverage = Coverage(policy)
    compiled = compiled if compiled is not None else compile_policy(policy)
    with ExitStack() as stack:
        opened: dict[str, BatchEngine] = {}
        for name in engines:
            opened[name] = ENGINES[name](policy, compiled, coverage)
            stack.callback(opened[name].close)
        run = _Run(policy, budget or Budget(), opened)
        run.report.coverage = coverage if "interpreter" in engines else None
        run.go(watch)
        return run.report


class _Run:
    def __init__(self, policy: CheckedPolicy, budget: Budget, engines: dict[str, BatchEngine]) -> None:
        self.report = Report(tuple(engines), budget.seed)
        self._budget = budget
        self._engines = engines
        self._derivation = Derivation(policy)
        self.report.targets = tuple((target.role, target.tool) for target in self._derivation.targets)

    def go(self, watch: Watch | None) -> None:
        """Compares batch by batch until a budget is spent or the engines differ."""
        report, started = self.report, time.perf_counter()
        derived = self._derivation.calls()
        random = iter(RandomCalls(self._derivation, self._budget.seed)) if self._derivation.targets else iter(())
        while report.disagreement is None:
            begun = time.perf_counter()
            if self._budget.seconds is not None and begun - started >= self._budget.seconds:
                break
            size = self._size()
            calls = [] if report.is_complete else list(islice(derived, size))
            report.is_complete = report.is_complete or len(calls) < size
            count = len(calls)
            if report.is_complete:
                calls += islice(random, max(0, min(size, self._size()) - count))
            if not calls:
                break
            report.parts["generate"] += time.perf_counter() - begun  # type: ignore[assignment]
            self._compare(calls)
            report.derived += count
            report.random += len(calls) - count
            report.seconds = time.perf_counter() - started
            if watch is not None:
                watch(report)

    def _size(self) -> int:
        """Calls of the next batch."""
        cases, done = self._budget.cases, self.report.cases
        if cases is not None:
            return min(BATCH, cases - done)
        if not self.report.is_complete or self._budget.seconds is not None:
            return BATCH
        return max(0, min(BATCH, LEAST_CASES - done))

    def _compare(self, calls: list[Call]) -> None:
        report = self.report
        answers: dict[str, list[Decision]] = {}
        for name, engine in self._engines.items():
            begun = time.perf_counter()
            answers[name] = engine.decide_all(calls)
            report.parts[name] += time.perf_counter() - begun  # type: ignore[assignment]
        begun = time.perf_counter()
        first, *others = answers.values()
        for number, decision in enumerate(first):
            report.reasons[decision.reason.value if decision.fault is None else decision.fault.code] += 1
            if any(other[number] != decision for other in others):
                report.disagreement = self._shrunk(report.cases + number + 1, calls[number])
                break
        for call in calls:
            role = call.user.role if type(call.user) is User else None
            if type(role) is str and type(call.tool) is str:
                report.by_target[role, call.tool] += 1
        report.parts["compare"] += time.perf_counter() - begun  # type: ignore[assignment]

    def _shrunk(self, number: int, call: Call) -> Disagreement:
        small = shrink(call, lambda smaller: len(set(self._decide(smaller).values())) > 1)
        return Disagreement(number, small, call, self._decide(small))

    def _decide(self, call: Call) -> dict[str, Decision]:
        return {name: engine.decide_all([call])[0] for name, engine in self._engines.items()}
