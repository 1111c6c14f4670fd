"""The Unicode tables agree with the installed RE2, in every group and every character."""

from __future__ import annotations

import pytest
import re2

from hexgate.regex.ranges import ALL, complement, count
from hexgate.regex.unicode_data import fold, group, group_names, orbit
from tests.regex.oracle import compile_re2
from tests.regex.regenerate_unicode_tables import (
    CATEGORY_CANDIDATES,
    SCRIPT_CANDIDATES,
    TABLES,
    every_character,
    fold_sets,
    folds_table,
    options,
)

SURROGATES = range(0xD800, 0xE000)


def characters(ranges: tuple[tuple[int, int], ...]) -> str:
    """The characters of a set: slices of the text of all of them, which has no surrogates."""
    text = every_character()
    parts = []
    for low, high in ranges:
        bounds = [point - 0x800 if point > 0xDFFF else min(point, 0xD800) for point in (low, high + 1)]
        parts.append(text[bounds[0] : bounds[1]])
    return "".join(parts)


def consists_of(pattern: str, text: str) -> bool:
    """Whether every character of a text matches a pattern of one character."""
    return re2.compile(f"(?s:(?:{pattern})*)", options()).fullmatch(text) is not None


def test_names() -> None:
    candidates = {*CATEGORY_CANDIDATES, *SCRIPT_CANDIDATES, "Any"}
    accepted = {name for name in candidates if compile_re2(f"\\p{{{name}}}") is not None}
    assert set(group_names()) == accepted
    assert len(accepted) == 200


@pytest.mark.parametrize("name", group_names())
def test_group(name: str) -> None:
    ranges = group(name)
    assert ranges is not None
    assert consists_of(f"\\p{{{name}}}", characters(ranges))
    assert consists_of(f"\\P{{{name}}}", characters(complement(ranges)))


def test_categories_partition_what_is_assigned() -> None:
    categories = [group(name) for name in group_names() if len(name) == 2 and name != "Yi"]
    majors = [group(name) for name in group_names() if len(name) == 1]
    assert sum(count(ranges or ()) for ranges in categories) == sum(count(ranges or ()) for ranges in majors)
    assert group("Cs") == ((0xD800, 0xDFFF),)


def test_fold_table_is_what_re2_has() -> None:
    table = (TABLES / "unicode_folds.txt").read_text(encoding="ascii")
    assert table == folds_table()
    assert len(fold_sets()) > 1400


def test_folds_of_single_characters_and_classes() -> None:
    for members in fold_sets():
        for member in members:
            assert orbit(member) == members
            assert fold(((member, member),)) == fold(tuple((one, one) for one in members))
    folding = "".join(chr(one) for members in fold_sets() for one in members)
    for members in fold_sets():
        text = "".join(map(chr, members))
        literal, listed = f"(?i:\\x{{{members[0]:x}}})", f"(?i:[\\x{{{members[-1]:x}}}])"
        assert consists_of(literal, text)
        assert consists_of(listed, text)
        others = "".join(one for one in folding if one not in text)
        assert not re2.compile(f"{literal}|{listed}", options()).search(others)


@pytest.mark.parametrize(
    "name", ["Lu", "Ll", "Lt", "Mn", "Nl", "So", "L", "Greek", "Cyrillic", "Latin", "Common", "Georgian"]
)
def test_folds_of_groups(name: str) -> None:
    folded = fold(group(name) or ())
    assert consists_of(f"(?i:\\p{{{name}}})", characters(folded))
    assert consists_of(f"(?i:\\P{{{name}}})", characters(complement(folded)))


def test_every_character_is_every_scalar_value() -> None:
    assert len(every_character()) == count(ALL) - len(SURROGATES)
