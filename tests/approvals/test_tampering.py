"""Whoever can write the store cannot make an approval out of nothing, nor one for another call (docs/approvals.md Q7.3)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.approvals.evidence import by_key
from hexgate.approvals.refusal import ApprovalRefusedError, ApprovalStoreError
from hexgate.audit.read import lines_of
from hexgate.bundle.keys import generate_key
from tests.approvals.held import FINANCE, NOW, Desk, token

Row = dict[str, Any]
INTRUDER = generate_key()


def rows(desk: Desk) -> list[Row]:
    with closing(sqlite3.connect(desk.store.path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM requests ORDER BY created, id")]


def rewrite(desk: Desk, id_: str, row: Row) -> None:
    with closing(sqlite3.connect(desk.store.path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE requests SET {', '.join(f'{name} = ?' for name in row)} WHERE id = ?", (*row.values(), id_))


def edited(row: Row, **members: Any) -> Row:
    """The row with other members in its request's text, as Hexgate itself would write them."""
    request = json.loads(row["request"])
    for name, value in members.items():
        if name == "approvers":
            request["held_by"]["approvers"] = value
        else:
            request[name] = value
    return {**row, "request": json.dumps(request, separators=(",", ":"))}


def signed_by_intruder(desk: Desk, row: Row) -> Row:
    from hexgate.approvals.request import read_request

    return {**row, "state": "approved", "evidence": by_key(INTRUDER, read_request(row["request"])).text}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Two requests of alice, for 5 and for 5000; the one for 5 is approved."""
    desk = Desk(tmp_path)
    cheap = desk.request(args={"amount": 5})
    desk.request(args={"amount": 5000})
    desk.approve(cheap.request)
    return desk


def two(desk: Desk) -> tuple[Row, Row]:
    """The approved and the pending row."""
    first, second = sorted(rows(desk), key=lambda row: row["state"])
    assert (first["state"], second["state"]) == ("approved", "pending")
    return first, second


Edit = Callable[[Desk, Row, Row], Row]
EDITS: tuple[tuple[str, str, Edit], ...] = (
    ("only the state", "evidence", lambda d, a, p: {"state": "approved"}),
    ("another request's evidence", "evidence", lambda d, a, p: {"state": "approved", "evidence": a["evidence"], "approver": a["approver"]}),
    ("a signature of another key", "not_an_approver", lambda d, a, p: signed_by_intruder(d, p)),
    ("another key that calls itself an approver", "altered", lambda d, a, p: signed_by_intruder(d, edited(p, approvers=[INTRUDER.public.text]))),
    ("evidence that is none", "evidence", lambda d, a, p: {"state": "approved", "evidence": '{"token":1}'}),
    ("evidence that is no text", "evidence", lambda d, a, p: {"state": "approved", "evidence": b"\xff"}),
    ("a token that is none", "evidence", lambda d, a, p: {"state": "approved", "evidence": '{"token":"x"}'}),
    ("an approver's name", "evidence", lambda d, a, p: {"state": "approved", "approver": a["approver"]}),
    ("another id in the text", "altered", lambda d, a, p: edited(p, id="0" * 32)),
    ("a text that is none", "altered", lambda d, a, p: {"request": "{}"}),
    ("a text in another form", "altered", lambda d, a, p: {"request": p["request"] + " "}),
    ("no text", "altered", lambda d, a, p: {"request": 5}),
    ("a state that is none", "altered", lambda d, a, p: {"state": "allowed"}),
    ("another end", "altered", lambda d, a, p: {"expires": p["expires"] + 1}),
)  # fmt: skip


@pytest.mark.parametrize(("word", "edit"), [edit[1:] for edit in EDITS], ids=[edit[0] for edit in EDITS])
def test_an_edited_row_is_no_approval(desk: Desk, word: str, edit: Edit) -> None:
    approved, pending = two(desk)
    rewrite(desk, pending["id"], edit(desk, approved, pending))
    with pytest.raises(ApprovalRefusedError) as caught:
        desk.consume(pending["id"], args={"amount": 5000})
    assert caught.value.refusal.value == word


def test_the_approved_row_made_to_be_for_another_call(desk: Desk) -> None:
    approved, pending = two(desk)
    digest = json.loads(pending["request"])["args_digest"]
    shown = json.loads(pending["request"])["shown"]
    for members in ({"args_digest": digest}, {"args_digest": digest, "shown": shown}, {"user": "bob"}, {"tool": "close"}):
        rewrite(desk, approved["id"], edited(approved, **members))
        for args in ({"amount": 5}, {"amount": 5000}):
            with pytest.raises(ApprovalRefusedError):
                desk.consume(approved["id"], args=args)
        rewrite(desk, approved["id"], approved)
    assert desk.consume(approved["id"], args={"amount": 5}).allowed


def test_an_approver_who_was_shown_other_arguments_has_not_approved_these(desk: Desk) -> None:
    """Edited before anybody decides: people see 5, the digest is of 5000."""
    _, pending = two(desk)
    rewrite(desk, pending["id"], edited(pending, shown={"args": {"amount": 5}}))
    shown = desk.steps.get(pending["id"]).request
    assert shown.shown == {"args": {"amount": 5}}
    desk.approve(shown, by_key(FINANCE, shown))
    with pytest.raises(ApprovalRefusedError) as caught:
        desk.consume(pending["id"], args={"amount": 5000})
    assert caught.value.refusal.value == "altered"


def test_a_longer_time_is_not_the_policy_s(desk: Desk) -> None:
    _, pending = two(desk)
    year = 365 * 24 * 3_600 * 10**9
    longer = edited(pending, expires=pending["expires"] + year)
    rewrite(desk, pending["id"], {**longer, "expires": pending["expires"] + year})
    found = desk.steps.get(pending["id"]).request
    desk.approve(found, by_key(FINANCE, found))
    with pytest.raises(ApprovalRefusedError) as caught:
        desk.consume(pending["id"], args={"amount": 5000})
    assert caught.value.refusal.value == "altered"


def test_a_denial_turned_into_an_approval_has_no_evidence(desk: Desk) -> None:
    _, pending = two(desk)
    found = desk.steps.get(pending["id"]).request
    desk.steps.deny(found.id, by_key(FINANCE, found), None, NOW)
    rewrite(desk, found.id, {"state": "approved"})
    with pytest.raises(ApprovalRefusedError) as caught:
        desk.consume(found.id, args={"amount": 5000})
    assert caught.value.refusal.value == "evidence"


def test_a_used_approval_that_is_set_back_is_in_the_log_twice(desk: Desk) -> None:
    """Q7.4: what whoever can write the store can do"""
    approved, _ = two(desk)
    for _ in range(2):
        assert desk.consume(approved["id"], args={"amount": 5}).allowed
        rewrite(desk, approved["id"], {"state": "approved"})
    records = map(json.loads, lines_of(desk.folder / "state" / "audit"))
    assert [record["request"] for record in records if record.get("step") == "consumed"] == [approved["id"]] * 2


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("approvals"))
    cheap = desk.request(args={"amount": 5})
    desk.request(args={"amount": 5000})
    desk.approve_as(cheap.request, token("carol", "finance"))
    return desk


VALUES = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20) | st.binary(max_size=20)
COLUMNS = ("call", "user", "state", "created", "expires", "request", "evidence", "approver", "decided", "consumed")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_edit_lets_the_other_call_run(shared: Desk, data: st.DataObject) -> None:
    """Columns of both rows exchanged or replaced at will: the call that nobody approved never runs."""
    approved, pending = two(shared)
    changed = dict(pending)
    for name in data.draw(st.sets(st.sampled_from(COLUMNS), min_size=1)):
        changed[name] = data.draw(st.sampled_from([approved[name], "approved"]) | VALUES)
    text = data.draw(st.sampled_from([pending["request"], approved["request"], changed["request"]]))
    if type(text) is str and text:
        at = data.draw(st.integers(0, len(text) - 1))
        changed["request"] = data.draw(st.sampled_from([text, text[:at] + data.draw(st.characters(codec="ascii")) + text[at + 1 :]]))
    try:
        rewrite(shared, pending["id"], {name: changed[name] for name in COLUMNS})
    except (sqlite3.IntegrityError, UnicodeEncodeError):
        return
    try:
        with pytest.raises((ApprovalRefusedError, ApprovalStoreError)):
            shared.consume(pending["id"], args={"amount": 5000})
    finally:
        rewrite(shared, pending["id"], pending)
