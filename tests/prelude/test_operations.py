"""Every function of numbers, collections and conversions, in the module and in the interpreter, on combinations of edges.

Both must agree on the value to the bit, on the fault, and on what is taken from the budgets. And a call may keep no
more heap than the budgets pay for (`emit.HEAP_BYTES`).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence

import pytest

from hexgate.faults import EvaluationFault, Fault
from hexgate.language.functions import FUNCTIONS
from hexgate.language.interpret import OPERATIONS
from hexgate.language.state import State
from hexgate.limits import ALLOCATION_BUDGET, ITERATION_BUDGET
from hexgate.values import Value
from tests.engines.notation import same
from tests.prelude.harness import Outcome, Prelude, prelude
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

Operand = Value | Fault


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude(*(f"fn_{id_}" for id_ in UNDER_TEST))


def interpreted(id_: str, operands: Sequence[Operand]) -> tuple[Operand, int, int]:
    """What the interpreter's operation gives, strictly (L2.2), with steps and bytes taken."""
    state = State({}, 0)
    first = next((operand for operand in operands if type(operand) is Fault), None)
    if first is not None:
        return first, 0, 0
    answer: Operand
    try:
        answer = OPERATIONS[id_](state, *operands)
    except EvaluationFault as error:
        answer = error.fault
    return answer, ITERATION_BUDGET - state.steps_left, ALLOCATION_BUDGET - state.bytes_left


def disagreements(module: Prelude, id_: str, cases: Iterable[Sequence[Operand]]) -> list[str]:
    """What differs, case by case; also a heap that outgrows its charge."""
    found = []
    for operands in cases:
        expected, steps, size = interpreted(id_, operands)
        got = module.apply(f"fn_{id_}", *operands)
        if not (same(got.value, expected) and (got.steps, got.bytes) == (steps, size)):
            found.append(f"{id_}{tuple(operands)!r}: {got}, interpreted {expected!r}, {steps} steps, {size} bytes")
        elif not within_heap(got):
            found.append(f"{id_}{tuple(operands)!r}: keeps {got.heap} bytes of heap for {got.bytes} charged")
    return found


def within_heap(outcome: Outcome) -> bool:
    """Twice what is charged for the node (16), its steps and its value pays for the heap that a call keeps, and for one
    cell more."""
    return outcome.heap <= 48 + 16 * outcome.steps + 2 * outcome.bytes


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
