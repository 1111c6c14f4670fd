"""Timestamps, durations and time zones (docs/language.md L4.7 to L4.9, L7)."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from hexgate.faults import EvaluationFault, Fault
from hexgate.language.operations_numbers import fit_duration, fit_timestamp, no_overload
from hexgate.language.patterns import offset_seconds, zone_names
from hexgate.language.state import State
from hexgate.values import Duration, Timestamp

_UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "μs": 10**3, "ns": 1}
_DIGITS = frozenset("0123456789")
_DAY = 86_400
_EPOCH = datetime.date(1970, 1, 1).toordinal()
_CYCLE_SECONDS = 146_097 * _DAY
"""The Gregorian calendar repeats after 400 years."""


def parse_timestamp(text: str) -> Timestamp:
    """L4.7 (RFC 3339, section 5.6)."""
    shape = "0000-00-00T00:00:00"
    head, tail = text[:19], text[19:]
    if len(head) < 19 or any((c not in _DIGITS) if s == "0" else (c != s) for c, s in zip(head, shape, strict=True)):
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    nanoseconds, tail = _fraction(tail)
    offset = _zone_suffix(tail)
    year, month, day = int(head[:4]), int(head[5:7]), int(head[8:10])
    hour, minute, second = int(head[11:13]), int(head[14:16]), int(head[17:19])
    if not (1 <= month <= 12 and 1 <= day <= _days_in(year, month) and hour < 24 and minute < 60 and second < 60):
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    seconds = _days_before(year, month, day) * _DAY + hour * 3600 + minute * 60 + second - offset
    return fit_timestamp(seconds * 10**9 + nanoseconds)


def _fraction(tail: str) -> tuple[int, str]:
    """The nanoseconds of a leading `.digits`, and what follows."""
    if tail[:1] != ".":
        return 0, tail
    end = 1
    while end < len(tail) and tail[end] in _DIGITS:
        end += 1
    if not 2 <= end <= 10:
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    return int(tail[1:end].ljust(9, "0")), tail[end:]


def _zone_suffix(tail: str) -> int:
    if tail == "Z":
        return 0
    offset = offset_seconds(tail) if tail[:1] in ("+", "-") else None
    if offset is None:
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    return offset


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in(year: int, month: int) -> int:
    return 29 if month == 2 and _is_leap(year) else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _days_before(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01; year 0 and 10000 too, which `datetime` does not have."""
    shifted = year + 400
    cycles, within = divmod(shifted, 400)
    return datetime.date(within + 400, month, day).toordinal() - _EPOCH + (cycles - 2) * 146_097


def parse_duration(text: str) -> Duration:
    """L4.8: a sign, then numbers with units, or `0`."""
    sign, rest = (-1 if text[:1] == "-" else 1), text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return Duration(0)
    if not rest:
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    total = 0
    while rest:
        whole, rest = _take_digits(rest)
        fraction = ""
        if rest[:1] == ".":
            fraction, rest = _take_digits(rest[1:])
        unit = next((u for u in (rest[:2], rest[:1]) if u in _UNITS), None)
        if not (whole or fraction) or unit is None:
            raise EvaluationFault(Fault.INVALID_ARGUMENT)
        rest = rest[len(unit) :]
        scale = _UNITS[unit]
        total += _number(whole) * scale + _fraction_of(scale, fraction)
    return fit_duration(sign * total)


def _fraction_of(scale: int, digits: str) -> int:
    """A decimal fraction of a unit, cut to whole nanoseconds: exact for any number of digits, the last one first."""
    part = 0
    for digit in reversed(digits):
        part = (int(digit) * scale + part) // 10
    return part


def _number(digits: str) -> int:
    """A number of any length; past 30 digits only its size matters."""
    significant = digits.lstrip("0")
    return int(significant[:31] or "0")


def _take_digits(text: str) -> tuple[str, str]:
    end = 0
    while end < len(text) and text[end] in _DIGITS:
        end += 1
    return text[:end], text[end:]


def format_timestamp(value: Timestamp) -> str:
    """L4.9."""
    seconds, nanoseconds = divmod(value.nanoseconds, 10**9)
    days, of_day = divmod(seconds, _DAY)
    date = datetime.date.fromordinal(days + _EPOCH)
    text = f"{date.year:04d}-{date.month:02d}-{date.day:02d}T{of_day // 3600:02d}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"
    if nanoseconds:
        digits = f"{nanoseconds:09d}"
        while digits.endswith("000"):
            digits = digits[:-3]
        text += f".{digits}"
    return text + "Z"


