"""Made-up patterns and texts: RE2 accepts the same patterns, and finds matches in the same texts."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hexgate.regex import Dfa, PatternError
from tests.regex import generators
from tests.regex.oracle import answers, compile_ours, compile_re2, is_our_limit
from tests.regex.wasm_search import WasmSearch

SEED = 20_251_105

MAKERS = {
    # pattern maker, text maker, patterns, the least share of them that compile
    "well formed": (generators.make_pattern, generators.make_text, 500, 0.9),
    "metacharacters": (generators.make_soup, generators.make_text, 2500, 0.2),
    "two cases": (
        generators.make_two_case_alternation,
        lambda random, _: generators.make_two_case_text(random),
        600,
        0.9,
    ),
    "positions": (generators.make_position_pattern, lambda random, _: generators.make_position_text(random), 1200, 0.9),
}


def compare(pattern: str, texts: list[str], wasm: WasmSearch) -> str:
    """Compares one pattern on its texts. Returns what came of it."""
    reference, ours = compile_re2(pattern), compile_ours(pattern)
    if isinstance(ours, PatternError):
        assert 0 <= ours.offset <= len(pattern), pattern
        if is_our_limit(ours):
            return "limit"
        assert reference is None, (pattern, ours.message)
        return "refused"
    assert isinstance(ours, Dfa)
    assert reference is not None, pattern
    for text in texts:
        expected = reference.search(text) is not None
        assert answers(ours, wasm, text) == (expected, expected), (pattern, text)
    return "compiled"


@pytest.mark.parametrize("name", MAKERS)
def test_made_up(name: str, wasm: WasmSearch) -> None:
    make_pattern, make_text, count, share = MAKERS[name]
    random = Random(f"{SEED} {name}")
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        pattern = make_pattern(random)
        outcomes[compare(pattern, [make_text(random, pattern) for _ in range(4)], wasm)] += 1
    assert outcomes["compiled"] >= share * count
    assert outcomes["limit"] <= count // 20


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@example(pattern="(?m)^a", texts=["x\na"])
@example(pattern=".\\pL{0,1000}{{10}", texts=[""])
@given(
    pattern=st.lists(st.sampled_from(generators.PIECES), max_size=8).map("".join),
    texts=st.lists(st.text(max_size=6), max_size=3),
)
def test_metacharacters(pattern: str, texts: list[str], wasm: WasmSearch) -> None:
    compare(pattern, texts, wasm)


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(pattern=st.text(max_size=12), texts=st.lists(st.text(max_size=6), max_size=3))
def test_any_text_as_a_pattern(pattern: str, texts: list[str], wasm: WasmSearch) -> None:
    compare(pattern, [*texts, pattern], wasm)
