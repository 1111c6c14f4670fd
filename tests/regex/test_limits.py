"""Each named limit: a pattern within it, one past it, and what the refusal says. And that no pattern takes long."""

from __future__ import annotations

import string
import time
from random import Random

import pytest

from hexgate.regex import PatternError, compile_pattern, encode_dfa, limits

CASES: list[tuple[str, str, str, int, str, str]] = [
    # limit, pattern within, pattern past, offset, message, help
    (
        "PATTERN_CHARACTERS", r"\Q\E" * 2048, r"\Q\E" * 2048 + "a", 8192,
        "the pattern is longer than 8,192 characters", "split it into several `matches`",
    ),
    (
        "REPETITIONS", "^a{1000}$", "^a{1001}$", 2,
        "`{1001}` repeats more than 1,000 times", "use `+` or `*`, and `size()` for length",
    ),
    (
        "REPETITIONS", "(?:a{10}b){100}", "(?:a{10}b){101}", 10,
        "counted repetitions inside each other come to more than 1,000", "use smaller counts, or `+` or `*` for one of them",
    ),
    (
        "CLASS_RANGES", r"[\pL\pN]|" * 20, "|".join(f"[\\pL\\pN{chr(0x3000 + i)}]" for i in range(80)), 640,
        "the pattern needs more than 100,000 ranges in its character classes", "name the same class once, in a repeated group",
    ),
    (
        "RE2_INSTRUCTIONS", r"^\pL{1,250}$", r"^\pL{1,300}$", 0,
        "the pattern needs more than 690,000 instructions in RE2", r"repeat classes such as `\pL` fewer times",
    ),
    (
        "NFA_STATES", "^(?:abc){1000}$", "^(?:abcdefghijklmnopq){1000}$", 22,
        "the pattern needs more than 16,384 states of repeated parts", "shorten its counted repetitions",
    ),
    (
        "NFA_STATES", "^" + "a{999}" * 4, "a{999}b?" * 20, 0,
        "the pattern needs more than 16,384 states", "shorten it, or its counted repetitions",
    ),
    (
        "DFA_STATES", "(a|b)*a(a|b){8}c", "(a|b)*a(a|b){12}c", 0,
        "the pattern needs more than 4,096 automaton states",
        "anchor it with `^`, shorten its counted repetitions, or split it",
    ),
    (
        "SYMBOLS", "".join(map(chr, range(0x4E00, 0x4E00 + 40))), "".join(map(chr, range(0x4E00, 0x4E00 + 2100))), 0,
        "the pattern needs more than 2,048 classes of characters",
        r"use ranges or `\p{..}` in place of single characters",
    ),
    (
        "CONSTRUCTION_STEPS", "(?:a?){500}b", "(?:a?b?c?d?){1000}", 0,
        "the pattern needs more than 1,500,000 construction steps",
        "shorten its counted repetitions, or anchor it with `^`",
    ),
    (
        "TABLE_BYTES", "".join(f"[\\pL{chr(0x3000 + i)}]" for i in range(5)), "".join(f"[\\pL{chr(0x3000 + i)}]" for i in range(60)), 0,
        "the pattern needs more than 65,536 bytes of automaton",
        "anchor it with `^`, shorten its counted repetitions, or split it",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "within", "past", "offset", "message", "help_"), CASES, ids=range(len(CASES)))
def test_limit(limit: str, within: str, past: str, offset: int, message: str, help_: str) -> None:
    assert hasattr(limits, limit)
    compile_pattern(within)
    with pytest.raises(PatternError) as caught:
        compile_pattern(past)
    assert (caught.value.message, caught.value.help, caught.value.offset) == (message, help_, offset)


def test_every_limit_has_a_case() -> None:
    named = {name for name, value in vars(limits).items() if isinstance(value, int)}
    assert named == {case[0] for case in CASES}


HOSTILE = [
    "(?:.?){1000}!",
    "(?:a?b?c?d?){1000}",
    "(?:[a-z]{0,31}){32}!",
    r"(?:\b|\B|^|$)*" * 400,
    "(?:" * 700 + "a" + "|b)*" * 700,
    "(" * 4000 + "a" + ")" * 4000,
    "(?:(?:(?:a?){10}){10}){10}!",
    "a" * 4000,
    "".join(f"[^{chr(0x4E00 + i)}]" for i in range(1500)),
    "".join(f"(?i:[\\pL{chr(0x3000 + i)}])" for i in range(60)),
    "|".join(chr(0x4E00 + i) + chr(0x5E00 + i) for i in range(1500)),
    "|".join(rf"\b\w{{1,200}}{letter}\b" for letter in "abcdefghij"),
    "|".join("a" * length for length in range(1, 125)),
    "(?:[a-c]*d){1,300}(?:[a-c]{1,30}e)",
    r"(?i)(?:[\pL\pN]{1,20}[\pM\pS]{1,20}){5}!",
    "(.*)*" * 300 + "!",
]


@pytest.mark.parametrize("pattern", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_pattern_ends_soon(pattern: str) -> None:
    # Either outcome is right, and only a limit may refuse. About a second at most where this was written; the bound leaves room for slow machines.
    began = time.process_time()
    try:
        compile_pattern(pattern)
    except PatternError as error:
        assert "more than" in error.message
    assert time.process_time() - began < 5


def test_two_hundred_words_fit() -> None:
    random = Random(1)
    words = {"".join(random.choices(string.ascii_lowercase, k=random.randint(4, 12))) for _ in range(200)}
    assert len(words) == 200
    alternatives = "|".join(sorted(words))
    sizes = {
        form: len(encode_dfa(compile_pattern(form.replace("WORDS", alternatives))))
        for form in ("^(?:WORDS)$", "(?i)^(?:WORDS)$", r"\b(?:WORDS)\b", "WORDS")
    }
    assert all(size < limits.TABLE_BYTES for size in sizes.values()), sizes
    assert sizes["^(?:WORDS)$"] < 10_000
