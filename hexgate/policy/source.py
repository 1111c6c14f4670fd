"""A policy set as its authors wrote it: every name and value with its place. What `parse` makes of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hexgate.decision.decision import Verdict
from hexgate.decision.mask_paths import MaskPath
from hexgate.place import Place
from hexgate.policy.scalar_places import scalar_places
from hexgate.values import Value


@dataclass(frozen=True, slots=True)
class RawScalar:
    """A scalar as it stands in its file, quotes or block header included, and its YAML style."""

    text: str
    style: str


@dataclass(frozen=True, slots=True)
class SourceText:
    """A scalar of a document: its value and where it begins.

    Its code points stand side by side on one line, the first one `inset` columns after the beginning; or they are found
    in `origin`.
    """

    text: str
    place: Place
    inset: int = field(default=0, compare=False, repr=False)
    origin: RawScalar | None = field(default=None, compare=False, repr=False)

    def at(self, start: int, end: int) -> Place:
        """The place of a stretch of the text; up to the end of its first line where it goes over several."""
        file, line, column = self.place.file, self.place.line, self.place.column
        if self.origin is None:
            return Place(file, line, column + self.inset + start, max(1, end - start))
        places = scalar_places(self.origin.text, self.text, self.origin.style, line, column)
        last = len(places) - 1
        begin, end = min(start, last), min(end, last)
        line, column = places[begin]
        length = 1
        for position in range(begin + 1, end + 1):
            if places[position][0] != line:
                break
            length = places[position][1] - column + (position < end)
        return Place(file, line, column, max(1, length))


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
    masks: tuple[MaskPath, ...] = ()


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
    masks: tuple[MaskPath, ...] = ()


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """A policy set: roles by name, the boundary, and the constants that all of them see."""

    roles: Mapping[str, SourceRole]
    boundary: SourceRole | None = None
    constants: tuple[SourceConstant, ...] = ()
    masks: tuple[MaskPath, ...] = ()
