"""RE2's and Rust's own test data: what RE2 accepts, the automaton and the module decide alike."""

from __future__ import annotations

import json

import pytest

from hexgate.regex import PatternError
from tests.regex.oracle import answers, compile_ours, compile_re2
from tests.regex.wasm_search import WasmSearch
from tests.shared_data import shared_data

FILES = [
    # file, cases, cases whose pattern has `\C`
    ("re2-exhaustive.open.jsonl", 6000, 0),
    ("re2-search.open.jsonl", 954, 46),
    ("rust-regex.open.jsonl", 178, 0),
]


@pytest.mark.parametrize(("name", "count", "bytewise"), FILES)
def test_public_data(name: str, count: int, bytewise: int, wasm: WasmSearch) -> None:
    lines = shared_data("regex", name).read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    refused = 0
    for case in cases:
        pattern, text, expected = case["pattern"], case["text"], case["is_match"]
        reference, ours = compile_re2(pattern), compile_ours(pattern)
        assert reference is not None, case
        assert (reference.search(text) is not None) is expected, case
        if isinstance(ours, PatternError):
            assert ours.message == "`\\C` matches one byte, and texts are made of characters", case
            refused += 1
            continue
        assert answers(ours, wasm, text) == (expected, expected), case
    assert (len(cases), refused) == (count, bytewise)
