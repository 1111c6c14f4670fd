"""The table in the support example's README is true: what it says a file holds, the file holds."""

from __future__ import annotations

import json
import re

import pytest

from tests.examples.example_sets import EXAMPLES, written_constraints
from tests.shared_data import shared_data

SUPPORT = EXAMPLES / "support"
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in (SUPPORT / "README.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [0-9]+ \|", line)
]
IMPLEMENTED = [row for row in ROWS if row[3] in ("A", "R", "M")]
_FILE = re.compile(r"`([a-z_]+\.yaml)`")
_TOKEN = re.compile(r"`([^`]+)`")


def test_the_table_has_every_rule() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, 54)]
    assert {len(row) for row in ROWS} == {5}
    assert len(IMPLEMENTED) == 19


@pytest.mark.parametrize("row", IMPLEMENTED, ids=lambda row: row[0])
def test_an_implemented_rule_names_its_file(row: list[str]) -> None:
    assert _FILE.match(row[4]), "classes A, R and M are implemented"


@pytest.mark.parametrize("row", [row for row in ROWS if _FILE.search(row[4])], ids=lambda row: row[0])
def test_what_the_table_quotes_stands_in_the_file(row: list[str]) -> None:
    constraints: set[str] = set()
    for token in _TOKEN.findall(row[4].partition("with `resource`")[0]):
        if token.endswith(".yaml"):
            constraints = {written.text for written in written_constraints(SUPPORT / "policies" / token)}
        elif token.startswith(("args.", "size(", "lists.", '"')) and "…" not in token:
            assert token in constraints
    assert constraints


def test_the_table_has_the_rules_of_the_data() -> None:
    rules = json.loads(shared_data("tau2/rules.json").read_text(encoding="utf-8"))
    written = [[row[1], row[2].replace("\\", ""), row[3]] for row in ROWS]
    assert written == [[rule["domain"], rule["rule"], rule["class"]] for rule in rules]
