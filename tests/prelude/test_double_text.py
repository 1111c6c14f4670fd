"""Writing doubles: the shortest digits that read back, as `repr` finds them, in the clause's form (L4.5)."""

from __future__ import annotations

import math
import re

import pytest

from tests.prelude.doubles import neighbours_of_powers, random_doubles
from tests.prelude.harness import Prelude, prelude

TEXTS: tuple[tuple[float, str], ...] = (
    (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-1.5, "-1.5"), (100.0, "100"), (1500.0, "1500"), (0.1, "0.1"), (0.3, "0.3"),
    (0.1 + 0.2, "0.30000000000000004"), (1 / 3, "0.3333333333333333"), (123456789012345678.0, "123456789012345680"),
    (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.5e21, "1.5e+21"), (123e20, "1.23e+22"), (1e22, "1e+22"), (1e23, "1e+23"),
    (999999999999999868928.0, "999999999999999900000"), (1e-4, "0.0001"), (0.00012345, "0.00012345"), (9.5e-5, "9.5e-05"),
    (1e-5, "1e-05"), (1.25e-10, "1.25e-10"), (1e100, "1e+100"), (5e-324, "5e-324"), (-5e-324, "-5e-324"),
    (2.2250738585072014e-308, "2.2250738585072014e-308"), (1.7976931348623157e308, "1.7976931348623157e+308"),
    (2.0**-44, "5.684341886080802e-14"), (1125899906842624.25, "1125899906842624.2"), (1125899906842624.75, "1125899906842624.8"),
    (9007199254740993.0, "9007199254740992"), (9007199254740994.0, "9007199254740994"), (2.0**60, "1152921504606847000"),
    (math.nan, "NaN"), (math.inf, "+Inf"), (-math.inf, "-Inf"),
)  # fmt: skip


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude("double_to_text")


def _text(module: Prelude, value: float) -> str:
    outcome = module.apply("double_to_text", value)
    assert (outcome.bytes, outcome.heap) == (0, 48)
    return str(outcome.value)


def by_the_clause(value: float) -> str:
    """L4.5 from Python's `repr`, which has the same digits in another form."""
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[repr(value)]
    match = re.fullmatch(r"(-?)(\d+)\.?(\d*)(?:e([+-]\d+))?", repr(value))
    assert match is not None
    sign, whole, fraction, power = match.groups()
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return f"{sign}0"
    first = len(whole) - (len(whole + fraction) - len(digits)) - 1 + int(power or 0)
    digits = digits.rstrip("0")
    if first < -4 or first >= 21:
        return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{'-' if first < 0 else '+'}{abs(first):02}"
    if first < 0:
        return f"{sign}0.{'0' * (-first - 1)}{digits}"
    return f"{sign}{digits[: first + 1]:0<{first + 1}}{'.' if digits[first + 1 :] else ''}{digits[first + 1 :]}"


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_texts(module: Prelude, value: float, text: str) -> None:
    assert by_the_clause(value) == text
    assert _text(module, value) == text


def test_random_doubles(module: Prelude) -> None:
    values = list(random_doubles("text", 9000))
    assert [(value, _text(module, value)) for value in values if _text(module, value) != by_the_clause(value)] == []


def test_neighbours_of_powers(module: Prelude) -> None:
    values = list(neighbours_of_powers())
    assert len(values) > 8000
    assert [(value, _text(module, value)) for value in values if _text(module, value) != by_the_clause(value)] == []
