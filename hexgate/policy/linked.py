"""The linked policy: inheritance resolved, every effective entry with where it came from. What `link` makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hexgate.decision.mask_paths import MaskPath
from hexgate.decision.tool_patterns import is_pattern, literal_prefix, matches_pattern
from hexgate.policy.source import SourceConstant, SourceEntry, SourceRole
from hexgate.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class LinkedEntry:
    """An entry and the role that wrote it, None for the boundary. `replaces` are the inherited ones that it stands in place
    of.

    One object serves every role that inherits it.
    """

    source: SourceEntry
    role: str | None
    replaces: tuple[LinkedEntry, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LinkedRole:
    """A role with its effective entries by name or pattern, and the constants that its own constraints see, with where
    each was declared. A role that adds nothing to its one parent shares the parent's maps."""

    source: SourceRole
    parents: tuple[LinkedRole, ...]
    entries: Mapping[str, LinkedEntry]
    default: LinkedEntry | None
    constants: Mapping[str, Value]
    declarations: Mapping[str, SourceConstant]

    @property
    def name(self) -> str:
        """The role's name; `boundary` for the boundary."""
        return self.source.name

    def entry_for(self, tool: str) -> LinkedEntry | None:
        """The entry that decides on a tool, as `CheckedRole.entry_for` finds it (P3)."""
        entry = self.entries.get(tool)
        if entry is not None:
            return entry
        covering = [name for name in self.entries if is_pattern(name) and matches_pattern(name, tool)]
        if covering:
            return self.entries[max(covering, key=lambda name: len(literal_prefix(name)))]
        return self.default


@dataclass(frozen=True, slots=True, eq=False)
class LinkedPolicy:
    """All roles by name, abstract ones too, parents before children; the boundary; and every path that anyone masks (P9)."""

    roles: Mapping[str, LinkedRole]
    boundary: LinkedRole | None
    masks: tuple[MaskPath, ...] = ()
