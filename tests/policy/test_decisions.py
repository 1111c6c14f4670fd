"""Every call of every table in `decisions/`, on every engine. `HEXGATE_BLESS=1` rewrites what is expected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.policy.decisions import FOLDER, decide, read_table, show
from tests.policy.engines import ENGINES
from tests.policy.sets import check_files

TABLES = sorted(FOLDER.glob("*.txt"))

each_table = pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)


def test_there_are_tables() -> None:
    assert {path.stem for path in TABLES} == {path.stem for path in FOLDER.glob("*.yaml")}
    assert sum(len(read_table(table)) for table in TABLES) >= 150


@each_table
@pytest.mark.parametrize("name", ENGINES)
def test_decisions(name: str, table: Path) -> None:
    file = table.with_suffix(".yaml")
    policy, _ = check_files({file.name: file.read_bytes()})
    engine = ENGINES[name](policy)
    rows = read_table(table)
    found = {row.line: decide(engine, row) for row in rows}
    if os.environ.get("HEXGATE_BLESS") and name == "interpreter":
        rewrite(table, {row.line: " | ".join([*row.written, *show(found[row.line])]) for row in rows})
        rows = read_table(table)
    assert {row.line: show(found[row.line]) for row in rows} == {row.line: row.expected for row in rows}
    for row in rows:
        decision = found[row.line]
        assert decision.tool == row.tool
        role = row.user.role if row.user is not None else None
        assert decision.role == (role if type(role) is str else None)


def rewrite(table: Path, rows: dict[int, str]) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("".join(rows.get(number, line) + "\n" for number, line in enumerate(lines, 1)), encoding="utf-8")


@each_table
def test_engines_give_equal_decisions(table: Path) -> None:
    """Every field: rules and constraints with their places too."""
    file = table.with_suffix(".yaml")
    policy, _ = check_files({file.name: file.read_bytes()})
    first, *others = [open_engine(policy) for open_engine in ENGINES.values()]
    for row in read_table(table):
        assert [decide(engine, row) for engine in others] == [decide(first, row)] * len(others), row.line


def test_every_clause_has_a_row() -> None:
    cited = {clause for table in TABLES for row in read_table(table) for clause in row.clauses}
    assert {"P1", "P2", "P3", "P4", "P5", "P6", "P7"} <= cited
