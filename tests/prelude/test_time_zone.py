"""Time zones of the database as tables, against `zoneinfo` on the same files (L7.2)."""

from __future__ import annotations

import datetime
import io
import itertools
import random
import struct
import zoneinfo
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources

import pytest

from hexgate.compiler.time_zone import encode_file, encode_zone, fixed_offset
from hexgate.faults import Fault
from hexgate.language.operations_time import ZONED_CONSTANT
from hexgate.language.patterns import offset_seconds, zone_names
from hexgate.language.state import State
from hexgate.values import Timestamp
from tests.prelude.harness import Prelude, prelude
from tests.prelude.test_time import GETTERS

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
FIRST, LAST = -62_135_596_800, 253_402_300_799
CYCLE = 146_097 * 86_400
RULES = (
    "XST3", "<+0530>-5:30", "XST-23:59:59", "XST0:00:01", "XST3XDT,M3.2.0,M11.1.0", "XST3XDT2:30:15,M3.2.0/1:02:03,M11.1.0/0",
    "XST-10XDT,M10.1.0,M4.1.0/3", "IST-1GMT0,M10.5.0,M3.5.0/1", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "EET-2EEST,M3.4.4/50,M10.4.4/50",
    "XST3XDT,J60,J300", "XST3XDT,J61/-5,J365", "XST-3XDT,J300,J90/47", "XST5XDT4,M2.5.6/26,M8.5.2/-30",
    "XST5XDT,M2.4.1,M2.5.1", "XST-13XDT-14,M9.5.6/24,M4.1.6/-24", "XST4XDT,M1.5.5/3,M12.1.3/3",
)  # fmt: skip
"""Of the forms that RFC 9636, 3.3.1 has, but for those below."""

DAYS: tuple[tuple[str, int, str], ...] = (
    # date, year, the first day of summer time
    ("J1", 2023, "2023-01-01"), ("J59", 2023, "2023-02-28"), ("J59", 2024, "2024-02-28"), ("J60", 2023, "2023-03-01"),
    ("J60", 2024, "2024-03-01"), ("J365", 2023, "2023-12-31"), ("J365", 2024, "2024-12-31"), ("0", 2023, "2023-01-01"),
    ("58", 2023, "2023-02-28"), ("59", 2023, "2023-03-01"), ("59", 2024, "2024-02-29"), ("60", 2024, "2024-03-01"),
    ("364", 2023, "2023-12-31"), ("365", 2024, "2024-12-31"), ("59", 1900, "1900-03-01"), ("59", 2000, "2000-02-29"),
)  # fmt: skip
"""POSIX counts n from 0, and leap days in it; `zoneinfo` is a day early there, and a day late for J59 in leap years."""


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude("zone_offset", *(f"{name}_zone" for name in GETTERS))


@cache
def _file(name: str) -> bytes:
    return resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


def _expected(zone: zoneinfo.ZoneInfo, seconds: int) -> int:
    """The offset that `zoneinfo` gives; in the last year, where local time may leave its range, that of 400 years before.

    It is how far local time is from UTC: `utcoffset()` is found from local time, which may be ambiguous more than once.
    """
    moved = seconds - CYCLE if seconds > LAST - 86_400 * 366 else seconds
    instant = EPOCH + datetime.timedelta(seconds=moved)
    local = instant.astimezone(zone)
    return int((local.replace(tzinfo=None) - instant.replace(tzinfo=None)).total_seconds())


def _wrong(module: Prelude, table: bytes, zone: zoneinfo.ZoneInfo, instants: Iterable[int]) -> list[tuple[int, int, int]]:
    tried = sorted({seconds for seconds in instants if FIRST + 86_400 <= seconds <= LAST})
    assert tried
    found = []
    for seconds in tried:
        got = module.call("zone_offset", module.place(table), seconds)
        expected = _expected(zone, seconds)
        if got != expected:
            found.append((seconds, got, expected))
    return found


