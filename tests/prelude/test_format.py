"""`format` in the module: by `Decimal` for digits, by the interpreter for everything else (L5.7)."""

from __future__ import annotations

import itertools
import math
import random
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest

from hexgate.faults import Fault
from hexgate.values import BoolKey, Duration, Timestamp, TypeValue, UInt, Unsupported, Value, key_of
from tests.prelude.agreement import Operand, disagreements
from tests.prelude.doubles import neighbours_of_powers, random_doubles
from tests.prelude.harness import Prelude, prelude
from tests.prelude.pools import EVERYTHING, KINDS

TEXTS: tuple[tuple[str, tuple[Value, ...], str | Fault], ...] = (
    ("%%%s%%", ("é",), "%é%"), ("", (1,), ""), ("%s", (1, 2), "1"),
    ("%s|%s|%s", (None, True, 1), "null|true|1"), ("%s", (UInt(2**64 - 1),), "18446744073709551615"),
    ("%s|%s|%s", (math.nan, math.inf, -math.inf), "NaN|Infinity|-Infinity"), ("%s|%s", (1e21, -0.0), "1e+21|-0"),
    ("%s", (Timestamp(1_500_000_000),), "1970-01-01T00:00:01.500Z"), ("%s", (Duration(-1_500_000_000),), "-1.5s"),
    ("%s", (TypeValue("list"),), "list"), ("%s", ((),), "[]"), ("%s", ({},), "{}"), ("%s", ((1, ("a", {"k": ()}), b"x"),), "[1, [a, {k: []}], x]"),
    ("%s", ({"b": 1, "a": 2, "": 3, "ab": 4, "é": 5, "\U0001f600": 6, "\uffff": 7},), "{: 3, a: 2, ab: 4, b: 1, é: 5, \uffff: 7, \U0001f600: 6}"),
    ("%s", ({10: 1, 9: 2, UInt(100): 3, BoolKey.TRUE: 4, -1: 5, "t": 6},), "{-1: 5, 10: 1, 100: 3, 9: 2, t: 6, true: 4}"),
    ("%s", ({"1": 1, 1: 2, BoolKey.TRUE: 3, "true": 4},), "{1: 1, 1: 2, true: 3, true: 4}"),
    ("%s", ({1: 1, "1": 2, "true": 3, BoolKey.TRUE: 4},), "{1: 1, 1: 2, true: 3, true: 4}"),
    ("%d %d %d", (-(2**63), UInt(2**64 - 1), 0), "-9223372036854775808 18446744073709551615 0"),
    ("%d|%d|%d", (math.nan, math.inf, -math.inf), "NaN|Infinity|-Infinity"),
    ("%b %b %b %b", (5, UInt(0), True, False), "101 0 1 0"), ("%b", (-(2**63),), "-1" + "0" * 63),
    ("%o %o", (8, -9), "10 -11"), ("%x %X %x", (255, -255, UInt(2**64 - 1)), "ff -FF ffffffffffffffff"),
    ("%x|%X|%x", ("é\0", b"\xab\x0f", ""), "c3a900|AB0F|"),
    ("%f|%f|%f", (1, UInt(2), 2.5), "1.000000|2.000000|2.500000"), ("%.0f %.0f %.0f %.0f", (0.5, 1.5, 2.5, -0.5), "0 2 2 -0"),
    ("%.1f %.2f %.3f", (0.25, 1.005, 1.2345), "0.2 1.00 1.234"), ("%.0e %.0e %.1e", (2.5, 35, 9.96), "2e+00 4e+01 1.0e+01"),
    ("%e|%e", (0.0, -0.0), "0.000000e+00|-0.000000e+00"), ("%.2e", (1e-100,), "1.00e-100"), ("%.03f", (1.0,), "1.000"),
    ("%.2f", (0.995,), "0.99"), ("%.2f", (99.995,), "100.00"), ("%.0f", (9.5,), "10"), ("%.0f", (0.9,), "1"), ("%.1f", (0.05,), "0.1"),
    ("%.1f", (0.04,), "0.0"), ("%.2f", (1e-300,), "0.00"), ("%f %e", (math.inf, math.nan), "Infinity NaN"),
    ("%.99f", (0.0,), "0." + "0" * 99), ("%f", (2**63 - 1,), "9223372036854775808.000000"),
    *((template, (1.5, "a", 1), Fault.INVALID_ARGUMENT) for template in (
        "%", "%%%", "%q", "% s", "%5s", "%-5d", "%05d", "%.f", "%.", "%.5", "%.12", "%.123f", "%.1d", "%.2s", "%.2%", "%.2g", "%.2h",
        "%.2c", "%S", "%F", "%E", "%D", "%B", "%O", "%c", "%t", "%v", "%p", "%é", "%.é", "%.1é", "%s%s%s%s", "%d", "%.+1f", "%.1.1f",
    )),
    ("%b", ("a",), Fault.INVALID_ARGUMENT), ("%o", (True,), Fault.INVALID_ARGUMENT), ("%x", (0.5,), Fault.INVALID_ARGUMENT),
    ("%x", (True,), Fault.INVALID_ARGUMENT), ("%d", ("1",), Fault.INVALID_ARGUMENT), ("%d", (True,), Fault.INVALID_ARGUMENT),
    ("%f", ("1",), Fault.INVALID_ARGUMENT), ("%e", (None,), Fault.INVALID_ARGUMENT), ("%s", (b"\xff",), Fault.INVALID_ARGUMENT),
    ("%s", ((1, (b"\xff",)),), Fault.INVALID_ARGUMENT), ("%d", (), Fault.INVALID_ARGUMENT),
    ("%s", (Unsupported(),), Fault.UNSUPPORTED_VALUE), ("%s", ({"a": (Unsupported(),)},), Fault.UNSUPPORTED_VALUE),
    ("%q", (Unsupported(),), Fault.INVALID_ARGUMENT), ("%d", (Unsupported(),), Fault.UNSUPPORTED_VALUE),
    ("%s", (1, Unsupported()), "1"), ("%s", ({"b": Unsupported(), "a": b"\xff"},), Fault.INVALID_ARGUMENT),
)  # fmt: skip


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude("fn_format")


