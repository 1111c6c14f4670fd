"""What is said of a text that does not parse."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexgate.diagnostic_codes import CODES
from hexgate.language.finding import ExpressionError
from hexgate.language.parse import parse
from tests.language.reports import BLESS, Case, bless, lines_of, read_cases

FILE = Path(__file__).parent / "cases" / "syntax_errors.txt"


def answer(_heading: str, source: str) -> list[str]:
    """The lines below a source."""
    try:
        parse(source)
    except ExpressionError as error:
        return list(lines_of(source, error.findings))
    return ["  parses"]


if BLESS:
    bless(FILE, answer)


@pytest.mark.parametrize("case", read_cases(FILE), ids=lambda case: case.place)
def test_the_error_says_what_is_wrong_and_where(case: Case) -> None:
    assert answer(case.heading, case.source) == list(case.expected)


@pytest.mark.parametrize("case", read_cases(FILE), ids=lambda case: case.place)
def test_every_error_has_one_sentence_and_a_way_forward(case: Case) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(case.source)
    (finding,) = caught.value.findings
    assert finding.code in CODES
    assert not finding.message.endswith(".") or finding.message.endswith("...")
    assert finding.help