def format_duration(value: Duration) -> str:
    """L4.9."""
    seconds, nanoseconds = divmod(abs(value.nanoseconds), 10**9)
    sign = "-" if value.nanoseconds < 0 else ""
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    return f"{sign}{seconds}{fraction}s"


@cache
def _zone(name: str) -> zoneinfo.ZoneInfo:
    """A zone of the `tzdata` package: not the machine's database, so that every machine decides alike."""
    path = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with path.open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, key=name)


def zone_offset(zone: str, seconds: int, constant: bool) -> int:
    """Seconds east of UTC of a zone at an instant (L7.2). A name counts only where the policy has it as a constant."""
    if zone in ("", "UTC"):
        return 0
    fixed = offset_seconds(zone)
    if fixed is not None:
        return fixed
    if not constant or zone not in zone_names():
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    # datetime ends at year 9999 and an offset may lead beyond: an instant of the last years is moved back a cycle.
    moved = seconds - _CYCLE_SECONDS if seconds > 253_370_764_800 else seconds
    moved = moved + _CYCLE_SECONDS if moved < -62_104_060_800 else moved
    if moved > seconds:
        return _earliest_offset(_zone(zone))
    instant = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=moved)
    offset = instant.astimezone(_zone(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _earliest_offset(zone: zoneinfo.ZoneInfo) -> int:
    """The offset before a zone's first transition: local mean time."""
    instant = datetime.datetime(100, 1, 1, tzinfo=datetime.UTC).astimezone(zone)
    offset = instant.utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _day_number(seconds: int) -> int:
    return seconds // _DAY


def _date(seconds: int) -> tuple[int, int, int, int]:
    """Year, month, day and day of the year (from 0) of local seconds; also in years 0 and 10000."""
    cycles, days = divmod(_day_number(seconds) + 719_162, 146_097)
    date = datetime.date.fromordinal(days + 1)
    return date.year + 400 * cycles, date.month, date.day, date.timetuple().tm_yday - 1


_FIELDS: dict[str, Callable[[int, int], int]] = {
    # local seconds, nanoseconds of the second -> field
    "full_year": lambda seconds, _: _date(seconds)[0],
    "month": lambda seconds, _: _date(seconds)[1] - 1,
    "day_of_year": lambda seconds, _: _date(seconds)[3],
    "day_of_month": lambda seconds, _: _date(seconds)[2] - 1,
    "date": lambda seconds, _: _date(seconds)[2],
    "day_of_week": lambda seconds, _: (_day_number(seconds) + 4) % 7,
    "hours": lambda seconds, _: seconds % _DAY // 3600,
    "minutes": lambda seconds, _: seconds % 3600 // 60,
    "seconds": lambda seconds, _: seconds % 60,
    "milliseconds": lambda _, nanoseconds: nanoseconds // 10**6,
}
_DURATION_UNITS = {"hours": 3600 * 10**9, "minutes": 60 * 10**9, "seconds": 10**9}


def _getter(name: str) -> Callable[[State, Any], int]:
    field = _FIELDS[name]

    def operation(_: State, operand: Any) -> int:
        if type(operand) is Timestamp:
            seconds, nanoseconds = divmod(operand.nanoseconds, 10**9)
            return field(seconds, nanoseconds)
        if type(operand) is Duration:
            sign, total = (-1 if operand.nanoseconds < 0 else 1), abs(operand.nanoseconds)
            if name == "milliseconds":
                return sign * int(total % 10**9 // 10**6)
            if name in _DURATION_UNITS:
                return sign * int(total // _DURATION_UNITS[name])
        raise no_overload()

    return operation


def zoned_getter(name: str, constant: bool) -> Callable[[State, Any, Any], int]:
    """A getter in a time zone; `constant` where the policy's text has the zone."""
    field = _FIELDS[name]

    def operation(_: State, operand: Any, zone: Any) -> int:
        if type(operand) is not Timestamp or type(zone) is not str:
            raise no_overload()
        seconds, nanoseconds = divmod(operand.nanoseconds, 10**9)
        return field(seconds + zone_offset(zone, seconds, constant), nanoseconds)

    return operation


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: _getter(name) for name in _FIELDS},
    **{f"{name}_in": zoned_getter(name, constant=False) for name in _FIELDS},
}
ZONED_CONSTANT = {f"{name}_in": zoned_getter(name, constant=True) for name in _FIELDS}
"""The getters whose zone is a constant of the policy, by id."""
