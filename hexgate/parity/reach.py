"""Search for calls that reach a rule: every constraint before a point true, every earlier rule left.

A bounded local search with the interpreter's own evaluators. It need not succeed: a call that does not get where it was meant
to is still a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, combinations, product
from math import isfinite
from random import Random
from typing import Any

from hexgate.decision.decision import User, Verdict
from hexgate.decision.reads import Reads
from hexgate.faults import EvaluationFault, Fault
from hexgate.language.checked import And, CheckedExpression, Node
from hexgate.language.interpret import prepare
from hexgate.language.request_variables import RequestVariables
from hexgate.parity.atoms import Place, atoms_of, expression_of, places_of
from hexgate.parity.call import Path, Request, get, put
from hexgate.parity.near_times import NOW
from hexgate.policy.checked import CheckedConstraint, CheckedEntry, CheckedRule

ROUNDS = 3
PAIRED = 10
"""Values of each of two places that are tried together."""

FAILURES = 4
"""Searches for one goal that found nothing after which only what is known is tried."""

GUESSES = 150
"""Random combinations that are tried for one constraint that no single change makes true."""

Assignment = tuple[tuple[Path, Any], ...]


@dataclass(frozen=True, slots=True)
class Study:
    """A constraint with its places, its evaluator, what must be true for it to hold, and for each of its atoms the places and
    evaluator of that."""

    constraint: CheckedConstraint
    places: tuple[Place, ...]
    holds: Callable[[Mapping[str, Any]], bool]
    goals: tuple[_Goal, ...]
    atoms: tuple[tuple[tuple[Place, ...], Callable[[Mapping[str, Any]], Any]], ...]


class Studies:
    """The studies of a policy's constraints, each made once."""

    def __init__(self, limit: int) -> None:
        """`limit`: values of one place, at most."""
        self._limit = limit
        self._found: dict[int, Study] = {}
        self._places: dict[tuple[int, ...], tuple[Place, ...]] = {}
        self._memories: dict[tuple[int, ...], _Memory] = {}
        self._effects: dict[int, tuple[tuple[Assignment, ...], ...]] = {}

    def of(self, constraint: CheckedConstraint) -> Study:
        """The study of a constraint."""
        expression = constraint.expression
        found = self._found.get(id(expression))
        if found is None:
            parts = atoms_of(expression.root)
            atoms = () if len(parts) < 2 else tuple((places_of((part,), self._limit), _evaluator(expression, part)) for part in parts[:6])
            goals = tuple(_Goal((_evaluator(expression, part),), _paths(places_of((part,), 1)), True) for part in _conjuncts(expression.root))
            found = Study(constraint, places_of((expression.root,), self._limit), prepare(expression).holds, goals, atoms)
            self._found[id(expression)] = found
        return found

    def places(self, roots: tuple[Node, ...]) -> tuple[Place, ...]:
        """The places that some constraints read together."""
        key = tuple(map(id, roots))
        if key not in self._places:
            self._places[key] = places_of(roots, self._limit)
        return self._places[key]

    def memory_of(self, goal: _Goal) -> _Memory:
        """What is known of a goal, whatever role and tool it was learnt for."""
        return self._memories.setdefault(tuple(map(id, goal.conditions)), _Memory())

    def effects(self, study: Study, ground: Ground, base: Request) -> tuple[tuple[Assignment, ...], ...]:
        """For each atom, changes to a request that make it true, false, faulty or no bool, one of each that is found."""
        key = id(study.constraint.expression)
        if key not in self._effects:
            self._effects[key] = tuple(_effects(places, evaluate, ground, base) for places, evaluate in study.atoms)
        return self._effects[key]


def _evaluator(expression: CheckedExpression, part: Node) -> Callable[[Mapping[str, Any]], Any]:
    return prepare(expression_of(expression, part)).evaluate


def _paths(places: Sequence[Place]) -> frozenset[Path]:
    return frozenset(place.path for place in places)


def _conjuncts(node: Node) -> tuple[Node, ...]:
    return (*_conjuncts(node.left), *_conjuncts(node.right)) if isinstance(node, And) else (node,)


def _leaving(studies: Sequence[Study]) -> _Goal:
    """That a rule does not hold."""
    return _Goal(tuple(study.holds for study in studies), frozenset(place.path for study in studies for place in study.places), False)


@dataclass(frozen=True, slots=True)
class Ground:
    """A role and a tool, and what is read for them: where requests become variables."""

    role: str
    tool: str
    reads: Reads

    def variables(self, request: Request) -> RequestVariables:
        """The variables that constraints are evaluated over."""
        user = request["user"]
        return RequestVariables(
            self.reads, self.tool, User(user.get("id"), self.role, user.get("attrs")), request.get("args"), request.get("ctx"), request.get("resource"), request["now"]
        )  # fmt: skip

    def outcome(self, evaluate: Callable[[Mapping[str, Any]], Any], request: Request) -> Any:
        """A constraint's or an atom's value, or its Fault."""
        try:
            return evaluate(self.variables(request))
        except EvaluationFault as error:
            return error.fault


def _effects(places: Sequence[Place], evaluate: Callable[[Mapping[str, Any]], Any], ground: Ground, base: Request) -> tuple[Assignment, ...]:
    found: dict[Any, Assignment] = {}
    for place in places:
        for value in place.values:
            outcome = ground.outcome(evaluate, put(base, place.path, value))
            kind = outcome if type(outcome) in (bool, Fault) else "other"
            found.setdefault(kind, ((place.path, value),))
    return tuple(found.values())[:6]


