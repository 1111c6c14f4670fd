"""docs/approvals.md says what the code does: every refusal, every limit, every clause that a test names."""

from __future__ import annotations

import re
from pathlib import Path

from hexgate.approvals.evidence import APPROVE
from hexgate.approvals.refusal import ApprovalRefusal
from hexgate.approvals.request import DEFAULT_SECONDS
from hexgate.approvals.steps import OPEN_REQUESTS
from hexgate.approvals.store import STORE_FILE, WAIT_SECONDS

TESTS = Path(__file__).parent
TEXT = (TESTS.parents[1] / "docs" / "approvals.md").read_text(encoding="utf-8")
CLAUSES = re.findall(r"^\* \*\*Q(\d+)\.(\d+)\*\* ", TEXT, re.MULTILINE)


def test_every_refusal_is_explained() -> None:
    (table,) = re.findall(r"## Q5 .*?\n\n(.*?)\n\n", TEXT, re.DOTALL)
    named = [word for row in table.split("\n")[2:] for word in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(refusal.value for refusal in ApprovalRefusal)


def test_every_limit_is_named() -> None:
    for text in (f"{OPEN_REQUESTS} open requests", f"{DEFAULT_SECONDS // 3600} hours", f"{WAIT_SECONDS:g} seconds", f"`{STORE_FILE}`", f"`{APPROVE}`"):
        assert text in TEXT, text


def test_clauses_are_numbered_in_order() -> None:
    expected: dict[str, int] = {}
    for section, number in CLAUSES:
        expected[section] = expected.get(section, 0) + 1
        assert int(number) == expected[section]
    assert list(expected) == sorted(expected, key=int)


def test_tests_name_clauses_that_exist() -> None:
    known = {f"Q{section}.{number}" for section, number in CLAUSES}
    named = {clause for path in TESTS.glob("test_*.py") if path.name != "test_document.py" for clause in re.findall(r"Q\d+\.\d+", path.read_text(encoding="utf-8"))}
    assert named and named <= known
