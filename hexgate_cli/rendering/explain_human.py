"""A role's effective policy for people, each line with its place; and the matrix of roles and tools."""

from __future__ import annotations

from hexgate.decision.decision import Verdict
from hexgate.policy.checked import CheckedEntry, CheckedRole, CheckedRule
from hexgate_cli.rendering.decision_human import WORDS, format_seconds
from hexgate_cli.rendering.excerpt import format_place
from hexgate_cli.rendering.readings import constants_of
from hexgate_cli.rendering.table import Cell, format_table
from hexgate_cli.role_matrix import Access, Matrix
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, pad, width_of

TEXT_COLUMNS = 60
"""Widest text that the places beside it are aligned to."""

_ACCESS_COLOURS = {
    Access.ALLOW: Colour.BOLD_GREEN,
    Access.ALLOW_IF: Colour.GREEN,
    Access.APPROVAL: Colour.BOLD_YELLOW,
    Access.APPROVAL_IF: Colour.YELLOW,
    Access.DENY: Colour.BOLD_RED,
    Access.DENY_IF: Colour.RED,
    Access.UNNAMED: Colour.DIM,
}


def format_holder(title: str, entries: list[CheckedEntry], otherwise: str, owner: str | None, screen: Screen) -> str:
    """A role or the boundary: its entries, and what is said of other tools. `owner` is the role whose file is not named."""
    lines = [screen.paint(title, Colour.BOLD)]
    rows: list[tuple[str, str, Colour | None]] = []
    for entry in entries:
        rows += _entry_rows(entry, owner)
    column = min(max((width_of(text) for text, _, _ in rows), default=0), TEXT_COLUMNS)
    for text, place, colour in rows:
        shown = screen.paint(text, colour) if colour is not None else text
        space = " " * max(0, column - width_of(text))
        lines.append(f"  {shown}{space}  {screen.paint(place, Colour.DIM)}".rstrip() if place else f"  {shown}")
    if otherwise:
        lines.append(f"  {screen.paint(otherwise, Colour.DIM)}")
    return "\n".join(lines)


def entries_of(holder: CheckedRole, tool: str | None) -> list[CheckedEntry]:
    """All entries in the order in which they are tried, or the one that decides on a tool."""
    if tool is not None:
        entry = holder.entry_for(tool)
        return [] if entry is None else [entry]
    default = [] if holder.default is None else [holder.default]
    return [*(holder.exact[name] for name in sorted(holder.exact)), *holder.patterns, *default]


def _entry_rows(entry: CheckedEntry, owner: str | None) -> list[tuple[str, str, Colour | None]]:
    """Text, place and colour of each line of an entry."""
    name = "any other tool" if entry.rules[0].reference.tool == "default_policy" else escape_name(entry.pattern)
    origin = entry.rules[0].reference.role
    inherited = f"  (from {escape_name(origin)})" if origin is not None and origin != owner else ""
    rows: list[tuple[str, str, Colour | None]] = [(name + inherited, "", Colour.CYAN)]
    for rule in entry.rules:
        rows += _rule_rows(rule)
    last = entry.rules[-1]
    if last.constraints and any(rule.reference.mode is not Verdict.DENY for rule in entry.rules):
        rows.append(("  otherwise deny", "", None))
    return rows


def _rule_rows(rule: CheckedRule) -> list[tuple[str, str, Colour | None]]:
    reference = rule.reference
    colour = WORDS[reference.mode][1]
    when = " when" if rule.constraints else ""
    rows: list[tuple[str, str, Colour | None]] = [
        (f"  {reference.mode.value}{when}", format_place(reference.place), colour)
    ]
    for constraint in rule.constraints:
        text = " ".join(escape_text(constraint.reference.text).split())
        rows.append((f"    {text}", format_place(constraint.reference.place), None))
        rows += [(f"      {reading}", "", Colour.DIM) for reading in constants_of(constraint)]
    if reference.message is not None:
        rows.append((f"    message: {escape_text(reference.message)}", "", Colour.DIM))
    if reference.approvers:
        names = ", ".join(escape_text(name) for name in reference.approvers)
        rows.append((f"    approvers: {names}", "", Colour.DIM))
    if reference.expires_in is not None:
        rows.append((f"    expires: {format_seconds(reference.expires_in)} after it was asked for", "", Colour.DIM))
    return rows


def format_matrix(matrix: Matrix, screen: Screen) -> str:
    """Tools by role, in as many tables as the width asks for."""
    names = [escape_name(row.tool) for row in matrix.rows]
    first = max(map(width_of, ["tool", *names]))
    tables = []
    for chunk in _chunks(matrix, screen.width - first):
        heads = ["tool", *(escape_name(matrix.holders[column]) for column in chunk)]
        rows: list[list[Cell]] = []
        for name, row in zip(names, matrix.rows, strict=True):
            cells: list[Cell] = [(pad(name, first), None)]
            for column in chunk:
                access = row.cells[column]
                cells.append((access.value, _ACCESS_COLOURS[access]))
            rows.append(cells)
        tables.append(format_table(heads, rows, "<" * len(heads), screen))
    return "\n\n".join(tables)


def _chunks(matrix: Matrix, room: int) -> list[list[int]]:
    """The columns, by number, in runs that fit beside the tools' names; at least one in each."""
    chunks: list[list[int]] = []
    used = 0
    for column, holder in enumerate(matrix.holders):
        width = 2 + max([width_of(escape_name(holder)), *(len(row.cells[column].value) for row in matrix.rows)])
        if not chunks or used + width > room:
            chunks.append([])
            used = 0
        chunks[-1].append(column)
        used += width
    return chunks
