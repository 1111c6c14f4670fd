"""What follows `(?`: flags, groups that do not capture, and names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from hexgate.regex.pattern_error import PatternError
from hexgate.regex.ranges import Ranges, contains, normalise
from hexgate.regex.unicode_data import group

NAME_CATEGORIES = ("Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Mn", "Mc", "Nd", "Pc")
"""What names of groups are made of (RE2)."""

FLAG_FIELDS = {"i": "folded", "m": "multiline", "s": "dot_newline", "U": "ungreedy"}

_NOT_IN_RE2 = {
    "?=": ("a look-ahead", "test the condition with a second `matches`"),
    "?!": ("a look-ahead", "test the condition with a second `matches` under `!`"),
    "?<=": ("a look-behind", "match the text before it too"),
    "?<!": ("a look-behind", "match the text before it too"),
    "?>": ("an atomic group", "use `(?:`: RE2 never backtracks, so nothing is lost"),
    "?P=": ("a backreference", "write the text again"),
    "?P>": ("a recursion", "write the group again"),
    "?#": ("a comment", "write the comment in the policy, outside the pattern"),
    "?|": ("a branch reset", "use `(?:`"),
    "?(": ("a condition", "write both cases as alternatives"),
    "?'": ("a name in quotes", "write `(?P<name>`"),
    "?x": ("the flag of free spacing", "write the pattern without spaces"),
    "?R": ("a recursion", "write the group again"),
}


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags in force: `i`, `m`, `s`, `U`."""

    folded: bool = False
    multiline: bool = False
    dot_newline: bool = False
    ungreedy: bool = False


@dataclass(frozen=True, slots=True)
class GroupHead:
    """What `(?..` says: the flags from here on, where it ends, whether it opens a group and whether that captures."""

    flags: Flags
    end: int
    opens: bool
    captures: bool


def parse_group_head(pattern: str, start: int, flags: Flags) -> GroupHead:
    """Reads `(?flags)`, `(?flags:`, `(?P<name>` or `(?<name>`; start is the parenthesis. Raises PatternError."""
    for prefix, (what, help_) in _NOT_IN_RE2.items():
        if pattern.startswith(prefix, start + 1):
            raise PatternError(f"`({prefix}` begins {what}, which RE2 does not have", start, help_)
    for prefix in ("?P<", "?<"):
        if pattern.startswith(prefix, start + 1):
            end = _name_end(pattern, start, start + 1 + len(prefix))
            return GroupHead(flags, end, opens=True, captures=True)
    return _flags(pattern, start, flags)


def _name_end(pattern: str, start: int, name_start: int) -> int:
    close = pattern.find(">", name_start)
    if close < 0:
        raise PatternError("the name of the group has no closing `>`", start, "write `(?P<name>`")
    name = pattern[name_start:close]
    if not name:
        raise PatternError("the name of the group is empty", start, "write `(?:` for a group without a name")
    if not all(contains(_name_characters(), ord(character)) for character in name):
        raise PatternError(f"`{name}` is not a name for a group", start, "use letters, digits and `_`")
    return close + 1


@cache
def _name_characters() -> Ranges:
    return normalise(pair for category in NAME_CATEGORIES for pair in group(category) or ())


def _flags(pattern: str, start: int, flags: Flags) -> GroupHead:
    value, needs_flag = True, False
    for at in range(start + 2, len(pattern)):
        letter = pattern[at]
        if letter in ":)" and not needs_flag:
            return GroupHead(flags, at + 1, opens=letter == ":", captures=False)
        if letter == "-" and value:
            value, needs_flag = False, True
        elif letter in FLAG_FIELDS:
            flags = replace(flags, **{FLAG_FIELDS[letter]: value})
            needs_flag = False
        else:
            break
    else:
        raise PatternError("the group has no closing `)`", start, "write `(?:` to group, or `\\(` for a parenthesis")
    raise PatternError(
        f"`{pattern[start : at + 1]}` is not a group or flag of RE2", start, "the flags are `i`, `m`, `s` and `U`"
    )
