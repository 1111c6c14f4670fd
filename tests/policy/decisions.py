"""The tables of decisions: `decisions/NAME.yaml` is a policy set, `decisions/NAME.txt` has one call a line.

    clauses | user | tool | args | more | verdict and reason | rule | constraint

`clauses` cites docs/language.md, or a row of the list of others' mistakes. `user` is a role, `-` for nobody, or JSON
(`id`, `role`). `args` is JSON; `more` is JSON with `attrs`, `ctx`, `resource`, `now` (RFC 3339), or empty. A rule is
`role/entry#number`, `boundary/entry#number`, or `-`. Columns are separated by ` | `.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexgate.decision.decision import Decision, User
from hexgate.decision.engine import DecisionEngine

FOLDER = Path(__file__).parent / "decisions"
COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One call. `line` is its number; `expected` is the last three columns."""

    line: int
    clauses: tuple[str, ...]
    user: User | None
    tool: str
    args: Any
    more: dict[str, Any]
    written: tuple[str, ...]
    expected: tuple[str, str, str]


def read_table(path: Path) -> list[Row]:
    """The calls of a table. Raises ValueError for a malformed line, and for a table without calls."""
    rows = [
        _read(path, number, line)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.strip() and not line.startswith("#")
    ]
    if not rows:
        raise ValueError(f"{path.name} has no calls")
    return rows


def _read(path: Path, number: int, line: str) -> Row:
    columns = [column.strip() for column in line.split(" | ")]
    if len(columns) != COLUMNS:
        raise ValueError(f"{path.name}:{number}: {len(columns)} columns instead of {COLUMNS}")
    clauses, user, tool, args, more, *expected = columns
    try:
        context = json.loads(more) if more else {}
        caller = _user(user, context)
        return Row(
            number, tuple(clauses.split()), caller, tool, json.loads(args), context, tuple(columns[:5]),
            (expected[0], expected[1], expected[2]),
        )  # fmt: skip
    except ValueError as error:
        raise ValueError(f"{path.name}:{number}: {error}") from error


def _user(text: str, more: dict[str, Any]) -> User | None:
    if text == "-":
        return None
    written = json.loads(text) if text.startswith("{") else {"role": text}
    return User(written.get("id", "alice"), written["role"], more.get("attrs", {}))


def decide(engine: DecisionEngine, row: Row) -> Decision:
    """An engine's decision on a row."""
    now = row.more.get("now")
    instant = None
    if now is not None:
        instant = int(datetime.datetime.fromisoformat(now).timestamp()) * 10**9
    return engine.decide(
        row.tool, row.args, row.user, ctx=row.more.get("ctx"), resource=row.more.get("resource"), now=instant
    )


def show(decision: Decision) -> tuple[str, str, str]:
    """A decision as the last three columns have it."""
    words = [decision.verdict.value, decision.reason.value, *([decision.fault.code] if decision.fault else [])]
    rule = decision.rule
    place = "-" if rule is None else f"{rule.role or 'boundary'}/{rule.tool}#{rule.number}"
    return " ".join(words), place, decision.constraint.text if decision.constraint else "-"
