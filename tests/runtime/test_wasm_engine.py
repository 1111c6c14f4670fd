"""The engine around a module: it fails closed, works in threads and after fork, and depends on no earlier call."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from benchmarks.policies import REFUNDS, checked
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.policy.interpret import InterpreterEngine
from hexgate.runtime import wasm_engine
from hexgate.runtime.sandbox import Instance, OutOfFuelError
from hexgate.runtime.wasm_engine import WasmEngine

ALICE = User("alice", "billing")
CHECKED = checked(REFUNDS)
COMPILED = compile_policy(CHECKED)


def make_engine() -> WasmEngine:
    return WasmEngine(COMPILED.wasm, COMPILED.table)


def test_a_failure_below_denies_and_the_next_call_works(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine()

    def fail(*_: object) -> bytes:
        raise RuntimeError("planted")

    with monkeypatch.context() as patch:
        patch.setattr(wasm_engine, "encode_request", fail)
        denied = engine.decide("refund_order", {"amount": 1, "currency": "USD"}, ALICE)
    assert denied == Decision(Verdict.DENY, Reason.ENGINE_FAULT, "billing", "refund_order")
    assert engine.decide("refund_order", {"amount": 1, "currency": "USD"}, ALICE).allowed


def test_an_instance_that_is_spent_is_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_engine()

    def spent(_: bytes) -> int:
        raise OutOfFuelError("planted")

    engine._local.call, engine._local.unused = spent, False
    assert engine.decide("refund_order", {"amount": 1, "currency": "USD"}, ALICE).allowed

    class Broken(Instance):
        def __init__(self, *args: object, **kwargs: object) -> None:
            self.call: Callable[[bytes], int] = spent

    engine._local.call, engine._local.unused = spent, False
    monkeypatch.setattr(wasm_engine, "Instance", Broken)
    assert engine.decide("refund_order", {}, ALICE).reason is Reason.ENGINE_FAULT


def test_an_answer_outside_the_table_denies() -> None:
    engine = make_engine()
    for answer in (8 + len(COMPILED.table.outcomes), 7, -1, 8 | 1 << 24, 0x7FFFFFFF):
        engine._local.call = lambda _, answer=answer: answer
        assert engine.decide("refund_order", {}, ALICE).reason is Reason.ENGINE_FAULT, answer


def test_threads_decide_side_by_side() -> None:
    engine, wrong = make_engine(), []

    def run(amount: int) -> None:
        for _ in range(2_000):
            if engine.decide("refund_order", {"amount": amount, "currency": "USD"}, ALICE).allowed != (amount <= 500):
                wrong.append(amount)

    threads = [threading.Thread(target=run, args=(400 + 50 * n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_forked_process_decides() -> None:
    engine = make_engine()
    assert engine.decide("get_order", {}, ALICE).allowed
    child = os.fork()
    if child == 0:
        compile_policy(CHECKED)
        os._exit(0 if engine.decide("get_order", {}, ALICE).allowed and make_engine().decide("get_order", {}, ALICE).allowed else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Lying(str):
    """Claims to equal everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


NAMES = [
    # user, tool -> reason
    (None, "get_order", Reason.MISSING_USER),
    (User("", "billing"), "get_order", Reason.MISSING_USER),
    (User("x" * 257, "billing"), "get_order", Reason.MISSING_USER),
    (User("é" * 129, "billing"), "get_order", Reason.MISSING_USER),
    (User("\ud800", "billing"), "get_order", Reason.MISSING_USER),
    (User(5, "billing"), "get_order", Reason.MISSING_USER),  # type: ignore[arg-type]
    ("alice", "get_order", Reason.MISSING_USER),
    (User("alice", "Billing"), "get_order", Reason.UNKNOWN_ROLE),
    (User("alice", "billing "), "get_order", Reason.UNKNOWN_ROLE),
    (User("alice", "__proto__"), "get_order", Reason.UNKNOWN_ROLE),
    (User("alice", Lying("billing")), "get_order", Reason.UNKNOWN_ROLE),
    (User("alice", None), "get_order", Reason.UNKNOWN_ROLE),  # type: ignore[arg-type]
    (ALICE, "get_order ", Reason.RULE),
    (ALICE, "gеt_order", Reason.RULE),
    (ALICE, "constructor", Reason.RULE),
    (ALICE, Lying("get_order"), Reason.UNKNOWN_TOOL),
    (ALICE, "", Reason.UNKNOWN_TOOL),
    (ALICE, None, Reason.UNKNOWN_TOOL),
    (ALICE, "\udfff", Reason.UNKNOWN_TOOL),
    (User("alice", "nobody"), None, Reason.UNKNOWN_ROLE),
]


@pytest.mark.parametrize(("user", "tool", "reason"), NAMES, ids=repr)
def test_names_that_are_none_are_denied_alike_on_both_engines(user: User, tool: str, reason: Reason) -> None:
    first = make_engine().decide(tool, {}, user)
    assert first == InterpreterEngine(CHECKED).decide(tool, {}, user)
    assert (first.verdict, first.reason) == (Verdict.DENY, reason)


def test_a_call_without_arguments_still_sends_what_else_is_read() -> None:
    policy = checked({"billing.yaml": b"version: 1\ntools:\n  t:\n    mode: allow\n    constraints: [user.attrs.ok, ctx.ok]\n"})
    compiled = compile_policy(policy)
    for engine in (WasmEngine(compiled.wasm, compiled.table), InterpreterEngine(policy)):
        for expected in (True, True, False, True):
            attrs = {"ok": expected}
            assert engine.decide("t", {}, User("alice", "billing", attrs), ctx={"ok": True}).allowed is expected
