"""Effective policies for programs (`schemas/explain.schema.json`)."""

from __future__ import annotations

from hexgate.policy.checked import CheckedEntry, CheckedRole
from hexgate.strict_json import Json
from hexgate_cli.rendering.decision_json import rule_to_dict
from hexgate_cli.rendering.explain_human import entries_of
from hexgate_cli.role_matrix import Matrix


def holder_to_dict(holder: CheckedRole, tool: str | None) -> dict[str, Json]:
    """The effective entries of a role or of the boundary, in the order in which they are tried."""
    return {"name": holder.name, "entries": [_entry(holder, entry) for entry in entries_of(holder, tool)]}


def _entry(holder: CheckedRole, entry: CheckedEntry) -> dict[str, Json]:
    kind = "default" if entry is holder.default else "exact" if entry.pattern in holder.exact else "pattern"
    return {"kind": kind, "tool": entry.pattern, "rules": [rule_to_dict(rule.reference) for rule in entry.rules]}


def matrix_to_dict(matrix: Matrix) -> list[Json]:
    """A row for each tool, with the access of each role by name."""
    return [
        {"tool": row.tool, "access": {name: cell.value for name, cell in zip(matrix.holders, row.cells, strict=True)}}
        for row in matrix.rows
    ]
