"""A compiled pattern: the automaton that the module runs, readable from Python."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dfa:
    """A minimal deterministic automaton that finds whether a pattern matches anywhere in a text.

    It reads code points, not bytes: a counted class such as `\\p{L}{1,100}` has a hundred states so, and twenty
    thousand over UTF-8. States: 0 has failed and 1 has matched, for good; a text that ends in `first_accepting` or a
    later state has matched too. `rows[state][column]` is the next state. Code points from `bounds[i]` up to the next
    bound are of column `columns[i]`; columns count from 0 in the order of their first code points.
    """

    start: int
    first_accepting: int
    bounds: tuple[int, ...]
    columns: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]

    def search(self, data: bytes) -> bool:
        """Whether the pattern matches somewhere in a text in UTF-8. Raises UnicodeDecodeError for other bytes."""
        state = self.start
        for character in data.decode():
            if state <= 1:
                break
            column = self.columns[bisect_right(self.bounds, ord(character)) - 1]
            state = self.rows[state][column]
        return state == 1 or state >= self.first_accepting
