"""Calls to try on both sides: what each policy suggests, then each one's requests with the other's values, then random ones."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hexgate.decision.decision import User
from hexgate.difference.side import Side
from hexgate.parity.atoms import Place
from hexgate.parity.call import Call, Request, call_of, put
from hexgate.parity.derive import Derivation, pattern_names
from hexgate.parity.near_times import NOW

CROSSED_VALUES = 40
"""Values of one place of one side that are put into a request of the other."""

_Ground = tuple[str, str]


class Candidates:
    """The calls for two policies. Deterministic, for one seed."""

    def __init__(self, old: Side, new: Side, seed: int) -> None:
        self._sides = (old, new)
        self._derivations = [Derivation(side.policy, with_huge=False) for side in self._sides if side.policy is not None]
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

    def _by_name(self) -> Iterator[Call]:
        """Every role of either side with every tool of either, without arguments: all that can be said of a side without policies,
        and where a role or tool is on one side only."""
        for side in self._sides:
            for role, entry in side.named.grounds:
                for tool in pattern_names(entry) if "*" in entry else (entry,):
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
