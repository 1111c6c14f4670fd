"""The gate as the judge of a client: what it lists, decides, holds and records, on both engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.signed_policies import EXPIRES, ISSUED, KEY, signed_policy
from hexgate.adapters.guard import Guard
from hexgate.adapters.pauses import PausesInMemory
from hexgate.approvals.store import ApprovalStore
from hexgate.audit.log import AuditLog
from hexgate.audit.read import lines_of
from hexgate.audit.sinks import FunctionSink
from hexgate.bundle.statement import IdentitySettings, TokenRootKey
from hexgate.decision.decision import User
from hexgate.identity.attenuate import Narrowing, attenuate
from hexgate.identity.mint import Grant, mint
from hexgate.mcp_proxy import judge as judge_module
from hexgate.mcp_proxy.answers import Ruling
from hexgate.mcp_proxy.conversation import Sight
from hexgate.mcp_proxy.judge import GateJudge
from hexgate.mcp_proxy.meaning import Call
from hexgate.runtime.gate import Gate
from tests.approvals.held import ALICE as APPLICANT
from tests.approvals.held import POLICY as HELD_POLICY
from tests.approvals.held import Desk

POLICY = """\
version: 1
tools:
  free: {mode: allow}
  limited: {mode: allow, constraints: [args.amount <= 5]}
  held: {mode: approval_required, message: ask your lead}
  forbidden: {mode: deny, message: never}
  elsewhere: {mode: allow, constraints: ['user.id == "bob"']}
  elsewhere_and: {mode: allow, constraints: ['user.id == "bob" && args.amount <= 5']}
  mine_or: {mode: allow, constraints: ['user.id == "alice" || args.amount <= 5']}
  later: {mode: allow, constraints: ['now > timestamp("2999-01-01T00:00:00Z")']}
  later_or_bob:
    rules:
      - {mode: allow, constraints: ['now > timestamp("2999-01-01T00:00:00Z")']}
      - {mode: allow, constraints: ['user.id == "bob"']}
  later_or_never:
    rules:
      - {mode: allow, constraints: ['now > timestamp("2999-01-01T00:00:00Z")']}
      - {mode: deny}
  unless: {mode: deny, constraints: [has(args.force)]}
  in_other_words:
    rules:
      - {mode: deny, constraints: [args.amount > 5], message: too much}
      - {mode: deny, message: not you}
  unless_small:
    rules:
      - {mode: deny, constraints: [args.amount > 5]}
      - {mode: allow}
  empty: {mode: allow, constraints: [size(args) == 0]}
  first_or_last:
    rules:
      - {mode: allow, constraints: ['user.id == "bob"']}
      - {mode: approval_required, constraints: [args.amount <= 5]}
  "notes.*": {mode: allow}
  resource.read:
    mode: allow
    constraints: ['args.uri.startsWith("orders://")']
  prompt.get:
    rules:
      - {mode: allow, constraints: ['args.name == "summary"']}
      - {mode: allow, constraints: ['args.name == "refund"', 'has(args.arguments.order)', 'args.arguments.order != ""']}
      - {mode: deny, constraints: ['args.name == "secret"']}
