"""The case tables: `cases/*.txt`, one case a line.

    clauses | expression | variables | expected

`clauses` cites docs/language.md (`L3.1`, or `L2.2 L2.3`). Variables and expected values are in `notation`; a fault is
`!code`. Columns are separated by ` | `. A line that starts with `#` is a comment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hexgate.faults import Fault
from hexgate.values import Value
from tests.engines.notation import read_bindings, read_value

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Case:
    """One row. `place` is its file and line."""

    place: str
    clauses: tuple[str, ...]
    expression: str
    bindings: Mapping[str, Value]
    expected: Value | Fault


def read_cases() -> tuple[Case, ...]:
    """Every case of every table. Raises ValueError for a row that is malformed."""
    cases = [
        _read(f"{path.stem}:{number}", line)
        for path in sorted(CASES.glob("*.txt"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]
    if not cases:
        raise ValueError(f"there are no cases in {CASES}")
    return tuple(cases)


def _read(place: str, line: str) -> Case:
    columns = [column.strip() for column in line.split(" | ")]
    if len(columns) != 4:
        raise ValueError(f"{place}: {len(columns)} columns instead of 4")
    clauses, expression, bindings, expected = columns
    try:
        return Case(place, tuple(clauses.split()), expression, read_bindings(bindings), _expected(expected))
    except (ValueError, KeyError) as error:
        raise ValueError(f"{place}: {error}") from error


def _expected(text: str) -> Value | Fault:
    return Fault[text[1:].upper()] if text.startswith("!") else read_value(text)
