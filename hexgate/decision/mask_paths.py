"""Paths to values of a call that a log must not hold: the grammar that policies, bundles and the log share (docs/audit.md A3.2).

A path is `ROOT.member[.member...]`; a list on the way means each of its elements. `TOOL/PATH` is for one tool, or for
the tools that a pattern covers; a path alone is for every tool.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

ROOTS = {"args": "args", "user.attrs": "attrs", "ctx": "ctx", "resource": "resource"}
"""The spelling of each root in a path, and its name in an event's `input`."""

_PATH = re.compile(r"(args|user\.attrs|ctx|resource)((?:\.[A-Za-z_][A-Za-z0-9_-]{0,127}){1,16})")
_TOOL = re.compile(r"[A-Za-z0-9_.:/*-]{1,256}")


class Masked(Enum):
    """What stands in a value's place."""

    MASK = "mask"
    """A fixed word."""
    HASH = "hash"
    """HMAC-SHA256 under the log's salt: equal values can be recognised, and not guessed without the salt."""


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


def parse_path(text: str, masked: Masked) -> MaskPath:
    """A path of the signed predicate. Raises MaskPathError."""
    tool, slash, path = text.rpartition("/")
    match = _PATH.fullmatch(path)
    if match is None or (slash and not _TOOL.fullmatch(tool)):
        raise MaskPathError(text[:200])
    return MaskPath(tool if slash else None, ROOTS[match[1]], tuple(match[2][1:].split(".")), masked)
