"""The schema of events: sound itself, true of every kind of line, one with the code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hexgate.approvals.refusal import ApprovalRefusal
from hexgate.audit.event import NAME_CHARACTERS, TEXT_CHARACTERS
from hexgate.audit.log import AuditLog
from hexgate.audit.recordable import POINTERS, TYPES
from hexgate.audit.recorder import ApprovalStep, record_step
from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.faults import Fault
from hexgate.identity.refusal import TokenRefusal
from tests.audit.logs import ALL, DENIED, Clock, policy, record, records, rotation

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "schemas" / "audit-event.schema.json").read_text(encoding="utf-8")
)


def test_the_schema_is_sound() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_line_fits(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for turn in range(2):
        with AuditLog(log, state=tmp_path, rotation=rotation(3, size=2_000), clock=Clock()) as open_log:
            recorder = open_log.recorder(policy(ALL, mask=("args.card",)))
            record(recorder)
            record(recorder, token_refusal=TokenRefusal.REVOKED, decided_at=5)
            record(recorder, decision=DENIED, args={"card": 1, "b": b"x", "o": object(), "long": "x" * 5000}, latency_ns=5)
            record_step(open_log, ApprovalStep("requested", "1f", "ab" * 32, "\x1b", "\ud800", "r", "cd" * 32, bundle="ef" * 32), 1)
            record_step(open_log, ApprovalStep("refused", "x" * 999, refusal="expired"), 2)
            open_log.count_denial()
            unknown = Decision(Verdict.DENY, Reason.UNKNOWN_TOOL, "x" * 999, "\x1b")
            record(recorder, decision=unknown, user=User("\ud800", "r", {"a": 1}), ctx={"b": 1}, resource=[], token_id="t")
        newest = max(log.rglob("*.ndjson"))
        torn = b"" if turn else b"torn"
        newest.write_bytes(newest.read_bytes() + torn)
    validator = Draft202012Validator(SCHEMA)
    kinds = set()
    for found in records(log):
        assert [error.message for error in validator.iter_errors(found)] == []
        kinds.add(found["type"])
    assert kinds == {"decision", "approval", "segment", "repaired", "unrecorded"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("decision", "properties", "result", "properties", "verdict", "enum"), [verdict.value for verdict in Verdict]),
        (("decision", "properties", "result", "properties", "reason", "enum"), [reason.value for reason in Reason]),
        (("decision", "properties", "result", "properties", "fault", "enum"), [None, *(fault.code for fault in Fault)]),
        (("decision", "properties", "token_refusal", "enum"), [refusal.value for refusal in TokenRefusal]),
        (("approval", "properties", "refusal", "enum"), [None, *(refusal.value for refusal in ApprovalRefusal)]),
        (("approval", "required"), ["seq", "prev", "decision_id", "timestamp", "type", *ApprovalStep.__slots__]),
        (("decision", "properties", "user", "maxLength"), NAME_CHARACTERS),
        (("decision", "properties", "masked", "maxItems"), POINTERS),
        (("decision", "properties", "result", "properties", "constraint", "oneOf", 1, "properties", "text", "maxLength"), TEXT_CHARACTERS),
    ],
)
def test_the_schema_says_what_the_code_does(path: tuple[Any, ...], expected: Any) -> None:
    found: Any = SCHEMA["$defs"]
    for step in path:
        found = found[step]
    assert found == expected


def test_the_schema_has_every_type() -> None:
    types = SCHEMA["$defs"]["decision"]["properties"]["types"]["additionalProperties"]["enum"]
    assert set(types) == TYPES
