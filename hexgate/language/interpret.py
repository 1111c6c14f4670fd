"""Interpret a checked expression: the readable definition of the language, and the engine of development.

`prepare` turns the checked tree into closures once; an `Evaluator` runs them. Faults are exceptions inside. The
interpreter never reads what the compiler lowered, and runs regular expressions with RE2 itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hexgate.faults import FATAL, EvaluationFault, Fault
from hexgate.language import (
    checked,
    operations_collections,
    operations_conversions,
    operations_format,
    operations_numbers,
    operations_text,
    operations_time,
)
from hexgate.language.checked import CheckedExpression, Node
from hexgate.language.comprehensions import run_comprehension
from hexgate.language.member_access import has, is_named_member, named_member, select, variable
from hexgate.language.member_comparison import COMPARISONS, compare_member
from hexgate.language.operations_numbers import read
from hexgate.language.re2_search import compile_re2
from hexgate.language.state import State, scan_steps
from hexgate.values import Value, key_of

Evaluate = Callable[[State], Any]

OPERATIONS: dict[str, Callable[..., Any]] = {
    **operations_numbers.OPERATIONS,
    **operations_collections.OPERATIONS,
    **operations_text.OPERATIONS,
    **operations_conversions.OPERATIONS,
    **operations_time.OPERATIONS,
    **operations_format.OPERATIONS,
}
"""The implementation of each function id: state and operand values to a value, or EvaluationFault."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A prepared expression.

    `evaluate`: the value over variables (values, or `RequestMap`s). `holds`: whether a constraint is true (L2.8), over
    the same. Both raise EvaluationFault.
    """

    evaluate: Callable[[Mapping[str, Any]], Value]
    holds: Callable[[Mapping[str, Any]], bool]


def prepare(expression: CheckedExpression) -> Evaluator:
    """The evaluator of a checked expression."""
    run, slots = _prepare(expression.root), expression.slots

    def evaluate(variables: Mapping[str, Any]) -> Value:
        return run(State(variables, slots))  # type: ignore[no-any-return]

    def holds(variables: Mapping[str, Any]) -> bool:
        value = run(State(variables, slots))
        if type(value) is not bool:
            raise EvaluationFault(Fault.NOT_A_BOOL)
        return value

    return Evaluator(evaluate, compare_member(expression.root, holds))


def interpret(expression: CheckedExpression, variables: Mapping[str, Any]) -> Value:
    """The value of an expression over variables. Raises EvaluationFault."""
    return prepare(expression).evaluate(variables)


def _prepare(node: Node) -> Evaluate:
    return _PREPARE[type(node)](node)


def _constant(node: checked.Constant) -> Evaluate:
    value = node.value
    return lambda _: value


def _local(node: checked.Local) -> Evaluate:
    slot = node.slot

    def run(state: State) -> Any:
        value = state.locals[slot]
        if type(value) is Fault:
            raise EvaluationFault(value)
        return read(value)

    return run


def _strict(operation: Callable[..., Any], operands: tuple[Evaluate, ...]) -> Evaluate:
    """L2.2: every operand is evaluated; the first fault is the result, a fatal one at once."""
    if len(operands) == 1:
        only = operands[0]
        return lambda state: operation(state, only(state))
    if len(operands) == 2:
        left, right = operands

        def run_two(state: State) -> Any:
            try:
                first = left(state)
            except EvaluationFault as fault:
                _spend(fault, (right,), state)
                raise
            return operation(state, first, right(state))

        return run_two
    return lambda state: operation(state, *_all(operands, state))


def _all(operands: tuple[Evaluate, ...], state: State) -> list[Any]:
    values: list[Any] = []
    for position, operand in enumerate(operands):
        try:
            values.append(operand(state))
        except EvaluationFault as fault:
            _spend(fault, operands[position + 1 :], state)
            raise
    return values


def _spend(first: EvaluationFault, rest: tuple[Evaluate, ...], state: State) -> None:
    """Evaluates the operands after a faulty one: they count against the budgets, and a fatal fault wins."""
    if first.fault in FATAL:
        return
    for operand in rest:
        try:
            operand(state)
        except EvaluationFault as fault:
            if fault.fault in FATAL:
                raise


def _invoke(node: checked.Invoke) -> Evaluate:
    operands = node.operands
    if node.function in operations_time.ZONED_CONSTANT and type(operands[1]) is checked.Constant:
        return _strict(operations_time.ZONED_CONSTANT[node.function], tuple(map(_prepare, operands)))
    if is_named_member(node):
        return named_member(node, _prepare)
    if node.function in COMPARISONS and type(operands[1]) is checked.Constant:
        return _compare_constant(node.function, _prepare(operands[0]), operands[1].value)
    return _strict(OPERATIONS[node.function], tuple(map(_prepare, operands)))


def _compare_constant(function: str, operand: Evaluate, constant: Any) -> Evaluate:
    """A comparison with a constant: Python's own operator where both have one plain type, else the operation."""
    plain, kind, operation = COMPARISONS[function], type(constant), OPERATIONS[function]
    if kind not in (int, str) or (kind is str and scan_steps(constant)):
        return lambda state: operation(state, operand(state), constant)

    def run(state: State) -> Any:
        value = operand(state)
        return plain(value, constant) if type(value) is kind else operation(state, value, constant)

    return run


