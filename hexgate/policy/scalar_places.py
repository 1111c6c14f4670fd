"""Where each code point of a YAML scalar's value stands in the file, in every style.

A scalar is decoded once more from its raw text, with the offset of every code point kept (YAML 1.2.2, chapters 7 and 8:
line folding, escapes, block headers and indentation).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

_WHITE = frozenset(" \t\r\n")
_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
    " ": " ", '"': '"', "\\": "\\", "/": "/", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}


class _Decoded(NamedTuple):
    """A value, and the offset in the raw text of each of its code points and of its end."""

    text: str
    offsets: list[int]


def scalar_places(raw: str, value: str, style: str | None, line: int, column: int) -> tuple[tuple[int, int], ...]:
    """Line and column of each code point of a scalar's value, and of its end. `raw` is the scalar as it stands in the
    file, quotes or block header included, at `line` and `column`."""
    decoded = _decode(raw, value, style or "")
    offsets = decoded.offsets if decoded.text == value else [0] * (len(value) + 1)
    starts = _line_starts(raw)
    places = []
    for offset in offsets:
        row = bisect_right(starts, offset) - 1
        places.append((line + row, offset - starts[row] + (column if row == 0 else 1)))
    return tuple(places)


def _line_starts(raw: str) -> list[int]:
    return [0, *(position + 1 for position, character in enumerate(raw) if character == "\n")]


def _decode(raw: str, value: str, style: str) -> _Decoded:
    if style in ("|", ">"):
        return _decode_block(raw, value)
    inset = 1 if style else 0
    return _decode_flow(raw, inset, len(raw) - inset, style)


def _decode_flow(raw: str, start: int, end: int, style: str) -> _Decoded:
    """A plain or quoted scalar: white space around line breaks folds, quotes are doubled, double quotes have escapes."""
    text: list[str] = []
    offsets: list[int] = []
    at = start
    while at < end:
        character, width = raw[at], 1
        if character in _WHITE:
            width = _fold(raw, at, end, text, offsets)
        elif style == '"' and character == "\\":
            width = _unescape(raw, at, end, text, offsets)
        else:
            width = 2 if style == "'" and character == "'" else 1
            text.append(character)
            offsets.append(at)
        at += width
    return _Decoded("".join(text), [*offsets, end])


def _fold(raw: str, start: int, end: int, text: list[str], offsets: list[int]) -> int:
    """A run of white space: as it is within a line; one line break is a space, each further one a line break."""
    at = start
    while at < end and raw[at] in _WHITE:
        at += 1
    breaks = _breaks(raw, start, at)
    if not breaks:
        text.append(raw[start:at])
        offsets.extend(range(start, at))
    elif len(breaks) == 1:
        text.append(" ")
        offsets.append(start)
    else:
        text.append("\n" * (len(breaks) - 1))
        offsets.extend(breaks[1:])
    return at - start


def _breaks(raw: str, start: int, end: int) -> list[int]:
    """The offsets of the line breaks in a stretch; CR LF is one."""
    return [
        at - 1 if at > start and raw[at - 1] == "\r" else at for at in range(start, end) if raw[at] == "\n"
    ]


def _unescape(raw: str, at: int, end: int, text: list[str], offsets: list[int]) -> int:
    """An escape of a double-quoted scalar; an escaped line break is nothing, and empty lines after it are breaks."""
    sign = raw[at + 1 : at + 2]
    if sign in ("\r", "\n"):
        stop = at + 1
        while stop < end and raw[stop] in _WHITE:
            stop += 1
        breaks = _breaks(raw, at + 1, stop)[1:]
        text.append("\n" * len(breaks))
        offsets.extend(breaks)
        return stop - at
    digits = _HEX_DIGITS.get(sign, 0)
    if digits:
        number = raw[at + 2 : at + 2 + digits]
        text.append(chr(int(number, 16)))
    else:
        text.append(_ESCAPES.get(sign, sign))
    offsets.append(at)
    return 2 + digits


def _decode_block(raw: str, value: str) -> _Decoded:
    """A block scalar. Its indentation is that of its first line that is not empty, or, where the header names one, the one
    under which it has its value."""
    end_of_header = raw.find("\n")
    if end_of_header < 0:
        return _Decoded("", [len(raw)])
    header = raw[:end_of_header].partition("#")[0]
    lines = raw[end_of_header + 1 :].split("\n")
    first = next((_indent(line) for line in lines if line.strip(" \r")), 0)
    decoded = _Decoded("", [len(raw)])
    for indent in (first, *sorted({0, *map(_indent, lines)}), *range(first)):
        decoded = _decode_lines(raw, end_of_header + 1, indent, header)
        if decoded.text == value:
            break
    return decoded


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _decode_lines(raw: str, start: int, indent: int, header: str) -> _Decoded:
    """The lines of a block scalar at an indentation, folded and chomped as the header says."""
    folded = header[0] == ">"
    text: list[str] = []
    offsets: list[int] = []

    def put(part: str, at: int) -> None:
        text.append(part)
        offsets.extend(range(at, at + len(part)))

    breaks, at, begins = _skip_empty_lines(raw, start, indent)
    line_break: int | None = None
    while begins:
        for empty in breaks:
            put("\n", empty)
        flush = raw[at] not in " \t"
        end = _end_of_line(raw, at)
        put(raw[at:end], at)
        line_break = end if end < len(raw) else None
        breaks, at, begins = _skip_empty_lines(raw, _after_break(raw, end), indent)
        if begins:
            if not (folded and flush and raw[at] not in " \t"):
                put("\n", end)
            elif not breaks:
                put(" ", end)
    if line_break is not None and "-" not in header:
        put("\n", line_break)
    if "+" in header:
        for empty in breaks:
            put("\n", empty)
    last = offsets[-1] + 1 if offsets else start
    return _Decoded("".join(text), [*offsets, min(last, len(raw))])


def _end_of_line(raw: str, at: int) -> int:
    end = raw.find("\n", at)
    if end < 0:
        return len(raw)
    return end - 1 if end > at and raw[end - 1] == "\r" else end


def _after_break(raw: str, at: int) -> int:
    return at + (2 if raw[at : at + 2] == "\r\n" else 1 if at < len(raw) else 0)


def _skip_empty_lines(raw: str, at: int, indent: int) -> tuple[list[int], int, bool]:
    """The line breaks of empty lines from here, where the next line's text is, and whether it is one of the scalar's."""
    breaks: list[int] = []
    while True:
        column = 0
        while column < indent and raw[at : at + 1] == " ":
            at, column = at + 1, column + 1
        if raw[at : at + 1] == "\n" or raw[at : at + 2] == "\r\n":
            breaks.append(at)
            at = _after_break(raw, at)
            continue
        return breaks, at, column == indent and at < len(raw)
