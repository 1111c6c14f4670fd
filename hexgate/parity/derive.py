"""Calls derived from a policy: for each role, tool, rule and constraint, values on every side of what the constraint says."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any

from hexgate.decision.decision import User
from hexgate.language.checked import Node
from hexgate.parity.atoms import Place
from hexgate.parity.call import Call, Path, Request, call_of, get, put
from hexgate.parity.candidates import CANDIDATES, SIZED_ELEMENTS, huge, many
from hexgate.parity.near_times import NOW
from hexgate.parity.reach import Ground, Reach, Studies, Study, steps_between, with_assignment
from hexgate.policy.checked import CheckedConstraint, CheckedEntry, CheckedPolicy, CheckedRole, CheckedRule

TURN = 48
"""Calls of one role and tool before it is the next ones' turn: what a short run sees is spread over the policy."""

DERIVED_CALLS = 400_000
"""About how many calls are derived from a large policy: the more constraints, the fewer values of each place."""

FEWEST_VALUES = 36
"""Values of one place that are tried however large a policy is."""

HUGE_CONSTRAINTS = 200
"""Constraints with which values around the budgets are tried, each of which takes milliseconds to decide on."""

BISECTIONS = 70
"""Steps from two numbers to the edge between them: enough for 64 bits."""

_STRANGE_ROLES = ("nobody", "", "\ud800", "r" * 300, 5, None)
_STRANGE_TOOLS = ("no_such_tool", "", "\ud800", "t" * 300, 5, None, "é", "a\0b", "*")


@dataclass(slots=True)
class Target:
    """A role and a tool that the policy says something about; `bases` are the requests found to reach its rules."""

    role: str
    tool: str
    boundary: CheckedEntry | None
    entry: CheckedEntry | None
    bases: list[Request] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


