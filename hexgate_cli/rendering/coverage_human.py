"""The coverage of an agent, for people."""

from __future__ import annotations

from hexgate.adapters.coverage import Coverage, CoverageRow, Gating, RoleAnswer, Says
from hexgate_cli.rendering.table import Cell, format_table
from hexgate_cli.terminal import Colour, Screen, escape_name

_COLOURS = {Says.ALLOW: Colour.GREEN, Says.DEPENDS: Colour.CYAN, Says.APPROVAL: Colour.YELLOW, Says.DENY: Colour.DIM}
_GATING = {Gating.CALL: "each call", Gating.OFFER: "offered or withheld", Gating.NONE: "NOT GATED"}


def format_coverage(coverage: Coverage, screen: Screen) -> str:
    """A table of the tools, what is special about some of them, and what is refused."""
    heads = ["tool", "kind", "agent", "gated", *map(escape_name, coverage.roles)]
    rows = [_row(row) for row in coverage.rows]
    lines = [format_table(heads, rows, "<" * len(heads), screen)] if rows else ["the agent reaches no tool"]
    notes = [f"{escape_name(row.tool.name)}: {row.tool.note}" for row in coverage.rows if row.tool.note]
    lines += ["", *dict.fromkeys(notes)] if notes else []
    refused = [row for row in coverage.rows if row.refused_for]
    for row in refused:
        roles = ", ".join(escape_name(role) for role in row.refused_for)
        text = f"{escape_name(row.tool.name)}: an agent with it does not run for {roles}"
        lines += ["", screen.paint(text, Colour.BOLD_RED if row.ungated else Colour.YELLOW)]
    gated = len(coverage.rows) - len(coverage.ungated)
    return "\n".join([*lines, "", f"{gated} of {len(coverage.rows)} tools are gated"]) + "\n"


def _row(row: CoverageRow) -> list[Cell]:
    red = Colour.BOLD_RED if row.ungated else None
    path = " > ".join(escape_name(name) for name in row.tool.path)
    gated = (_GATING[row.tool.gating], Colour.YELLOW if row.tool.gating is Gating.OFFER else red)
    return [(escape_name(row.tool.name), red), (row.tool.kind, red), (path, red), gated, *map(_answer, row.answers)]


def _answer(answer: RoleAnswer) -> Cell:
    return escape_name(answer.text), _COLOURS[answer.says]
