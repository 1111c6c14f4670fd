"""A file of policy tests as its authors wrote it, tables written out into cases. What `parse` makes of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hexgate.decision.decision import User
from hexgate.place import Place
from hexgate.policy.source import SourceText

DETAILS = ("reason", "constraint", "fault", "message")
"""What a case may expect beside the verdict."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One expected value: a text, or None for `null`, there must be none. Cases of a table may share a cell."""

    text: str | None
    source: SourceText
    plain: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """What a case expects. `details` has those of `DETAILS` that were written."""

    verdict: Cell
    details: Mapping[str, Cell]

    @property
    def cells(self) -> dict[str, Cell]:
        """Every expected value by its name."""
        return {"verdict": self.verdict, **self.details}


@dataclass(frozen=True, slots=True)
class PolicyCase:
    """One call and what it must be answered. `now` is in nanoseconds since the epoch; `place` is where the case is written, or
    its row of a table."""

    name: str
    tool: str
    args: dict[str, Any]
    user: User
    ctx: dict[str, Any]
    resource: dict[str, Any]
    now: int
    expected: Expected
    place: Place


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of one file. `policy` is the path that the file names, None where it names none."""

    file: str
    policy: str | None
    cases: tuple[PolicyCase, ...]
