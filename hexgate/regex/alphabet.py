"""The alphabet of an automaton: code points that no class of the pattern tells apart are one symbol."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from hexgate.regex.limits import SYMBOLS, StepCounter, refuse
from hexgate.regex.ranges import MAX_CODE_POINT, Ranges


@dataclass(frozen=True, slots=True)
class Alphabet:
    """A partition of the code points. Interval i begins at `bounds[i]` and ends before the next; all of it is
    symbol `symbols[i]`. Symbols count from 0 in the order of their first code points."""

    bounds: tuple[int, ...]
    symbols: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many symbols there are."""
        return max(self.symbols) + 1

    def symbols_of(self, ranges: Ranges) -> tuple[int, ...]:
        """The symbols that make up one of the sets the partition was made for, sorted."""
        return tuple(sorted({self.symbols[i] for i in _intervals(self.bounds, ranges)}))


def _intervals(bounds: Sequence[int], ranges: Ranges) -> list[int]:
    found: list[int] = []
    for low, high in ranges:
        found += range(bisect_left(bounds, low), bisect_left(bounds, high + 1))
    return found


def partition(sets: Sequence[Ranges], counter: StepCounter) -> Alphabet:
    """The coarsest alphabet in which each of the sets is a union of symbols. Raises PatternError past a limit."""
    edges = {0}
    for ranges in sets:
        for low, high in ranges:
            edges.add(low)
            edges.add(high + 1)
    edges.discard(MAX_CODE_POINT + 1)
    bounds = sorted(edges)
    blocks = [0] * len(bounds)
    sizes = [len(bounds)]
    for ranges in sets:
        inside: dict[int, list[int]] = {}
        members = _intervals(bounds, ranges)
        counter.take(len(members))
        for i in members:
            inside.setdefault(blocks[i], []).append(i)
        for block, split in inside.items():
            if len(split) == sizes[block]:
                continue
            sizes[block] -= len(split)
            for i in split:
                blocks[i] = len(sizes)
            sizes.append(len(split))
    if len(sizes) > SYMBOLS:
        raise refuse(SYMBOLS, "classes of characters", "use ranges or `\\p{..}` in place of single characters")
    return _renumbered(bounds, blocks)


def _renumbered(bounds: list[int], blocks: list[int]) -> Alphabet:
    """Blocks as symbols in order of appearance, neighbours of one symbol joined."""
    numbers: dict[int, int] = {}
    kept_bounds: list[int] = []
    symbols: list[int] = []
    for bound, block in zip(bounds, blocks, strict=True):
        symbol = numbers.setdefault(block, len(numbers))
        if not symbols or symbols[-1] != symbol:
            kept_bounds.append(bound)
            symbols.append(symbol)
    return Alphabet(tuple(kept_bounds), tuple(symbols))
