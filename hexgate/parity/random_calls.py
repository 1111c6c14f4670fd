"""Random calls on top of the derived ones: requests that reach a rule, changed in a few places at once."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hexgate.decision.decision import User
from hexgate.parity.call import Call, call_of, put
from hexgate.parity.calls import CallGenerator
from hexgate.parity.derive import Derivation, Target

_STRANGE_USERS = (None, User("", "nobody"), User("alice", "nobody"), User("u" * 300, "nobody"))


class RandomCalls:
    """Draws calls for a policy from one seed."""

    def __init__(self, derivation: Derivation, seed: int) -> None:
        self._derivation = derivation
        self._random = Random(f"random calls {seed}")
        self._values = CallGenerator(self._random)

    def __iter__(self) -> Iterator[Call]:
        random, targets = self._random, self._derivation.targets
        while True:
            target = targets[int(random.random() * len(targets))]
            call = self._from_base(target)
            if random.random() < 0.01:
                call = self._strange(call)
            yield call

    def _from_base(self, target: Target) -> Call:
        """A request for a target with up to four places changed: to values that the policy suggests, or to any."""
        random = self._random
        bases = self._derivation.bases_of(target)
        request = bases[int(random.random() * len(bases))]
        places = target.places
        for _ in range(int(random.random() * 5) if places else 0):
            place = places[int(random.random() * len(places))]
            if random.random() < 0.8 or place.path == ("now",):
                value = place.values[int(random.random() * len(place.values))]
            else:
                value = self._values.value(2)
            request = put(request, place.path, value)
        return call_of(request, target.role, target.tool)

    def _strange(self, call: Call) -> Call:
        """The call with another tool, user, or arguments of no kind."""
        random = self._random
        kind = random.randrange(4)
        if kind == 0:
            return call._replace(tool=random.choice(self._derivation.targets).tool)
        if kind == 1:
            return call._replace(args=self._values.rare())
        if kind == 2:
            return call._replace(user=random.choice(_STRANGE_USERS))
        return call._replace(ctx=self._values.value(3), resource=self._values.value(3))
