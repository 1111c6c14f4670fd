"""Which argument values never reach a log: removed, or replaced by a keyed hash (docs/audit.md A3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, Union

from hexgate.decision.mask_paths import Masked, MaskPath, MaskPathError, parse_path
from hexgate.decision.tool_patterns import matches_pattern

PATHS = 1_024
"""How many paths one policy may have."""

MaskTree: TypeAlias = dict[str, Union[Masked, "MaskTree"]]
"""By member: what stands in its place, or the masks below it."""


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


def _insert(tree: MaskTree, path: MaskPath) -> None:
    for member in path.members[:-1]:
        below = tree.setdefault(member, {})
        if isinstance(below, Masked):
            return  # the whole is masked already
        tree = below
    last = path.members[-1]
    if tree.get(last) is not Masked.MASK:
        tree[last] = path.masked
