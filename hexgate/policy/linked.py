"""The linked policy: inheritance resolved, every effective entry with where it came from. What `link` makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hexgate.policy.source import SourceEntry, SourceRole
from hexgate.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class LinkedEntry:
    """An entry and the role that wrote it. `replaces` are the inherited ones that it stands in place of.

    One object serves every role that inherits it.
    """

    source: SourceEntry
    role: str
    replaces: tuple[LinkedEntry, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LinkedRole:
    """A role with its effective entries by name or pattern, and the constants that its own constraints see."""

    source: SourceRole
    entries: Mapping[str, LinkedEntry]
    default: LinkedEntry | None
    constants: Mapping[str, Value]

    @property
    def name(self) -> str:
        return self.source.name


@dataclass(frozen=True, slots=True, eq=False)
class LinkedPolicy:
    """All roles by name, abstract ones too, parents before children; and the boundary."""

    roles: Mapping[str, LinkedRole]
    boundary: LinkedRole | None
