"""The gate with tokens and with a log: who called, by which token, and that only what is recorded runs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.signed_policies import EXPIRES, ISSUED, KEY, signed
from hexgate.audit.log import AuditLog
from hexgate.audit.read import lines_of
from hexgate.audit.sinks import FunctionSink
from hexgate.audit.unavailable import AuditUnavailableError
from hexgate.audit.verify import verify_log
from hexgate.bundle.keys import generate_key
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.statement import AuditSettings, IdentitySettings, TokenRootKey
from hexgate.decision.decision import Reason, TokenUser, User, Verdict
from hexgate.identity.attenuate import Narrowing, attenuate
from hexgate.identity.mint import Grant, mint
from hexgate.runtime.gate import Gate

ALICE = User("alice", "billing")
ROOT = generate_key()
IDENTITY = IdentitySettings(True, (TokenRootKey(1, ROOT.public),))
TOKEN = mint(Grant("alice", "billing", EXPIRES), ROOT, 1)


def _gate(folder: Path, **settings: Any) -> Gate:
    options = {name: settings.pop(name) for name in ("audit", "revocations", "clock") if name in settings and not isinstance(settings[name], AuditSettings)}
    (folder / "policy.hexgate").write_bytes(signed(500, 1, **settings))
    options.setdefault("clock", lambda: ISSUED * 10**9)
    return Gate.from_bundle(folder / "policy.hexgate", [KEY.public], state=folder / "state", refresh_seconds=None, **options)


def _events(folder: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in lines_of(folder / "state" / "audit")]
    return [event for event in events if event["type"] == "decision"]


def test_every_decision_is_recorded_and_the_log_verifies(tmp_path: Path) -> None:
    with _gate(tmp_path) as gate:
        gate.decide("refund", {"amount": 30}, user=ALICE, call_id="call-1")
        with gate.run(ALICE) as run:
            run.decide("refund", {"amount": 900})
            gate.guard(lambda amount: amount, tool="refund")(5)
        gate.decide("refund", {}, user=None)
    events = _events(tmp_path)
    assert [(event["result"]["verdict"], event["result"]["reason"]) for event in events] == [
        ("allow", "rule"), ("deny", "constraint_failed"), ("allow", "rule"), ("deny", "missing_user"),
    ]  # fmt: skip
    assert events[0]["call_id"] == "call-1" and events[0]["run_id"] is None
    assert events[1]["run_id"] == events[2]["run_id"] == run.run_id
    assert not verify_log(tmp_path / "state" / "audit").findings


def test_a_mask_of_the_bundle_hides_a_value(tmp_path: Path) -> None:
    (tmp_path / "policy.hexgate").write_bytes(signed(500, 1, audit=AuditSettings("durable", ("args.amount",))))
    with Gate.from_bundle(
        tmp_path / "policy.hexgate", [KEY.public], state=tmp_path / "state", refresh_seconds=None, clock=lambda: ISSUED * 10**9
    ) as gate:
        assert gate.decide("refund", {"amount": 31_415}, user=ALICE).verdict is Verdict.DENY
    assert "31415" not in "".join(map(repr, _events(tmp_path)))


def test_a_mask_that_is_no_path_refuses_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "policy.hexgate").write_bytes(signed(500, 1, audit=AuditSettings("written", ("amount",))))
    with pytest.raises(BundleRefusedError) as caught:
        Gate.from_bundle(tmp_path / "policy.hexgate", [KEY.public], audit=False, state=tmp_path, clock=lambda: ISSUED * 10**9)
    assert caught.value.refusal is Refusal.MALFORMED_STATEMENT


def test_what_is_not_recorded_is_not_allowed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    failing = [True]

    def take(_: Any) -> None:
        if failing[0]:
            raise OSError(28, "No space left on device")

    log = AuditLog(None, sinks=[FunctionSink(take)])
    gate = _gate(tmp_path, audit=log)
    with caplog.at_level(logging.INFO, logger="hexgate"):
        caplog.clear()
        decisions = [gate.decide("refund", {"amount": 1}, user=ALICE), gate.decide("wire", {}, user=ALICE), gate.decide("refund", {"amount": 900}, user=ALICE)]
        assert [decision.reason for decision in decisions] == [Reason.AUDIT_UNAVAILABLE, Reason.AUDIT_UNAVAILABLE, Reason.CONSTRAINT_FAILED]
        assert all(decision.verdict is Verdict.DENY and decision.bundle == gate.bundle for decision in decisions)
        failing[0] = False
        assert gate.decide("refund", {"amount": 1}, user=ALICE).allowed
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    log.close()


def test_a_log_that_cannot_be_opened_is_an_error_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(AuditUnavailableError):
        _gate(tmp_path)


def test_a_token_says_who_is_calling(tmp_path: Path) -> None:
    with _gate(tmp_path, identity=IDENTITY) as gate:
        user = User.from_token(TOKEN)
        assert gate.decide("refund", {"amount": 30}, user=user).allowed
        assert gate.run(user).decide("refund", {"amount": 900}).reason is Reason.CONSTRAINT_FAILED
        assert gate.decide("refund", {"amount": 30}, user=ALICE).reason is Reason.TOKEN_REQUIRED
        assert gate.decide("refund", {"amount": 30}, user=None).reason is Reason.TOKEN_REQUIRED
    events = _events(tmp_path)
    assert [event["user"] for event in events] == ["alice", "alice", "alice", None]
    assert [bool(event["token_id"]) for event in events] == [True, True, False, False]


REFUSED = (
    ("another key", lambda: mint(Grant("alice", "billing", EXPIRES), generate_key(), 1)),
    ("expired", lambda: mint(Grant("alice", "billing", ISSUED - 1), ROOT, 1)),
    ("another key id", lambda: mint(Grant("alice", "billing", EXPIRES), ROOT, 2)),
    ("no token", lambda: "not a token"),
    ("no text", lambda: b"\xff"),
)


WHY: tuple[tuple[str, str, bool, Callable[[], TokenUser]], ...] = (
    ("signature", "a forged one", False, lambda: TokenUser(mint(Grant("alice", "billing", EXPIRES), generate_key(), 1))),
    ("malformed", "no token", False, lambda: TokenUser("\x1b not a token")),
    ("expired", "an old one", True, lambda: TokenUser(mint(Grant("alice", "billing", ISSUED - 1), ROOT, 1))),
    ("role_not_granted", "another role", True, lambda: User.from_token(TOKEN, role="admin")),
    ("attenuation", "a narrowed one", True, lambda: User.from_token(attenuate(TOKEN, Narrowing(tools=("wire",))))),
)


@pytest.mark.parametrize(("word", "identified", "user"), [(case[0], *case[2:]) for case in WHY], ids=[case[1] for case in WHY])
def test_a_record_says_why_a_token_was_refused(word: str, identified: bool, user: Callable[[], TokenUser], tmp_path: Path) -> None:
    """And which token it was, once its signatures are known to be good."""
    with _gate(tmp_path, identity=IDENTITY) as gate:
        given = user()
        assert gate.decide("refund", {"amount": 30}, user=given).reason is Reason.TOKEN_REFUSED
        assert gate.decide("refund", {"amount": 30}, user=User.from_token(TOKEN)).allowed
    refused, allowed = _events(tmp_path)
    assert refused["token_refusal"] == word and "token_refusal" not in allowed
    assert bool(refused["token_id"]) is identified
    assert given.token not in str(refused)


def test_a_bundle_without_root_keys_says_so_of_tokens(tmp_path: Path) -> None:
    with _gate(tmp_path) as gate:
        gate.decide("refund", {"amount": 30}, user=User.from_token(TOKEN))
    assert [event["token_refusal"] for event in _events(tmp_path)] == ["unknown_key"]


def test_a_time_that_the_host_gave_is_recorded(tmp_path: Path) -> None:
    """Otherwise a replay would decide at another one."""
    with _gate(tmp_path) as gate:
        gate.decide("refund", {"amount": 30}, user=ALICE, now=1_000_000_000_000_000_007)
        gate.decide("refund", {"amount": 30}, user=ALICE)
    given, other = _events(tmp_path)
    assert given["now"] == "2001-09-09T01:46:40.000000007Z" and given["timestamp"][:4] != "2001" and "now" not in other


@pytest.mark.parametrize("token", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_refused_token_is_a_denial(tmp_path: Path, token: Callable[[], Any]) -> None:
    gate = _gate(tmp_path, identity=IDENTITY, audit=False)
    decision = gate.decide("refund", {"amount": 30}, user=TokenUser(token()))
    assert (decision.verdict, decision.reason, decision.role, decision.bundle) == (Verdict.DENY, Reason.TOKEN_REFUSED, None, gate.bundle)


def test_a_narrowed_token_narrows_the_policy(tmp_path: Path) -> None:
    gate = _gate(tmp_path, identity=IDENTITY, audit=False)
    narrow = User.from_token(attenuate(TOKEN, Narrowing(tools=("refund",), maxima={"amount": 100})))
    reasons = [gate.decide(tool, args, user=narrow).reason for tool, args in (("refund", {"amount": 100}), ("refund", {"amount": 101}), ("wire", {}))]
    assert reasons == [Reason.RULE, Reason.TOKEN_REFUSED, Reason.TOKEN_REFUSED]


def test_a_revoked_token_is_refused_from_the_next_call_on(tmp_path: Path) -> None:
    file = tmp_path / "revoked"
    file.write_text("")
    gate = _gate(tmp_path, identity=IDENTITY, audit=AuditLog(tmp_path / "state" / "audit"), revocations=file)
    assert gate.decide("refund", {"amount": 30}, user=User.from_token(TOKEN)).allowed
    token_id = _events(tmp_path)[0]["token_id"]
    (tmp_path / "other").mkdir()
    again = _gate(tmp_path / "other", identity=IdentitySettings(True, IDENTITY.root_keys, (token_id,)), audit=False)
    assert again.decide("refund", {"amount": 30}, user=User.from_token(TOKEN)).reason is Reason.TOKEN_REFUSED
    file.write_text(token_id + "\n")
    assert _gate_decides_refused(gate)


def _gate_decides_refused(gate: Gate) -> bool:
    """The file is looked at again within a second or so."""
    import time

    end = time.monotonic() + 5
    while time.monotonic() < end:
        if gate.decide("refund", {"amount": 30}, user=User.from_token(TOKEN)).reason is Reason.TOKEN_REFUSED:
            return True
        time.sleep(0.05)
    return False


def test_a_bundle_without_root_keys_refuses_every_token(tmp_path: Path) -> None:
    gate = _gate(tmp_path, audit=False)
    assert gate.decide("refund", {"amount": 30}, user=User.from_token(TOKEN)).reason is Reason.TOKEN_REFUSED
    assert gate.decide("refund", {"amount": 30}, user=ALICE).allowed