@pytest.mark.parametrize(("template", "operands", "expected"), TEXTS)
def test_texts(module: Prelude, template: str, operands: tuple[Value, ...], expected: str | Fault) -> None:
    outcome = module.apply("fn_format", template, operands)
    assert outcome.value == expected
    assert disagreements(module, "format", [(template, operands)]) == []


def test_every_type_in_every_place(module: Prelude) -> None:
    assert disagreements(module, "format", itertools.product((*KINDS, "%s"), (*KINDS, (1,)))) == []


def test_every_value_by_every_verb(module: Prelude) -> None:
    verbs = ("%s", "%d", "%f", "%e", "%b", "%o", "%x", "%X", "%.0f", "%.0e", "%.99f", "%.99e")
    values = [value for value in EVERYTHING if type(value) is not Fault]
    assert disagreements(module, "format", ((f"<{verb}>", (value,)) for verb in verbs for value in values)) == []


def _by_decimal(value: float, precision: int, verb: str) -> str:
    """The digits of the exact value of a double, rounded half to even."""
    exact = Decimal(value)
    if verb == "f":
        return str(f"{exact.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_EVEN, Context(2000)):f}")
    digits = Context(precision + 1, ROUND_HALF_EVEN).create_decimal(exact).copy_abs()
    power = digits.adjusted() if digits else 0
    mantissa = digits.scaleb(-power, Context(2000)).quantize(Decimal(1).scaleb(-precision), context=Context(2000))
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    return f"{sign}{mantissa:f}e{'-' if power < 0 else '+'}{abs(power):02}"


@pytest.mark.parametrize("verb", ("f", "e"))
def test_precision(module: Prelude, verb: str) -> None:
    dice = random.Random(f"precision {verb}")
    values = [*random_doubles(f"precision {verb}", 1500), *dice.sample(list(neighbours_of_powers()), 500)]
    values += [dice.randrange(10**6) / 2 ** dice.randrange(12) for _ in range(1000)]
    wrong = []
    for value in filter(math.isfinite, values):
        precision = dice.choice((0, 1, 2, 3, 6, 15, 17, 30, 99))
        got = module.apply("fn_format", f"%.{precision}{verb}", (value,)).value
        expected = _by_decimal(value, precision, verb)
        if got != expected:
            wrong.append((value, precision, got, expected))
    assert wrong == []


def _value(dice: random.Random, depth: int) -> Value:
    match dice.randrange(12 if depth < 3 else 10):
        case 0 | 1:
            return dice.choice(_PLAIN)
        case 2:
            return dice.randrange(-(2**63), 2**63) >> dice.randrange(64)
        case 3:
            return UInt(dice.getrandbits(64) >> dice.randrange(64))
        case 4 | 5:
            return next(random_doubles(str(dice.random()), 1))
        case 6:
            return "".join(dice.choices("ab%é€😀 ", k=dice.randrange(6)))
        case 7:
            return dice.randbytes(2) if dice.random() < 0.2 else "aé".encode()
        case 8:
            return Timestamp(dice.randrange(-62_135_596_800 * 10**9, 253_402_300_800 * 10**9))
        case 9:
            return Duration(dice.randrange(-(10**15), 10**15))
        case 10:
            return tuple(_value(dice, depth + 1) for _ in range(dice.randrange(4)))
        case _:
            keys = [dice.choice((dice.randrange(-3, 12), UInt(dice.randrange(20)), "ab1é"[: dice.randrange(4)], True, False)) for _ in range(8)]
            return {key: _value(dice, depth + 1) for key in map(key_of, keys) if key is not None}


_PLAIN: tuple[Value, ...] = tuple(value for value in EVERYTHING if type(value) is not Fault)


@pytest.mark.parametrize("budget", (2**20, 0, 3, 20, 60))
def test_random_templates(module: Prelude, budget: int) -> None:
    """Also where the text outgrows what is left of the budget: the fault that comes first decides."""
    dice = random.Random(f"templates {budget}")
    verbs = ("%s", "%s", "%s", "%d", "%x", "%b", "%o", "%X", "%f", "%.2e", "%%", "a", "é", "%.1f")
    cases: list[tuple[Operand, ...]] = []
    for _ in range(1500):
        template = "".join(dice.choices(verbs, k=dice.randrange(6)))
        cases.append((template, tuple(_value(dice, 0) for _ in range(dice.randrange(7)))))
    assert disagreements(module, "format", cases, budget) == []


def test_large_maps(module: Prelude) -> None:
    """Ordered by the text of the keys, equal texts as they were, in time that is not quadratic."""
    dice = random.Random("maps")
    keys: list[Value] = [number if number % 3 else str(number // 2) for number in range(4000)]
    dice.shuffle(keys)
    large = {key: 0 for key in map(key_of, keys) if key is not None}
    assert disagreements(module, "format", [("%s", (large,))]) == []
    ascending = {f"{number:05}": 0 for number in range(4000)}
    assert disagreements(module, "format", [("%s", (ascending,)), ("%s", (dict(reversed(ascending.items())),))]) == []
