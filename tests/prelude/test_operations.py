"""Every function of numbers, collections and conversions, in the module and in the interpreter, on combinations of edges.

Both must agree on the value to the bit, on the fault, and on what is taken from the budgets. And a call may keep no
more heap than the budgets pay for (`emit.HEAP_BYTES`).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest

from hexgate.faults import Fault
from hexgate.language.functions import FUNCTIONS
from hexgate.values import Value
from tests.prelude.agreement import Operand, disagreements
from tests.prelude.harness import Prelude, prelude
from tests.prelude.pools import EVERYTHING, INTS, KINDS, NUMBERS, SAMPLE

ARITHMETIC = ("add", "subtract", "multiply", "divide", "modulo")
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
BITS = ("math_bit_and", "math_bit_or", "math_bit_xor", "math_bit_shift_left", "math_bit_shift_right")
PAIRED = (*ARITHMETIC, *COMPARISONS, *BITS, "in", "index", "flatten_depth", "sets_contains", "sets_equivalent", "sets_intersects")
SINGLE = (
    "not", "negate", "size", "dyn", "type", "to_bool", "to_bytes", "to_double", "to_int", "to_string", "to_uint",
    "math_greatest", "math_least", "math_ceil", "math_floor", "math_round", "math_trunc", "math_abs", "math_sign", "math_sqrt",
    "math_is_nan", "math_is_inf", "math_is_finite", "math_bit_not",
    "distinct", "flatten", "reverse", "sort", "lists_range",
)  # fmt: skip
TRIPLES = ("slice",)
UNDER_TEST = (*PAIRED, *SINGLE, *TRIPLES)

@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude(*(f"fn_{id_}" for id_ in UNDER_TEST))


def test_every_id_exists() -> None:
    assert set(UNDER_TEST) <= {function.id for function in FUNCTIONS}


@pytest.mark.parametrize("id_", (*ARITHMETIC, *COMPARISONS, *BITS))
def test_pairs_of_numbers(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, itertools.product(NUMBERS, NUMBERS)) == []


@pytest.mark.parametrize("id_", PAIRED)
def test_pairs_of_all_kinds(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, itertools.product(KINDS, KINDS)) == []


@pytest.mark.parametrize("id_", ("add", "equal", "less", "in", "index", "sets_contains", "sets_equivalent", "sets_intersects"))
def test_pairs_of_everything(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, itertools.product(SAMPLE, SAMPLE)) == []


@pytest.mark.parametrize("id_", SINGLE)
def test_each_value(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, ((value,) for value in EVERYTHING)) == []


def test_slices(module: Prelude) -> None:
    offsets: tuple[Operand, ...] = (*INTS[:8], -(2**63), 2**63 - 1, 2**32, None, "a", 1.0, Fault.NO_SUCH_KEY)
    operands: tuple[Operand, ...] = ((), (1, 2, 3), "abc", None, Fault.OVERFLOW)
    assert disagreements(module, "slice", itertools.product(operands, offsets, offsets)) == []


@pytest.mark.parametrize("id_", ("sort", "distinct", "math_greatest", "math_least", "flatten", "reverse"))
def test_random_lists(module: Prelude, id_: str) -> None:
    dice = random.Random(f"lists {id_}")
    numbers = [tuple(dice.choices(NUMBERS, k=dice.randrange(12))) for _ in range(1500)]
    ordered = [tuple(dice.choices(pool, k=dice.randrange(40))) for pool in _ONE_TYPE for _ in range(60)]
    mixed = [tuple(value for value in dice.choices(SAMPLE, k=4) if type(value) is not Fault) for _ in range(800)]
    assert disagreements(module, id_, ((elements,) for elements in (*numbers, *ordered, *mixed))) == []


_ONE_TYPE: tuple[Sequence[Value], ...] = tuple(
    [value for value in EVERYTHING if type(value) is kind and value == value]  # type: ignore[misc]
    for kind in dict.fromkeys(map(type, EVERYTHING)) if kind is not Fault
)  # fmt: skip