def _changes(zone: zoneinfo.ZoneInfo, years: Iterable[int]) -> Iterator[int]:
    """The seconds before and at which the offset changes in years, found by halving."""
    for year in years:
        start = int((datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) - EPOCH).total_seconds())
        for low, high in itertools.pairwise(start + month * 31 * 86_400 for month in range(13)):
            before = _expected(zone, low)
            if high > LAST or _expected(zone, high) == before:
                continue
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _expected(zone, middle) == before else (low, middle)
            yield from (low, high)


def _transitions(name: str) -> list[int]:
    """The instants of a file's second block, read without its reader."""
    data = _file(name)
    first = struct.unpack_from(">6I", data, 20)
    start = 44 + first[3] * 5 + first[4] * 6 + first[5] + first[2] * 8 + first[1] + first[0]
    times = struct.unpack_from(">6I", data, start + 20)[3]
    return list(struct.unpack_from(f">{times}q", data, start + 44))


@pytest.mark.parametrize("part", range(8))
def test_every_zone(module: Prelude, part: int) -> None:
    """About every transition, about those of the rule in some years, and anywhere in years 1 to 9999."""
    dice = random.Random(f"zones {part}")
    names = sorted(zone_names())[part::8]
    assert len(names) > 60
    for name in names:
        zone = zoneinfo.ZoneInfo.from_file(io.BytesIO(_file(name)), key=name)
        instants = {at + step for at in _transitions(name) for step in (-1, 0, 1, dice.randrange(10**7))}
        instants |= {0, LAST, *(dice.randrange(FIRST, LAST) for _ in range(20))}
        instants |= set(_changes(zone, (2038, dice.randrange(2039, 9998), 9998)))
        assert (name, _wrong(module, encode_zone(name), zone, instants)) == (name, [])


def test_getters(module: Prelude) -> None:
    """Each field is that of the local time; also where that is in year 0 or 10000."""
    dice = random.Random("getters")
    zones = ("Europe/Dublin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Honolulu", "+23:59", "-23:59", "UTC", "")
    for zone in zones:
        table = encode_zone(zone)
        instants = [FIRST, LAST, *(dice.randrange(FIRST, LAST) for _ in range(30))]
        for seconds, name in itertools.product(instants, GETTERS):
            timestamp = Timestamp(seconds * 10**9 + dice.randrange(10**9))
            got = module.outcome(module.call(f"{name}_zone", module.write(timestamp), module.place(table))).value
            assert got == ZONED_CONSTANT[f"{name}_in"](State({}, 0), timestamp, zone), (zone, timestamp, name)


@pytest.mark.parametrize("name", GETTERS)
def test_getters_of_other_types(module: Prelude, name: str) -> None:
    for operand, expected in ((16 * Fault.OVERFLOW, Fault.OVERFLOW), (512, Fault.NO_SUCH_OVERLOAD), (544, Fault.NO_SUCH_OVERLOAD)):
        assert module.outcome(module.call(f"{name}_zone", operand, module.place(encode_zone("UTC")))).value is expected


def tzif(footer: str, transitions: tuple[tuple[int, int], ...] = (), offset: int = 0) -> bytes:
    """A TZif file of version 2 with transitions to offsets in seconds, and a footer."""
    types = [offset, *dict.fromkeys(to for _, to in transitions)]
    counts = (0, 0, 0, len(transitions), len(types), 4)
    empty = struct.pack(">4sc15x6I", b"TZif", b"2", 0, 0, 0, 0, 1, 1) + struct.pack(">iBB", 0, 0, 0) + b"\0"
    body = struct.pack(f">{len(transitions)}q", *(at for at, _ in transitions))
    body += bytes(types.index(to, 1) for _, to in transitions) + b"".join(struct.pack(">iBB", to, 0, 0) for to in types)
    return empty + struct.pack(">4sc15x6I", b"TZif", b"2", *counts) + body + b"LMT\0" + f"\n{footer}\n".encode()


