"""The policy table in JSON: one form, and every other document is refused with a sentence of ours."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.policies import REFUNDS, checked
from hexgate.compiler.compile import compile_policy
from hexgate.decision.outcomes import PolicyTable
from hexgate.decision.policy_table import PolicyTableError, read_table, write_table

FILES = {
    **REFUNDS,
    "ops.yaml": b"""version: 1
tools:
  github.*:
    mode: approval_required
    approvers: [lead]
    expires_in: 1h
    message: ask first
    constraints: [ctx.ok, resource.owner == user.attrs.team, 'now > timestamp("2020-01-01T00:00:00Z")', 'size(args) < 9']
""",
}
TABLE = compile_policy(checked(FILES)).table
DOCUMENT: Any = json.loads(write_table(TABLE))


def _bytes(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()


def test_what_is_written_is_read_back() -> None:
    assert read_table(write_table(TABLE)) == TABLE
    assert read_table(write_table(PolicyTable((), (), (), {}, (), TABLE.default_reads))).rules == ()


MALFORMED = "the policy table is malformed"
FORM = "the policy table is not in its one form"
OUTCOME = "an outcome of the policy table is none that a rule has"
NAMELESS = "an outcome of the policy table names no rule or no constraint"

CHANGED: list[tuple[str, Any, str]] = [
    # path to what is replaced, by what, the refusal
    ("format", "hexgate.policy-table.v2", "the policy table has another format than `hexgate.policy-table.v1`"),
    ("format", None, "the policy table has another format than `hexgate.policy-table.v1`"),
    ("more", 1, FORM),
    ("rules", None, MALFORMED),
    ("rules", {}, FORM),
    ("rules", "", FORM),
    ("rules", [1], MALFORMED),
    ("rules/0/more", 1, FORM),
    ("rules/0/role", 5, MALFORMED),
    ("rules/0/role", "\ud800", MALFORMED),
    ("rules/0/tool", None, MALFORMED),
    ("rules/0/number", True, MALFORMED),
    ("rules/0/number", 0.0, MALFORMED),
    ("rules/0/number", -1, MALFORMED),
    ("rules/0/number", 2**53, MALFORMED),
    ("rules/0/number", 10**400, MALFORMED),
    ("rules/0/mode", "maybe", MALFORMED),
    ("rules/0/mode", ["allow"], MALFORMED),
    ("rules/0/place", [], MALFORMED),
    ("rules/0/place", ["f", 1, 1, 1, 1], MALFORMED),
    ("rules/0/place", ["f", "1", 1, 1], MALFORMED),
    ("rules/0/constraints", [[]], MALFORMED),
    ("rules/0/constraints", [["x"]], MALFORMED),
    ("rules/0/constraints", [[1, "f", 1, 1, 1]], MALFORMED),
    ("rules/0/message", 1, MALFORMED),
    ("rules/0/approvers", "ab", FORM),
    ("rules/0/approvers", [None], MALFORMED),
    ("rules/0/expires_in", "1h", MALFORMED),
    ("outcomes", 1, MALFORMED),
    ("outcomes/0", ["rule", 0], MALFORMED),
    ("outcomes/0", ["rule", 0, None, 1], MALFORMED),
    ("outcomes/0", ["rule", 99, None], NAMELESS),
    ("outcomes/0", ["rule", -1, None], MALFORMED),
    ("outcomes/0", ["rule", True, None], MALFORMED),
    ("outcomes/0", ["rule", 0, 0], OUTCOME),
    ("outcomes/0", ["constraint_failed", 0, None], OUTCOME),
    ("outcomes/0", ["evaluation_error", 0, 64], NAMELESS),
    ("outcomes/0", ["unknown_role", 0, None], OUTCOME),
    ("outcomes/0", ["engine_fault", 0, 0], OUTCOME),
    ("outcomes/0", ["nothing", 0, None], MALFORMED),
    ("roles", ["billing", "billing"], "the policy table names a role twice"),
    ("roles", [1], MALFORMED),
    ("reads", [], MALFORMED),
    ("reads/more", {}, FORM),
    ("reads/tools", [], MALFORMED),
    ("reads/tools/refund_order", None, MALFORMED),
    ("reads/tools/refund_order", {"more": ["a"]}, FORM),
    ("reads/tools/refund_order", {"args": ["b", "a"]}, FORM),
    ("reads/tools/refund_order", {"args": ["a", "a"]}, FORM),
    ("reads/tools/refund_order", {"args": []}, FORM),
    ("reads/tools/refund_order", {"args": "ab"}, FORM),
    ("reads/tools/refund_order", {"args": [1]}, MALFORMED),
    ("reads/tools/refund_order", {"args": 1}, MALFORMED),
    ("reads/tools/refund_order", {"now": 1}, FORM),
    ("reads/tools/refund_order", {"now": False}, FORM),
    ("reads/patterns", [["a"]], MALFORMED),
    ("reads/patterns", [[1, {}]], MALFORMED),
    ("reads/default", [], MALFORMED),
]


@pytest.mark.parametrize(("path", "value", "message"), CHANGED, ids=lambda value: str(value)[:40])
def test_another_document_is_refused(path: str, value: Any, message: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    target = document
    for part in parents:
        target = target[part]
    target[last] = value
    with pytest.raises(PolicyTableError) as caught:
        read_table(_bytes(document))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", MALFORMED),
        (b"[]", MALFORMED),
        (b"null", MALFORMED),
        (b"{}", MALFORMED),
        (b"[" * 1000, MALFORMED),
        (b"\xff", MALFORMED),
        (write_table(TABLE) + b"\n", FORM),
        (write_table(TABLE).replace(b":", b": "), FORM),
        (write_table(TABLE) + b"x", MALFORMED),
        (write_table(TABLE).replace(b'"format"', b'"format":1,"format"'), MALFORMED),
        (write_table(TABLE).replace(b'"number":0', b'"number":NaN', 1), MALFORMED),
    ],
    ids=lambda value: str(value)[:30],
)
def test_other_bytes_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(PolicyTableError) as caught:
        read_table(data)
    assert str(caught.value) == message


@given(st.integers(0, len(write_table(TABLE)) - 1), st.integers(0, 255))
def test_one_changed_byte_is_another_table_or_none(place: int, byte: int) -> None:
    data = write_table(TABLE)
    changed = data[:place] + bytes([byte]) + data[place + 1 :]
    try:
        assert write_table(read_table(changed)) == changed
    except PolicyTableError:
        assert changed != data
