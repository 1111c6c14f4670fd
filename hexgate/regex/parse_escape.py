"""Escapes: single characters (`\\n`, `\\x{10FFFF}`, `\\101`, `\\.`) and named classes (`\\d`, `\\pN`, `\\P{Greek}`)."""

from __future__ import annotations

from hexgate.regex.named_classes import PERL, class_ranges
from hexgate.regex.pattern_error import PatternError
from hexgate.regex.ranges import MAX_CODE_POINT, Ranges
from hexgate.regex.unicode_data import group_names

CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
OCTAL_DIGITS = "01234567"
HEX_DIGITS = "0123456789abcdefABCDEF"

_OTHER_SPELLINGS = {
    "Z": "write `\\z` for the end of the text",
    "G": "write `\\A` for the beginning of the text",
    "K": "leave it out: a search has no result to trim",
    "R": "write `(?:\\r\\n|[\\n-\\r])` for a line end",
    "h": "write `[\\t ]` for horizontal space",
    "u": "write `\\x{..}` with the code point in hexadecimal",
    "U": "write `\\x{..}` with the code point in hexadecimal",
    "N": "write `\\x{..}` with the code point in hexadecimal",
    "X": "write `\\PM\\pM*` for a character with its marks",
    "e": "write `\\x1b` for the escape character",
    "E": "begin the literal text with `\\Q`",
    "k": "write the text again: RE2 has no backreferences",
    "g": "write the text again: RE2 has no backreferences",
}


_INSIDE_A_CLASS = {
    **dict.fromkeys("dDsSwWpP", "name the class on its own: it cannot be the end of a range"),
    **dict.fromkeys("bBAzC", "move it out of the brackets: a class holds characters only"),
    **dict.fromkeys("QE", "put a backslash before each character instead"),
}


def parse_escape(pattern: str, start: int, *, inside_class: bool = False) -> tuple[int, int]:
    """The code point of the escape whose backslash is at start, and where it ends. Raises PatternError."""
    if start + 1 >= len(pattern):
        raise PatternError("the pattern ends in a backslash", start, "write `\\\\` for a backslash")
    letter = pattern[start + 1]
    if letter == "x":
        return _hexadecimal(pattern, start)
    if letter in OCTAL_DIGITS:
        end = start + 2
        while end < start + 4 and pattern[end : end + 1] in tuple(OCTAL_DIGITS):
            end += 1
        if letter != "0" and end == start + 2:
            raise _unknown(pattern, start, inside_class)
        return int(pattern[start + 1 : end], 8), end
    if letter in CONTROLS:
        return CONTROLS[letter], start + 2
    if letter < "\x80" and not letter.isalnum():
        return ord(letter), start + 2
    raise _unknown(pattern, start, inside_class)


def _hexadecimal(pattern: str, start: int) -> tuple[int, int]:
    """`\\xFF`, or `\\x{..}` with any number of digits."""
    digits, end = pattern[start + 2 : start + 4], start + 4
    if digits[:1] == "{":
        close = pattern.find("}", start)
        end = close + 1
        digits = pattern[start + 3 : close] if close >= 0 else ""
    elif len(digits) != 2:
        digits = ""
    if not digits or any(digit not in HEX_DIGITS for digit in digits):
        raise PatternError(
            "`\\x` is not followed by two hexadecimal digits or digits in braces", start, "write `\\x2e` or `\\x{2e}`"
        )
    digits = digits.lstrip("0")
    if len(digits) > 6 or int(digits or "0", 16) > MAX_CODE_POINT:
        raise PatternError(f"`{pattern[start:end]}` is past the last code point, 10FFFF", start)
    return int(digits or "0", 16), end


def _unknown(pattern: str, start: int, inside_class: bool) -> PatternError:
    letter = pattern[start + 1]
    if inside_class and letter in _INSIDE_A_CLASS:
        return PatternError(f"`\\{letter}` has no meaning here in a character class", start, _INSIDE_A_CLASS[letter])
    if letter.isdecimal() and letter < "\x80":
        return PatternError(
            f"`\\{letter}` is a backreference, which RE2 does not have",
            start,
            "write the text again, or `\\x{..}` for a character",
        )
    help_ = _OTHER_SPELLINGS.get(letter, "leave the backslash out to match the character itself")
    return PatternError(f"`\\{letter}` is not an escape of RE2", start, help_)


def parse_class_escape(pattern: str, start: int, folded: bool) -> tuple[Ranges, int] | None:
    """The class that the escape at start names, and where it ends; None where it is no class. Raises PatternError."""
    letter = pattern[start + 1 : start + 2]
    if letter and letter in "pP":
        return _unicode_group(pattern, start, folded)
    if not letter or letter.lower() not in PERL or letter >= "\x80":
        return None
    ranges = class_ranges("perl", letter.lower(), letter.isupper(), folded)
    return None if ranges is None else (ranges, start + 2)


def _unicode_group(pattern: str, start: int, folded: bool) -> tuple[Ranges, int]:
    """`\\pN`, `\\p{Greek}`, and the negations `\\PN`, `\\p{^Greek}`."""
    end = start + 3
    name = pattern[start + 2 : end]
    if name == "{":
        close = pattern.find("}", start)
        if close < 0:
            raise PatternError("`\\p{` has no closing `}`", start, "write a name in braces, such as `\\p{Greek}`")
        name, end = pattern[start + 3 : close], close + 1
    negated = pattern[start + 1] == "P"
    if name.startswith("^"):
        negated, name = not negated, name[1:]
    ranges = class_ranges("unicode", name, negated, folded)
    if ranges is None:
        raise PatternError(
            f"`{pattern[start:end]}` names no general category or script that RE2 has", start, _suggestion(name)
        )
    return ranges, end


def _suggestion(name: str) -> str:
    plain = name.partition("=")[2] or name
    wanted = plain.lower().replace(" ", "_").replace("-", "_")
    for known in group_names():
        if known.lower() == wanted:
            return f"write `\\p{{{known}}}`"
    return "use a category such as `\\pL` or `\\p{Lu}`, or a script such as `\\p{Greek}`"
