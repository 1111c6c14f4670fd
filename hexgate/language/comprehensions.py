"""Macros over lists and maps in the interpreter (docs/language.md L2.5, L2.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hexgate.faults import FATAL, EvaluationFault, Fault
from hexgate.language.checked import KEEPING, Comprehension, ComprehensionKind, step_nodes
from hexgate.language.operations_numbers import read
from hexgate.language.state import State
from hexgate.values import key_of, value_of_key

Evaluate = Callable[[State], Any]
_K = ComprehensionKind


def run_comprehension(node: Comprehension, over: Evaluate, body: Evaluate | None, result: Evaluate | None) -> Evaluate:
    """The closure of a comprehension, given those of its parts."""
    slots = node.slots
    nodes = step_nodes(node)
    step_steps = 1 + nodes // 16
    step_bytes = 16 * nodes if node.kind in KEEPING else 0
    finish = _KINDS[node.kind]

    def steps(state: State) -> Iterator[tuple[Any, Any]]:
        for first, second in _pairs(over(state), len(slots)):
            state.charge_steps(step_steps)
            if step_bytes:
                state.charge_bytes(step_bytes)
            state.locals[slots[0]] = first
            if len(slots) == 2:
                state.locals[slots[1]] = second
            yield first, second

    return lambda state: finish(state, steps(state), body, result)


def _pairs(over: Any, variables: int) -> Iterator[tuple[Any, Any]]:
    """What the variables are at each step: element, or index and element, of a list; key and value of a map."""
    if type(over) is tuple:
        return ((element, element) for element in over) if variables == 1 else enumerate(over)
    if type(over) is dict:
        return ((value_of_key(key), member) for key, member in over.items())
    raise EvaluationFault(Fault.NO_SUCH_OVERLOAD)


def _fold(decisive: bool) -> Callable[..., bool]:
    """`all` where `decisive` is False, `exists` where it is True."""

    def run(state: State, steps: Iterator[Any], body: Callable[[State], object], _: None) -> bool:
        first: Fault | None = None
        for _step in steps:
            try:
                value = body(state)
            except EvaluationFault as error:
                if error.fault in FATAL:
                    raise
                first = first or error.fault
                continue
            if value is decisive:
                return decisive
            if type(value) is not bool:
                first = first or Fault.NO_SUCH_OVERLOAD
        if first is not None:
            raise EvaluationFault(first)
        return not decisive

    return run


def _true(value: object) -> bool:
    if type(value) is not bool:
        raise EvaluationFault(Fault.NO_SUCH_OVERLOAD)
    return value is True


def _exists_one(state: State, steps: Iterator[Any], body: Evaluate, _: None) -> bool:
    count = 0
    for _step in steps:
        count += _true(body(state))
    return count == 1


def _filter(state: State, steps: Iterator[Any], body: Evaluate, _: None) -> Any:
    return state.new_list(tuple([first for first, _second in steps if _true(body(state))]))


def _map(state: State, steps: Iterator[Any], body: Evaluate | None, result: Evaluate) -> Any:
    kept = [result(state) for _step in steps if body is None or _true(body(state))]
    return state.new_list(tuple(kept))


def _transform_map(state: State, steps: Iterator[Any], body: Evaluate | None, result: Evaluate) -> Any:
    made = {key_of(first): result(state) for first, _second in steps if body is None or _true(body(state))}
    state.charge_keys(made)
    state.charge_bytes(32 * len(made))
    return made


def _transform_map_entry(state: State, steps: Iterator[Any], body: Evaluate | None, result: Evaluate) -> Any:
    """Every result is evaluated; then the first that is no map, then a repeated key, is the fault."""
    maps = [result(state) for _step in steps if body is None or _true(body(state))]
    if any(type(read(entry)) is not dict for entry in maps):
        raise EvaluationFault(Fault.NO_SUCH_OVERLOAD)
    total = sum(map(len, maps))
    state.charge_steps(total * total // 16)
    state.charge_bytes(32 * total)
    state.charge_keys(key for entry in maps for key in entry)
    made = {key: member for entry in maps for key, member in entry.items()}
    if len(made) < total:
        raise EvaluationFault(Fault.DUPLICATE_KEY)
    return made


_KINDS: dict[ComprehensionKind, Callable[..., Any]] = {
    _K.ALL: _fold(False),
    _K.EXISTS: _fold(True),
    _K.EXISTS_ONE: _exists_one,
    _K.FILTER: _filter,
    _K.MAP: _map,
    _K.TRANSFORM_LIST: _map,
    _K.TRANSFORM_MAP: _transform_map,
    _K.TRANSFORM_MAP_ENTRY: _transform_map_entry,
}
