"""Requests and approvals: bound to one call, by somebody else whom the policy names, once, and recorded (docs/approvals.md)."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hexgate.approvals.evidence import by_key, by_token
from hexgate.approvals.refusal import SENTENCES, ApprovalRefusal, ApprovalRefusedError, ApprovalStoreError
from hexgate.approvals.request import DEFAULT_SECONDS, State, read_request
from hexgate.approvals.steps import OPEN_REQUESTS
from hexgate.audit.read import lines_of
from hexgate.audit.unavailable import AuditUnavailableError
from hexgate.audit.verify import verify_log
from hexgate.bundle.keys import generate_key
from hexgate.decision.decision import User, Verdict
from hexgate.identity.attenuate import Narrowing
from hexgate.runtime.gate import Gate
from tests.approvals.held import ALICE, BOB, FINANCE, HOUR, NOW, POLICY, Desk, token


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def refused(step: Callable[[], object]) -> str:
    with pytest.raises(ApprovalRefusedError) as caught:
        step()
    assert str(caught.value) == SENTENCES[caught.value.refusal]
    return caught.value.refusal.value


def steps_of(desk: Desk) -> list[dict[str, Any]]:
    return [record for record in map(json.loads, lines_of(desk.folder / "state" / "audit")) if record["type"] == "approval"]


def test_every_refusal_has_its_sentence() -> None:
    assert set(SENTENCES) == set(ApprovalRefusal)


def test_a_call_is_requested_approved_and_used_once(desk: Desk) -> None:
    """Q1.1, Q4.1, Q6.1"""
    made = desk.request()
    assert (made.state, made.request.expires - made.request.created) == (State.PENDING, HOUR)
    assert made.request.held_by.approvers == ("finance", "dora", FINANCE.public.text)
    assert desk.request().request.id == made.request.id
    assert refused(lambda: desk.consume(made.request.id)) == "pending"
    assert desk.approve(made.request).state is State.APPROVED
    allowed = desk.consume(made.request.id)
    assert allowed.verdict is Verdict.ALLOW and allowed.allowed and allowed.rule == desk.decide().rule
    assert refused(lambda: desk.consume(made.request.id)) == "consumed"
    assert desk.request().request.id != made.request.id
    found = steps_of(desk)
    assert [event["step"] for event in found] == ["requested", "refused", "approved", "consumed", "refused", "requested"]
    assert [event["refusal"] for event in found] == [None, "pending", None, None, "consumed", None]
    assert {event["request"] for event in found[:5]} == {made.request.id}
    assert (found[2]["approver"], found[2]["request_digest"], found[2]["user"]) == (FINANCE.public.text, made.request.digest, "alice")
    desk.log.close()
    assert not verify_log(desk.folder / "state" / "audit").findings


OTHER_CALLS: tuple[tuple[str, str, str, Any, User], ...] = (
    ("other_tool", "another tool", "close", {"amount": 5, "iban": "DE12"}, ALICE),
    ("other_arguments", "another amount", "wire", {"amount": 6, "iban": "DE12"}, ALICE),
    ("other_arguments", "another type", "wire", {"amount": 5.0, "iban": "DE12"}, ALICE),
    ("other_arguments", "another masked value", "wire", {"amount": 5, "iban": "DE13"}, ALICE),
    ("other_arguments", "one more", "wire", {"amount": 5, "iban": "DE12", "x": None}, ALICE),
    ("other_arguments", "one less", "wire", {"amount": 5}, ALICE),
    ("other_user", "another user", "wire", {"amount": 5, "iban": "DE12"}, BOB),
    ("not_held", "an allowed call", "look", {}, ALICE),
    ("unidentified", "an object", "wire", {"amount": 5, "iban": Decimal(5)}, ALICE),
    ("unidentified", "no number", "wire", {"amount": 5, "iban": float("nan")}, ALICE),
    ("unidentified", "an infinite number in a list", "wire", {"amount": 5, "iban": [float("inf")]}, ALICE),
)


@pytest.mark.parametrize(("word", "tool", "args", "user"), [(w, t, a, u) for w, _, t, a, u in OTHER_CALLS], ids=[c[1] for c in OTHER_CALLS])
def test_an_approval_is_for_one_call(desk: Desk, word: str, tool: str, args: Any, user: User) -> None:
    """Q2.1, Q2.2"""
    made = desk.request()
    desk.approve(made.request)
    assert refused(lambda: desk.consume(made.request.id, tool, args, user)) == word
    assert desk.consume(made.request.id).allowed


def test_members_in_another_order_are_the_same_call(desk: Desk) -> None:
    made = desk.request()
    desk.approve(made.request)
    assert desk.consume(made.request.id, args={"iban": "DE12", "amount": 5}).allowed


def test_another_role_bundle_or_rule_is_another_call(desk: Desk) -> None:
    """Q2.1"""
    made = desk.request()
    desk.approve(made.request)
    desk.version, desk.policy = 2, POLICY.replace("args.amount > 0", "args.amount > 1")
    desk.gate = desk.open()
    assert refused(lambda: desk.consume(made.request.id)) == "other_bundle"
    assert desk.request().request.id != made.request.id
    decision = desk.decide()
    assert refused(lambda: desk.held.request(decision, "close", {}, ALICE)) == "other_tool"
    assert refused(lambda: desk.held.request(decision, "wire", {"amount": 5}, User("alice", "other"))) == "unidentified"
    assert refused(lambda: desk.held.request(decision, "wire", {"amount": 5}, None)) == "unidentified"


def test_development_policies_bind_their_rule(tmp_path: Path) -> None:
    """Q2.1: no bundle's digest stands for the rule there"""
    (tmp_path / "p").mkdir()
    file = tmp_path / "p" / "billing.yaml"
    file.write_text(POLICY)
    desk = Desk(tmp_path)
    desk.gate = Gate.from_source(f"dev:{tmp_path / 'p'}", audit=desk.log, approvals=desk.store, refresh_seconds=None, clock=desk.clock)
    made = desk.request()
    assert made.request.bundle is None
    desk.approve(made.request)
    file.write_text(POLICY.replace("args.amount > 0", "args.amount > 1"))
    desk.gate.refresh()
    assert refused(lambda: desk.consume(made.request.id)) == "other_rule"


