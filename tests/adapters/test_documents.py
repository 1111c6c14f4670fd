"""The page of the adapters is what the tests say, and the table of the frameworks' suites what was counted."""

from __future__ import annotations

import json

from benchmarks.framework_suites import RESULTS, TABLE, format_table
from tests.adapters.boundaries import COLUMNS, HERE, read_tests
from tests.adapters.write_boundaries import PAGE, page_with_table


def test_the_table_of_boundaries_is_made_from_the_tests() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_table(page), "run `python -m tests.adapters.write_boundaries`"


def test_every_boundary_of_every_adapter_is_tested_or_not_there() -> None:
    folders = [folder for folder in COLUMNS if (HERE / folder).is_dir()]
    assert folders
    for folder in folders:
        tests, absent = read_tests(folder)
        assert not tests.keys() & absent.keys()
    assert "**not tested**" not in PAGE.read_text(encoding="utf-8")


def test_the_counts_of_the_suites_are_the_table() -> None:
    assert TABLE.read_text(encoding="utf-8") == format_table(json.loads(RESULTS.read_text(encoding="utf-8")))
