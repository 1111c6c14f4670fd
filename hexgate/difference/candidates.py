"""Calls to try on both sides: what each policy suggests, then each one's requests with the other's values, then what
changed in several places at once, then random ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations, product, zip_longest
from random import Random
from typing import Any

from hexgate.decision.decision import User
from hexgate.difference.side import Side
from hexgate.difference.unchanged import Unchanged
from hexgate.parity.atoms import Place
from hexgate.parity.call import ABSENT, Call, Path, Request, call_of, put
from hexgate.parity.derive import Derivation, pattern_names
from hexgate.parity.near_times import NOW
from hexgate.parity.reach import with_assignment

CROSSED_VALUES = 40
"""Values of one place of one side that are put into a request of the other."""

TOGETHER = ((2, 40), (3, 12))
"""Places of constraints that changed that are given values together, and values of each of them, at most."""

TOGETHER_CALLS = 30_000
"""Calls of one role and tool, about, for each of these."""

_Ground = tuple[str, str]


class Candidates:
    """The calls for two policies. Deterministic, for one seed."""

    def __init__(self, old: Side, new: Side, seed: int) -> None:
        self._sides = (old, new)
        policies = [side.policy for side in self._sides if side.policy is not None]
        self._unchanged = None if old.policy is None or new.policy is None else Unchanged(old.policy, new.policy)
        alike = self._unchanged if old.is_compiled_here and new.is_compiled_here else None
        wanted = None if alike is None else lambda role, tool: not alike.at(role, tool)
        tools = tuple(dict.fromkeys(tool for side in self._sides for entry in (*side.named.tools, *side.named.patterns) for tool in _names(entry)))
        self._derivations = [Derivation(policy, with_huge=False, wanted=wanted, tools=tools) for policy in policies]
        self._random = Random(f"differences {seed}")

    def derived(self) -> Iterator[Call]:
        """What the policies themselves suggest: some calls of each in turn."""
        yield from self._by_name()
        waiting = [derivation.calls() for derivation in self._derivations]
        while waiting:
            for calls in tuple(waiting):
                call = next(calls, None)
                if call is None:
                    waiting.remove(calls)
                else:
                    yield call
        yield from self._crossed()
        yield from self._together()

    def _by_name(self) -> Iterator[Call]:
        """Every role of either side with every tool of either, without arguments: all that can be said of a side without policies,
        and where a role or tool is on one side only."""
        for side in self._sides:
            for role, entry in side.named.grounds:
                for tool in _names(entry):
                    yield Call(tool, {}, User("alice", role), {}, {}, NOW)

    def _crossed(self) -> Iterator[Call]:
        """Requests that reach a rule on one side, with one value that the other side's rules suggest."""
        if len(self._derivations) < 2:
            return
        for reaching, suggesting in ((0, 1), (1, 0)):
            suggested = self._found(suggesting)
            for ground, (bases, _) in self._found(reaching).items():
                for place in suggested.get(ground, ((), ()))[1]:
                    for value in place.values[:CROSSED_VALUES]:
                        for base in bases:
                            yield call_of(put(base, place.path, value), *ground)

    def _together(self) -> Iterator[Call]:
        """Requests that reach a rule of either side, with several places changed that a constraint reads which the other side does not have:
        an allowance by class and status differs only for a request that has both."""
        if self._unchanged is None:
            return
        found = [self._found(number) for number in (0, 1)]
        for ground in dict.fromkeys(chain(*found)):
            bases = _distinct(base for side in found if ground in side for base in side[ground][0])
            for count, most in TOGETHER:
                for request in _with_all(bases, self._changed_places(self._unchanged, ground), count, most):
                    yield call_of(request, *ground)

    def _changed_places(self, unchanged: Unchanged, ground: _Ground) -> dict[Path, Sequence[Any]]:
        """The places that constraints read which one side only has, with the values of both sides in turn."""
        values: dict[Path, Sequence[Any]] = {}
        for derivation, constraints in zip(self._derivations, unchanged.changed(*ground), strict=True):
            for place in derivation.places_of(constraints):
                if place.is_leaf:
                    known = values.get(place.path, place.values)
                    values[place.path] = _distinct(each for pair in zip_longest(known, place.values, fillvalue=ABSENT) for each in pair)
        return values

    def _found(self, number: int) -> dict[_Ground, tuple[tuple[Request, ...], tuple[Place, ...]]]:
        """The requests and places of one side, by role and tool."""
        derivation = self._derivations[number]
        return {
            (target.role, target.tool): (tuple(derivation.bases_of(target)), tuple({place.path: place for place in target.places}.values()))
            for target in derivation.targets
        }

    def random(self) -> Iterator[Call]:
        """Without end, where any side has a policy: requests of either side, changed in up to four places to values of both."""
        grounds: dict[_Ground, tuple[list[Request], list[Place]]] = {}
        for number in range(len(self._derivations)):
            for ground, (bases, places) in self._found(number).items():
                known = grounds.setdefault(ground, ([], []))
                known[0].extend(bases)
                known[1].extend(place for place in places if place.values)
        draw, rows = self._random.random, list(grounds.items())
        while rows:
            ground, (requests, known_places) = rows[int(draw() * len(rows))]
            request = requests[int(draw() * len(requests))]
            for _ in range(int(draw() * 5) if known_places else 0):
                place = known_places[int(draw() * len(known_places))]
                request = put(request, place.path, place.values[int(draw() * len(place.values))])
            yield call_of(request, *ground)


def _names(entry: str) -> Iterable[str]:
    """The tools to try for an exact name or a pattern."""
    return pattern_names(entry) if "*" in entry else (entry,)


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once: `1`, `1.0`, `True` and `UInt(1)` are four."""
    return list({(type(value), repr(value)): value for value in values}.values())


def _with_all(bases: list[Request], places: dict[Path, Sequence[Any]], count: int, most: int) -> Iterator[Request]:
    """Each request with each `count` places set to each choice of their first values."""
    groups = list(combinations(places, count))
    size = min(most, int((TOGETHER_CALLS / max(1, len(groups) * len(bases))) ** (1 / count)))
    for paths, base in product(groups, bases):
        for values in product(*(places[path][:size] for path in paths)):
            yield with_assignment(base, tuple(zip(paths, values, strict=True)))
