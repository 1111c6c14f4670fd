"""Reading doubles: `float()` and exact fractions say what is nearest (L4.3)."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from fractions import Fraction

import pytest

from hexgate.faults import Fault
from tests.engines.notation import same
from tests.prelude.doubles import double, neighbours_of_powers, random_doubles
from tests.prelude.harness import Prelude, prelude

LONG = 60_000

TEXTS: tuple[tuple[str, float | Fault], ...] = (
    ("0", 0.0), ("-0", -0.0), ("+0", 0.0), ("0.", 0.0), ("-.0", -0.0), (".5", 0.5), ("5.", 5.0), ("007.250", 7.25), ("1e5", 1e5),
    ("1E+5", 1e5), ("1e-5", 1e-5), ("1.e5", 1e5), (".1e5", 1e4), ("NaN", math.nan), ("-nan", math.nan), ("+NAN", math.nan),
    ("inf", math.inf), ("-Inf", -math.inf), ("INFINITY", math.inf), ("-infiniTy", -math.inf),
    ("1e400", math.inf), ("-1e400", -math.inf), ("1e-400", 0.0), ("-1e-400", -0.0), ("0e99999999999999999999", 0.0),
    ("1e99999999999999999999", math.inf), ("1e-99999999999999999999", 0.0), ("1e4294967296", math.inf), ("1e-2147483648", 0.0),
    ("1.7976931348623157e308", 1.7976931348623157e308), ("1.7976931348623158e308", 1.7976931348623157e308),
    ("1.7976931348623159e308", math.inf), ("17976931348623157e292", 1.7976931348623157e308),
    ("2.2250738585072011e-308", 2.225073858507201e-308), ("2.2250738585072012e-308", 2.2250738585072014e-308),
    ("4.9406564584124654e-324", 5e-324), ("2.4703282292062327e-324", 0.0), ("2.4703282292062328e-324", 5e-324),
    ("9007199254740993", 9007199254740992.0), ("9007199254740993.00000000000000000000000000000000001", 9007199254740994.0),
    ("9007199254740991e22", 9007199254740991e22), ("9007199254740993e-22", 9007199254740993e-22), ("1e22", 1e22), ("1e23", 1e23),
    ("0" * LONG + "1", 1.0), ("0." + "0" * LONG + "1", 0.0), ("0." + "0" * LONG + f"1e{LONG + 1}", 1.0),
    ("1" + "0" * LONG, math.inf), ("1" + "0" * LONG + f"e-{LONG}", 1.0), ("9" * LONG + f"e-{LONG}", 1.0),
    ("1." + "0" * (LONG - 1) + "1", 1.0), ("9007199254740993." + "0" * LONG + "1", 9007199254740994.0),
    ("9007199254740993." + "0" * LONG, 9007199254740992.0), ("." + "3" * LONG, 1 / 3),
    *((text, Fault.INVALID_ARGUMENT) for text in (
        "", "+", "-", ".", "-.", "e5", ".e5", "1e", "1e+", "1e-", "1e5.", "1e5e5", "1..2", "1.2.3", "--1", "+-1", "1_0", " 1", "1 ",
        "1\n", "1\0", "0x10", "1f", "infinit", "infinityx", "in", "nano", "na", "naninf", "i nf", "INF\0", "é", "1é", "١", "1e١",
        "1,5", "..", "-", "-e", "inf5", "5inf", ".inf", "0" * LONG + "x",
    )),
)  # fmt: skip


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude("double_parse")


def _parsed(module: Prelude, text: str) -> float | Fault:
    data = text.encode()
    value = module.outcome(module.call("double_parse", module.place(data), len(data))).value
    assert type(value) in (float, Fault)
    return value  # type: ignore[return-value]


def _wrong(module: Prelude, cases: Iterable[tuple[str, float | Fault]]) -> list[str]:
    tried = list(cases)
    assert tried
    answers = [(text, expected, _parsed(module, text)) for text, expected in tried]
    return [f"{text[:60]}: {got!r}, not {expected!r}" for text, expected, got in answers if not same(got, expected)]


def test_texts(module: Prelude) -> None:
    assert _wrong(module, TEXTS) == []


def test_what_repr_writes(module: Prelude) -> None:
    values = [*random_doubles("repr", 3000), *neighbours_of_powers()]
    assert _wrong(module, ((repr(value), value) for value in values if math.isfinite(value))) == []


def test_random_texts(module: Prelude) -> None:
    """Digits of any number, a point anywhere, any exponent: Python's `float` rounds correctly."""
    dice = random.Random("texts")
    texts = []
    for _ in range(3000):
        digits = "".join(dice.choices("0123456789", k=dice.choice((1, 5, 15, 16, 17, 18, 19, 20, 21, 40, 100, 770, 900))))
        point = dice.randrange(len(digits) + 1)
        exponent = dice.choice(("", f"e{dice.randrange(-350, 350) - point}", f"E+{dice.randrange(30)}"))
        texts.append(f"{dice.choice(('', '-', '+'))}{digits[:point]}.{digits[point:]}{exponent}")
    assert _wrong(module, ((text, float(text)) for text in texts)) == []


def _halfway(count: int) -> Iterator[tuple[str, float]]:
    """Decimals exactly between two doubles, and a little below and above them."""
    dice = random.Random("halfway")
    for _ in range(count):
        bits = dice.choice((dice.getrandbits(52), dice.randrange(2047 << 52), (dice.randrange(1, 2046) << 52) - 1))
        below, above = double(bits), double(bits + 1)
        if not math.isfinite(above):
            continue
        middle = (Fraction(below) + Fraction(above)) / 2
        places = middle.denominator.bit_length() - 1
        digits = middle.numerator * 5**places
        even = below if bits % 2 == 0 else above
        yield f"{digits}e-{places}", even
        yield f"{digits}.{'0' * dice.randrange(900)}e-{places}", even
        yield f"{digits}.{'0' * dice.randrange(900)}1e-{places}", above
        yield f"{digits - 1}.{'9' * dice.randrange(1, 900)}e-{places}", below
        text = str(digits)
        yield f"{text[0]}.{text[1:]}e{len(text) - 1 - places}", even


def test_halfway_between_doubles(module: Prelude) -> None:
    assert _wrong(module, _halfway(700)) == []


def test_texts_with_an_error(module: Prelude) -> None:
    """One character of a good text changed, put in or taken out: what `float` takes and more, by the clause's grammar."""
    dice = random.Random("errors")
    cases: list[tuple[str, float | Fault]] = []
    for value in random_doubles("errors", 2000):
        text = repr(value)
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice("0.eE+-x n9") + text[at + dice.randrange(2) :]
        try:
            cases.append((text, float(text)))
        except ValueError:
            cases.append((text, Fault.INVALID_ARGUMENT))
    # `float` also takes spaces around a number.
    assert _wrong(module, (case for case in cases if " " not in case[0])) == []


def test_heap(module: Prelude) -> None:
    """Scratch is not taken from the heap: one cell is."""
    data = b"123456789.123456789e-300"
    assert module.outcome(module.call("double_parse", module.place(data), len(data))).heap == 16