@dataclass(frozen=True, slots=True)
class _Goal:
    """Conditions that are all to hold, or (`wanted` False) of which one is to be false and all before it true."""

    conditions: tuple[Callable[[Mapping[str, Any]], Any], ...]
    paths: frozenset[Path]
    wanted: bool

    def is_met(self, ground: Ground, request: Request) -> bool:
        for condition in self.conditions:
            outcome = ground.outcome(condition, request)
            if outcome is False:
                return not self.wanted
            if outcome is not True:
                return False
        return self.wanted


@dataclass(slots=True)
class _Memory:
    """What earlier searches learnt of a goal: changes that met it, the latest first, and how many searches found none."""

    solutions: list[Assignment] = field(default_factory=list)
    failures: int = 0

    def keep(self, solution: Assignment) -> None:
        self.solutions = [solution, *self.solutions[:3]]


class Reach:
    """Finds requests for a role and a tool."""

    def __init__(self, ground: Ground, studies: Studies, seed: str) -> None:
        self.ground = ground
        self._studies = studies
        self._random = Random(seed)

    def rule(self, entry: CheckedEntry, number: int, beside: CheckedEntry | None) -> Request:
        """A request that gets to a rule of an entry and holds there, and that the entry `beside` grants too (the boundary's, for a rule of the
        role's, and the other way round); failing that, one that only gets to the rule, or as far as the search came."""
        held, left = [entry.rules[number]], list(entry.rules[:number])
        alone = self._goals(held, left)
        if beside is not None:
            granting = next((rule for rule in beside.rules if rule.reference.mode is not Verdict.DENY), None)
            left = [*beside.rules[: beside.rules.index(granting) if granting else len(beside.rules)], *left]
            if granting is not None:
                held = [granting, *held]
        request = self._search(self._goals(held, left), self._places(held, left))
        if beside is None or self._count(alone, request) == len(alone):
            return request
        other = self._search(alone, self._places([entry.rules[number]], list(entry.rules[:number])))
        return other if self._count(alone, other) > self._count(alone, request) else request

    def _goals(self, held: list[CheckedRule], left: list[CheckedRule]) -> list[_Goal]:
        """That rules hold, and that others do not."""
        goals = [goal for rule in held for study in self._of(rule) for goal in study.goals]
        return [*goals, *(_leaving(self._of(rule)) for rule in left if rule.constraints)]

    def _places(self, held: list[CheckedRule], left: list[CheckedRule]) -> tuple[Place, ...]:
        return self._studies.places(tuple(constraint.expression.root for rule in (*held, *left) for constraint in rule.constraints))

    def _of(self, rule: CheckedRule) -> tuple[Study, ...]:
        return tuple(map(self._studies.of, rule.constraints))

    def _search(self, goals: Sequence[_Goal], places: Sequence[Place]) -> Request:
        request: Request = {"args": {}, "user": {"id": "alice", "attrs": {}}, "ctx": {}, "resource": {}, "now": NOW}
        for place in places:
            if place.is_leaf and place.values and place.path != ("user", "id"):
                request = put(request, place.path, place.values[0])
        met = self._count(goals, request)
        for _ in range(ROUNDS):
            if met == len(goals):
                break
            for goal in goals:
                if not goal.is_met(self.ground, request):
                    read = [place for place in places if place.path in goal.paths and place.values]
                    request, met = self._improve(goals, goal, read, request, met)
        return request

    def _count(self, goals: Sequence[_Goal], request: Request) -> int:
        return sum(goal.is_met(self.ground, request) for goal in goals)

    def _improve(self, goals: Sequence[_Goal], goal: _Goal, places: list[Place], request: Request, met: int) -> tuple[Request, int]:
        """The request changed so that more goals are met, or as it was; a change that costs as much as it gains is kept."""
        ground, memory = self.ground, self._studies.memory_of(goal)
        if not places:
            return request, met
        even = None
        for trial in chain((with_assignment(request, known) for known in memory.solutions), self._trials(request, places, memory)):
            if goal.is_met(ground, trial):
                count = self._count(goals, trial)
                if count > met:
                    memory.keep(tuple((place.path, get(trial, place.path)) for place in places if place.is_leaf))
                    return trial, count
                even = even or trial
        memory.failures += 1
        return (even or request), met if even is None else self._count(goals, even)

    def _trials(self, request: Request, places: Sequence[Place], memory: _Memory) -> Iterator[Request]:
        """The request with one place changed, inner places first; with two; with several."""
        if memory.failures >= FAILURES:
            return
        inner_first = sorted(places, key=lambda place: -len(place.path))
        for place in inner_first:
            for value in place.values:
                yield put(request, place.path, value)
        for left, right in combinations(inner_first[:5], 2):
            for first, second in product(left.values[:PAIRED], right.values[:PAIRED]):
                yield put(put(request, left.path, first), right.path, second)
        draw = self._random
        for _ in range(GUESSES):
            trial = request
            for place in draw.sample(places, draw.randint(1, min(4, len(places)))):
                trial = put(trial, place.path, draw.choice(place.values[:60]))
            yield trial


def with_assignment(request: Request, assignment: Assignment) -> Request:
    """A request with places changed."""
    for path, value in assignment:
        request = put(request, path, value)
    return request


def steps_between(low: Any, high: Any) -> Any:
    """The number in the middle of two, of their type; None where they are neighbours or no two numbers of one type."""
    if type(low) is int and type(high) is int:
        middle = (low + high) // 2
        return None if middle in (low, high) else middle
    if type(low) is float and type(high) is float and low == low and high == high:
        half = low / 2 + high / 2
        return None if half in (low, high) or not isfinite(half) else half
    return None


