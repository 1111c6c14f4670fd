"""Lists, maps and sets (docs/language.md L3.4, L3.5, L6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from hexgate.faults import EvaluationFault, Fault
from hexgate.language.operations_numbers import compare, equal, no_overload, read
from hexgate.language.state import State, scan_steps, utf8_length
from hexgate.limits import ALLOCATION_BUDGET, ITERATION_BUDGET
from hexgate.values import UInt, Value, key_of


def index(state: State, operand: Any, at: Any) -> Value:
    if type(operand) is dict:
        charge_key(state, at)
        found = find_key(operand, at)
        if found is None:
            raise EvaluationFault(Fault.NO_SUCH_KEY)
        return read(operand[found])  # type: ignore[no-any-return]
    if type(operand) is not tuple:
        raise no_overload()
    if type(at) not in (int, UInt) and not (type(at) is float and at.is_integer()):
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    if not 0 <= at < len(operand):
        raise EvaluationFault(Fault.INDEX_OUT_OF_RANGE)
    return read(operand[int(at)])  # type: ignore[no-any-return]


def charge_key(state: State, key: Any) -> None:
    """The steps of looking up a key (L2.9)."""
    if type(key) is str:
        state.charge_scan(key)


def find_key(map_: dict[Any, Any], key: Any) -> Any:
    """The `dict` key equal to a value (L3.5), or None."""
    name = key_of(key) if type(key) is not float else int(key) if key.is_integer() else None
    return name if name is not None and name in map_ else None


def contains_element(state: State, element: Any, within: Any) -> bool:
    """L3.4."""
    if type(within) is dict:
        charge_key(state, element)
        return find_key(within, element) is not None
    if type(within) is not tuple:
        raise no_overload()
    state.charge_steps(len(within) // 16)
    return _holds(state, within, element)


def _holds(state: State, elements: Iterable[Any], element: Any) -> bool:
    """Whether one of the elements equals a value; they are compared in order, up to the first that does."""
    for other in elements:  # noqa: SIM110 - a generator costs as much as the comparisons of a short list
        if equal(state, element, other):
            return True
    return False


def size(state: State, operand: Any) -> int:
    if type(operand) is str and len(operand) >= 256:
        state.charge_steps(utf8_length(operand) // 1024)
    if type(operand) in (str, bytes, tuple, dict):
        return len(operand)
    raise no_overload()


def _require_list(operand: Any) -> tuple[Any, ...]:
    if type(operand) is not tuple:
        raise no_overload()
    return operand


def _distinct(state: State, operand: Any) -> Value:
    elements = _require_list(operand)
    state.charge_steps(len(elements) * len(elements) // 16)
    kept: list[Any] = []
    for element in elements:
        read(element)
        if not _holds(state, kept, element):
            kept.append(element)
    return state.new_list(tuple(kept))


def _flatten(state: State, operand: Any, depth: Any = 1) -> Value:
    elements = _require_list(operand)
    if type(depth) is not int:
        raise no_overload()
    if depth < 0:
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    # One more than a budget allows is enough to know that it is exceeded: a list may hold one long list many times.
    state.charge_steps(_visits(elements, depth, 16 * ITERATION_BUDGET + 16) // 16)
    return state.new_list(tuple(islice(_flattened(elements, depth), ALLOCATION_BUDGET // 16 + 1)))


def _visits(elements: tuple[Any, ...], depth: int, most: int) -> int:
    """How many elements `flatten` looks at, those of the lists that it opens included; at most about `most`."""
    visits = len(elements)
    if depth:
        for element in elements:
            if visits > most:
                break
            if type(element) is tuple:
                visits += _visits(element, depth - 1, most - visits)
    return visits


def _flattened(elements: tuple[Any, ...], depth: int) -> Iterator[Any]:
    for element in elements:
        if depth and type(element) is tuple:
            yield from _flattened(element, depth - 1)
        else:
            yield element


def _reverse(state: State, operand: Any) -> Value:
    if type(operand) is str:
        return state.new_text(operand[::-1])
    return state.new_list(_require_list(operand)[::-1])


def _slice(state: State, operand: Any, start: Any, end: Any) -> Value:
    elements = _require_list(operand)
    if type(start) is not int or type(end) is not int:
        raise no_overload()
    if not 0 <= start <= end <= len(elements):
        raise EvaluationFault(Fault.INDEX_OUT_OF_RANGE)
    return state.new_list(elements[start:end])


def _sort(state: State, operand: Any) -> Value:
    """L6.4: every element is read, in order, and must go with the first; then a stable sort. Python orders numbers by
    their exact values, and everything else that gets here as the language does."""
    elements = _require_list(operand)
    texts = [scan_steps(element) for element in elements if type(element) is str or type(element) is bytes]
    state.charge_steps(len(elements) + sum(texts))
    for element in elements:
        if compare(read(element), read(elements[0])) is None:
            raise no_overload()
    return state.new_list(tuple(sorted(elements)))


def _range(state: State, count: Any) -> Value:
    if type(count) is not int:
        raise no_overload()
    state.charge_steps(max(0, count))
    return state.new_list(tuple(range(max(0, count))))


def _subset(state: State, inner: tuple[Any, ...], outer: tuple[Any, ...]) -> bool:
    """Whether every element of the first equals one of the second; elements looked up in order."""
    return all(_holds(state, outer, element) for element in inner)


def _sets(times: int, test: Callable[[State, Any, Any], bool]) -> Callable[[State, Any, Any], bool]:
    def operation(state: State, left: Any, right: Any) -> bool:
        left, right = _require_list(left), _require_list(right)
        state.charge_steps(len(left) * len(right) // 16 * times)
        return test(state, left, right)

    return operation


OPERATIONS: dict[str, Callable[..., Any]] = {
    "index": index,
    "in": contains_element,
    "size": size,
    "distinct": _distinct,
    "flatten": _flatten,
    "flatten_depth": _flatten,
    "reverse": _reverse,
    "slice": _slice,
    "sort": _sort,
    "lists_range": _range,
    "sets_contains": _sets(1, lambda state, a, b: _subset(state, b, a)),
    "sets_equivalent": _sets(2, lambda state, a, b: _subset(state, b, a) and _subset(state, a, b)),
    "sets_intersects": _sets(1, lambda state, a, b: any(_holds(state, a, element) for element in b)),
}
