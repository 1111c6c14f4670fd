"""What docs/identity.md says, held against the code."""

from __future__ import annotations

import re
from pathlib import Path

from hexgate.identity.biscuit import ARGUMENT_CHARACTERS
from hexgate.identity.block import BLOCK_PARTS
from hexgate.identity.envelope import TOKEN_BLOCKS, TOKEN_CHARACTERS
from hexgate.identity.profile import (
    ARGUMENTS,
    ATTRIBUTES,
    AUDIENCES,
    COMPARISONS,
    NARROWER_ROLES,
    PREDICATES,
    QUERIES,
    SET_ELEMENTS,
    TOKEN_CHECKS,
)
from hexgate.identity.refusal import TokenRefusal

TEXT = (Path(__file__).parents[2] / "docs" / "identity.md").read_text(encoding="utf-8")


def test_every_refusal_is_explained() -> None:
    table = TEXT[TEXT.index("## I5") : TEXT.index("Whoever holds a token can make it hostile")]
    words = [word for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for word in re.findall(r"`(\w+)`", row)]
    assert words == [refusal.value for refusal in TokenRefusal]


def test_every_limit_is_named() -> None:
    for sentence in (
        f"more than {TOKEN_CHARACTERS:,} characters, or more than {BLOCK_PARTS} facts",
        f"more than {TOKEN_BLOCKS} blocks",
        f"up to {TOKEN_BLOCKS - 1} blocks of checks",
        f"a string of at most {ARGUMENT_CHARACTERS:,} characters",
        f"more than {TOKEN_CHECKS} checks, or more than {ARGUMENTS} names of arguments",
        f"up to {NARROWER_ROLES} of them",
        f'`attr("name", value)`, up to {ATTRIBUTES}',
        f'`audience("…")`, up to {AUDIENCES}',
        f"up to {QUERIES} alternatives",
        f"predicates, 1 to {PREDICATES}",
        f"comparisons, up to {COMPARISONS}",
        f"a set of up to {SET_ELEMENTS} constants",
    ):
        assert sentence in TEXT, sentence


def test_clauses_are_numbered_in_order() -> None:
    numbers = [(int(part), int(clause)) for part, clause in re.findall(r"^\* \*\*I(\d+)\.(\d+)\*\*", TEXT, re.MULTILINE)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 25
    for named in re.findall(r"\bI(\d+)\.(\d+)\b", TEXT):
        assert (int(named[0]), int(named[1])) in numbers
