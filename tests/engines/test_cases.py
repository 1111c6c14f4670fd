"""Every row of the case tables, on every engine, as written and with its literals lifted into variables."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from hexgate.faults import Fault
from hexgate.language.check import check
from hexgate.language.checked import CheckedExpression, Invoke, Node, operands_of
from hexgate.language.environment import Environment
from hexgate.language.functions import FUNCTIONS
from hexgate.language.interpret import OPERATIONS
from hexgate.language.types import DYN
from hexgate.values import Value
from tests.engines.engines import ENGINES
from tests.engines.lift import lift
from tests.engines.notation import same
from tests.engines.tables import Case, read_cases

CASES = read_cases()
ROWS_PER_FUNCTION = 3
CONSTANTS: dict[str, Value] = {
    "zone": "Europe/Berlin", "limit": 500, "rate": 1.5, "names": ("alice", "bob"), "limits": {"EUR": 100, "USD": 120},
}  # fmt: skip
"""What `consts.name` stands for in the tables."""


def _check(text: str, bindings: dict[str, Value]) -> CheckedExpression:
    return check(text, Environment(dict.fromkeys(bindings, DYN), CONSTANTS, unchecked=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.place)
def test_every_engine_answers_as_the_row_says(case: Case) -> None:
    _refute(case.expression, dict(case.bindings), case.expected)
    text, lifted = lift(case.expression)
    _refute(text, {**case.bindings, **lifted}, case.expected)


def _refute(text: str, bindings: dict[str, Value], expected: Value | Fault) -> None:
    expression = _check(text, bindings)
    for engine in ENGINES:
        answer = engine.evaluate(expression, bindings)
        assert same(answer, expected), f"`{text}` is {answer!r} on the {engine.name}, expected {expected!r}"


def test_every_clause_is_cited() -> None:
    law = Path(__file__).parents[2] / "docs" / "language.md"
    clauses = set(re.findall(r"^\* \*\*(L\d+\.\d+)\*\*", law.read_text(encoding="utf-8"), re.MULTILINE))
    cited = {clause for case in CASES for clause in case.clauses}
    assert clauses
    assert cited == clauses


def test_every_function_has_an_implementation() -> None:
    assert set(OPERATIONS) == {function.id for function in FUNCTIONS}


def test_every_function_has_rows() -> None:
    rows = Counter(name for case in CASES for name in _functions(_check(case.expression, dict(case.bindings)).root))
    few = {function.id: rows[function.id] for function in FUNCTIONS if rows[function.id] < ROWS_PER_FUNCTION}
    assert few == {}


def _functions(node: Node) -> set[str]:
    below = {name for operand in operands_of(node) for name in _functions(operand)}
    return below | {node.function} if isinstance(node, Invoke) else below
