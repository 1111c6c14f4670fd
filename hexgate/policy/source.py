"""A policy set as its authors wrote it: every name and value with its place. What `parse` makes of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hexgate.decision.decision import Verdict
from hexgate.diagnostics import Place
from hexgate.values import Value


@dataclass(frozen=True, slots=True)
class SourceText:
    """A scalar of a document: its value, where it begins, and the place of each of its code points.

    `places[i]` is the line and column of code point i; one more entry stands for the end.
    """

    text: str
    place: Place
    places: tuple[tuple[int, int], ...] = field(default=(), compare=False, repr=False)

    def at(self, start: int, end: int) -> Place:
        """The place of a stretch of the text; up to the end of its first line where it goes over several."""
        if not self.places:
            return self.place
        last = len(self.places) - 1
        line, column = self.places[min(start, last)]
        length = 1
        for position in range(start + 1, min(end, last + 1)):
            if self.places[position][0] != line:
                break
            length = self.places[position][1] + 1 - column
        return Place(self.place.file, line, column, max(1, length))


@dataclass(frozen=True, slots=True)
class SourceRule:
    """One rule of an entry. `expires_in` is in seconds."""

    mode: Verdict
    constraints: tuple[SourceText, ...]
    place: Place
    message: str | None = None
    approvers: tuple[str, ...] = ()
    expires_in: int | None = None


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """What a role says of a tool's name or a pattern."""

    name: str
    rules: tuple[SourceRule, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class SourceConstant:
    name: str
    value: Value
    place: Place


@dataclass(frozen=True, slots=True)
class SourceParent:
    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class SourceRole:
    """One role, or the boundary. `file` is the file that holds it."""

    name: str
    place: Place
    inherits: tuple[SourceParent, ...] = ()
    abstract: bool = False
    default: SourceEntry | None = None
    entries: tuple[SourceEntry, ...] = ()
    constants: tuple[SourceConstant, ...] = ()
    description: str | None = None


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """A policy set: roles by name, the boundary, and the constants that all of them see."""

    roles: Mapping[str, SourceRole]
    boundary: SourceRole | None = None
    constants: tuple[SourceConstant, ...] = ()
