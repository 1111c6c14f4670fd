"""Suggestions for misspelt names."""

from __future__ import annotations

import pytest

from hexgate.language.suggest import edit_distance, help_for, listed, suggest

DISTANCES = [
    ("", "", 0), ("a", "", 1), ("", "ab", 2), ("ab", "ba", 1), ("amount", "amout", 1), ("amount", "amuont", 1),
    ("kitten", "sitting", 3), ("ca", "abc", 3), ("startswith", "startsWith", 1),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "distance"), DISTANCES)
def test_edit_distance(left: str, right: str, distance: int) -> None:
    assert edit_distance(left, right) == edit_distance(right, left) == distance


SUGGESTIONS = [
    ("amout", ("amount", "currency"), "amount"),
    ("Amount", ("amount", "amounts"), "amount"),
    ("arg", ("args", "user"), "args"),
    ("USD", ("args", "user"), None),
    ("y", ("x", "args"), None),
    ("X", ("x",), "x"),
    ("US", ("USD", "EUR"), "USD"),
    ("aab", ("aaa", "aac"), "aaa"),
    ("nothing", (), None),
    ("something", ("anything",), None),
    ("limit", ("currency",), None),
]


@pytest.mark.parametrize(("name", "candidates", "expected"), SUGGESTIONS)
def test_the_nearest_name_is_suggested(name: str, candidates: tuple[str, ...], expected: str | None) -> None:
    assert suggest(name, candidates) == expected
    assert help_for(name, candidates, "other") == (f"did you mean `{expected}`?" if expected else "other")


def test_long_lists_are_cut() -> None:
    assert listed("abc") == "`a`, `b`, `c`"
    assert listed("abcdefgh") == "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`"
    assert listed("abcdefghi") == "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`, …"
