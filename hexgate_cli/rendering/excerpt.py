"""A line of source with a place underlined, as compilers show it."""

from __future__ import annotations

from hexgate.place import Place
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, Screen, escape_text, show_source_line, width_of


def format_place(place: Place) -> str:
    """`file:line:column`, which editors and terminals make a link of."""
    return f"{escape_text(place.file)}:{place.line}:{place.column}"


def gutter_width(*places: Place | None) -> int:
    """Columns of the widest line number among the places."""
    return max((len(str(place.line)) for place in places if place is not None), default=1)


def format_excerpt(
    place: Place, sources: SourceText, screen: Screen, *, gutter: int, label: str = "", colour: Colour = Colour.BOLD_RED
) -> list[str]:
    """The line of a place and a line of carets below it, with a label behind them. Empty where the line is not to be had.

    A line wider than the screen is cut around the place.
    """
    line = sources.line(place.file, place.line)
    if line is None:
        return []
    shown, columns = show_source_line(line)
    start = columns[min(place.column - 1, len(line))]
    end = columns[min(place.column - 1 + max(place.length, 1), len(line))]
    end = max(end, start + 1)
    bar = screen.paint("|", Colour.BLUE)
    room = max(screen.width - gutter - 4, 20)
    shown, start, end = _cut(shown, start, end, room)
    carets = " " * start + screen.paint("^" * (end - start), colour)
    if label:
        carets += " " + screen.paint(label, colour)
    number = screen.paint(f"{place.line:>{gutter}}", Colour.BLUE)
    return [f"{number} {bar} {shown}".rstrip(), f"{' ' * gutter} {bar} {carets}"]


def _cut(shown: str, start: int, end: int, room: int) -> tuple[str, int, int]:
    """The part of a shown line, around columns `start` to `end`, that fits into `room` columns."""
    if width_of(shown) <= room:
        return shown, start, end
    first = max(0, min(start - room // 4, width_of(shown) - room + 1))
    kept: list[str] = ["…"] if first else []
    column = 0
    left = None
    for character in shown:
        width = width_of(character)
        if column >= first and left is None:
            left = column - len(kept)
        if column >= first:
            if column - (left or 0) + width > room - 1:
                kept.append("…")
                break
            kept.append(character)
        column += width
    offset = left or 0
    return "".join(kept), start - offset, min(end - offset, room)
