"""Every function of numbers, collections and conversions, in the module and in the interpreter, on combinations of
edges and at random."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import pytest

from hexgate.faults import Fault
from hexgate.language.functions import FUNCTIONS, Group
from hexgate.language.types import TIMESTAMP
from hexgate.values import UInt, Value
from tests.prelude.agreement import Operand, disagreements, interpreted
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


def test_no_function_is_left_out() -> None:
    """Those of texts and times have their own tests."""
    elsewhere = {"to_timestamp", "to_duration", "contains", "starts_with", "ends_with"}
    groups = (Group.CORE, Group.MATH, Group.LISTS, Group.SETS)
    ours = {f.id for f in FUNCTIONS if f.group in groups and f.overloads[0].operands[0] != TIMESTAMP}
    assert set(UNDER_TEST) == ours - elsewhere


@pytest.mark.parametrize("id_", (*ARITHMETIC, *COMPARISONS, *BITS))
def test_pairs_of_numbers(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, itertools.product(NUMBERS, NUMBERS)) == []


def random_numbers(dice: random.Random) -> Iterator[Sequence[Value]]:
    """Pairs of one type, of all magnitudes; and pairs whose sum, difference or product is near an end of the type."""
    for _ in range(1500):
        a, b = (dice.choice((-1, 1)) * dice.getrandbits(dice.randint(1, 63)) for _ in "ab")
        yield a, b
        yield UInt(abs(a)), UInt(abs(b))
        yield UInt(dice.getrandbits(64)), UInt(dice.getrandbits(dice.randint(1, 64)))
        yield a, float(b)
        yield float(b) * dice.random(), float(a)
        yield a, float(a + dice.randint(-2, 2))
        yield a, UInt(abs(a))
        end = dice.choice((2**63, 2**64))
        part = dice.getrandbits(dice.randint(1, 62)) + 1
        for pair in ((part, end // part + dice.randint(-1, 1)), (part, end - part + dice.randint(-1, 1))):
            if max(pair) < 2**63:
                yield pair
                yield -pair[0], pair[1]
                yield -pair[0], -pair[1]
            yield UInt(pair[0]), UInt(min(pair[1], 2**64 - 1))


@pytest.mark.parametrize("id_", (*ARITHMETIC, *COMPARISONS, "math_bit_xor"))
def test_random_numbers(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, random_numbers(random.Random(f"numbers {id_}"))) == []


@pytest.mark.parametrize("id_", ("to_int", "to_uint", "to_double", "to_string", "negate", "math_round", "math_abs", "math_sign", "math_sqrt"))
def test_random_single_numbers(module: Prelude, id_: str) -> None:
    dice = random.Random(f"numbers {id_}")
    numbers = (number for pair in random_numbers(dice) for number in pair)
    halves = ((dice.getrandbits(dice.randint(1, 54)) + 0.5) * dice.choice((-1, 1)) for _ in range(500))
    assert disagreements(module, id_, ((number,) for number in itertools.islice(itertools.chain(halves, numbers), 3000))) == []


@pytest.mark.parametrize("id_", ("to_int", "to_uint", "to_bool", "to_bytes"))
def test_texts_of_numbers(module: Prelude, id_: str) -> None:
    dice = random.Random(f"texts {id_}")
    edges = ("", "+", "-", "+0", "-0", "00", "+-1", "--1", " 1", "1 ", "1_0", "0x1", "1.0", "1e3", "٣", "１", "1\0", "\0", "+1", "-1")
    ends = [str(sign * (2**bits + i)) for bits in (63, 64) for i in range(-3, 4) for sign in (1, -1)]
    ends += [prefix + "0" * 30 + end for end in ends[:] if end[0] != "-" for prefix in ("", "-", "+")]
    ends += [end + "0" for end in ends] + [end[:-1] for end in ends] + ["9" * 40, "1" + "0" * 400, "9" * 20 + "x", "184467440737095516150"]
    words = [word for w in ("true", "false", "1", "0", "t", "f", "T", "F") for word in (w, w.upper(), w.title(), w + "\0", w + " ")]
    drawn = ["".join(dice.choices("+-0123456789 .", k=dice.randrange(24))) for _ in range(1500)]
    numbers = [str(dice.choice((-1, 1)) * dice.getrandbits(dice.randint(1, 70))) for _ in range(1500)]
    texts = (*edges, *ends, *words, "tRUE", "truetrue1", *drawn, *numbers)
    assert disagreements(module, id_, ((text,) for text in texts)) == []


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
    [value for value in EVERYTHING if type(value) is kind and value == value]
    for kind in dict.fromkeys(map(type, EVERYTHING)) if kind is not Fault
)  # fmt: skip


LONG: tuple[Value, ...] = tuple(range(100))
DEEP: Value = ((1, (2, (3, (4,)))), 5, (), (6, 7))
CHARGED: tuple[tuple[str, tuple[Operand, ...]], ...] = (
    ("in", (-1, LONG)), ("in", (-1, LONG[:16])), ("in", (-1, LONG[:15])), ("in", (3, LONG)),
    ("distinct", (LONG,)), ("distinct", ((1, 1.0, UInt(1), 2),)), ("distinct", ((None,) * 5,)), ("sort", (LONG,)), ("sort", ((),)),
    ("sort", ((3, "a", 1),)), ("sets_contains", (LONG, LONG[:7])), ("sets_equivalent", (LONG, LONG[:7])), ("sets_intersects", ((), LONG)),
    ("sets_equivalent", ((1, 2, 3), (3, 2, 1, 1, 1, 1))), ("lists_range", (50,)), ("lists_range", (0,)), ("lists_range", (-(2**63),)),
    ("lists_range", (2**31,)), ("lists_range", (2**32,)), ("lists_range", (2**63 - 1,)), ("add", (LONG, LONG)), ("add", ("é" * 30, "a")),
    ("add", (b"ab", b"")), ("flatten", (DEEP,)), ("flatten_depth", (DEEP, 0)), ("flatten_depth", (DEEP, 2)), ("flatten_depth", (DEEP, 2**63 - 1)),
    ("flatten_depth", (DEEP, 2**32)), ("reverse", (LONG,)), ("reverse", ("aé€😀",)), ("slice", (LONG, 3, 90)), ("slice", (LONG, 3, 3)),
    ("to_string", (2**63 - 1,)), ("to_string", (-(2**63),)), ("to_string", (UInt(2**64 - 1),)), ("to_string", (True,)),
    ("to_string", ("abc",)), ("to_string", ("é".encode(),)), ("to_bytes", ("é",)), ("to_bytes", (b"abc",)), ("dyn", (LONG,)), ("math_least", (LONG,)),
)  # fmt: skip


@pytest.mark.parametrize(("id_", "operands"), CHARGED)
def test_budgets_that_do_and_do_not_suffice(module: Prelude, id_: str, operands: tuple[Operand, ...]) -> None:
    """With exactly what the interpreter takes, and with one less of each."""
    _, steps, size = interpreted(id_, operands)
    for iterations in {steps, max(0, steps - 1), 0}:
        for budget in {size, max(0, size - 1), 0}:
            assert disagreements(module, id_, [operands], budget, iterations) == []
