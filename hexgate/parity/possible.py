"""Which outcomes a constraint can have at all, as far as is proved: true, false, error.

An over-approximation: what is left out cannot happen, what is named may. It knows of the roots that hosts always
send, of types that an operand must have had where an earlier constraint of the rule was true, and of constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hexgate.faults import EvaluationFault
from hexgate.language.checked import (
    And,
    CheckedExpression,
    Comprehension,
    Conditional,
    Constant,
    Has,
    Invoke,
    Matches,
    Node,
    Or,
    Select,
    Variable,
    operands_of,
)
from hexgate.language.functions import FUNCTIONS
from hexgate.language.interpret import interpret
from hexgate.language.types import BOOL, BYTES, DOUBLE, DURATION, INT, NULL, STRING, TIMESTAMP, UINT, Simple, Type
from hexgate.policy.checked import CheckedConstraint, CheckedRule
from hexgate.values import Duration, Timestamp, UInt


class Outcome(Enum):
    """What a constraint comes to."""

    TRUE = "true"
    FALSE = "false"
    ERROR = "error"


_BOOLEAN: frozenset[Type] = frozenset({BOOL})
_TEXT: frozenset[Type] = frozenset({STRING})
_Types = frozenset[Type] | None
"""Types that a value may have; None where it is not known."""

_Facts = dict[tuple[str, ...], _Types]
"""Places of the request that are known to be there, with the types that their values may have."""

_TYPE_OF = {bool: BOOL, int: INT, UInt: UINT, float: DOUBLE, str: STRING, bytes: BYTES, Timestamp: TIMESTAMP, Duration: DURATION, type(None): NULL}
_OVERLOADS: dict[str, list[tuple[Type, ...]]] = {}
_RESULTS: dict[str, set[Type]] = {}
for _function in FUNCTIONS:
    for _overload in _function.overloads:
        _OVERLOADS.setdefault(_function.id, []).append(_overload.operands)
        _RESULTS.setdefault(_function.id, set()).add(_overload.result)

_TOTAL = frozenset({
    "less", "less_equal", "greater", "greater_equal", "contains", "starts_with", "ends_with", "not",
    "lower_ascii", "upper_ascii", "size", "trim",
    *(f"{name}{zoned}" for name in ("full_year", "month", "day_of_year", "day_of_month", "date", "day_of_week", "hours", "minutes", "seconds", "milliseconds")
      for zoned in ("", "_in")),
})  # fmt: skip
"""Functions that have a value for every operand of the types of one of their overloads, budgets aside."""

CALLS_WITHIN_BUDGETS = 12
"""Calls over texts of a request (64 KiB) that one constraint can make without coming near a budget (L2.9, L2.10)."""

_ALWAYS: _Facts = {
    ("user", "id"): frozenset({STRING}), ("user", "role"): frozenset({STRING}), ("tool",): frozenset({STRING}), ("now",): frozenset({TIMESTAMP}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Possible:
    """What a node may yield: types (None: any), whether it may be true, may be false, may be a fault."""

    types: _Types
    true: bool
    false: bool
    fault: bool


_ANYTHING = _Possible(None, True, True, True)


def possible_outcomes(
    rule: CheckedRule, earlier: tuple[CheckedRule, ...] = (), held: CheckedRule | None = None
) -> tuple[frozenset[Outcome], ...]:
    """For each constraint of a rule, the outcomes that it may have where it is reached; none where it never is. `earlier` are
    the rules before it in its entry, `held` is a rule that must have held before."""
    reached = all(other.constraints for other in earlier)
    facts = dict(_ALWAYS)
    for constraint in () if held is None else held.constraints:
        _learn(constraint.expression.root, facts)
    for other in earlier:
        first = other.constraints[0].expression.root if other.constraints else None
        if isinstance(first, (Invoke, Matches)):
            _learn(first, facts)
    found = []
    for constraint in rule.constraints:
        outcomes = _outcomes(constraint, facts) if reached else frozenset()
        found.append(outcomes)
        reached = Outcome.TRUE in outcomes
        _learn(constraint.expression.root, facts)
    return tuple(found)


def _outcomes(constraint: CheckedConstraint, facts: _Facts) -> frozenset[Outcome]:
    possible = _visit(constraint.expression, constraint.expression.root, facts)
    may_be_no_bool = possible.types is None or possible.types != _BOOLEAN
    may_spend = _count_calls(constraint.expression.root) > CALLS_WITHIN_BUDGETS
    error = possible.fault or may_be_no_bool or may_spend
    chances = {Outcome.TRUE: possible.true, Outcome.FALSE: possible.false, Outcome.ERROR: error}
    return frozenset(outcome for outcome, chance in chances.items() if chance)


def _count_calls(node: Node) -> int:
    return isinstance(node, (Invoke, Matches)) + sum(map(_count_calls, operands_of(node)))


def _path(node: Node) -> tuple[str, ...] | None:
    """The place of the request that a node reads, where it reads one."""
    if isinstance(node, Variable):
        return (node.name,)
    if isinstance(node, Select):
        inner = _path(node.operand)
        return None if inner is None else (*inner, node.field)
    return None


def _visit(whole: CheckedExpression, node: Node, facts: _Facts) -> _Possible:
    if not isinstance(node, Constant) and _is_closed(node):
        return _fold(whole, node)
    path = _path(node)
    if path is not None:
        if path not in facts:
            return _ANYTHING
        types = facts[path]
        boolean = types is None or BOOL in types
        return _Possible(types, boolean, boolean, False)
    match node:
        case Constant(value=value):
            kind = _TYPE_OF.get(type(value))
            return _Possible(None if kind is None else frozenset({kind}), value is True, value is False, False)
        case Has(operand=operand):
            inner = _path(operand)
            known = inner is not None and any(len(other) > len(inner) and other[: len(inner)] == inner for other in facts)
            return _Possible(_BOOLEAN, True, True, not known)
        case And(left=left, right=right) | Or(left=left, right=right):
            return _logic(isinstance(node, Or), _visit(whole, left, facts), _visit(whole, right, facts))
        case Conditional(test=test, then=then, otherwise=otherwise):
            decided, branches = _visit(whole, test, facts), []
            branches += [_visit(whole, then, facts)] if decided.true else []
            branches += [_visit(whole, otherwise, facts)] if decided.false else []
            return _either(branches, decided.fault or decided.types != _BOOLEAN)
        case Matches(operand=operand):
            text = _visit(whole, operand, facts)
            return _Possible(_BOOLEAN, True, True, text.fault or text.types != _TEXT)
        case Invoke():
            return _invoke(node, [_visit(whole, operand, facts) for operand in node.operands])
        case _:
            return _ANYTHING


def _logic(is_or: bool, left: _Possible, right: _Possible) -> _Possible:
    no_bool = left.types != _BOOLEAN or right.types != _BOOLEAN
    fault = left.fault or right.fault or no_bool
    if is_or:
        return _Possible(_BOOLEAN, left.true or right.true, left.false and right.false, fault)
    return _Possible(_BOOLEAN, left.true and right.true, left.false or right.false, fault)


def _either(branches: list[_Possible], fault: bool) -> _Possible:
    types: _Types = frozenset()
    for branch in branches:
        types = None if types is None or branch.types is None else types | branch.types
    return _Possible(types, any(b.true for b in branches), any(b.false for b in branches), fault or any(b.fault for b in branches))


def _invoke(node: Invoke, operands: list[_Possible]) -> _Possible:
    fault = any(operand.fault for operand in operands)
    if node.function in ("equal", "not_equal"):
        scalar = all(operand.types is not None and all(isinstance(type_, Simple) for type_ in operand.types) for operand in operands)
        return _Possible(_BOOLEAN, True, True, fault or not scalar)
    if node.function == "not":
        only = operands[0]
        return _Possible(_BOOLEAN, only.false, only.true, fault or only.types != _BOOLEAN)
    results: _Types = frozenset(_RESULTS.get(node.function, ()))
    if results is not None and not all(isinstance(type_, Simple) and type_.name != "dyn" for type_ in results):
        results = None
    boolean = results is None or BOOL in results
    if node.function.endswith("_in") and not isinstance(node.operands[1], Constant):
        return _Possible(results, boolean, boolean, True)
    if node.function not in _TOTAL or any(operand.types is None for operand in operands):
        return _Possible(results, boolean, boolean, True)
    fits = all(combination in _OVERLOADS[node.function] for combination in _combinations([operand.types or frozenset() for operand in operands]))
    return _Possible(results, boolean, boolean, fault or not fits)


def _combinations(types: list[frozenset[Type]]) -> list[tuple[Type, ...]]:
    made: list[tuple[Type, ...]] = [()]
    for choices in types:
        made = [(*start, choice) for start in made for choice in choices]
    return made


def _is_closed(node: Node) -> bool:
    """Whether a node reads nothing of the request and no variable of a macro around it: only literals and calls of literals."""
    return isinstance(node, (Constant, Invoke, And, Or, Conditional, Matches)) and all(map(_is_closed, operands_of(node)))


def _fold(whole: CheckedExpression, node: Node) -> _Possible:
    try:
        value = interpret(CheckedExpression(whole.text, whole.tree, node, whole.slots), {})
    except EvaluationFault:
        return _Possible(_BOOLEAN, False, False, True)
    kind = _TYPE_OF.get(type(value))
    return _Possible(None if kind is None else frozenset({kind}), value is True, value is False, False)


def _learn(node: Node, facts: _Facts) -> None:
    """Notes what a constraint that was true says of the places it reads: strict calls had operands of their types."""
    if isinstance(node, And):
        _learn(node.left, facts)
        _learn(node.right, facts)
    elif isinstance(node, Matches):
        _note(node.operand, frozenset({STRING}), facts)
    elif isinstance(node, Has):
        return
    elif isinstance(node, Invoke):
        for position, operand in enumerate(node.operands):
            _note(operand, _taken(node, position), facts)
    elif isinstance(node, Comprehension):
        _note(node.range, None, facts)
    elif isinstance(node, Select):
        _note(node, frozenset({BOOL}), facts)


def _note(node: Node, types: _Types, facts: _Facts) -> None:
    path = _path(node)
    if path is None:
        if isinstance(node, (Invoke, Matches)):
            _learn(node, facts)
        return
    known = facts.get(path)
    facts[path] = types if known is None else known if types is None else known & types


def _taken(node: Invoke, position: int) -> _Types:
    """The types that an operand had where the call had a value; a constant beside it narrows them."""
    taken: set[Type] = set()
    for operands in _OVERLOADS.get(node.function, ()):
        fits = all(
            not isinstance(other, Constant) or _TYPE_OF.get(type(other.value)) in (operands[place], None)
            for place, other in enumerate(node.operands)
        )
        if fits and len(operands) == len(node.operands):
            taken.add(operands[position])
    if not taken or not all(isinstance(type_, Simple) and type_.name != "dyn" for type_ in taken):
        return None
    return frozenset(taken)
