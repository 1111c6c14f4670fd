"""Tables of short texts, aligned by shown width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from hexgate_cli.terminal import Colour, Screen, width_of

Cell: TypeAlias = tuple[str, Colour | None]
"""A text and its colour."""


def format_table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], alignment: str, screen: Screen) -> str:
    """Rows under their heads. `alignment` has `<` or `>` for each column. No line break at the end."""
    grid: list[Sequence[Cell]] = [[(head, Colour.DIM) for head in heads], *rows]
    widths = [max(width_of(row[column][0]) for row in grid) for column in range(len(heads))]
    lines = []
    for row in grid:
        cells = []
        for (text, colour), width, side in zip(row, widths, alignment, strict=True):
            space = " " * (width - width_of(text))
            painted = text if colour is None else screen.paint(text, colour)
            cells.append(painted + space if side == "<" else space + painted)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
