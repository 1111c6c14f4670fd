"""What a checked expression's type is, and everything that is found wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexgate.diagnostic_codes import CODES
from hexgate.language.check import check_with_warnings, require_bool
from hexgate.language.finding import ExpressionError, Finding
from hexgate.language.types import format_type
from tests.language.environments import ENVIRONMENTS
from tests.language.reports import BLESS, Case, bless, lines_of, read_cases

FILES = sorted((Path(__file__).parent / "cases").glob("check_*.txt"))


def findings_of(heading: str, source: str) -> tuple[str, tuple[Finding, ...]]:
    """The type, empty where there is none, and all findings."""
    try:
        expression, warnings = check_with_warnings(source, ENVIRONMENTS[heading])
        require_bool(expression) if heading in ("policy", "order") else None
    except ExpressionError as error:
        return "", error.findings
    return format_type(expression.root.type), warnings


def answer(heading: str, source: str) -> list[str]:
    """The lines below a source."""
    type_, findings = findings_of(heading, source)
    return [*([f"  : {type_}"] if type_ else []), *lines_of(source, findings)]


if BLESS:
    for file in FILES:
        bless(file, answer)

CASES = [case for file in FILES for case in read_cases(file)]
assert CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.place)
def test_the_checker_says(case: Case) -> None:
    assert answer(case.heading, case.source) == list(case.expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.place)
def test_findings_have_a_registered_code_one_sentence_and_a_way_forward(case: Case) -> None:
    for finding in findings_of(case.heading, case.source)[1]:
        assert finding.code in CODES
        assert not finding.message.endswith(".")
        assert finding.message[0] == "`" or not finding.message[0].isupper()
        assert finding.help
