"""Signing vectors: deterministic, small, of many outcomes, and refused where a module differs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hexgate.compiler.assemble import assemble
from hexgate.compiler.compile import CompiledPolicy, compile_policy
from hexgate.decision.decision import Reason
from hexgate.decision.outcomes import FIRST_OUTCOME
from hexgate.parity.vectors import VECTOR_BYTES, VectorError, signing_vectors
from hexgate.policy.check import check
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.link import link
from hexgate.policy.load import read_files
from hexgate.policy.parse import parse
from hexgate.runtime.wasm_engine import WasmEngine

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/policies"))


def _load(directory: Path) -> tuple[CheckedPolicy, CompiledPolicy]:
    policy = check(link(parse(read_files(directory))))
    return policy, compile_policy(policy)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize("directory", EXAMPLES, ids=lambda path: path.parent.name)
def test_a_module_replays_its_vectors(directory: Path) -> None:
    policy, compiled = _load(directory)
    vectors = signing_vectors(policy, compiled, 64)
    assert vectors == signing_vectors(policy, compiled, 64)
    engine = WasmEngine(compiled.wasm, compiled.table)
    assert [engine.answer(request) for request, _ in vectors] == [answer for _, answer in vectors]
    assert len(vectors) == len({answer for _, answer in vectors}) >= min(16, len(compiled.table.outcomes))
    assert max(len(request) for request, _ in vectors) <= VECTOR_BYTES
    granted = {
        number
        for number, outcome in enumerate(compiled.table.outcomes, FIRST_OUTCOME)
        if outcome.reason is Reason.RULE and compiled.table.rules[outcome.rule].role is not None
    }
    missed = granted - {answer & 0xFFFFFF for _, answer in vectors}
    assert len(missed) <= len(granted) // 20, missed


def test_the_limit_keeps_what_grants() -> None:
    policy, compiled = _load(EXAMPLES[0])
    vectors = signing_vectors(policy, compiled, 5)
    assert len(vectors) == 5
    assert all(answer < FIRST_OUTCOME or compiled.table.outcomes[answer - FIRST_OUTCOME].reason is Reason.RULE for _, answer in vectors)
    assert signing_vectors(policy, compiled, 0) == ()


def test_a_module_that_differs_gets_no_vectors() -> None:
    policy, compiled = _load(EXAMPLES[-1])
    assert "(i32.le_s (local.get $order) (i32.const 0))" in compiled.wat
    wrong = compiled.wat.replace("(i32.le_s (local.get $order) (i32.const 0))", "(i32.lt_s (local.get $order) (i32.const 0))")
    with pytest.raises(VectorError, match=r"the interpreter and the module differ on a call of `.+`"):
        signing_vectors(policy, dataclasses.replace(compiled, wasm=assemble(wrong)), 64)