class Derivation:
    """Everything that a policy itself suggests to try. Deterministic."""

    def __init__(
        self, policy: CheckedPolicy, *, with_huge: bool = True, wanted: Callable[[str, str], bool] | None = None, tools: Iterable[str] = ()
    ) -> None:
        """`with_huge`: also values around the budgets, each of which takes milliseconds to decide on. `wanted` says of a role and a tool
        whether calls are derived for them; None is all. `tools` are tried beside those that the policy names."""
        self._policy = policy
        self._with_huge = with_huge
        self._told_huge: set[int] = set()
        targets = tuple(self._targets(tuple(tools)))
        self._tools = tuple(dict.fromkeys(target.tool for target in targets))
        self.targets = targets if wanted is None else tuple(target for target in targets if wanted(target.role, target.tool))
        self._studies = Studies(max(FEWEST_VALUES, min(CANDIDATES, DERIVED_CALLS // max(1, sum(map(_count_constraints, self.targets)) * 3))))

    def _targets(self, others: tuple[str, ...]) -> Iterator[Target]:
        policy = self._policy
        named = dict.fromkeys(name for row in _rows(policy) for name in row.exact)
        for role in policy.roles.values():
            patterns = [entry.pattern for row in (role, policy.boundary) if row is not None for entry in row.patterns]
            tools = dict.fromkeys((*named, *(tool for pattern in patterns for tool in pattern_names(pattern)), "some_other_tool", *others))
            for tool in tools:
                boundary = None if policy.boundary is None else policy.boundary.entry_for(tool)
                entry = role.entry_for(tool)
                if entry is not None or boundary is not None or tool not in named:
                    yield Target(role.name, tool, boundary, entry)

    def calls(self) -> Iterator[Call]:
        """The derived calls, some of each role and tool in turn."""
        waiting = deque([self._names()])
        waiting.extend(map(self._of, self.targets))
        while waiting:
            calls = waiting.popleft()
            told = 0
            for call in islice(calls, TURN):
                told += 1
                yield call
            if told == TURN:
                waiting.append(calls)

    def bases_of(self, target: Target) -> list[Request]:
        """Requests that reach the rules of a target, found when first asked for. Never empty."""
        if not target.bases:
            reach = self._reach(target)
            for entry, beside in ((target.entry, target.boundary), (target.boundary, target.entry)):
                if entry is not None:
                    for number in range(len(entry.rules)):
                        target.bases.append(reach.rule(entry, number, beside))
                        target.places += [place for place in self._studies.places(_roots(entry.rules[number])) if place.values]
            if not target.bases:
                target.bases.append({"args": {}, "user": {"id": "alice", "attrs": {}}, "ctx": {}, "resource": {}, "now": NOW})
        return target.bases

    def places_of(self, constraints: Iterable[CheckedConstraint]) -> tuple[Place, ...]:
        """The places that some constraints of the policy read together, with what is tried there."""
        return self._studies.places(tuple(constraint.expression.root for constraint in constraints))

    def _reach(self, target: Target) -> Reach:
        ground = Ground(target.role, target.tool, self._policy.reads_for(target.tool))
        return Reach(ground, self._studies, f"{target.role}/{target.tool}")

    def _names(self) -> Iterator[Call]:
        """Roles and tools that there are not, users that are none, and names that are nearly right."""
        roles = [*self._policy.roles]
        tools = self._tools
        args: dict[str, Any] = {"a": 1}
        for role in roles[:50]:
            for strange in (*_STRANGE_TOOLS, *(near for tool in tools[:10] for near in near_names(tool))):
                yield Call(strange, args, User("alice", role), None, None, NOW)
            for other in (None, [], "x", 5, object()):
                yield Call(tools[0], other, User("alice", role), other, other, NOW)
            yield Call(tools[0], args, User("", role), None, None, NOW)
            yield Call(tools[0], args, User(5, role), None, None, NOW)  # type: ignore[arg-type]
            for near in near_names(role):
                yield Call(tools[0], args, User("alice", near), None, None, NOW)
        for strange in _STRANGE_ROLES:
            yield Call(tools[0], args, User("alice", strange), None, None, NOW)  # type: ignore[arg-type]
        yield Call(tools[0], args, None, None, None, NOW)

    def _of(self, target: Target) -> Iterator[Call]:
        """The calls of one role and tool."""
        bases = self.bases_of(target)
        for base in bases:
            yield call_of(base, target.role, target.tool)
        position = 0
        for entry in (target.entry, target.boundary):
            for rule in () if entry is None else entry.rules:
                yield from self._around(target, rule, bases[position])
                position += 1

    def _around(self, target: Target, rule: CheckedRule, base: Request) -> Iterator[Call]:
        """A request that reaches a rule, changed in every place that its constraints read; then each constraint's own edges."""
        role, tool = target.role, target.tool
        ground = Ground(role, tool, self._policy.reads_for(tool))
        for place in self._studies.places(_roots(rule)):
            for value in place.values:
                changed = put(base, place.path, value)
                yield call_of(changed, role, tool)
                for again in _beside(base, place.path, changed):
                    yield call_of(again, role, tool)
        for constraint in rule.constraints:
            for changed in self._at_edges(self._studies.of(constraint), ground, base):
                yield call_of(changed, role, tool)

    def _at_edges(self, study: Study, ground: Ground, base: Request) -> Iterator[Request]:
        """For one constraint: neighbouring numbers that it tells apart, pairs of outcomes of its atoms, and once values that are huge."""
        key = id(study.constraint.expression)
        once = self._with_huge and key not in self._told_huge and len(self._told_huge) < HUGE_CONSTRAINTS
        self._told_huge.add(key)
        for place in study.places:
            numbers: dict[tuple[type, Any], Any] = {}
            for value in place.values:
                if type(value) in (int, float) and place.path != ("now",):
                    numbers.setdefault((type(value), ground.outcome(study.holds, put(base, place.path, value))), value)
            for value in (*self._edges(study, ground, base, place.path, list(numbers.values())), *_resized(get(base, place.path), place)):
                yield put(base, place.path, value)
            if once:
                for value in (*huge(place.shape), *_repeated(get(base, place.path), place)) if place.path != ("now",) else ():
                    yield put(base, place.path, value)
        for left, right in combinations(self._studies.effects(study, ground, base), 2):
            for first in left:
                for second in right:
                    yield with_assignment(with_assignment(base, first), second)
                    yield with_assignment(with_assignment(base, second), first)

    def _edges(self, study: Study, ground: Ground, base: Request, path: Path, numbers: list[Any]) -> Iterator[Any]:
        """The two neighbouring numbers between which the constraint's value changes, for each pair of outcomes."""
        for low, high in combinations(numbers, 2):
            below = ground.outcome(study.holds, put(base, path, low))
            for _ in range(BISECTIONS):
                middle = steps_between(low, high)
                if middle is None:
                    break
                if ground.outcome(study.holds, put(base, path, middle)) == below:
                    low = middle
                else:
                    high = middle
            yield low
            yield high


def _count_constraints(target: Target) -> int:
    entries = [entry for entry in (target.entry, target.boundary) if entry is not None]
    return sum(len(rule.constraints) for entry in entries for rule in entry.rules)


def _repeated(value: Any, place: Place) -> Iterator[Any]:
    """For a place that holds a list: its first element, and some that other candidates have, very often."""
    if type(value) is list and value:
        firsts = [value[0], *(other[0] for other in place.values if type(other) is list and other)]
        for element in firsts[:3]:
            yield from many(element)


def _resized(value: Any, place: Place) -> Iterator[Any]:
    """For a place that holds a list whose size is asked for: its first element as often as the sizes that are compared with, one less and one
    more. What else is asked of each element stays true."""
    if type(value) is list and value and "size" in place.shape.functions:
        for constant in tuple(place.shape.constants.values()):
            if type(constant) is int and 0 <= constant <= SIZED_ELEMENTS:
                yield from (value[:1] * size for size in (constant - 1, constant, constant + 1) if size > 0)


def _roots(rule: CheckedRule) -> tuple[Node, ...]:
    return tuple(constraint.expression.root for constraint in rule.constraints)


def _beside(base: Request, path: Path, changed: Request) -> Iterator[Request]:
    """For a place in the first element of a list: the changed element before and after the one that it was."""
    if 0 in path:
        of_list = path[: path.index(0)]
        before, after = get(base, of_list), get(changed, of_list)
        if type(before) is list and type(after) is list and before and after:
            yield put(base, of_list, [before[0], after[0]])
            yield put(base, of_list, [after[0], before[0]])
            yield put(base, of_list, [after[0], after[0]])


def _rows(policy: CheckedPolicy) -> list[CheckedRole]:
    rows = [*policy.roles.values()]
    return rows if policy.boundary is None else [*rows, policy.boundary]


def pattern_names(pattern: str) -> Iterator[str]:
    """Names that a pattern covers, and names that it just does not."""
    for filling in ("", "x", "é", "a.b"):
        yield pattern.replace("*", filling)
    filled = pattern.replace("*", "x")
    yield from ("x" + filled, filled + "x", filled[:-1], filled.upper(), pattern)


def near_names(name: str) -> Iterator[str]:
    """Names that are not this one."""
    for near in (name.upper(), name + "\n", name + "\0", name + " ", " " + name, name[:-1], name + "x", name.replace("a", "а"), name.replace("_", "-")):
        if near != name:
            yield near
