"""From a compiled pattern to the table that the module's `$regex_search` runs (runtime_wasm/regex.wat)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import Counter

from hexgate.regex.dfa import Dfa

SKIP = 254
"""In the byte map: the byte goes on with a character that its first byte has decided."""

DECODE = 255
"""In the byte map: the character's code point must be looked up."""

DENSE_BYTES = 4_096
"""Up to this length in bytes, transitions are a plain table; above it, the shorter of the two forms."""

_HEADER = struct.Struct("<HHHBBHHI")


def encode_dfa(dfa: Dfa) -> bytes:
    """The table of an automaton, little-endian, to be placed at an address divisible by 4.

    | offset | type | meaning |
    |---|---|---|
    | 0 | u16 | start state: 0 has failed, 1 has matched |
    | 2 | u16 | first accepting state: a text that ends in it or a later one has matched |
    | 4 | u16 | number of columns |
    | 6 | u8 | form of the transitions: 0 plain u8, 1 plain u16, 2 with defaults |
    | 7 | u8 | 0 |
    | 8 | u16 | number of code point bounds |
    | 10 | u16 | number of states |
    | 12 | u32 | offset of the transitions from the beginning of the table |
    | 16 | u8[256] | byte map: the column of a character by its first byte, SKIP, or DECODE |
    | 272 | u32[] | code point bounds, ascending: code point * 2048 + column, good up to the next bound |

    Plain transitions: one row a state, one entry a column. With defaults: u16 defaults[columns], u16 first[states + 1],
    then pairs u16 column, u16 next state; the pairs of state s are those from first[s] up to first[s + 1], counted in
    units of 2 bytes from the beginning of the transitions, in order of their columns, and a column without a pair leads
    to its default. A table whose start state is 0 or 1 ends with its header. Deterministic.
    """
    if dfa.start <= 1:
        return _HEADER.pack(dfa.start, dfa.first_accepting, 0, 0, 0, 0, len(dfa.rows), 0)
    byte_map, bounds = _byte_map(dfa), b""
    leads = [lead for lead in range(0xC2, 0xF5) if byte_map[lead] == DECODE]
    if leads:
        bounds = _bounds(dfa, leads)
    form, transitions = _transitions(dfa)
    offset = _HEADER.size + len(byte_map) + len(bounds)
    header = _HEADER.pack(
        dfa.start, dfa.first_accepting, len(dfa.rows[0]), form, 0, len(bounds) // 4, len(dfa.rows), offset
    )
    return header + byte_map + bounds + transitions


def _column(dfa: Dfa, code_point: int) -> int:
    return dfa.columns[bisect_right(dfa.bounds, code_point) - 1]


def _code_points(lead: int) -> tuple[int, int]:
    """The first and last code points whose UTF-8 begins with a byte (RFC 3629, section 4)."""
    if lead < 0xE0:
        return (lead & 0x1F) << 6, (lead & 0x1F) << 6 | 0x3F
    if lead < 0xF0:
        return max((lead & 0x0F) << 12, 0x800), (lead & 0x0F) << 12 | (0x7FF if lead == 0xED else 0xFFF)
    return max((lead & 0x07) << 18, 0x10000), min((lead & 0x07) << 18 | 0x3FFFF, 0x10FFFF)


def _byte_map(dfa: Dfa) -> bytes:
    """What each byte tells. Bytes that UTF-8 does not use are skipped; no text holds them."""
    entries = [_column(dfa, byte) for byte in range(0x80)] + [SKIP] * 0x80
    for lead in range(0xC2, 0xF5):
        low, high = _code_points(lead)
        first = bisect_right(dfa.bounds, low) - 1
        column = dfa.columns[first]
        decided = bisect_right(dfa.bounds, high) - 1 == first and column < SKIP
        entries[lead] = column if decided else DECODE
    return bytes(entries)


def _bounds(dfa: Dfa, leads: list[int]) -> bytes:
    """The bounds within the characters that are looked up; between those, none are needed."""
    needed: dict[int, int] = {}
    last = -1
    for lead in leads:
        low, high = _code_points(lead)
        points = [low, *dfa.bounds[bisect_right(dfa.bounds, low) : bisect_right(dfa.bounds, high)]]
        for point in points:
            column = _column(dfa, point)
            if column != last:
                needed[point] = column
                last = column
    return b"".join(struct.pack("<I", point << 11 | column) for point, column in needed.items())


def _transitions(dfa: Dfa) -> tuple[int, bytes]:
    """The form of the transitions and their bytes."""
    states, columns = len(dfa.rows), len(dfa.rows[0])
    width = 1 if states <= 256 else 2
    plain = states * columns * width
    if plain > DENSE_BYTES:
        words = _with_defaults(dfa)
        if len(words) * 2 < plain and len(words) <= 0xFFFF:
            return 2, struct.pack(f"<{len(words)}H", *words)
    flat = [target for row in dfa.rows for target in row]
    return width - 1, struct.pack(f"<{len(flat)}{'BH'[width - 1]}", *flat)


def _with_defaults(dfa: Dfa) -> list[int]:
    """Each column's most frequent target, and each state's exceptions from that."""
    defaults: list[int] = []
    for column in zip(*dfa.rows[2:], strict=True):
        counts = Counter(column)
        defaults.append(min(counts, key=lambda target: (-counts[target], target)))
    pairs_at = len(defaults) + len(dfa.rows) + 1
    first: list[int] = []
    pairs: list[int] = []
    for state, row in enumerate(dfa.rows):
        first.append(pairs_at + len(pairs))
        if state > 1:
            exceptions = [(i, target) for i, target in enumerate(row) if target != defaults[i]]
            pairs += [number for exception in exceptions for number in exception]
    return [*defaults, *first, pairs_at + len(pairs), *pairs]
