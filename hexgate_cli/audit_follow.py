"""A log as it grows: new lines of every strand, over new segments and new strands."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hexgate.audit.event import LINE_BYTES
from hexgate.audit.read import NoLogError, strands_of
from hexgate.audit.segment import segment_numbers, segment_path

CHUNK_BYTES = 1 << 20
_TIMESTAMP = re.compile(rb'"timestamp":"([^"]*)"')


@dataclass(slots=True)
class _Position:
    """How far a strand was read: the segment, and the bytes of its complete lines."""

    number: int
    offset: int = 0


@dataclass(slots=True)
class Follower:
    """Reads what was added since the last look. A path that is a file is followed alone."""

    path: Path
    _positions: dict[Path, _Position] = field(default_factory=dict)

    def begin(self) -> Iterator[bytes]:
        """The lines of the newest segment of each strand, by time. Raises NoLogError and OSError."""
        if self.path.is_file():
            self._positions[self.path] = _Position(0)
        else:
            for strand in strands_of(self.path):
                self._positions[strand] = _Position(segment_numbers(strand)[-1])
        return heapq.merge(*(self._strand(key) for key in list(self._positions)), key=_time)

    def look(self) -> list[bytes]:
        """The lines that came since, by time. Raises OSError."""
        if not self.path.is_file():
            try:
                for strand in strands_of(self.path):
                    self._positions.setdefault(strand, _Position(segment_numbers(strand)[0]))
            except NoLogError:
                return []
        return sorted((line for key in list(self._positions) for line in self._strand(key)), key=_time)

    def _strand(self, key: Path) -> Iterator[bytes]:
        position = self._positions[key]
        if position.number == 0:
            yield from _read(key, position)
            return
        while True:
            yield from _read(segment_path(key, position.number), position)
            following = [number for number in segment_numbers(key) if number > position.number]
            if not following:
                return
            # The writer is done with a segment before the next one has a line.
            yield from _read(segment_path(key, position.number), position)
            position.number, position.offset = following[0], 0


def _read(path: Path, position: _Position) -> Iterator[bytes]:
    """Complete lines from a position on; what is torn is read when it is whole, and a file that shrank to below the
    position had its torn end removed."""
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return
    with file:
        position.offset = min(position.offset, os.fstat(file.fileno()).st_size)
        file.seek(position.offset)
        rest = b""
        while chunk := file.read(CHUNK_BYTES):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            for line in lines:
                position.offset += len(line) + 1
                yield line
            if len(rest) > 4 * LINE_BYTES:
                return


def _time(line: bytes) -> bytes:
    match = _TIMESTAMP.search(line)
    return match[1] if match else b""
