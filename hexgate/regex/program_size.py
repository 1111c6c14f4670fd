"""How large RE2's own program for a pattern is, at most.

The interpreter runs RE2, which refuses a pattern whose program is too large, so such a pattern must not pass here
either. RE2 compiles to bytes: a class becomes a tree over the UTF-8 of its members. The tree counted here shares only
common beginnings, where RE2 shares ends too, so the count is never below RE2's.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from hexgate.regex.ranges import Ranges

_LAST_OF_LENGTH = (0x7F, 0x7FF, 0xFFFF, 0x10FFFF)
_LEAD_BITS = (0x00, 0xC0, 0xE0, 0xF0)

ByteRanges = tuple[tuple[int, int], ...]


def text_instructions(text: str) -> int:
    """The instructions of a literal text: one for each byte."""
    return len(text.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=1024)
def class_instructions(ranges: Ranges) -> int:
    """At most this many instructions for one character of a class: its tree's branches, and a choice for each leaf."""
    branches: set[ByteRanges] = set()
    beginnings: set[tuple[int, int]] = set()
    leaves = 0
    for low, high in ranges:
        if low >= 0x80 and low >> 12 == high >> 12 and not low <= _LAST_OF_LENGTH[1] < high:
            # Up to three sequences, of which the last byte varies, or the last two. The beginnings before those are
            # bits of the code point.
            one_block = low >> 6 == high >> 6
            leaves += 2 if one_block else 9
            beginnings.update((shift, low >> shift) for shift in ((6, 12, 18) if one_block else (12, 18)))
            continue
        for sequence in _sequences(low, high):
            leaves += 1
            branches.update(sequence[:length] for length in range(1, len(sequence) + 1))
    return max(len(branches) + len(beginnings) + leaves, 1)


def _sequences(low: int, high: int) -> Iterator[ByteRanges]:
    """A range of code points as sequences of byte ranges, each of which covers all of its combinations."""
    begin = low
    for size, last in enumerate(_LAST_OF_LENGTH):
        if begin <= min(high, last):
            for first, end in _blocks(begin, min(high, last), size):
                yield tuple(zip(_encoded(first, size), _encoded(end, size), strict=True))
            begin = last + 1


def _blocks(low: int, high: int, size: int) -> Iterator[tuple[int, int]]:
    """A range split where some continuation byte but not all of its values would follow a range of bytes."""
    for level in range(1, size + 1):
        mask = (1 << (6 * level)) - 1
        if low & ~mask == high & ~mask:
            break
        if low & mask:
            yield from _blocks(low, low | mask, size)
            yield from _blocks((low | mask) + 1, high, size)
            return
        if high & mask != mask:
            yield from _blocks(low, (high & ~mask) - 1, size)
            yield from _blocks(high & ~mask, high, size)
            return
    yield low, high


def _encoded(code_point: int, size: int) -> tuple[int, ...]:
    """The UTF-8 bytes of a code point with that many continuation bytes."""
    tail = tuple(0x80 | code_point >> (6 * i) & 0x3F for i in range(size - 1, -1, -1))
    return (_LEAD_BITS[size] | code_point >> (6 * size), *tail)
