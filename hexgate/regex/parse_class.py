"""Character classes in brackets: `[^a-z\\d[:punct:]\\p{Greek}]`."""

from __future__ import annotations

from hexgate.regex.named_classes import POSIX, class_ranges
from hexgate.regex.parse_escape import parse_class_escape, parse_escape
from hexgate.regex.pattern_error import PatternError
from hexgate.regex.ranges import Ranges, complement, normalise
from hexgate.regex.unicode_data import fold


def parse_class(pattern: str, start: int, folded: bool) -> tuple[Ranges, int, int]:
    """The class whose bracket is at start: its code points, where it ends, and how many ranges it was made from.

    The order of trials at each place is RE2's: `]` closes unless it is the first member, then `[:name:]`, then the
    named escapes, then a character or a range of them; a `-` that bounds no range is itself. Raises PatternError.
    """
    at = start + 1
    negated = pattern[at : at + 1] == "^"
    if negated:
        at += 1
    first = at
    named: set[Ranges] = set()
    listed: list[tuple[int, int]] = []
    while True:
        if at >= len(pattern):
            raise PatternError(
                "the character class has no closing `]`", start, "close it, or write `\\[` for a bracket"
            )
        if pattern[at] == "]" and at > first:
            break
        found = _named_member(pattern, at, folded)
        if found is not None:
            named.add(found[0])
            at = found[1]
            continue
        low, high, at = _range(pattern, at, start)
        listed.append((low, high))
    own = normalise(listed)
    if folded:
        own = fold(own)
    ranges = normalise([*own, *(pair for one in named for pair in one)])
    made_from = len(listed) + sum(map(len, named)) + len(ranges)
    return complement(ranges) if negated else ranges, at + 1, made_from


def _named_member(pattern: str, at: int, folded: bool) -> tuple[Ranges, int] | None:
    """A `[:name:]` or a named escape at this place of a class, and where it ends; None where there is neither."""
    if pattern.startswith("[:", at):
        # Only with a closing `:]` somewhere after it is `[:` the beginning of a name.
        close = pattern.find(":]", at + 2)
        if close < 0:
            return None
        name = pattern[at + 2 : close]
        negated = name.startswith("^")
        ranges = class_ranges("posix", name[1:] if negated else name, negated, folded)
        if ranges is None:
            names = ", ".join(f"`[:{known}:]`" for known in POSIX)
            raise PatternError(f"`{pattern[at : close + 2]}` is not a POSIX class", at, f"use one of {names}")
        return ranges, close + 2
    if pattern[at] == "\\":
        return parse_class_escape(pattern, at, folded)
    return None


def _range(pattern: str, at: int, start: int) -> tuple[int, int, int]:
    """A character, or a range of two, at this place of a class: its bounds and where it ends."""
    low, end = _character(pattern, at, start)
    following = pattern[end + 1 : end + 2]
    if pattern[end : end + 1] != "-" or not following or following == "]":
        return low, low, end
    high, end = _character(pattern, end + 1, start)
    if high < low:
        raise PatternError(
            f"the range `{pattern[at:end]}` ends before it begins", at, "swap its ends, or write `\\-` for a hyphen"
        )
    return low, high, end


def _character(pattern: str, at: int, start: int) -> tuple[int, int]:
    if at >= len(pattern):
        raise PatternError("the character class has no closing `]`", start, "close it, or write `\\[` for a bracket")
    if pattern[at] == "\\":
        return parse_escape(pattern, at, inside_class=True)
    return ord(pattern[at]), at + 1