def test_expiry(desk: Desk) -> None:
    """Q1.3, Q6.4"""
    pending, approved = desk.request(args={"amount": 1}), desk.request(args={"amount": 2})
    desk.approve(approved.request)
    desk.clock.now = approved.request.expires
    assert refused(lambda: desk.approve(pending.request)) == "expired"
    assert refused(lambda: desk.consume(approved.request.id, args={"amount": 2})) == "expired"
    assert desk.steps.expire(desk.clock()) == 2 and desk.steps.expire(desk.clock()) == 0
    assert refused(lambda: desk.consume(approved.request.id, args={"amount": 2})) == "expired"
    assert [event["step"] for event in steps_of(desk)].count("expired") == 2
    assert desk.steps.forget(desk.clock() + 1) == 2
    assert refused(lambda: desk.consume(approved.request.id, args={"amount": 2})) == "unknown_request"
    closed = desk.request("close", {}).request
    assert closed.expires - closed.created == DEFAULT_SECONDS * 10**9


def test_a_denial_stands_until_the_request_would_have_expired(desk: Desk) -> None:
    """Q4.4"""
    made = desk.request()
    assert desk.steps.deny(made.request.id, by_key(FINANCE, made.request), None, NOW).state is State.DENIED
    assert refused(lambda: desk.consume(made.request.id)) == "denied"
    assert refused(desk.request) == "denied"
    assert refused(lambda: desk.approve(made.request)) == "denied"
    desk.clock.now += HOUR
    assert desk.request().state is State.PENDING