def _matches(node: checked.Matches) -> Evaluate:
    operand = _prepare(node.operand)
    search = compile_re2(node.pattern).search

    def run(state: State) -> bool:
        text = operand(state)
        if type(text) is not str:
            raise EvaluationFault(Fault.NO_SUCH_OVERLOAD)
        state.charge_scan(text)
        return search(text) is not None

    return run


def _logical(left: Evaluate, right: Evaluate, decisive: bool) -> Evaluate:
    """L2.3: `||` where `decisive` is True, `&&` where it is False."""

    def run(state: State) -> bool:
        first: Fault | None = None
        try:
            value: object = left(state)
            if value is decisive:
                return decisive
            if type(value) is not bool:
                first = Fault.NO_SUCH_OVERLOAD
        except EvaluationFault as error:
            first = error.fault
            if first in FATAL:
                raise
        try:
            value = right(state)
        except EvaluationFault as error:
            if first is None or error.fault in FATAL:
                raise
        else:
            if value is decisive:
                return decisive
            if type(value) is not bool:
                first = first or Fault.NO_SUCH_OVERLOAD
        if first is not None:
            raise EvaluationFault(first)
        return not decisive

    return run


def _conditional(node: checked.Conditional) -> Evaluate:
    test, then, otherwise = _prepare(node.test), _prepare(node.then), _prepare(node.otherwise)

    def run(state: State) -> Any:
        decided = test(state)
        if type(decided) is not bool:
            raise EvaluationFault(Fault.NO_SUCH_OVERLOAD)
        return then(state) if decided else otherwise(state)

    return run


def _make_list(node: checked.MakeList) -> Evaluate:
    if all(type(element) is checked.Constant for element in node.elements):
        constants = tuple([element.value for element in node.elements if type(element) is checked.Constant])
        return lambda state: state.new_list(constants)
    elements = tuple(map(_prepare, node.elements))
    return lambda state: state.new_list(tuple(_all(elements, state)))


def _make_map(node: checked.MakeMap) -> Evaluate:
    parts = tuple(_prepare(part) for pair in zip(node.keys, node.values, strict=True) for part in pair)

    def run(state: State) -> Value:
        values = _all(parts, state)
        return build_map(state, values[::2], values[1::2])

    return run


def build_map(state: State, keys: list[Any], values: list[Any]) -> Value:
    """L1.2: keys of a type that keys have, then the charge for their texts, then no two equal, then the charge."""
    names = [key_of(key) for key in keys]
    if None in names:
        raise EvaluationFault(Fault.NO_SUCH_OVERLOAD)
    state.charge_keys(names)
    made = dict(zip(names, values, strict=True))
    if len(made) < len(names):
        raise EvaluationFault(Fault.DUPLICATE_KEY)
    state.charge_bytes(32 * len(made))
    return made  # type: ignore[return-value]


def _comprehension(node: checked.Comprehension) -> Evaluate:
    return run_comprehension(
        node,
        _prepare(node.range),
        None if node.body is None else _prepare(node.body),
        None if node.result is None else _prepare(node.result),
    )


def _bind(node: checked.Bind) -> Evaluate:
    slot, value, body = node.slot, _prepare(node.value), _prepare(node.body)

    def run(state: State) -> Any:
        try:
            state.locals[slot] = value(state)
        except EvaluationFault as error:
            if error.fault in FATAL:
                raise
            state.locals[slot] = error.fault
        return body(state)

    return run


def _faulty(node: checked.Faulty) -> Evaluate:
    def run(_: State) -> Any:
        raise EvaluationFault(node.fault)

    return run


_PREPARE: dict[type, Callable[[Any], Evaluate]] = {
    checked.Constant: _constant,
    checked.Variable: variable,
    checked.Local: _local,
    checked.Select: lambda node: select(node, _prepare),
    checked.Has: lambda node: has(node, _prepare),
    checked.Invoke: _invoke,
    checked.Matches: _matches,
    checked.And: lambda node: _logical(_prepare(node.left), _prepare(node.right), False),
    checked.Or: lambda node: _logical(_prepare(node.left), _prepare(node.right), True),
    checked.Conditional: _conditional,
    checked.MakeList: _make_list,
    checked.MakeMap: _make_map,
    checked.Comprehension: _comprehension,
    checked.Bind: _bind,
    checked.Faulty: _faulty,
}
