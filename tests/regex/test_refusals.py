"""Patterns that do not compile: where, why in whole words, and the way forward. RE2 refuses them too, but for `\\C`."""

from __future__ import annotations

import pytest

from hexgate.regex import PatternError, compile_pattern
from tests.regex.oracle import compile_re2

POSIX_HELP = (
    "use one of `[:alnum:]`, `[:alpha:]`, `[:ascii:]`, `[:blank:]`, `[:cntrl:]`, `[:digit:]`, `[:graph:]`, `[:lower:]`, "
    "`[:print:]`, `[:punct:]`, `[:space:]`, `[:upper:]`, `[:word:]`, `[:xdigit:]`"
)

CASES: list[tuple[str, int, str, str]] = [
    # pattern, offset, message, help
    ("(a", 0, "the group has no closing `)`", r"close it, or write `\(` for a parenthesis"),
    ("((a)", 0, "the group has no closing `)`", r"close it, or write `\(` for a parenthesis"),
    ("a)", 1, "`)` closes no group", r"write `\)` for a parenthesis"),
    (")", 0, "`)` closes no group", r"write `\)` for a parenthesis"),
    ("[a", 0, "the character class has no closing `]`", r"close it, or write `\[` for a bracket"),
    ("[]", 0, "the character class has no closing `]`", r"close it, or write `\[` for a bracket"),
    ("[^]a", 0, "the character class has no closing `]`", r"close it, or write `\[` for a bracket"),
    ("[[:foo:]]", 1, "`[:foo:]` is not a POSIX class", POSIX_HELP),
    ("[[:a]b:]", 1, "`[:a]b:]` is not a POSIX class", POSIX_HELP),
    ("[z-a]", 1, "the range `z-a` ends before it begins", r"swap its ends, or write `\-` for a hyphen"),
    (
        r"[a-\d]",
        3,
        r"`\d` has no meaning here in a character class",
        "name the class on its own: it cannot be the end of a range",
    ),
    (
        r"[\b]",
        1,
        r"`\b` has no meaning here in a character class",
        "move it out of the brackets: a class holds characters only",
    ),
    (r"[\Q]", 1, r"`\Q` has no meaning here in a character class", "put a backslash before each character instead"),
    ("*", 0, "`*` has nothing to repeat", r"write `\*` to match it as it is"),
    ("a|*", 2, "`*` has nothing to repeat", r"write `\*` to match it as it is"),
    ("(+)", 1, "`+` has nothing to repeat", r"write `\+` to match it as it is"),
    ("(?:?)", 3, "`?` has nothing to repeat", r"write `\?` to match it as it is"),
    ("{2}", 0, "`{2}` has nothing to repeat", r"write `\{2}` to match it as it is"),
    (
        "^*a**",
        3,
        "`**` repeats a repetition, which RE2 takes only of a group",
        "put the repeated part in a group, as in `(?:a*)*`",
    ),
    (
        "a**",
        1,
        "`**` repeats a repetition, which RE2 takes only of a group",
        "put the repeated part in a group, as in `(?:a*)*`",
    ),
    (
        "a++",
        1,
        "`++` repeats a repetition, which RE2 takes only of a group",
        "put the repeated part in a group, as in `(?:a*)*`",
    ),
    (
        "a*+",
        1,
        "`*+` repeats a repetition, which RE2 takes only of a group",
        "put the repeated part in a group, as in `(?:a*)*`",
    ),
    (
        "a{2}{3}",
        1,
        "`{2}{3}` repeats a repetition, which RE2 takes only of a group",
        "put the repeated part in a group, as in `(?:a*)*`",
    ),
    (
        "a{2}*",
        1,
        "`{2}*` repeats a repetition, which RE2 takes only of a group",
        "put the repeated part in a group, as in `(?:a*)*`",
    ),
    ("a{1001}", 1, "`{1001}` repeats more than 1,000 times", "use `+` or `*`, and `size()` for length"),
    ("a{2,1}", 1, "the bounds of `{2,1}` are in the wrong order", "write the smaller one first"),
    ("a{1001,}", 1, "`{1001,}` repeats more than 1,000 times", "use `+` or `*`, and `size()` for length"),
    (
        "(a{100}){11}",
        8,
        "counted repetitions inside each other come to more than 1,000",
        "use smaller counts, or `+` or `*` for one of them",
    ),
    (
        "((a{10}){10}){11}",
        13,
        "counted repetitions inside each other come to more than 1,000",
        "use smaller counts, or `+` or `*` for one of them",
    ),
    ("a\\", 1, "the pattern ends in a backslash", r"write `\\` for a backslash"),
    (r"\Z", 0, r"`\Z` is not an escape of RE2", r"write `\z` for the end of the text"),
    (r"\G", 0, r"`\G` is not an escape of RE2", r"write `\A` for the beginning of the text"),
    (r"\K", 0, r"`\K` is not an escape of RE2", "leave it out: a search has no result to trim"),
    (r"\u0041", 0, r"`\u` is not an escape of RE2", r"write `\x{..}` with the code point in hexadecimal"),
    (
        r"\1",
        0,
        r"`\1` is a backreference, which RE2 does not have",
        r"write the text again, or `\x{..}` for a character",
    ),
    (
        r"(a)\9",
        3,
        r"`\9` is a backreference, which RE2 does not have",
        r"write the text again, or `\x{..}` for a character",
    ),
    (r"\x", 0, r"`\x` is not followed by two hexadecimal digits or digits in braces", r"write `\x2e` or `\x{2e}`"),
    (r"\x4", 0, r"`\x` is not followed by two hexadecimal digits or digits in braces", r"write `\x2e` or `\x{2e}`"),
    (r"\xZZ", 0, r"`\x` is not followed by two hexadecimal digits or digits in braces", r"write `\x2e` or `\x{2e}`"),
    (r"\x{", 0, r"`\x` is not followed by two hexadecimal digits or digits in braces", r"write `\x2e` or `\x{2e}`"),
    (r"\x{}", 0, r"`\x` is not followed by two hexadecimal digits or digits in braces", r"write `\x2e` or `\x{2e}`"),
    (r"\x{110000}", 0, r"`\x{110000}` is past the last code point, 10FFFF", ""),
    (r"\x{4g}", 0, r"`\x` is not followed by two hexadecimal digits or digits in braces", r"write `\x2e` or `\x{2e}`"),
    (
        r"\p",
        0,
        r"`\p` names no general category or script that RE2 has",
        r"use a category such as `\pL` or `\p{Lu}`, or a script such as `\p{Greek}`",
    ),
    (
        r"\pX",
        0,
        r"`\pX` names no general category or script that RE2 has",
        r"use a category such as `\pL` or `\p{Lu}`, or a script such as `\p{Greek}`",
    ),
    (
        r"\p{Foo}",
        0,
        r"`\p{Foo}` names no general category or script that RE2 has",
        r"use a category such as `\pL` or `\p{Lu}`, or a script such as `\p{Greek}`",
    ),
    (r"\p{greek}", 0, r"`\p{greek}` names no general category or script that RE2 has", r"write `\p{Greek}`"),
    (
        r"\p{Script=Greek}",
        0,
        r"`\p{Script=Greek}` names no general category or script that RE2 has",
        r"write `\p{Greek}`",
    ),
    (r"\p{", 0, r"`\p{` has no closing `}`", r"write a name in braces, such as `\p{Greek}`"),
    (
        r"\p{}",
        0,
        r"`\p{}` names no general category or script that RE2 has",
        r"use a category such as `\pL` or `\p{Lu}`, or a script such as `\p{Greek}`",
    ),
    (
        r"\p{^}",
        0,
        r"`\p{^}` names no general category or script that RE2 has",
        r"use a category such as `\pL` or `\p{Lu}`, or a script such as `\p{Greek}`",
    ),
    (r"\E", 0, r"`\E` is not an escape of RE2", r"begin the literal text with `\Q`"),
    (r"\q", 0, r"`\q` is not an escape of RE2", "leave the backslash out to match the character itself"),
    (r"\é", 0, r"`\é` is not an escape of RE2", "leave the backslash out to match the character itself"),
    ("(?=a)", 0, "`(?=` begins a look-ahead, which RE2 does not have", "test the condition with a second `matches`"),
    (
        "(?!a)",
        0,
        "`(?!` begins a look-ahead, which RE2 does not have",
        "test the condition with a second `matches` under `!`",
    ),
    ("(?<=a)", 0, "`(?<=` begins a look-behind, which RE2 does not have", "match the text before it too"),
    ("(?<!a)", 0, "`(?<!` begins a look-behind, which RE2 does not have", "match the text before it too"),
    (
        "(?>a)",
        0,
        "`(?>` begins an atomic group, which RE2 does not have",
        "use `(?:`: RE2 never backtracks, so nothing is lost",
    ),
    (
        "(?#c)",
        0,
        "`(?#` begins a comment, which RE2 does not have",
        "write the comment in the policy, outside the pattern",
    ),
    ("(?P=n)", 0, "`(?P=` begins a backreference, which RE2 does not have", "write the text again"),
    ("(?P>n)", 0, "`(?P>` begins a recursion, which RE2 does not have", "write the group again"),
    ("(?|a)", 0, "`(?|` begins a branch reset, which RE2 does not have", "use `(?:`"),
    ("(?'n'a)", 0, "`(?'` begins a name in quotes, which RE2 does not have", "write `(?P<name>`"),
    ("(?x)a", 0, "`(?x` begins the flag of free spacing, which RE2 does not have", "write the pattern without spaces"),
    ("(?i", 0, "the group has no closing `)`", r"write `(?:` to group, or `\(` for a parenthesis"),
    ("(?i-)a", 0, "`(?i-)` is not a group or flag of RE2", "the flags are `i`, `m`, `s` and `U`"),
    ("(?--i)", 0, "`(?--` is not a group or flag of RE2", "the flags are `i`, `m`, `s` and `U`"),
    ("(?-:a)", 0, "`(?-:` is not a group or flag of RE2", "the flags are `i`, `m`, `s` and `U`"),
    ("(?n)a", 0, "`(?n` is not a group or flag of RE2", "the flags are `i`, `m`, `s` and `U`"),
    ("(?", 0, "the group has no closing `)`", r"write `(?:` to group, or `\(` for a parenthesis"),
    ("(?P<n", 0, "the name of the group has no closing `>`", "write `(?P<name>`"),
    ("(?P<>a)", 0, "the name of the group is empty", "write `(?:` for a group without a name"),
    ("(?<a b>c)", 0, "`a b` is not a name for a group", "use letters, digits and `_`"),
    ("(?P", 0, "`(?P` is not a group or flag of RE2", "the flags are `i`, `m`, `s` and `U`"),
    (r"\C", 0, r"`\C` matches one byte, and texts are made of characters", "write `(?s:.)` for any character"),
    (r"a\Cb", 1, r"`\C` matches one byte, and texts are made of characters", "write `(?s:.)` for any character"),
    ("\ud800", 0, "the pattern has half of a surrogate pair", "write the whole character"),
    ("a(?R)", 1, "`(?R` begins a recursion, which RE2 does not have", "write the group again"),
    ("(?(1)a)", 0, "`(?(` begins a condition, which RE2 does not have", "write both cases as alternatives"),
    (r"\N{DASH}", 0, r"`\N` is not an escape of RE2", r"write `\x{..}` with the code point in hexadecimal"),
    (r"[a-\Z]", 3, r"`\Z` is not an escape of RE2", r"write `\z` for the end of the text"),
    ("a{99999,99999}", 1, "`{99999,99999}` repeats more than 1,000 times", "use `+` or `*`, and `size()` for length"),
    (
        "(?:a{1,1000}b){1,1000}",
        14,
        "counted repetitions inside each other come to more than 1,000",
        "use smaller counts, or `+` or `*` for one of them",
    ),
]


@pytest.mark.parametrize(("pattern", "offset", "message", "help_"), CASES)
def test_refusal(pattern: str, offset: int, message: str, help_: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert (caught.value.offset, caught.value.message, caught.value.help) == (offset, message, help_)
    assert str(caught.value) == message
    if pattern.isprintable():
        assert (compile_re2(pattern) is not None) is (r"\C" in pattern)
