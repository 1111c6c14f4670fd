"""How much work the largest operands may cause: in fuel of the engine, which does not depend on the machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hexgate.faults import Fault
from hexgate.values import Value
from tests.prelude.agreement import Operand
from tests.prelude.harness import prelude

FULL = 65_000
"""Bytes of the largest text of a request, nearly."""

LARGEST: dict[str, tuple[str, Callable[[], tuple[Operand, ...]], int]] = {
    "equal texts": ("fn_equal", lambda: ("x" * FULL, "x" * FULL), 3 * FULL),
    "texts in order": ("fn_less", lambda: ("x" * FULL, "x" * FULL + "a"), 30 * FULL),
    "size of a text": ("fn_size", lambda: ("é" * (FULL // 2),), 4 * FULL),
    "text in a list of equally long ones": ("fn_in", lambda: ("x" * 999 + "y", ("x" * 1000,) * 64), 4 * FULL),
    "sort backwards": ("fn_sort", lambda: (tuple(range(9_000, 0, -1)),), 2_000 * 9_000),
    "sort equal numbers": ("fn_sort", lambda: ((1, 1.0) * 4_500,), 2_000 * 9_000),
    "distinct": ("fn_distinct", lambda: (tuple(range(399)),), 80 * 399 * 399),
    "sets": ("fn_sets_equivalent", lambda: (tuple(range(280)), tuple(range(279, -1, -1))), 200 * 280 * 280),
    "flatten": ("fn_flatten", lambda: (((1,) * 30,) * 2_000,), 150 * 60_000),
    "flatten beyond the budget": ("fn_flatten", lambda: (((1,) * 33,) * 2_000,), 150 * 66_000),
    "lists.range": ("fn_lists_range", lambda: (10_000,), 150 * 10_000),
    "equal maps": ("fn_equal", lambda: (_map(range(2_000)), _map(range(2_000))), 400 * 2_000),
    "equal maps in opposite order": ("fn_equal", lambda: (_map(range(2_000)), _map(range(1_999, -1, -1))), 60 * 2_000 * 2_000),
    "int of many digits": ("fn_to_int", lambda: ("9" * FULL,), 50 * FULL),
    "string of bytes": ("fn_to_string", lambda: (b"x" * FULL,), 4 * FULL),
    "string of bytes that are not ASCII": ("fn_to_string", lambda: ("é".encode() * (FULL // 2),), 60 * FULL),
}
"""Function, operands, and the fuel that is enough."""


def _map(keys: range) -> Value:
    return {f"key{i:05}": i for i in keys}


@pytest.mark.parametrize("name", LARGEST)
def test_fuel_of_the_largest_operands(name: str) -> None:
    function, operands, enough = LARGEST[name]
    module = prelude(*dict.fromkeys(function for function, _, _ in LARGEST.values()))
    before = module.fuel()
    outcome = module.apply(function, *operands())
    spent = before - module.fuel()
    print(f"{name}: {spent:,} of {enough:,}")
    assert spent <= enough
    assert outcome.value is not Fault.ITERATION_BUDGET_EXCEEDED