"""
ALICE = User("alice", "billing")
CLOCK = ISSUED * 10**9


def gate_on(folder: Path, engine: str, policy: str = POLICY, **options: Any) -> Gate:
    identity = options.pop("identity", None)
    clock = options.pop("clock", lambda: CLOCK)
    if engine == "interpreter":
        (folder / "billing.yaml").write_text(policy)
        return Gate.from_source(f"dev:{folder / 'billing.yaml'}", refresh_seconds=None, clock=clock, **options)
    (folder / "policy.hexgate").write_bytes(signed_policy({"billing.yaml": policy.encode()}, 1, identity=identity))
    return Gate.from_bundle(
        folder / "policy.hexgate", [KEY.public], state=folder / "state", refresh_seconds=None, clock=clock, **{"audit": False, **options}
    )


@pytest.fixture(scope="module", params=["interpreter", "module"])
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateJudge]:
    with gate_on(tmp_path_factory.mktemp("judge"), request.param) as gate:
        yield GateJudge(Guard(gate, pauses=PausesInMemory()), ALICE)


SIGHTS: list[tuple[str, dict[str, Any] | None, str | None, Sight]] = [
    # tool, arguments, the missing one, sight
    ("free", None, None, Sight.ALWAYS),
    ("limited", None, None, Sight.DEPENDS),
    ("held", None, None, Sight.ALWAYS),
    ("forbidden", None, None, Sight.NEVER),
    ("unknown", None, None, Sight.NEVER),
    ("elsewhere", None, None, Sight.NEVER),
    ("elsewhere_and", None, None, Sight.NEVER),
    ("mine_or", None, None, Sight.ALWAYS),
    ("later", None, None, Sight.DEPENDS),
    ("later_or_bob", None, None, Sight.DEPENDS),
    ("later_or_never", None, None, Sight.DEPENDS),
    ("unless", None, None, Sight.NEVER),
    ("in_other_words", None, None, Sight.NEVER),
    ("unless_small", None, None, Sight.DEPENDS),
    ("empty", None, None, Sight.DEPENDS),
    ("first_or_last", None, None, Sight.DEPENDS),
    ("notes.add", None, None, Sight.ALWAYS),
    ("resource.read", {"uri": "orders://1"}, None, Sight.ALWAYS),
    ("resource.read", {"uri": "file:///1"}, None, Sight.NEVER),
    ("resource.read", {}, "uri", Sight.DEPENDS),
    ("prompt.get", {"name": "summary"}, "arguments", Sight.ALWAYS),
    ("prompt.get", {"name": "refund"}, "arguments", Sight.DEPENDS),
    ("prompt.get", {"name": "secret"}, "arguments", Sight.NEVER),
    ("prompt.get", {"name": "other"}, "arguments", Sight.NEVER),
]


@pytest.mark.parametrize(("tool", "arguments", "missing", "sight"), SIGHTS)
def test_sights(judge: GateJudge, tool: str, arguments: dict[str, Any] | None, missing: str | None, sight: Sight) -> None:
    assert judge.sight(tool, arguments, missing) is sight


RULINGS = [
    # tool, arguments, ruling
    ("free", {"x": 1}, Ruling(True)),
    ("limited", {"amount": 5}, Ruling(True)),
    ("limited", {"amount": 6}, Ruling(False, "this call is not permitted (constraint_failed)", "constraint_failed")),
    ("limited", {}, Ruling(False, "this call is not permitted (evaluation_error)", "evaluation_error")),
    ("limited", {"amount": 2**70}, Ruling(False, "this call is not permitted (evaluation_error)", "evaluation_error")),
    ("held", {}, Ruling(False, "ask your lead", "approval_required")),
    ("forbidden", {}, Ruling(False, "never", "rule")),
    ("unknown", {}, Ruling(False, "this call is not permitted (unknown_tool)", "unknown_tool")),
]


@pytest.mark.parametrize("can_hold", [True, False])
@pytest.mark.parametrize(("tool", "arguments", "ruling"), RULINGS)
def test_rulings(judge: GateJudge, tool: str, arguments: dict[str, Any], ruling: Ruling, can_hold: bool) -> None:
    assert judge.rule(Call(tool, arguments), call_id="1", can_hold=can_hold) == ruling


def test_every_ruling_is_recorded_and_no_list_is(tmp_path: Path) -> None:
    with gate_on(tmp_path, "module", audit=True) as gate:
        judge = GateJudge(Guard(gate, pauses=PausesInMemory()), ALICE)
        judge.rule(Call("free", {}), call_id="7", can_hold=True)
        judge.sight("free", None)
        judge.rule(Call("mcp.notification", {}), call_id="", can_hold=False)
    events = [json.loads(line) for line in lines_of(tmp_path / "state" / "audit")]
    decisions = [event for event in events if event["type"] == "decision"]
    assert [(event["user"], event["call_id"], event["result"]["tool"], event["result"]["verdict"]) for event in decisions] == [
        ("alice", "7", "free", "allow"), ("alice", None, "mcp.notification", "deny"),
    ]  # fmt: skip
    assert len({event["run_id"] for event in decisions}) == 1


def test_a_held_call_runs_once_it_is_approved_and_only_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HELD_POLICY)
    judge = GateJudge(Guard(desk.gate, pauses=PausesInMemory()), APPLICANT)
    call = Call("wire", {"amount": 5, "iban": "DE12"})
    asked = judge.rule(call, call_id="1", can_hold=True)
    assert (asked.runs, asked.code) == (False, "approval_required") and asked.request_id is not None
    assert asked.sentence == f"{asked.text}; once request {asked.request_id} is approved, the same call runs"
    assert judge.rule(call, call_id="2", can_hold=True).request_id == asked.request_id
    desk.approve(desk.steps.get(asked.request_id).request)
    assert not judge.rule(Call("wire", {"amount": 6, "iban": "DE12"}), call_id="3", can_hold=True).runs
    assert not judge.rule(call, call_id="4", can_hold=False).runs, "a subscription uses up no approval"
    assert judge.rule(call, call_id="5", can_hold=True) == Ruling(True)
    assert judge.rule(call, call_id="6", can_hold=True).code == "approval_required"


def test_what_fails_in_the_gate_is_a_refusal_that_can_be_read(tmp_path: Path) -> None:
    def fail(_: Any) -> None:
        raise OSError(28, "No space left on device")

    now = [CLOCK]
    with gate_on(tmp_path, "module", audit=AuditLog(None, sinks=[FunctionSink(fail)]), clock=lambda: now[0]) as gate:
        judge = GateJudge(Guard(gate, pauses=PausesInMemory()), ALICE)
        assert judge.rule(Call("free", {}), call_id="1", can_hold=True).text == "this call is not permitted (audit_unavailable)"
        assert judge.sight("free", None) is Sight.ALWAYS
        now[0] = EXPIRES * 10**9
        assert judge.rule(Call("free", {}), call_id="1", can_hold=True).text == "this call is not permitted (bundle_expired)"
        assert judge.sight("free", None) is Sight.NEVER
    with gate_on(tmp_path, "interpreter") as gate:
        stranger = GateJudge(Guard(gate, pauses=PausesInMemory()), User("x", "no_such_role"))
        assert stranger.rule(Call("free", {}), call_id="1", can_hold=True).code == "unknown_role"
        assert stranger.sight("free", None) is Sight.NEVER


def test_a_new_bundle_takes_over_within_the_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gate_on(tmp_path, "module") as gate:
        judge = GateJudge(Guard(gate, pauses=PausesInMemory()), ALICE)
        assert judge.rule(Call("free", {}), call_id="1", can_hold=True).runs
        changed = {"billing.yaml": b"version: 1\ntools: {free: {mode: deny}}\n"}
        (tmp_path / "next").write_bytes(signed_policy(changed, 2))
        (tmp_path / "next").replace(tmp_path / "policy.hexgate")
        monkeypatch.setattr(judge_module, "FRESH_SECONDS", 0.0)
        assert not judge.rule(Call("free", {}), call_id="2", can_hold=True).runs
        assert judge.sight("free", None) is Sight.NEVER


ROOT = KEY
IDENTITY = IdentitySettings(True, (TokenRootKey(1, ROOT.public),))
TOKEN = mint(Grant("alice", "billing", EXPIRES), ROOT, 1)

TOKENS = [
    # token, what is seen of: free, limited, held, forbidden
    (TOKEN, [Sight.ALWAYS, Sight.DEPENDS, Sight.ALWAYS, Sight.NEVER]),
    (attenuate(TOKEN, Narrowing(tools=("limited",))), [Sight.NEVER, Sight.DEPENDS, Sight.NEVER, Sight.NEVER]),
    (attenuate(TOKEN, Narrowing(maxima={"amount": 3})), [Sight.ALWAYS, Sight.DEPENDS, Sight.ALWAYS, Sight.NEVER]),
    (mint(Grant("alice", "billing", ISSUED - 1), ROOT, 1), [Sight.NEVER] * 4),
    ("no token", [Sight.NEVER] * 4),
]


@pytest.mark.parametrize(("token", "sights"), TOKENS, ids=range(len(TOKENS)))
def test_a_token_narrows_what_is_listed(tmp_path: Path, token: str, sights: list[Sight]) -> None:
    with gate_on(tmp_path, "module", identity=IDENTITY) as gate:
        judge = GateJudge(Guard(gate, pauses=PausesInMemory()), User.from_token(token))
        assert [judge.sight(tool, None) for tool in ("free", "limited", "held", "forbidden")] == sights
        assert judge.rule(Call("free", {}), call_id="1", can_hold=True).runs is (sights[0] is Sight.ALWAYS and token == TOKEN)


def test_without_a_token_that_is_asked_for_nothing_is_listed(tmp_path: Path) -> None:
    with gate_on(tmp_path, "module", identity=IDENTITY, approvals=ApprovalStore(tmp_path / "store")) as gate:
        assert GateJudge(Guard(gate, pauses=PausesInMemory()), ALICE).sight("free", None) is Sight.NEVER
