"""Time zones named in policies, as tables for the module's data (docs/language.md L7.2).

A zone is read from the `tzdata` package: TZif files, RFC 9636. Its table, little-endian, 8-byte aligned:

| offset | type | content |
|---|---|---|
| 0 | i32 | n, the number of transitions |
| 4 | i32 | seconds east of UTC before the first transition |
| 8 | n × i64 | transitions, ascending: instant × 2^18 + (seconds east of UTC from then on + 2^17) |
| 8 + 8n | i32 | seconds east of UTC of standard time, from the last transition on |
| 12 + 8n | i32 | of summer time; the same where the zone has none, and then the table ends here |
| 16 + 8n | 2 × i32 | start of summer time each year: date, seconds after its local midnight |
| 24 + 8n | 2 × i32 | end of summer time, likewise |

A date is a number: `n` of POSIX (day of the year from 0) as n, `Jn` as 512 + n, `Mm.w.d` as 1024 + 64 m + 8 w + d.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from importlib import resources

from hexgate.language.patterns import zone_names

_HEADER = struct.Struct(">4sc15x6I")
"""Magic, version, and the counts: isut, isstd, leap, transitions, types, abbreviation characters."""

_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)"
_TIME = r"[+-]?\d{1,3}(?::\d{2}){0,2}"
_DATE = r"(?:J\d{1,3}|\d{1,3}|M\d{1,2}\.\d\.\d)"
_RULE = re.compile(
    rf"{_NAME}(?P<standard>{_TIME})"
    rf"(?:{_NAME}(?P<summer>{_TIME})?,(?P<start>{_DATE})(?:/(?P<start_time>{_TIME}))?,(?P<end>{_DATE})(?:/(?P<end_time>{_TIME}))?)?"
)
_OFFSET = re.compile(r"(?P<sign>[+-]?)(?P<hours>[01]\d|2[0-3]):(?P<minutes>[0-5]\d)", re.ASCII)
_BIAS = 1 << 17


@dataclass(frozen=True, slots=True)
class _Zone:
    """A TZif file: instants and offsets in seconds, and the POSIX rule of its footer."""

    before: int
    transitions: tuple[tuple[int, int], ...]
    footer: str


def fixed_offset(zone: str) -> int | None:
    """The seconds east of UTC of `[+-]HH:MM`, `UTC` or the empty zone; None for any other text (L7.2)."""
    if zone in ("", "UTC"):
        return 0
    match = _OFFSET.fullmatch(zone)
    if match is None:
        return None
    seconds = int(match["hours"]) * 3600 + int(match["minutes"]) * 60
    return -seconds if match["sign"] == "-" else seconds


def encode_zone(zone: str) -> bytes:
    """The table of a zone: an offset, `UTC`, or a name of the IANA database.

    Raises ValueError for any other name; `check` lets none through.
    """
    offset = fixed_offset(zone)
    if offset is not None:
        return struct.pack("<iiii", 0, offset, offset, offset)
    if zone not in zone_names():
        raise ValueError(f"the time zone database has no `{zone}`")
    return encode_file(resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes())


def encode_file(data: bytes) -> bytes:
    """The table of a TZif file. Raises ValueError for a file that is none, of version 1, or with a malformed rule."""
    zone = _parse(data)
    transitions = _changes(zone)
    packed = [instant * 2**18 + offset + _BIAS for instant, offset in transitions]
    return struct.pack(f"<ii{len(packed)}q", len(packed), zone.before, *packed) + _encode_rule(zone.footer)


def _changes(zone: _Zone) -> list[tuple[int, int]]:
    """The transitions that change the offset, and the last one: from there on the rule holds."""
    kept: list[tuple[int, int]] = []
    for index, (instant, offset) in enumerate(zone.transitions):
        if offset != (kept[-1][1] if kept else zone.before) or index == len(zone.transitions) - 1:
            kept.append((instant, offset))
    return kept


def _parse(data: bytes) -> _Zone:
    """A TZif file of version 2 or later: the second block has 64-bit instants, the footer follows it."""
    if len(data) < _HEADER.size or data[:4] != b"TZif" or data[4:5] < b"2":
        raise ValueError("a time zone file is TZif of version 2 or later")
    _, _, *counts = _HEADER.unpack_from(data)
    position = _HEADER.size + _block_size(counts, 4)
    _, _, *counts = _HEADER.unpack_from(data, position)
    _, _, _, times, types, _ = counts
    start = position + _HEADER.size
    instants = struct.unpack_from(f">{times}q", data, start)
    indexes = struct.unpack_from(f">{times}B", data, start + 8 * times)
    offsets = [struct.unpack_from(">i", data, start + 9 * times + 6 * index)[0] for index in range(types)]
    footer = data[start + _block_size(counts, 8) :].decode("ascii").strip("\n")
    transitions = tuple((instant, offsets[index]) for instant, index in zip(instants, indexes, strict=True))
    return _Zone(offsets[0], transitions, footer)


def _block_size(counts: list[int], width: int) -> int:
    """The length in bytes of a block's data; width: of its instants (RFC 9636, 3.2)."""
    isut, isstd, leap, times, types, characters = counts
    return times * (width + 1) + types * 6 + characters + leap * (width + 4) + isstd + isut


def _encode_rule(footer: str) -> bytes:
    """The rule of a POSIX TZ string (RFC 9636, 3.3.1). Raises ValueError for a malformed one."""
    match = _RULE.fullmatch(footer)
    if match is None:
        raise ValueError(f"`{footer}` is not the rule of a time zone")
    # POSIX counts west of UTC.
    standard = -_seconds(match["standard"])
    if match["start"] is None:
        return struct.pack("<ii", standard, standard)
    summer = -_seconds(match["summer"]) if match["summer"] else standard + 3600
    return struct.pack(
        "<iiiiii", standard, summer,
        _date(match["start"]), _seconds(match["start_time"] or "2"),
        _date(match["end"]), _seconds(match["end_time"] or "2"),
    )  # fmt: skip


def _seconds(text: str) -> int:
    """The seconds of `[+-]hh[:mm[:ss]]`."""
    parts = [int(part) for part in text.lstrip("+-").split(":")]
    seconds = sum(part * unit for part, unit in zip(parts, (3600, 60, 1), strict=False))
    return -seconds if text.startswith("-") else seconds


def _date(text: str) -> int:
    if text.startswith("M"):
        month, week, day = (int(part) for part in text[1:].split("."))
        return 1024 + 64 * month + 8 * week + day
    return 512 + int(text[1:]) if text.startswith("J") else int(text)
