"""Where something stands in a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line of a file. Lines and columns count from 1, columns and `length` in code points."""

    file: str
    line: int
    column: int
    length: int = 1
