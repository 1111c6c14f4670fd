"""Search in long texts: right where the quick search gives up, and linear in the worst case (L5.3)."""

from __future__ import annotations

import random

import pytest

from tests.prelude.agreement import disagreements
from tests.prelude.harness import Prelude, prelude

SEARCHES = ("contains", "index_of", "last_index_of", "split", "replace")

WORST: tuple[tuple[str, str], ...] = (
    ("a" * 60_000, "a" * 30_000 + "b"),
    ("a" * 60_000, "b" + "a" * 30_000),
    ("a" * 60_000, "a" * 15_000 + "b" + "a" * 15_000),
    ("ab" * 30_000, "ab" * 15_000 + "b"),
    ("abaab" * 12_000, "abaab" * 6_000 + "c"),
    ("ab" * 10 + "aab" * 19_000, "aab" * 14_000 + "aac"),
    ("a" * 30_000 + "b" + "a" * 29_999, "a" * 30_001),
    ("ab" * 30_000, "b" * 300 + "a"),
    ("a" * 60_000, "a" * 59_999 + "b"),
)
"""Texts and parts on which a plain search takes time in the product of their lengths."""


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude(*(f"fn_{id_}" for id_ in SEARCHES))


def _operands(id_: str, text: str, part: str) -> tuple[str, ...]:
    return (text, part, "é") if id_ == "replace" else (text, part)


@pytest.mark.parametrize("id_", SEARCHES)
def test_long_texts(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, (_operands(id_, text, part) for text, part in WORST)) == []


@pytest.mark.parametrize("id_", SEARCHES)
def test_periodic_texts(module: Prelude, id_: str) -> None:
    """Parts with and without a period, found, nearly found, and found late."""
    dice = random.Random(f"periodic {id_}")
    cases = []
    for _ in range(400):
        letters = list(dice.choice(("a", "ab", "aab", "abaab", "abc")) * dice.randrange(100, 500))
        for _ in range(dice.choice((0, 1, 3))):
            letters[dice.randrange(len(letters))] = dice.choice("abc")
        text = "".join(letters)
        start = dice.randrange(len(text))
        part = text[start : start + dice.randrange(1, 600)]
        part = dice.choice(("", "", "a", "b")) + part + dice.choice(("", "", "a", "c"))
        cases.append(_operands(id_, text, part))
    assert disagreements(module, id_, cases) == []


def test_all_short_texts() -> None:
    """Every text of up to 8 letters a and b and every part of up to 4, from both ends."""
    module = prelude("text_two_way")
    words = [format(bits, "b")[1:].replace("0", "a").replace("1", "b") for bits in range(1, 2**9)]
    for text in words:
        for part in words:
            if 0 < len(part) <= 4:
                start, needle = module.place(text.encode()), module.place(part.encode())
                found = module.call("text_two_way", start, len(text), needle, len(part), 1)
                assert found == text.find(part), (text, part)
                start, needle = module.place(text.encode()), module.place(part.encode())
                found = module.call(
                    "text_two_way", start + len(text) - 1, len(text), needle + len(part) - 1, len(part), -1
                )
                expected = text.rfind(part)
                assert found == (expected if expected < 0 else len(text) - len(part) - expected), (text, part)


@pytest.mark.parametrize("id_", SEARCHES)
@pytest.mark.parametrize(("text", "part"), WORST)
def test_linear(module: Prelude, id_: str, text: str, part: str) -> None:
    """Fuel counts instructions: not more than so many for each byte of both texts."""
    operands = _operands(id_, text, part)
    module.apply(f"fn_{id_}", *operands)
    store = module._instance._store
    before = store.get_fuel()
    module.apply(f"fn_{id_}", *operands)
    assert before - store.get_fuel() < 150 * (len(text) + len(part))
