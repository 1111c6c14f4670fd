"""Run calls through two policies and keep, for each role, tool and change, the smallest call that shows it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TypeAlias

from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.difference.candidates import Candidates
from hexgate.difference.change import Change, Difference, Effect, change_between
from hexgate.difference.side import ANY_OTHER, Side, decide_call
from hexgate.limits import INT_MIN, UINT_MAX
from hexgate.parity.call import Call
from hexgate.parity.shrink import shrink

RANDOM_CASES = 20_000
"""Random calls of a run that does not say how many: after all derived ones."""

BATCH = 512
"""Calls between two looks at the clock."""

Key: TypeAlias = tuple[str, str, Effect, Change, Verdict]
"""Role, tool as it is listed, what changed, and the verdict before."""

Rank: TypeAlias = tuple[int, ...]
"""How far a call is from one that somebody would make; less is better."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to look: so many calls (None: all derived ones and `RANDOM_CASES`), so many seconds at most (None: no limit). Making
    the calls that were found small comes on top."""

    cases: int | None = None
    seconds: float | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A call on which the engines of one side differ, a fault of Hexgate. `side` is `old` or `new`."""

    side: str
    call: Call
    decisions: dict[str, Decision]


@dataclass(slots=True)
class Report:
    """What was tried and found. `is_complete`: every derived call was tried. `seconds` includes making calls small."""

    old: Side
    new: Side
    seed: int
    cases: int = 0
    seconds: float = 0.0
    is_complete: bool = False
    differences: tuple[Difference, ...] = ()
    disagreement: Disagreement | None = None

    def count(self, effect: Effect) -> int:
        """How many differences have an effect."""
        return sum(difference.effect is effect for difference in self.differences)


@dataclass(slots=True)
class Progress:
    """What a run has done so far."""

    cases: int = 0
    found: dict[Key, tuple[Rank, Call]] = field(default_factory=dict)


Watch: TypeAlias = Callable[[Progress], None]
"""Is shown the progress after every batch."""


def find_differences(old: Side, new: Side, budget: Budget | None = None, watch: Watch | None = None) -> Report:
    """Looks for calls that the sides decide differently, and confirms each on every engine of both. What is not found may
    still be there. Deterministic for a seed and a number of calls. The report's differences are in the order to list them."""
    budget = budget or Budget()
    report = Report(old, new, budget.seed)
    run = _Run(old, new)
    started = time.perf_counter()
    report.is_complete = run.search(Candidates(old, new, budget.seed), budget, watch)
    report.cases = run.progress.cases
    try:
        report.differences = tuple(sorted(run.confirmed(), key=lambda found: found.order))
    except _EnginesDifferError as error:
        report.disagreement = error.disagreement
    report.seconds = time.perf_counter() - started
    return report


class _EnginesDifferError(Exception):
    def __init__(self, disagreement: Disagreement) -> None:
        super().__init__(disagreement.side)
        self.disagreement = disagreement


