"""Tables: their three forms, their bytes, and that one pattern gives one table on every run."""

from __future__ import annotations

import hashlib
import os
import string
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from hexgate.regex import compile_pattern, encode_dfa
from hexgate.regex.encode import DECODE, SKIP

ROOT = Path(__file__).parents[2]


def header(table: bytes) -> tuple[int, ...]:
    """start, first accepting, columns, form, bounds, states, offset of the transitions."""
    widths = (2, 2, 2, 1, 1, 2, 2, 4)
    fields, at = [], 0
    for width in widths:
        fields.append(int.from_bytes(table[at : at + width], "little"))
        at += width
    assert fields.pop(4) == 0
    return tuple(fields)


HEADERS = [
    # pattern, header, length
    ("", (1, 2, 0, 0, 0, 2, 0), 16),
    ("[^\\x00-\\x{10FFFF}]", (0, 2, 0, 0, 0, 2, 0), 16),
    ("a", (2, 3, 2, 0, 0, 3, 272), 278),
    ("^a$", (2, 3, 2, 0, 0, 4, 272), 280),
    ("^é$", (2, 3, 2, 0, 3, 4, 284), 292),
    ("^a{300}$", (2, 302, 2, 1, 0, 303, 272), 1484),
    ("^(?:[a-z]{2,900}|[A-Z]{1000})$", (2, 1003, 3, 1, 0, 1902, 272), 11684),
]


@pytest.mark.parametrize(("pattern", "expected", "length"), HEADERS)
def test_header(pattern: str, expected: tuple[int, ...], length: int) -> None:
    table = encode_dfa(compile_pattern(pattern))
    assert (header(table), len(table)) == (expected, length)


def test_form_with_defaults_for_many_words() -> None:
    random = Random(1)
    words = ["".join(random.choices(string.ascii_lowercase, k=8)) for _ in range(60)]
    table = encode_dfa(compile_pattern(f"^(?:{'|'.join(words)})$"))
    assert header(table)[3] == 2
    assert len(table) < header(table)[2] * header(table)[5] * 2


def test_whole_table() -> None:
    # From state 2, `b` decides; another character leads back. States: 0 failed, 1 matched, 2 searching.
    table = encode_dfa(compile_pattern("b"))
    byte_map = bytes([0] * 98 + [1] + [0] * 29 + [SKIP] * 66 + [0] * 51 + [SKIP] * 11)
    assert table[16:272] == byte_map
    assert table[272:] == bytes([0, 0, 1, 1, 2, 1])


def test_only_characters_of_mixed_first_bytes_are_looked_up() -> None:
    byte_map = encode_dfa(compile_pattern("^[é€]$"))[16:272]
    assert [byte for byte in range(256) if byte_map[byte] == DECODE] == [0xC3, 0xE2]


PATTERNS = [
    "", "^a$", r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$", r"(?i)\b(?:drop|truncate)\s+table\b", r"^[\p{L} .'-]{1,100}$",
    r"(?m)^[^\pL\d[:punct:]]+$|\B", "|".join(f"word{i * 37 % 101}" for i in range(90)), r"[\pN\p{Greek}\PL]x{2,5}",
]  # fmt: skip


def digest() -> str:
    """One hash over the tables of PATTERNS."""
    return hashlib.sha256(b"".join(encode_dfa(compile_pattern(pattern)) for pattern in PATTERNS)).hexdigest()


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_tables_are_the_same_in_every_process(seed: str) -> None:
    script = "from tests.regex.test_encode import digest; print(digest())"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == digest()


def test_equal_languages_give_equal_tables() -> None:
    for one, other in (("a+b", "aa*b"), ("(?:a|b)+$", "[ab]$"), ("^(?:ab|ac)$", "^a[bc]$"), (r"\d{2,}", "[0-9][0-9]")):
        assert encode_dfa(compile_pattern(one)) == encode_dfa(compile_pattern(other))
