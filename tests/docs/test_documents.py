"""What the documents say is held against the code."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from hexgate.faults import Fault
from hexgate.limits import ALLOCATION_BUDGET, ITERATION_BUDGET, REQUEST_DEPTH

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_page_of_functions_is_what_the_table_says() -> None:
    spec = importlib.util.spec_from_file_location("functions_page", ROOT / "docs" / "functions.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "functions.md").read_text(encoding="utf-8") == module.render(), "run `python docs/functions.py`"


def test_the_language_page_names_every_fault_and_limit() -> None:
    text = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    for fault in Fault:
        assert f"`{fault.code}`" in text, fault.code
    assert f"{ITERATION_BUDGET:,} steps" in text
    assert f"{ALLOCATION_BUDGET:,} bytes" in text
    assert f"deeper than {REQUEST_DEPTH}" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_exist(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_paths_that_are_named_exist(document: Path) -> None:
    named = re.findall(r"`((?:hexgate|hexgate_cli|tests|docs|benchmarks|runtime_wasm|grammar|schemas|examples)/[\w./-]+\.\w+)`", document.read_text(encoding="utf-8"))
    for path in named:
        assert (ROOT / path).exists(), f"{document.name} names {path}"


def test_no_document_speaks_of_machine_paths() -> None:
    assert DOCUMENTS
    for document in DOCUMENTS:
        assert not re.search(r"/(work|root|home|tmp)/", document.read_text(encoding="utf-8")), document.name
