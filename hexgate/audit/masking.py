"""Which argument values never reach a log: removed, or replaced by a keyed hash (docs/audit.md A3).

A path is `ROOT.member[.member...]`; a list on the way means each of its elements. `TOOL/PATH` is for one tool, or for
the tools that a pattern covers; a path alone is for every tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, Union

from hexgate.decision.tool_patterns import matches_pattern

ROOTS = {"args": "args", "user.attrs": "attrs", "ctx": "ctx", "resource": "resource"}
"""The spelling of each root in a path, and its name in an event's `input`."""

PATHS = 1_024
"""How many paths one policy may have."""

_PATH = re.compile(r"(args|user\.attrs|ctx|resource)((?:\.[A-Za-z_][A-Za-z0-9_-]{0,127}){1,16})")
_TOOL = re.compile(r"[A-Za-z0-9_.:/*-]{1,256}")


class Masked(Enum):
    """What stands in a value's place."""

    MASK = "mask"
    """A fixed word."""
    HASH = "hash"
    """HMAC-SHA256 under the log's salt: equal values can be recognised, and not guessed without the salt."""


MaskTree: TypeAlias = dict[str, Union[Masked, "MaskTree"]]
"""By member: what stands in its place, or the masks below it."""


class MaskPathError(ValueError):
    """A text that is no path. `path` is the text."""

    def __init__(self, path: str) -> None:
        super().__init__(f"`{path}` is no path to mask; write `args.card_number`, `user.attrs.email`, `ctx.x` or `resource.x`")
        self.path = path


@dataclass(frozen=True, slots=True)
class MaskPath:
    """One path: the tool or pattern that it is for (None: every tool), the root's name in `input`, the members below it."""

    tool: str | None
    root: str
    members: tuple[str, ...]
    masked: Masked

    def __str__(self) -> str:
        spelling = next(spelled for spelled, name in ROOTS.items() if name == self.root)
        path = ".".join((spelling, *self.members))
        return path if self.tool is None else f"{self.tool}/{path}"


@dataclass(frozen=True, slots=True)
class Masking:
    """The paths of a policy."""

    paths: tuple[MaskPath, ...] = ()

    @staticmethod
    def parse(mask: Iterable[str] = (), hash: Iterable[str] = ()) -> Masking:  # noqa: A002
        """The masking of two lists of paths, as the signed predicate has them. Raises MaskPathError."""
        found = [parse_path(text, Masked.MASK) for text in mask]
        found += [parse_path(text, Masked.HASH) for text in hash]
        if len(found) > PATHS:
            raise MaskPathError(f"path number {PATHS + 1}")
        return Masking(tuple(found))

    def trees_for(self, tool: str) -> dict[str, MaskTree]:
        """What to mask in a call of a tool, by root. Where paths overlap the stricter wins: masking over hashing, and
        the whole over its part."""
        trees: dict[str, MaskTree] = {}
        for path in self.paths:
            if path.tool is None or path.tool == tool or ("*" in path.tool and matches_pattern(path.tool, tool)):
                _insert(trees.setdefault(path.root, {}), path)
        return trees


def parse_path(text: str, masked: Masked) -> MaskPath:
    """A path of the signed predicate. Raises MaskPathError."""
    tool, slash, path = text.rpartition("/")
    match = _PATH.fullmatch(path)
    if match is None or (slash and not _TOOL.fullmatch(tool)):
        raise MaskPathError(text[:200])
    return MaskPath(tool if slash else None, ROOTS[match[1]], tuple(match[2][1:].split(".")), masked)


def _insert(tree: MaskTree, path: MaskPath) -> None:
    for member in path.members[:-1]:
        below = tree.setdefault(member, {})
        if isinstance(below, Masked):
            return  # the whole is masked already
        tree = below
    last = path.members[-1]
    if tree.get(last) is not Masked.MASK:
        tree[last] = path.masked
