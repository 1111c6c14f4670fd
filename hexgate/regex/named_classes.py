"""The classes that RE2 has names for: Perl's, POSIX's (both ASCII only), and Unicode's."""

from __future__ import annotations

from functools import lru_cache

from hexgate.regex.ranges import Ranges, complement
from hexgate.regex.unicode_data import fold, group


def _ascii(text: str) -> Ranges:
    """Ranges written as pairs of characters."""
    return tuple((ord(text[i]), ord(text[i + 1])) for i in range(0, len(text), 2))


WORD = _ascii("09AZ__az")
PERL: dict[str, Ranges] = {"d": _ascii("09"), "s": _ascii("\t\n\f\r  "), "w": WORD}
POSIX: dict[str, Ranges] = {
    "alnum": _ascii("09AZaz"),
    "alpha": _ascii("AZaz"),
    "ascii": _ascii("\x00\x7f"),
    "blank": _ascii("\t\t  "),
    "cntrl": _ascii("\x00\x1f\x7f\x7f"),
    "digit": _ascii("09"),
    "graph": _ascii("!~"),
    "lower": _ascii("az"),
    "print": _ascii(" ~"),
    "punct": _ascii("!/:@[`{~"),
    "space": _ascii("\t\r  "),
    "upper": _ascii("AZ"),
    "word": WORD,
    "xdigit": _ascii("09AFaf"),
}
NAMED = {"perl": PERL, "posix": POSIX}


@lru_cache(maxsize=1024)
def class_ranges(kind: str, name: str, negated: bool, folded: bool) -> Ranges | None:
    """The code points of a named class; None where there is none of that name.

    `kind` is `perl`, `posix` or `unicode`. Under (?i) a class takes in what its members fold to, and a negated class
    is what is left of that.
    """
    ranges = group(name) if kind == "unicode" else NAMED[kind].get(name)
    if ranges is None:
        return None
    if folded:
        ranges = fold(ranges)
    return complement(ranges) if negated else ranges
