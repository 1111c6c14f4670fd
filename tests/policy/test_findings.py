"""What is said about policy sets, whole: each folder or file in `cases/` beside the text that is expected of it.

`HEXGATE_BLESS=1 pytest tests/policy/test_findings.py` rewrites the expected texts.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hexgate.diagnostic_codes import CODES
from tests.policy.sets import findings_of, render

CASES = Path(__file__).parent / "cases"
FOUND = sorted(path for path in CASES.iterdir() if path.suffix != ".txt")

ELSEWHERE = {code for code in CODES if code.startswith(("HG1", "HG6"))}
"""Codes that the tests of the language and of policy tests cover."""


def read_case(path: Path) -> dict[str, bytes]:
    """The files of a case: those of a folder, or one."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


def test_there_are_cases() -> None:
    assert len(FOUND) >= 60


def test_every_expected_text_has_a_case() -> None:
    assert {path.stem for path in CASES.glob("*.txt")} == {path.stem for path in FOUND}


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_findings(path: Path) -> None:
    files = read_case(path)
    text = render(findings_of(files), files)
    expected = CASES / f"{path.stem}.txt"
    if os.environ.get("HEXGATE_BLESS"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_findings_are_well_formed(path: Path) -> None:
    files = read_case(path)
    for finding in findings_of(files):
        assert finding.help, "a finding has a way forward"
        assert not finding.message.endswith("."), "a sentence without final period"
        assert finding.message[0] == "`" or finding.message[0] == finding.message[0].lower()
        assert finding.place is not None
        assert finding.place.file in files
        lines = files[finding.place.file].decode("utf-8", "replace").split("\n")
        assert finding.place.line <= len(lines) + 1
        if finding.place.line <= len(lines):
            assert finding.place.column + finding.place.length - 1 <= len(lines[finding.place.line - 1]) + 1


def test_every_code_of_policies_is_found() -> None:
    """HG211 for a directory and HG208 for bytes are in the tests of `load` and of YAML."""
    found = {finding.code for path in FOUND for finding in findings_of(read_case(path))}
    assert CODES.keys() - ELSEWHERE - found <= {"HG208", "HG211"}
