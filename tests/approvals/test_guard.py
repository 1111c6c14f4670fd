"""Guarded functions whose calls are held: asked for once, run once (docs/approvals.md Q4.5)."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from benchmarks.signed_policies import KEY
from hexgate.approvals.evidence import by_key
from hexgate.decision.decision import Decision, Verdict
from hexgate.runtime.gate import Gate
from hexgate.runtime.guarded_call import ApprovalRequiredError, ToolDeniedError
from tests.approvals.held import ALICE, BOB, FINANCE, NOW, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def held(call: Any, *args: Any) -> str | None:
    with pytest.raises(ApprovalRequiredError) as caught:
        call(*args)
    assert str(caught.value) == "this call needs an approval (rule)" and caught.value.decision.verdict is Verdict.APPROVAL_REQUIRED
    return caught.value.request_id


def test_the_same_call_runs_once_after_an_approval(desk: Desk) -> None:
    ran: list[tuple[int, list[int]]] = []
    wire = desk.gate.guard(lambda amount, parts: ran.append((amount, parts)), tool="wire", user=ALICE)
    id_ = held(wire, 5, [1, 2])
    assert id_ is not None and held(wire, 5, [1, 2]) == id_ != held(wire, 5, [1, 3])
    desk.approve(desk.steps.get(id_).request)
    assert held(desk.gate.guard(lambda amount, parts: ran.append(amount), tool="wire", user=BOB), 5, [1, 2]) not in (None, id_)
    assert ran == []
    wire(5, [1, 2])
    assert ran == [(5, [1, 2])]
    assert held(wire, 5, [1, 2]) not in (None, id_)


def test_a_denied_call_is_denied(desk: Desk) -> None:
    wire = desk.gate.guard(lambda amount: amount, tool="wire", user=ALICE)
    made = desk.steps.get(held(wire, 5) or "").request
    desk.steps.deny(made.id, by_key(FINANCE, made), None, NOW)
    with pytest.raises(ToolDeniedError) as caught:
        wire(5)
    assert str(caught.value) == "this call was not approved (rule)" and caught.value.decision.verdict is Verdict.DENY


def test_coroutines(desk: Desk) -> None:
    async def wire(amount: int) -> int:
        return amount

    guarded = desk.gate.guard(wire)

    async def once() -> Any:
        with desk.gate.run(ALICE):
            return await guarded(5)

    with pytest.raises(ApprovalRequiredError) as caught:
        asyncio.run(once())
    desk.approve(desk.steps.get(caught.value.request_id or "").request)
    assert asyncio.run(once()) == 5


def test_without_a_store_no_request_is_made(desk: Desk) -> None:
    gate = Gate.from_bundle(
        desk.folder / "policy.hexgate", [KEY.public], state=desk.folder / "state", audit=False, refresh_seconds=None, clock=desk.clock
    )
    assert gate.approvals is None
    assert held(gate.guard(lambda amount: amount, tool="wire", user=ALICE), 5) is None


def test_a_store_that_fails_holds_the_call_and_tells_the_operator(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    wire = desk.gate.guard(lambda amount: amount, tool="wire", user=ALICE)
    desk.store.path.write_bytes(b"x" * 5000)
    with caplog.at_level(logging.WARNING, logger="hexgate"):
        assert held(wire, 5) is None
    assert [record.getMessage() for record in caplog.records] == [
        "held calls get no approval: the store of approvals cannot be used: file is not a database"
    ]


def test_arguments_that_cannot_be_told_apart_are_never_approved(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    wire = desk.gate.guard(lambda amount, to: amount, tool="wire", user=ALICE)
    assert held(wire, 5, object()) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_state_directory_s_own_store(desk: Desk) -> None:
    gate = Gate.from_bundle(
        desk.folder / "policy.hexgate", [KEY.public], state=desk.folder / "state", approvals=True, refresh_seconds=None, clock=desk.clock
    )
    id_ = held(gate.guard(lambda amount: amount, tool="wire", user=ALICE), 5)
    assert desk.steps.get(id_ or "").request.id == id_
    gate.close()


def test_adapters_use_what_the_gate_decided(desk: Desk) -> None:
    args = {"amount": 5}
    decision = desk.gate.decide("wire", args, user=ALICE)
    approvals = desk.gate.approvals
    assert approvals is not None
    made = approvals.request(decision, "wire", args, ALICE)
    desk.approve(made.request)
    allowed = approvals.consume(made.request.id, decision, "wire", args, ALICE)
    assert allowed == Decision(Verdict.ALLOW, decision.reason, "billing", "wire", decision.rule, None, None, desk.gate.bundle)
    assert approvals.get(made.request.id).state.value == "consumed"