class _Run:
    def __init__(self, old: Side, new: Side) -> None:
        self.progress = Progress()
        self._old, self._new = old, new
        self._named = frozenset((*old.named.tools, *new.named.tools))

    def search(self, candidates: Candidates, budget: Budget, watch: Watch | None) -> bool:
        """Goes through the calls until the budget is spent; whether all derived ones were among them."""
        started = time.perf_counter()
        derived = candidates.derived()
        left = math.inf if budget.cases is None else budget.cases
        while left > 0 and not self._is_late(started, budget):
            size = int(min(BATCH, left))
            calls = list(islice(derived, size))
            self._compare(calls, watch)
            left -= len(calls)
            if len(calls) < size:
                self._search_random(candidates.random(), left, started, budget, watch)
                return True
        return next(derived, None) is None

    def _search_random(self, calls: Iterator[Call], left: float, started: float, budget: Budget, watch: Watch | None) -> None:
        if budget.cases is None and budget.seconds is None:
            left = RANDOM_CASES
        while left > 0 and not self._is_late(started, budget):
            batch = list(islice(calls, int(min(BATCH, left))))
            if not batch:
                return
            self._compare(batch, watch)
            left -= len(batch)

    def _is_late(self, started: float, budget: Budget) -> bool:
        return budget.seconds is not None and time.perf_counter() - started >= budget.seconds

    def _compare(self, calls: list[Call], watch: Watch | None) -> None:
        """One engine of each side goes through the calls; the others are asked about what is kept."""
        old, new, found = self._old.fastest(), self._new.fastest(), self.progress.found
        for call in calls:
            before, after = decide_call(old, call), decide_call(new, call)
            key = self._key(call, before, after)
            if key is None:
                continue
            rank = _rank(call, before, after)
            if key not in found or rank < found[key][0]:
                found[key] = rank, call
        self.progress.cases += len(calls)
        if watch is not None:
            watch(self.progress)

    def _key(self, call: Call, old: Decision, new: Decision) -> Key | None:
        changed = change_between(old, new)
        if changed is None or type(call.user) is not User:
            return None
        return call.user.role, self._listed_tool(call, old, new), *changed, old.verdict

    def _listed_tool(self, call: Call, old: Decision, new: Decision) -> str:
        """The name under which a tool is listed: its own, the longest pattern that a side has it under, or `ANY_OTHER`."""
        tool, role = str(call.tool), call.user.role if call.user is not None else ""
        if tool in self._named:
            return tool
        patterns = (self._old.entry_name(role, tool, old), self._new.entry_name(role, tool, new))
        return max((pattern for pattern in patterns if pattern is not None), key=lambda pattern: (len(pattern), pattern), default=ANY_OTHER)

    def confirmed(self) -> Iterator[Difference]:
        """Every difference with the smallest call that was found for it. Raises _EnginesDifferError."""
        for key, (_, call) in self.progress.found.items():
            small = shrink(call, self._showing(key, call))
            old, new = self._agreed("old", self._old, small), self._agreed("new", self._new, small)
            yield Difference(key[0], key[1], key[2], key[3], small, old, new)

    def _agreed(self, name: str, side: Side, call: Call) -> Decision:
        """The decision of all engines of a side. Raises _EnginesDifferError."""
        decisions = side.decide(call)
        if any(decision != next(iter(decisions.values())) for decision in decisions.values()):
            raise _EnginesDifferError(Disagreement(name, call, decisions))
        return next(iter(decisions.values()))

    def _showing(self, key: Key, call: Call) -> Callable[[Call], bool]:
        """Whether a smaller call shows the same, no worse than the call that was found. One engine of each side is asked: of a thousand
        calls that are tried, the one that is kept is confirmed."""
        fastest_old, fastest_new = self._old.fastest(), self._new.fastest()
        worst = _rank(call, self._agreed("old", self._old, call), self._agreed("new", self._new, call))

        def shows(smaller: Call) -> bool:
            old, new = decide_call(fastest_old, smaller), decide_call(fastest_new, smaller)
            return self._key(smaller, old, new) == key and _rank(smaller, old, new) <= worst

        return shows


def _rank(call: Call, old: Decision, new: Decision) -> Rank:
    faults = sum(decision.reason is not Reason.CONSTRAINT_FAILED and decision.fault is not None for decision in (old, new))
    plain = all(_is_json(part) for part in (call.args, call.ctx, call.resource, *_user_parts(call)))
    tool = call.tool if type(call.tool) is str else ""
    written = tool.isascii() and tool.isprintable() and tool[-1:].isalnum()
    return (0 if plain else 1, faults, 0 if written else 1)


def _user_parts(call: Call) -> tuple[Any, ...]:
    return () if call.user is None else (call.user.user_id, call.user.role, call.user.attrs)


def _is_json(value: Any) -> bool:
    """Whether somebody can write a value down and hand it over again."""
    kind = type(value)
    if value is None or kind is bool:
        return True
    if kind is int:
        return bool(INT_MIN <= value <= UINT_MAX)
    if kind is float:
        return math.isfinite(value)
    if kind is str:
        return all(not 0xD800 <= ord(character) < 0xE000 for character in value)
    if kind is list:
        return all(map(_is_json, value))
    return kind is dict and all(map(_is_json, chain(value, value.values())))
