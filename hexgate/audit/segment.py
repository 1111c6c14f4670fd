"""Segment files of a log: `000001.ndjson` and, beside it, `000001.checkpoints`. Reading them back after any stop."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hexgate.audit.event import LINE_BYTES
from hexgate.audit.merkle import Frontier, leaf_hash

CHUNK_BYTES = 1 << 16
"""Read at a time: what fits a processor's cache with its lines is split and hashed a third faster than a megabyte."""

FIRST_PREVIOUS = "0" * 16
"""What a log's first line names as its predecessor."""

_SEGMENT = re.compile(r"([0-9]{6,9})\.ndjson")


@dataclass(slots=True)
class Scanned:
    """A segment file as found: its tree, the last complete line and its hash, bytes of complete lines, bytes of a torn tail."""

    frontier: Frontier = field(default_factory=Frontier)
    first: bytes = b""
    last: bytes = b""
    complete: int = 0
    torn: int = 0

    @property
    def previous(self) -> str:
        """What the next line names as its predecessor."""
        return leaf_hash(self.last)[:8].hex() if self.last else FIRST_PREVIOUS


def segment_path(directory: Path, number: int) -> Path:
    """The file of a segment."""
    return directory / f"{number:06d}.ndjson"


def checkpoints_path(segment: Path) -> Path:
    """The file of a segment's checkpoints."""
    return segment.with_suffix(".checkpoints")


def segment_numbers(directory: Path) -> list[int]:
    """The numbers of a strand's segments, in order. Raises OSError."""
    found = (_SEGMENT.fullmatch(entry.name) for entry in os.scandir(directory))
    return sorted(int(match[1]) for match in found if match)


def scan_segment(path: Path) -> Scanned:
    """Read a segment to its end. Raises OSError."""
    found = Scanned()
    rest = b""
    append = found.frontier.append
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            for line in lines:
                append(leaf_hash(line))
                found.complete += len(line) + 1
            if lines:
                found.first = found.first or lines[0]
                found.last = lines[-1]
    found.torn = len(rest)
    return found


def read_lines(path: Path) -> Iterator[bytes]:
    """The complete lines of a segment, without their newlines; a torn tail is left out. Raises OSError."""
    rest = b""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            if len(rest) > LINE_BYTES:
                yield rest
                return
            yield from lines


def split_checkpoints(data: bytes) -> tuple[list[bytes], int]:
    """The notes of a checkpoints file, and how many bytes of it they take: what follows is torn."""
    notes = []
    at = 0
    while (middle := data.find(b"\n\n", at)) >= 0 and (end := data.find(b"\n\n", middle + 2)) >= 0:
        notes.append(data[at : end + 1])
        at = end + 2
    return notes, at
