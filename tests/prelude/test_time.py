"""The prelude's time: texts, arithmetic and getters, against `datetime` and the interpreter (L1.4, L4.7 to L4.9, L7)."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Iterator

import pytest

from hexgate.faults import Fault
from hexgate.language.operations_time import format_duration, format_timestamp
from hexgate.limits import TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.values import Duration, Timestamp, Value
from tests.prelude.agreement import Operand, disagreements
from tests.prelude.harness import Prelude, prelude
from tests.prelude.pools import EVERYTHING, KINDS, TIMES

GETTERS = (
    "full_year", "month", "day_of_year", "day_of_month", "date", "day_of_week", "hours", "minutes", "seconds", "milliseconds",
)  # fmt: skip
CONVERSIONS = ("to_timestamp", "to_duration", "to_string")
IN_ZONE = tuple(f"{name}_in" for name in GETTERS)
EPOCH = datetime.datetime(1970, 1, 1)


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude(*(f"fn_{id_}" for id_ in (*GETTERS, *IN_ZONE, *CONVERSIONS, "add", "subtract")))


def _timestamps(seed: str, count: int) -> Iterator[Timestamp]:
    dice = random.Random(seed)
    fractions = (0, 1, 500, 10**6, 120_000_000, 999_999_999)
    for number in range(count):
        match number % 4:
            case 0:
                near = dice.choice((TIMESTAMP_MIN, TIMESTAMP_MAX, 0)) + dice.randrange(-(10**12), 10**12)
            case 1:
                year = dice.choice((1, 4, 100, 400, 1600, 1900, 1970, 1999, 2000, 2001, 2024, 2100, 9996, 9999))
                turn = datetime.datetime(year, dice.choice((1, 2, 3, 12)), dice.choice((1, 28))) - EPOCH
                near = (turn.days * 86_400 + dice.choice((-1, 0, 1, 86_399, 86_400))) * 10**9 + dice.choice(fractions)
            case _:
                near = dice.randrange(TIMESTAMP_MIN // 10**9, TIMESTAMP_MAX // 10**9) * 10**9 + dice.choice(fractions)
        yield Timestamp(min(max(near, TIMESTAMP_MIN), TIMESTAMP_MAX))


def _durations(seed: str, count: int) -> Iterator[Duration]:
    dice = random.Random(seed)
    for _ in range(count):
        size = 10 ** dice.randrange(1, 19)
        yield Duration(dice.choice((dice.randrange(-size, size), dice.randrange(-(2**63), 2**63), -(2**63), 2**63 - 1)))


@pytest.mark.parametrize("id_", (*GETTERS, *CONVERSIONS))
def test_each_value(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, ((value,) for value in EVERYTHING)) == []


@pytest.mark.parametrize("id_", (*IN_ZONE, "add", "subtract"))
def test_pairs_of_all_kinds(module: Prelude, id_: str) -> None:
    kinds: tuple[Operand, ...] = (*KINDS, *TIMES)
    assert disagreements(module, id_, itertools.product(kinds, kinds)) == []


def _fields(local: datetime.datetime) -> dict[str, int]:
    return {
        "full_year": local.year, "month": local.month - 1, "day_of_year": local.timetuple().tm_yday - 1,
        "day_of_month": local.day - 1, "date": local.day, "day_of_week": local.isoweekday() % 7,
        "hours": local.hour, "minutes": local.minute, "seconds": local.second, "milliseconds": local.microsecond // 1000,
    }  # fmt: skip


def test_fields_of_timestamps(module: Prelude) -> None:
    """L7.1, by `datetime`."""
    wrong = []
    for timestamp in _timestamps("fields", 1500):
        expected = _fields(EPOCH + datetime.timedelta(microseconds=timestamp.nanoseconds // 1000))
        got = {name: module.apply(f"fn_{name}", timestamp).value for name in GETTERS}
        if got != expected:
            wrong.append((timestamp, got, expected))
    assert wrong == []


def test_fields_of_every_day_of_a_cycle(module: Prelude) -> None:
    """The calendar repeats after 400 years; and the last day of the next one."""
    days = range(datetime.date(1999, 12, 31).toordinal(), datetime.date(2402, 1, 1).toordinal(), 3)
    wrong = []
    for ordinal in days:
        date = datetime.date.fromordinal(ordinal)
        timestamp = Timestamp((date - EPOCH.date()).days * 86_400 * 10**9)
        expected = _fields(datetime.datetime(date.year, date.month, date.day))
        for name in ("full_year", "month", "day_of_year", "date"):
            if module.apply(f"fn_{name}", timestamp).value != expected[name]:
                wrong.append((date, name))
    assert wrong == []


@pytest.mark.parametrize("id_", ("hours", "minutes", "seconds", "milliseconds"))
def test_fields_of_durations(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, ((duration,) for duration in _durations(id_, 1000))) == []


@pytest.mark.parametrize("id_", IN_ZONE)
def test_computed_zones(module: Prelude, id_: str) -> None:
    """L7.2: offsets, UTC and nothing; names are for constants only."""
    dice = random.Random(id_)
    zones = ["", "UTC", "utc", "UTC ", "Europe/Berlin", "Z", "+0100", "+1:00", "1:00", "+01:0", "+01:000", "+-1:00", "+01-00", "é1:00"]
    for _ in range(300):
        zone = f"{dice.choice(('', '+', '-'))}{dice.randrange(26):02}:{dice.randrange(62):02}"
        at = dice.randrange(len(zone))
        zones += [zone, zone[:at] + dice.choice("0:9x+- ") + zone[at + 1 :]]
    assert disagreements(module, id_, zip(_timestamps(id_, len(zones)), zones, strict=True)) == []
    edges = itertools.product((Timestamp(TIMESTAMP_MIN), Timestamp(TIMESTAMP_MAX)), ("-23:59", "+23:59"))
    assert disagreements(module, id_, edges) == []


@pytest.mark.parametrize("id_", ("add", "subtract"))
def test_arithmetic(module: Prelude, id_: str) -> None:
    dice = random.Random(id_)
    timestamps, durations = list(_timestamps(id_, 1000)), list(_durations(id_, 1000))
    cases: list[tuple[Value, Value]] = [*zip(timestamps, durations, strict=True), *zip(durations, timestamps, strict=True)]
    cases += [*zip(timestamps, reversed(timestamps), strict=True), *zip(durations, reversed(durations), strict=True)]
    # As far apart as a duration can be, more or less.
    far = [dice.choice((-1, 1)) * (2**63 + dice.randrange(-3 * 10**9, 3 * 10**9)) for _ in timestamps]
    moved = [Timestamp(timestamp.nanoseconds + step) for timestamp, step in zip(timestamps, far, strict=True)]
    apart = [pair for pair in zip(timestamps, moved, strict=True) if TIMESTAMP_MIN <= pair[1].nanoseconds <= TIMESTAMP_MAX]
    assert len(apart) > 300
    assert disagreements(module, id_, [*cases, *apart]) == []


@pytest.mark.parametrize(("later", "earlier", "expected"), (
    (9223372036854775807, 0, Duration(2**63 - 1)), (9223372036854775808, 0, Fault.OVERFLOW),
    (0, 9223372036854775808, Duration(-(2**63))), (0, 9223372036854775809, Fault.OVERFLOW),
    (1, -9223372036854775807, Fault.OVERFLOW), (-1, 9223372036854775807, Duration(-(2**63))),
    (TIMESTAMP_MAX, TIMESTAMP_MIN, Fault.OVERFLOW), (10**9, 999_999_999, Duration(1)), (999_999_999, 10**9, Duration(-1)),
))  # fmt: skip
def test_differences(module: Prelude, later: int, earlier: int, expected: Value | Fault) -> None:
    """L1.4: a duration has 64 bits of nanoseconds."""
    assert module.apply("fn_subtract", Timestamp(later), Timestamp(earlier)).value == expected


def _timestamp_texts(seed: str, count: int) -> Iterator[str]:
    """Texts of timestamps with parts exchanged for others, good and bad."""
    dice = random.Random(seed)
    for timestamp in _timestamps(seed, count):
        text = format_timestamp(timestamp)
        yield text
        if dice.random() < 0.5:
            text = f"{text[:-1]}{dice.choice('+--')}{dice.randrange(25):02}:{dice.randrange(61):02}"
        if dice.random() < 0.3:
            text = f"{text[:11]}{dice.randrange(25):02}:{dice.randrange(61):02}:{dice.randrange(62):02}{text[19:]}"
        if dice.random() < 0.4:
            year = dice.choice((0, 0, 1, 4, 100, 1900, 2000, 2023, 9999))
            text = f"{year:04}-{dice.randrange(14):02}-{dice.choice((0, 1, 28, 29, 30, 31, 32)):02}{text[10:]}"
        if dice.random() < 0.3:
            text = f"{text[:19]}.{'1234567890'[: dice.randrange(11)]}{dice.choice(('Z', '+00:00', '-01:30'))}"
        yield text
        at = dice.randrange(len(text))
        yield text[:at] + dice.choice("0T:-+.Zzt é)/,9\0") + text[at + dice.randrange(2) :]


def test_timestamps_from_texts(module: Prelude) -> None:
    assert disagreements(module, "to_timestamp", ((text,) for text in _timestamp_texts("texts", 2000))) == []


@pytest.mark.parametrize("text", (
    "0000-12-31T23:59:59.999999999-00:01", "9999-12-31T23:59:59+00:01", "0001-01-01T00:00:00+00:01", "0000-02-29T00:00:00Z",
    "0000-02-30T00:00:00Z", "9999-12-31T23:59:59-00:01", "2000-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-02-29T00:00:00-00:00",
    "2024-01-01T00:00:60Z", "2024-01-01T24:00:00Z", "2024-01-01t00:00:00Z", "2024-01-01T00:00:00z", "2024-01-01 00:00:00Z",
    "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1234567890Z", "2024-01-01T00:00:00)01:00",
    "2024-01-01T00:00:00/01:00", "2024-01-01T00:00:00+01:00Z", "2024-01-01T00:00:00Z ", "-024-01-01T00:00:00Z", "2024-01-01", "Z", "",
))  # fmt: skip
def test_edges_of_timestamp_texts(module: Prelude, text: str) -> None:
    assert disagreements(module, "to_timestamp", [(text,)]) == []


def _duration_texts(seed: str, count: int) -> Iterator[str]:
    dice = random.Random(seed)
    numbers = ("", "0", "1", "5", "12", "9223372036", "9223372036854775807", "9223372036854775808", "9" * 29, "0" * 40 + "7")
    units = ("h", "m", "s", "ms", "us", "µs", "μs", "ns") * 6 + ("", "d", "µ", "n", "S", "µm", "\u00b5")
    for duration in _durations(seed, count):
        yield format_duration(duration)
        yield format_duration(duration)[:-1] + dice.choice(units)
        text = dice.choice(("", "", "-", "+"))
        for _ in range(dice.choice((1, 1, 2, 4))):
            number = dice.choice((*numbers, str(dice.randrange(10**12)), str(dice.randrange(10**6))))
            fraction = "".join(dice.choices("0123456789", k=dice.randrange(30)))
            text += dice.choice((number, f"{number}.{fraction}")) + dice.choice(units)
        yield text


def test_durations_from_texts(module: Prelude) -> None:
    assert disagreements(module, "to_duration", ((text,) for text in _duration_texts("texts", 2000))) == []


@pytest.mark.parametrize(("text", "expected"), (
    ("0", Duration(0)), ("-0", Duration(0)), ("00", Fault.INVALID_ARGUMENT), ("", Fault.INVALID_ARGUMENT), ("+", Fault.INVALID_ARGUMENT),
    (".s", Fault.INVALID_ARGUMENT), ("1..s", Fault.INVALID_ARGUMENT), ("1", Fault.INVALID_ARGUMENT), ("1s ", Fault.INVALID_ARGUMENT),
    ("1s-1s", Fault.INVALID_ARGUMENT), ("9999999999h?", Fault.INVALID_ARGUMENT), ("9999999999h", Fault.OVERFLOW),
    ("-9223372036854775808ns", Duration(-(2**63))), ("9223372036854775808ns", Fault.OVERFLOW),
    ("-9223372036.854775808s", Duration(-(2**63))), ("-9223372036.854775809s", Fault.OVERFLOW),
    ("1.9999999999s", Duration(1_999_999_999)), ("-0.9ns", Duration(0)), ("0.5ns0.5ns", Duration(0)), ("1h1m1s1ms1us1ns", Duration(3661_001_001_001)),
    # One nanosecond is a repeating decimal of hours: 2.777… × 10^-13.
    ("0." + "0" * 12 + "2" + "7" * 60 + "8h", Duration(1)), ("0." + "0" * 12 + "2" + "7" * 60 + "h", Duration(0)),
    ("18446744073709551616ns", Fault.OVERFLOW), ("2562047h47m16.854775807s", Duration(2**63 - 1)),
))  # fmt: skip
def test_edges_of_duration_texts(module: Prelude, text: str, expected: Value | Fault) -> None:
    """L4.8."""
    assert module.apply("fn_to_duration", text).value == expected
    assert disagreements(module, "to_duration", [(text,)]) == []


def test_texts(module: Prelude) -> None:
    """L4.9."""
    times: list[Value] = [*_timestamps("strings", 1500), *_durations("strings", 1500)]
    assert disagreements(module, "to_string", ((value,) for value in times)) == []
