"""Sets of code points as sorted, disjoint, non-adjacent inclusive ranges.

Surrogates are ordinary members here: they can stand in a pattern (`\\x{D800}`) and never in a text.
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_CODE_POINT = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]

EMPTY: Ranges = ()
ALL: Ranges = ((0, MAX_CODE_POINT),)


def normalise(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The set that any ranges, in any order and overlapping, cover together."""
    merged: list[tuple[int, int]] = []
    end = -2
    for low, high in sorted(ranges):
        if low <= end + 1:
            if high > end:
                end = high
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
            end = high
    return tuple(merged)


def complement(ranges: Ranges) -> Ranges:
    """All code points that are not in the set."""
    missing: list[tuple[int, int]] = []
    next_free = 0
    for low, high in ranges:
        if next_free < low:
            missing.append((next_free, low - 1))
        next_free = high + 1
    if next_free <= MAX_CODE_POINT:
        missing.append((next_free, MAX_CODE_POINT))
    return tuple(missing)


def count(ranges: Ranges) -> int:
    """How many code points are in the set."""
    return sum(high - low + 1 for low, high in ranges)


def contains(ranges: Ranges, code_point: int) -> bool:
    """Whether a code point is in the set."""
    return any(low <= code_point <= high for low, high in ranges)
