"""The largest request, and expressions that use up the budgets in wasteful ways: heap and fuel suffice, and the module and
the interpreter come to the same (docs/abi.md A4.5)."""

from __future__ import annotations

import pytest

from hexgate.faults import Fault
from hexgate.language.check import check
from hexgate.language.environment import Environment
from hexgate.language.types import DYN
from hexgate.values import Value
from tests.engines.engines import ENGINES

SMALL: tuple[Value, ...] = tuple(i % 120 for i in range(9_500))


def _nested(depth: int) -> Value:
    value: Value = None
    for _ in range(depth):
        value = (value,)
    return value


DEEP: tuple[Value, ...] = (_nested(29),) * 1_700
"""In a request, 32 bytes of heap for each of its own, nearly."""

EXPRESSIONS: tuple[str, ...] = (
    "l.map(x, string(int(string(int(string(int(string(x)))))))) == []",
    "l.map(x, type(type(type(type(type(type(type(x)))))))) == []",
    "l.map(x, [string(x) + string(x) + string(x) + string(x)]) == []",
    "l.map(x, string(double(string(double(string(double(x))))))) == []",
    "l.map(x, -(-(-(-(-(-(x + 1))))))) == []",
    "l.map(x, uint(string(uint(string(uint(string(x))))))) == []",
    "l.map(x, {x: {x: {x: string(x)}}}) == []",
    "l.map(x, [[[[[[string(x)]]]]]]) == []",
    "l.transformMapEntry(i, x, {string(x) + string(i): string(x) + string(i)}) == {}",
    "l.transformMap(i, x, string(duration(string(duration(x)))) + string(timestamp(string(timestamp(x))))) == {}",
    "l.map(x, string(x).split('').reverse().join().reverse().substring(0)) == []",
    "l.map(x, l.slice(0, 6).distinct().sort().reverse().flatten()) == []",
    "l.map(x, base64.encode(base64.decode(base64.encode(bytes(string(x)))))) == []",
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_heap_suffices(expression: str) -> None:
    bindings: dict[str, Value] = {"l": SMALL, "deep": DEEP}
    checked = check(f"size(deep) == 0 || {expression}", Environment(dict.fromkeys(bindings, DYN), unchecked=True))
    answers = [engine.evaluate(checked, bindings) for engine in ENGINES]
    assert answers == [answers[0]] * len(ENGINES)
    assert answers[0] is False or answers[0] in (Fault.ALLOCATION_BUDGET_EXCEEDED, Fault.ITERATION_BUDGET_EXCEEDED)


@pytest.mark.parametrize("asked", ["'k5000' in m", "'k99' in m || 'zzzzz' in m || x in m", "has(m.yyyyy) || m['k0001'] == 2"])
def test_members_in_a_loop_over_the_largest_request(asked: str) -> None:
    """As many look-ups as there are steps, in a map as large as fits beside the list: no fuel runs out."""
    bindings: dict[str, Value] = {"l": SMALL, "m": {f"k{i:04}": 1 for i in range(6_000)}}
    checked = check(f"l.exists(x, {asked})", Environment(dict.fromkeys(bindings, DYN), unchecked=True))
    assert [engine.evaluate(checked, bindings) for engine in ENGINES] == [asked == "'k5000' in m"] * len(ENGINES)