APPROVERS: tuple[tuple[str, str | None, Callable[[], str]], ...] = (
    ("a role that is named", None, lambda: token("carol", "finance")),
    ("a user who is named", None, lambda: token("dora", "support")),
    ("nobody who is named", "not_an_approver", lambda: token("erin", "support")),
    ("who asked", "own_request", lambda: token("alice", "finance")),
    ("a user called like the key", "not_an_approver", lambda: token(FINANCE.public.text, "support")),
    ("a token for other tools", "evidence", lambda: token("carol", "finance", narrowing=Narrowing(tools=("wire",)))),
    ("a token for approving", None, lambda: token("carol", "finance", narrowing=Narrowing(tools=("hexgate.approve",)))),
    ("an expired token", "evidence", lambda: token("carol", "finance", expires=NOW // 10**9)),
)


@pytest.mark.parametrize(("word", "make"), [case[1:] for case in APPROVERS], ids=[case[0] for case in APPROVERS])
def test_approvers_with_tokens(desk: Desk, word: str | None, make: Callable[[], str]) -> None:
    """Q3.1, Q3.2, Q3.4"""
    made = desk.request()
    if word is None:
        approved = desk.approve_as(made.request, make())
        assert approved.approver is not None and approved.approver.token_id
        assert desk.consume(made.request.id).allowed
    else:
        assert refused(lambda: desk.approve_as(made.request, make())) == word
        assert desk.steps.get(made.request.id).state is State.PENDING


def test_who_asked_by_a_token_is_known_by_its_user(desk: Desk) -> None:
    user = User.from_token(token("alice", "billing"))
    made = desk.request(user=user)
    assert made.request.user == "alice"
    assert refused(lambda: desk.approve_as(made.request, token("alice", "finance"))) == "own_request"
    desk.approve(made.request)
    assert desk.consume(made.request.id, user=user).allowed


def test_keys(desk: Desk) -> None:
    """Q3.3"""
    made = desk.request()
    assert refused(lambda: desk.approve(made.request, by_key(generate_key(), made.request))) == "not_an_approver"
    other = desk.request(args={"amount": 9})
    assert refused(lambda: desk.approve(made.request, by_key(FINANCE, other.request))) == "evidence"


def test_where_nobody_is_named_anybody_else_with_a_token_may(desk: Desk) -> None:
    """Q3.5"""
    made = desk.request("close", {})
    assert refused(lambda: desk.approve(made.request)) == "not_an_approver"
    assert refused(lambda: desk.approve_as(made.request, token("alice", "any"))) == "own_request"
    desk.approve_as(made.request, token("zoe", "any"))
    assert desk.consume(made.request.id, "close", {}).allowed


def test_evidence_is_verified_again_when_it_is_used(desk: Desk) -> None:
    """Q3.6: a token that is revoked, or over, takes its approval with it"""
    made = desk.request()
    approved = desk.approve_as(made.request, token("carol", "finance"))
    assert approved.approver is not None
    short = desk.request(args={"amount": 7})
    desk.approve_as(short.request, token("carol", "finance", expires=NOW // 10**9 + 60))
    desk.clock.now += 61 * 10**9
    assert refused(lambda: desk.consume(short.request.id, args={"amount": 7})) == "evidence"
    assert desk.consume(made.request.id).allowed


def test_an_approval_that_stands_no_longer_leaves_the_request_open(desk: Desk) -> None:
    """Q3.7: and not approved by somebody whose word is worth nothing, until its time is over"""
    made = desk.request()
    desk.approve_as(made.request, token("carol", "finance", expires=NOW // 10**9 + 60))
    desk.clock.now += 61 * 10**9
    assert refused(lambda: desk.consume(made.request.id)) == "evidence"
    again = desk.request()
    assert (again.request.id, again.state, again.approver, again.decided) == (made.request.id, State.PENDING, None, None)
    assert refused(lambda: desk.consume(made.request.id)) == "pending"
    desk.approve_as(made.request, token("dora", "support"))
    assert desk.consume(made.request.id).allowed
    said = [(step["step"], step["refusal"], step["approver"]) for step in steps_of(desk)]
    assert said == [
        ("requested", None, None), ("approved", None, "carol"), ("refused", "evidence", None), ("refused", "pending", None),
        ("approved", None, "dora"), ("consumed", None, "dora"),
    ]  # fmt: skip


def test_an_approval_can_be_taken_back(desk: Desk) -> None:
    """Q4.7"""
    made = desk.request()
    desk.approve(made.request)
    assert refused(lambda: desk.approve_as(made.request, token("dora", "support"))) == "decided"
    with pytest.raises(ApprovalRefusedError):
        desk.steps.deny(made.request.id, by_token(token("alice", "finance"), made.request), desk.verifier, NOW)
    found = desk.steps.deny(made.request.id, by_token(token("dora", "support"), made.request), desk.verifier, NOW)
    assert found.state is State.DENIED and found.approver is not None and found.approver.user == "dora"
    assert refused(lambda: desk.consume(made.request.id)) == "denied"
    with desk.store.writing() as rows:
        row = rows.get(made.request.id)
        assert row is not None and row.evidence is None, "it would still be good for an approval"
    used = desk.request(args={"amount": 9})
    desk.approve(used.request)
    desk.consume(used.request.id, args={"amount": 9})
    assert refused(lambda: desk.steps.deny(used.request.id, by_key(FINANCE, used.request), None, NOW)) == "consumed"


def test_a_revoked_approver_s_approval_is_refused(tmp_path: Path) -> None:
    """Q3.6"""
    file = tmp_path / "revoked"
    file.write_text("")
    desk = Desk(tmp_path)
    from benchmarks.signed_policies import KEY

    desk.gate = Gate.from_bundle(
        tmp_path / "policy.hexgate", [KEY.public], state=tmp_path / "state", audit=desk.log, approvals=desk.store, revocations=file,
        refresh_seconds=None, clock=desk.clock,
    )  # fmt: skip
    made = desk.request()
    approved = desk.approve_as(made.request, token("carol", "finance"))
    assert approved.approver is not None and approved.approver.token_id is not None
    file.write_text(approved.approver.token_id + "\n")
    assert refused(lambda: desk.consume(made.request.id)) == "evidence"


def test_the_store_holds_no_secret(desk: Desk) -> None:
    """Q7.2: masked values, their plain hashes, and tokens that are good for anything else"""
    secret = "DE-secret-4711"
    made = desk.request(args={"amount": 5, "iban": secret})
    approver = token("carol", "finance")
    desk.approve_as(made.request, approver)
    found = b"".join(path.read_bytes() for path in (desk.folder / "state").glob("approvals.sqlite*"))
    assert made.request.shown == {"args": {"amount": 5, "iban": "[masked]"}} and made.request.masked == ("/input/args/iban",)
    assert secret.encode() not in found and approver.rstrip("=").encode() not in found and b'"[masked]"' in found
    assert desk.consume(made.request.id, args={"amount": 5, "iban": secret}).allowed
    kept = next(evidence for _, evidence in _rows(desk, "id, evidence"))
    verified = desk.verifier.user(json.loads(kept)["token"], NOW)
    assert verified.permits("wire", {"amount": 5}, NOW) is not None and verified.permits("hexgate.approve", {"request": "other"}, NOW) is not None


def _rows(desk: Desk, columns: str) -> list[tuple[Any, ...]]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(desk.store.path)) as connection:
        return list(connection.execute(f"SELECT {columns} FROM requests"))


def test_one_user_has_so_many_open_requests(desk: Desk) -> None:
    """Q1.4"""
    for number in range(OPEN_REQUESTS):
        desk.request(args={"amount": number + 1})
    assert refused(lambda: desk.request(args={"amount": 10**6})) == "too_many"
    assert desk.request(user=BOB).state is State.PENDING


def test_what_is_overdue_is_recorded_once_and_not_counted(desk: Desk) -> None:
    """Q1.4, Q6.4: also where the step that came to it is refused"""
    close = desk.request("close", {}, BOB)
    for number in range(OPEN_REQUESTS):
        desk.request(args={"amount": number + 1})
    desk.steps.deny(close.request.id, by_token(token("carol", "any"), close.request), desk.verifier, NOW)
    desk.clock.now += HOUR
    for _ in range(3):
        assert refused(lambda: desk.request("close", {}, BOB)) == "denied"
    assert [step["step"] for step in steps_of(desk)].count("expired") == OPEN_REQUESTS
    assert desk.request(args={"amount": 1}).state is State.PENDING


def test_what_is_not_recorded_does_not_count(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Q6.2"""
    made = desk.request()

    def fail(*_: object, **__: object) -> None:
        raise AuditUnavailableError("the disk is full")

    decision, args = desk.decide(), {"amount": 5, "iban": "DE12"}
    steps: tuple[tuple[State, Callable[[], object]], ...] = (
        (State.PENDING, lambda: desk.approve(made.request)),
        (State.APPROVED, lambda: desk.held.consume(made.request.id, decision, "wire", args, ALICE)),
    )
    for before, step in steps:
        with monkeypatch.context() as patch:
            patch.setattr(desk.log, "write", fail)
            with pytest.raises(AuditUnavailableError):
                step()
        assert desk.steps.get(made.request.id).state is before
        step()
    assert desk.steps.get(made.request.id).state is State.CONSUMED


def test_the_store_is_its_owner_s_only(desk: Desk) -> None:
    """Q7.1"""
    desk.request()
    files = list((desk.folder / "state").glob("approvals.sqlite*"))
    assert {path.name for path in files} >= {"approvals.sqlite", "approvals.sqlite.salt"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    desk.store.path.chmod(0o640)
    with pytest.raises(ApprovalStoreError, match=r"^`approvals.sqlite` can be used by others than its owner; give it the permissions 0600$"):
        desk.request()


BROKEN = (
    ("no database", lambda path: path.write_bytes(b"x" * 4096), "the store of approvals cannot be used: file is not a database"),
    ("an empty file", lambda path: path.write_bytes(b""), "`approvals.sqlite` is no store of approvals of this version; name another file"),
    ("a directory", lambda path: path.mkdir(), "`approvals.sqlite` is no file; name another one"),
)


@pytest.mark.parametrize(("make", "sentence"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_store_that_is_none_is_found_at_the_start(tmp_path: Path, make: Callable[[Path], object], sentence: str) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    make(tmp_path / "state" / "approvals.sqlite")
    for path in (tmp_path / "state").iterdir():
        path.chmod(0o700 if path.is_dir() else 0o600)
    with pytest.raises(ApprovalStoreError) as caught:
        Desk(tmp_path)
    assert str(caught.value) == sentence


def test_the_text_of_a_request_reads_back(desk: Desk) -> None:
    made = desk.request(args={"amount": 5, "f": 1.5, "n": None, "l": [1, {"a": "\u2028"}], "b": b"x"}).request
    assert read_request(made.text) == made or read_request(made.text).text == made.text
