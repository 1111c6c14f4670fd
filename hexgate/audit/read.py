"""Reading a log that may be growing: its strands, its segments in order, all strands' records in the order of time."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterator
from pathlib import Path

from hexgate.audit.segment import read_lines, segment_numbers, segment_path

_STRAND = re.compile(r"[0-9]{2,3}")
_TIMESTAMP = re.compile(rb'"timestamp":"([^"]*)"')


class NoLogError(Exception):
    """A path where there is no log."""


def strands_of(path: Path) -> list[Path]:
    """The strand directories of a log's directory, or the path itself where it is one. Raises NoLogError and OSError."""
    if not path.is_dir():
        raise NoLogError(f"there is no audit log `{path}`")
    if segment_numbers(path):
        return [path]
    found = sorted(Path(entry.path) for entry in os.scandir(path) if _STRAND.fullmatch(entry.name) and entry.is_dir())
    found = [strand for strand in found if segment_numbers(strand)]
    if not found:
        raise NoLogError(f"`{path}` holds no audit log")
    return found


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a log directory, of a strand, or of one segment file; several strands by the time of their records.
    Streams: memory does not grow with the log. Raises NoLogError and OSError."""
    if path.is_file():
        yield from read_lines(path)
        return
    strands = [_strand_lines(strand) for strand in strands_of(path)]
    if len(strands) == 1:
        yield from strands[0]
    else:
        yield from heapq.merge(*strands, key=_time_of)


def _strand_lines(strand: Path) -> Iterator[bytes]:
    for number in segment_numbers(strand):
        yield from read_lines(segment_path(strand, number))


def _time_of(line: bytes) -> bytes:
    """The text of a line's time, which sorts as time does: the first member of that name, before any value of a caller's."""
    match = _TIMESTAMP.search(line)
    return match[1] if match else b""