@pytest.mark.parametrize("rule", RULES)
def test_rules(module: Prelude, rule: str) -> None:
    data = tzif(rule)
    zone = zoneinfo.ZoneInfo.from_file(io.BytesIO(data), key=rule)
    dice = random.Random(rule)
    years = (*range(1999, 2005), 2024, 2100, 2400, *dice.sample(range(2, 9998), 12))
    changes = [at + step for at in _changes(zone, years) for step in (-1, 0, 1)]
    assert bool(changes) == ("," in rule)
    ends = [datetime.datetime(year, 1, 1, tzinfo=datetime.UTC).timestamp() + step for year in years for step in (-1, 0)]
    instants = [*changes, *map(int, ends), *(dice.randrange(FIRST, LAST) for _ in range(300))]
    assert _wrong(module, encode_file(data), zone, instants) == []


@pytest.mark.parametrize(("date", "year", "first"), DAYS)
def test_days_of_the_year(module: Prelude, date: str, year: int, first: str) -> None:
    table = encode_file(tzif(f"XST0XDT,{date}/0,J200/0" if date not in ("J365", "364", "365") else f"XST0XDT,{date}/0,0/0"))
    start = int((datetime.datetime.fromisoformat(f"{first}T00:00Z") - EPOCH).total_seconds())
    assert [module.call("zone_offset", module.place(table), start + step) for step in (-1, 0)] == [0, 3600]


def test_transitions_then_a_rule(module: Prelude) -> None:
    """Transitions that change nothing, the offset before the first one, and the rule from the last one on."""
    data = tzif("XST3", ((-(2**40), -100), (-5, 7200), (0, 7200), (10, 7200), (20, 3600), (2**33, -10_800)), 12_345)
    zone = zoneinfo.ZoneInfo.from_file(io.BytesIO(data), key="x")
    edges = [at + step for at in (-5, 0, 10, 20, 2**33) for step in (-1, 0, 1)]
    assert _wrong(module, encode_file(data), zone, edges) == []
    assert struct.unpack_from("<ii", encode_file(data)) == (4, 12_345)
    assert module.call("zone_offset", module.place(encode_file(data)), -(2**40) - 1) == 12_345


def test_layout() -> None:
    """Fixed zones are 16 bytes, and equal zones one table."""
    assert encode_zone("UTC") == encode_zone("") == encode_zone("+00:00") == encode_zone("Etc/UTC") == struct.pack("<4i", 0, 0, 0, 0)
    assert encode_zone("-05:00") == struct.pack("<4i", 0, -18_000, -18_000, -18_000)
    assert encode_zone("Europe/Berlin") == encode_zone("Europe/Berlin") != encode_zone("Europe/Paris")
    assert all(len(encode_zone(name)) % 8 == 0 for name in zone_names())


@pytest.mark.parametrize("zone", ("", "UTC", "01:30", "+23:59", "-00:00", "-23:59", "24:00", "1:00", "+01:60", "+0100", "Z", "utc", "+01:00\n", "٠١:٠٠"))
def test_fixed_offsets(zone: str) -> None:
    assert fixed_offset(zone) == (0 if zone in ("", "UTC") else offset_seconds(zone))


@pytest.mark.parametrize("name", ("Europe/Nowhere", "Europe", "zones", "../zones", "+24:00", "europe/berlin/x"))
def test_no_zone(name: str) -> None:
    with pytest.raises(ValueError):
        encode_zone(name)


@pytest.mark.parametrize(("data", "message"), (
    (b"TZif" + b"\0" * 60, "a time zone file is TZif of version 2 or later"),
    (b"x" * 60, "a time zone file is TZif of version 2 or later"),
    (b"TZif2", "a time zone file is TZif of version 2 or later"),
    (tzif("XST"), "`XST` is not the rule of a time zone"),
    (tzif("XST3XDT"), "`XST3XDT` is not the rule of a time zone"),
))  # fmt: skip
def test_no_file(data: bytes, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        encode_file(data)
    assert str(caught.value) == message
