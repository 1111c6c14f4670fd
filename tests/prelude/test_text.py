"""The prelude's functions of strings and bytes against the interpreter's, which are Python's `str` (L5, L6.6).

Every type in every place; random texts with positions and limits from just outside to just inside; small budgets.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from hexgate.faults import Fault
from hexgate.language.functions import FUNCTIONS, Group
from hexgate.language.operations_text import WHITE_SPACE
from hexgate.limits import ALLOCATION_BUDGET
from hexgate.values import TypeValue, UInt, Unsupported
from tests.prelude.agreement import Operand, disagreements
from tests.prelude.harness import Prelude, prelude
from tests.prelude.pools import KINDS

ARITIES = {
    **{function.id: function.arity for function in FUNCTIONS if function.group in (Group.STRINGS, Group.ENCODERS)},
    "contains": 2, "starts_with": 2, "ends_with": 2,
}  # fmt: skip
del ARITIES["format"]

ALPHABETS = (
    "ab", "aab", "abé", "aé€😀", "a,b;", "ABCZ[@abcz{`", "\a\b\f\n\r\t\v\\\"'a\0", WHITE_SPACE + "aé\u180e\u200b\u2060\ufeff",
)  # fmt: skip


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude(*(f"fn_{id_}" for id_ in ARITIES))


@pytest.mark.parametrize("id_", ARITIES)
def test_every_type_in_every_place(module: Prelude, id_: str) -> None:
    dice = random.Random(id_)
    kinds: tuple[Operand, ...] = (*KINDS, ("a", "b"), ("a", 1), ("a", Unsupported()), -1, 2**63 - 1, UInt(0), TypeValue("string"))
    arity = ARITIES[id_]
    cases = itertools.product(kinds, repeat=arity) if arity < 3 else (dice.choices(kinds, k=arity) for _ in range(3000))
    assert disagreements(module, id_, cases) == []
    fitting = (dice.choices(("", "a", "ab", "b,a", 0, 1, -1, 2**63 - 1, -(2**63)), k=arity) for _ in range(1000))
    assert disagreements(module, id_, fitting) == []


def _texts(seed: str, count: int) -> Iterator[tuple[random.Random, str, str, str, int, int]]:
    """Dice, a text, a part (often one of its own), another text, and two positions about its size."""
    dice = random.Random(seed)
    for _ in range(count):
        alphabet = dice.choice(ALPHABETS)
        text, part, other = ("".join(dice.choices(alphabet, k=dice.randrange(n))) for n in (dice.choice((6, 40, 200)), 9, 4))
        if text and dice.random() < 0.5:
            start = dice.randrange(len(text))
            part = text[start : start + dice.randrange(20)]
        yield dice, text, part, other, dice.randrange(-2, len(text) + 3), dice.randrange(-2, len(text) + 3)


@pytest.mark.parametrize("id_", ("contains", "starts_with", "ends_with", "index_of", "last_index_of", "split"))
def test_a_text_and_a_part(module: Prelude, id_: str) -> None:
    cases = ((text, part) for _, text, part, *_ in _texts(id_, 1500))
    edges = ((text, text[:n] if id_ == "starts_with" else text[-n:]) for _, text, *_ in _texts(id_, 100) for n in range(4))
    assert disagreements(module, id_, cases) == []
    assert disagreements(module, id_, edges) == []


@pytest.mark.parametrize("id_", ("index_of_from", "last_index_of_from", "split_limit"))
def test_a_text_a_part_and_a_number(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, ((text, part, i) for _, text, part, _, i, _ in _texts(id_, 1500))) == []
    assert disagreements(module, id_, ((text, "", i) for _, text, _, _, i, _ in _texts(id_, 500))) == []


@pytest.mark.parametrize("id_", ("char_at", "substring"))
def test_a_text_and_a_position(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, ((text, i) for _, text, _, _, i, _ in _texts(id_, 1500))) == []


def test_substring_range(module: Prelude) -> None:
    cases = ((text, i, j) for _, text, _, _, i, j in _texts("range", 2000))
    assert disagreements(module, "substring_range", cases) == []


@pytest.mark.parametrize("empty", (False, True))
def test_replace(module: Prelude, empty: bool) -> None:
    texts = [(text, "" if empty else part, other, i) for _, text, part, other, i, _ in _texts(f"replace {empty}", 1000)]
    assert disagreements(module, "replace", (case[:3] for case in texts)) == []
    assert disagreements(module, "replace_limit", texts) == []


@pytest.mark.parametrize("id_", ("trim", "lower_ascii", "upper_ascii", "quote", "base64_decode"))
def test_a_text(module: Prelude, id_: str) -> None:
    assert disagreements(module, id_, ((text,) for _, text, *_ in _texts(id_, 1500))) == []


def test_trim_of_every_code_point(module: Prelude) -> None:
    """L5.5, both ends: a code point goes exactly if it is White_Space."""
    points = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x10000), 0x10000, 0x1F600, 0xE0020, 0x10FFFF)]
    dice = random.Random("trim")
    chosen = {*WHITE_SPACE, *(chr(ord(space) + step) for space in WHITE_SPACE for step in (-1, 1)), *dice.sample(points, 4000)}
    assert disagreements(module, "trim", ((f"{point}x{point}",) for point in sorted(chosen))) == []
    assert disagreements(module, "trim", ((point * 2,) for point in sorted(chosen))) == []


def test_joins(module: Prelude) -> None:
    lists = [(tuple(dice.choices((text, part, other, ""), k=dice.randrange(6))), other) for dice, text, part, other, *_ in _texts("join", 800)]
    assert disagreements(module, "join", (case[:1] for case in lists)) == []
    assert disagreements(module, "join_with", lists) == []


def test_reverse_of_texts() -> None:
    """L5.1: code points, not bytes; what combines is reversed too."""
    module = prelude("fn_reverse")
    assert disagreements(module, "reverse", ((text,) for _, text, *_ in _texts("reverse", 1000))) == []
    assert module.apply("fn_reverse", "e\u0301x").value == "x\u0301e"


def test_base64(module: Prelude) -> None:
    dice = random.Random("base64")
    data = [dice.randbytes(size) for size in range(120) for _ in range(4)]
    texts = [str(module.apply("fn_base64_encode", piece).value) for piece in data]
    assert disagreements(module, "base64_encode", ((piece,) for piece in data)) == []
    assert disagreements(module, "base64_decode", ((text,) for text in texts)) == []
    bent = [text.rstrip("=") for text in texts] + [text + "=" for text in texts] + [text[1:] for text in texts]
    bent += [text[:-1] for text in texts if text]
    for text in texts:
        at = dice.randrange(len(text) + 1)
        bent.append(text[:at] + dice.choice("=é-_ \nAB+/") + text[at + dice.randrange(2) :])
    bent += ["".join(letters) for size in range(6) for letters in itertools.product("AB=/", repeat=size)]
    assert disagreements(module, "base64_decode", ((text,) for text in bent)) == []


@pytest.mark.parametrize("budget", (0, 1, 7, 40, 150))
def test_small_budgets(module: Prelude, budget: int) -> None:
    """L2.10: charged to the byte, before anything is built."""
    for id_ in ARITIES:
        cases: list[tuple[Operand, ...]] = []
        for dice, text, part, other, i, j in _texts(f"{id_} {budget}", 60):
            match id_:
                case "join" | "join_with":
                    cases.append(((text, part) * dice.randrange(3), other)[: ARITIES[id_]])
                case "base64_encode":
                    cases.append((text.encode(),))
                case "char_at" | "substring" | "substring_range":
                    cases.append((text, i, j)[: ARITIES[id_]])
                case "replace" | "replace_limit":
                    cases.append((text, part, other, i)[: ARITIES[id_]])
                case _:
                    cases.append((text, part, i)[: ARITIES[id_]])
        assert disagreements(module, id_, cases, budget) == []


def test_a_result_far_beyond_32_bits_is_over_the_budget(module: Prelude) -> None:
    """L2.10, L5.4, L5.8: lengths that no 32 bits hold."""
    long = "x" * 400_000
    assert module.apply("fn_replace", long, "", long).value is Fault.ALLOCATION_BUDGET_EXCEEDED
    assert module.apply("fn_replace", "a" * 200_000, "a", "b" * 200_000).value is Fault.ALLOCATION_BUDGET_EXCEEDED
    assert module.apply("fn_join_with", ("",) * 60_000, "y" * 71_583).value is Fault.ALLOCATION_BUDGET_EXCEEDED
    assert module.apply("fn_replace", long, "x", "").value == ""
    assert module.apply("fn_split_limit", long, "", -(2**63)).value is Fault.ALLOCATION_BUDGET_EXCEEDED
    assert module.apply("fn_upper_ascii", "a" * ALLOCATION_BUDGET).value == "A" * ALLOCATION_BUDGET
