"""Instants and spans around a boundary, their texts, and the edges of calendars and clocks."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from hexgate.language.operations_time import format_timestamp
from hexgate.limits import INT_MAX, INT_MIN, TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.values import Duration, Timestamp

SECOND = 10**9
DAY = 86_400 * SECOND
NOW = 1_700_000_000 * SECOND
"""The clock of derived calls: 2023-11-14T22:13:20Z."""

INSTANTS: tuple[int, ...] = (
    NOW, 0, 1, -1, NOW - NOW % DAY, NOW - NOW % DAY - 1, NOW - NOW % DAY + 6 * 3600 * SECOND, NOW - NOW % DAY + 12 * 3600 * SECOND,
    1_709_208_000 * SECOND + 250_000_000,  # 2024-02-29T12:00:00.25Z
    1_711_846_799 * SECOND, 1_711_846_800 * SECOND,  # 2024-03-31T01:00Z: summer time begins in Europe
    1_730_005_199 * SECOND, 1_730_005_200 * SECOND,  # 2024-10-27T01:00Z: and ends
    1_710_053_999 * SECOND, 1_710_054_000 * SECOND, 1_730_613_600 * SECOND,  # in America
    1_735_689_599 * SECOND, 1_735_689_600 * SECOND,  # the end of 2024
    4_102_444_800 * SECOND, -2_208_988_800 * SECOND, -86_400 * SECOND, TIMESTAMP_MIN, TIMESTAMP_MAX, TIMESTAMP_MAX - SECOND,
)  # fmt: skip
"""Nanoseconds since the epoch."""

_NAMES = ("full_year", "month", "day_of_year", "day_of_month", "date", "day_of_week", "hours", "minutes", "seconds", "milliseconds")
GETTERS = frozenset({*_NAMES, *(f"{name}_in" for name in _NAMES)})
"""Ids of the functions that read a field of a date or a clock."""

FIELDS: tuple[int, ...] = (
    *(NOW - NOW % DAY + day * DAY + hour * 3600 * SECOND + 1 for day in range(7) for hour in range(24)),
    *(_start + shift for _start in (
        (datetime.datetime(2023 + (month > 10), month % 12 + 1, 1, tzinfo=datetime.UTC) - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).days * DAY
        for month in range(1, 13)
    ) for shift in (0, -1)),
)  # fmt: skip
"""Each hour of a week, the first and last nanosecond of each month."""

TIME_TEXTS: tuple[Any, ...] = (
    "2023-11-14T22:13:20Z", "2024-02-29T12:00:00Z", "2023-02-29T12:00:00Z", "1970-01-01T00:00:00Z", "2024-02-29T23:59:60Z", "2024-02-29T24:00:00Z",
    "2024-02-29t12:00:00z", "2024-02-29 12:00:00Z", "2024-02-29T12:00:00+05:30", "2024-02-29T12:00:00-23:59", "2024-02-29T12:00:00.123456789Z",
    "2024-02-29T12:00:00.1234567890Z", "2024-02-29T12:00:00", "0001-01-01T00:00:00Z", "0000-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z",
    "10000-01-01T00:00:00Z", "2024-13-01T00:00:00Z", "2024-04-31T00:00:00Z", "1900-02-29T00:00:00Z", "2000-02-29T00:00:00Z",
    "2023-11-14", "2023-11-15", "2023-11-16", "2023-11-13", "2023-10-14", "2024-03-01", "2025-11-14", "2023-11-31", "2023-11-14T", "22:13",
)  # fmt: skip
SPAN_TEXTS: tuple[Any, ...] = (
    "1h", "0", "0s", "1s", "-1s", "1.5s", "1h30m", "1h30m15.5s", "24h", "25h", "100ms", "1us", "1µs", "1μs", "1ns", "0.5ns", "1d", "1", "h", "1h 30m", ".5s", "1.s",
    "9223372036.854775807s", "9223372036.854775808s", "-9223372036.854775808s", "2562047h47m16.854775807s", "+5s", "5S", "",
)  # fmt: skip
SPANS: tuple[Any, ...] = (
    Duration(3600 * SECOND), Duration(0), Duration(1), Duration(-1), Duration(90 * SECOND + 1), Duration(-1_500_000_000), Duration(INT_MAX), Duration(INT_MIN),
    Duration(INT_MAX + 1),
)  # fmt: skip
ZONES: tuple[Any, ...] = (
    "UTC", "Europe/London", "America/New_York", "+01:00", "-01:00", "+05:30", "-23:59", "+24:00", "05:30", "+5:30", "Z", "europe/london", "Nowhere/City", "", "local",
)


def texts_of(span: int) -> Iterator[str]:
    """Texts of the instants, and of the dates, that are so many nanoseconds before and after the clock of derived calls and its midnight."""
    for start in (NOW, NOW - NOW % DAY):
        for nanoseconds in (start + span, start - span):
            if TIMESTAMP_MIN <= nanoseconds <= TIMESTAMP_MAX:
                text = format_timestamp(Timestamp(nanoseconds))
                yield from (text, text[:10])


def near_instant(nanoseconds: int) -> Iterator[Any]:
    """An instant, its neighbours, and its other forms."""
    yield from (Timestamp(nanoseconds), Timestamp(nanoseconds - 1), Timestamp(nanoseconds + 1))
    yield from (Timestamp(nanoseconds - SECOND), Timestamp(nanoseconds + SECOND), Timestamp(nanoseconds + DAY), Timestamp(nanoseconds - DAY))
    if TIMESTAMP_MIN <= nanoseconds <= TIMESTAMP_MAX:
        text = format_timestamp(Timestamp(nanoseconds))
        yield from (text, text.lower(), text.replace("Z", "+00:00"), text[:-1], text[:10])
        moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=nanoseconds // 1000)
        yield from (moment, moment.astimezone(datetime.timezone(datetime.timedelta(hours=5, minutes=30))) if 2 <= moment.year < 9999 else moment)
        yield moment.replace(tzinfo=None)
    yield nanoseconds // SECOND


def near_span(nanoseconds: int) -> Iterator[Any]:
    """A span, its neighbours, and its text."""
    yield from (Duration(nanoseconds), Duration(nanoseconds + 1), Duration(nanoseconds - 1), Duration(-nanoseconds))
    yield from (f"{nanoseconds}ns", f"{nanoseconds // SECOND}s", f"{nanoseconds // SECOND + 1}s", nanoseconds, datetime.timedelta(microseconds=nanoseconds // 1000))
