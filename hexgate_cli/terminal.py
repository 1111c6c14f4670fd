"""Text on a terminal: colour where it is wanted, user text made visible, columns counted as they are shown.

Colour is only ever an addition: whatever it says, a word says too. `NO_COLOR` (no-color.org), `FORCE_COLOR`, `TERM=dumb`
and the stream itself decide.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TextIO

WIDTH_WITHOUT_TERMINAL = 100
"""Columns to fill where the output is no terminal and `COLUMNS` does not say."""

NAME_COLUMNS = 120
"""Longest name that is shown whole."""

MESSAGE_COLUMNS = 1_000
"""Longest failure that is shown whole."""

TAB_WIDTH = 4
"""Columns of a tab in a line of source."""


class Colour(Enum):
    """Select Graphic Rendition codes (ECMA-48 8.3.117)."""

    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    BLUE = "34"
    CYAN = "36"
    DIM = "2"
    BOLD = "1"
    BOLD_RED = "1;31"
    BOLD_GREEN = "1;32"
    BOLD_YELLOW = "1;33"
    BOLD_CYAN = "1;36"


@dataclass(frozen=True, slots=True)
class Screen:
    """How to write to one stream: whether in colour, and how many columns wide."""

    colour: bool = False
    width: int = WIDTH_WITHOUT_TERMINAL

    def paint(self, text: str, colour: Colour) -> str:
        """The text in a colour, or as it is where there are none."""
        return f"\x1b[{colour.value}m{text}\x1b[0m" if self.colour and text else text


def screen_of(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Screen:
    """What the stream and the environment ask for."""
    try:
        terminal = stream.isatty()
    except ValueError:
        terminal = False
    if environ.get("NO_COLOR"):
        colour = False
    elif environ.get("FORCE_COLOR"):
        colour = True
    else:
        colour = terminal and environ.get("TERM") != "dumb"
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return Screen(colour, max(int(columns), 20))
    if terminal:
        try:
            return Screen(colour, max(os.get_terminal_size(stream.fileno()).columns, 20))
        except (OSError, ValueError):
            pass
    return Screen(colour)


_INVISIBLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 and C1 controls: the terminal would obey them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls: shown text would differ from the real one
    "\u00ad\u200b-\u200d\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb"  # nothing to see, or a new line
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u206a-\u206f\u2800\u3164\uffa0\U0001d173-\U0001d17a"  # shown as nothing, too
    "\ufe00-\ufe0f\U000e0000-\U000e0fff"  # variation selectors and tags: hidden alphabets
    "\ud800-\udfff"  # lone surrogates: no encoding has them
    "]"
)


def escape_character(character: str) -> str:
    """The visible spelling of a character that a terminal would obey or hide."""
    code = ord(character)
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    if named is not None:
        return named
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape_text(text: str) -> str:
    """User text that is safe to show: what a terminal would obey or hide is spelled out."""
    return _INVISIBLE.sub(lambda match: escape_character(match[0]), text)


def escape_name(name: str) -> str:
    """The name of a role or a tool. Those of policies are ASCII, so what only looks like one is spelled out too."""
    shown = name if name.isascii() and name.isprintable() else ascii(name)[1:-1]
    return shorten(shown, NAME_COLUMNS)


def escape_json(text: str) -> str:
    """A JSON text in which the same characters are `\\u` escapes: the same value, safe to show and to encode."""

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        if code < 0x20:
            return match[0]  # between tokens: JSON has none of these inside a string
        if code < 0x10000:
            return f"\\u{code:04x}"
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"

    return _INVISIBLE.sub(escape, text)


def width_of(text: str) -> int:
    """Columns that a shown text takes: wide characters (Unicode TR 11) two, combining marks none."""
    return sum(_character_width(character) for character in text)


def _character_width(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def pad(text: str, columns: int) -> str:
    """The text, filled with spaces to a width in columns."""
    return text + " " * max(0, columns - width_of(text))


def shorten(text: str, columns: int) -> str:
    """The text, cut to a width in columns, with `…` where something was cut."""
    if width_of(text) <= columns:
        return text
    taken = 0
    for position, character in enumerate(text):
        taken += _character_width(character)
        if taken > columns - 1:
            return text[:position] + "…"
    return text


def wrap(text: str, columns: int) -> list[str]:
    """Lines of at most so many columns, broken at spaces; a longer word stands alone. At least one line."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        if line and width_of(line) + 1 + width_of(word) > columns:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def show_source_line(line: str) -> tuple[str, list[int]]:
    """A line of source as it is shown, and the shown column (from 0) at which each code point starts, and the end."""
    shown: list[str] = []
    columns: list[int] = []
    column = 0
    for character in line:
        columns.append(column)
        if character == "\t":
            piece = " " * TAB_WIDTH
        else:
            piece = escape_text(character)
        shown.append(piece)
        column += width_of(piece)
    columns.append(column)
    return "".join(shown), columns
