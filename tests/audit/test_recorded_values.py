"""What is written of a call: its values exactly or not at all, masked where the policy says so, and nothing a terminal obeys."""

from __future__ import annotations

import datetime
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.audit.event import EventMalformedError, read_event, read_record, write_event
from hexgate.audit.log import AuditLog
from hexgate.audit.masking import Masking
from hexgate.audit.recordable import record_roots, restore_value
from hexgate.audit.sinks import FunctionSink
from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.decision.mask_paths import MaskPathError
from hexgate.decision.reads import EVERYTHING, Reads
from hexgate.identity.refusal import TokenRefusal
from hexgate.values import Duration, Timestamp, UInt
from tests.audit.logs import ALL, ALLOWED, START, Clock, events, policy, record, rotation

UTC = datetime.UTC


def recorded(args: Any, reads: Reads = ALL, **more: Any) -> dict[str, Any]:
    """The event of one call, through a log without a file."""
    lines: list[bytes] = []
    given = {key: more.pop(key) for key in ("mask", "hash") if key in more}
    log = AuditLog(None, sinks=[FunctionSink(lines.append)], clock=Clock())
    record(log.recorder(policy(reads, **given)), args=args, **more)
    assert write_event(read_event(read_record(lines[0]))) == lines[0]
    assert all(32 <= byte < 127 for byte in lines[0])
    found: dict[str, Any] = json.loads(lines[0])
    return found


class Lying(str):
    """A str that is not what it says."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("code of a caller's object was run")

    __hash__ = str.__hash__


VALUES: list[tuple[Any, Any, dict[str, str]]] = [
    (1, 1, {}),
    (-(2**63), -(2**63), {}),
    (2**64 - 1, 2**64 - 1, {}),
    (2**64, None, {"": "unsupported"}),
    (1.0, 1.0, {}),
    (float("inf"), None, {"": "unsupported"}),
    (True, True, {}),
    (None, None, {}),
    ("ä\u2028\x1b[2J\n\x7f", "ä\u2028\x1b[2J\n\x7f", {}),
    ("😀", "😀", {}),
    ("\ud800", None, {"": "unsupported"}),
    (b"\x00\xff", "AP8=", {"": "bytes"}),
    (UInt(7), 7, {"": "uint"}),
    (Timestamp(5), 5, {"": "timestamp"}),
    (Duration(-5), -5, {"": "duration"}),
    (datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 10**9, {"": "timestamp"}),
    (datetime.datetime(1970, 1, 1), None, {"": "unsupported"}),
    (Lying("x"), None, {"": "unsupported"}),
    (..., None, {"": "unsupported"}),
    ({1: 2}, None, {"": "unsupported"}),
    ([1, (2, b"")], [1, [2, ""]], {"/1/1": "bytes"}),
    ({"a/b~c": UInt(1)}, {"a/b~c": 1}, {"/a~1b~0c": "uint"}),
]


@pytest.mark.parametrize("args", [False, True], ids=["quick", "careful"])
@pytest.mark.parametrize(("value", "expected", "types"), VALUES, ids=lambda value: repr(value)[:30])
def test_values(value: Any, expected: Any, types: dict[str, str], args: bool) -> None:
    found = recorded({"v": value}, ALL if args else Reads(args=frozenset({"v"})))
    assert found["input"] == {"args": {"v": expected}}
    assert found["types"] == {f"/input/args/v{pointer}": type_ for pointer, type_ in types.items()}
    assert found["masked"] == found["erased"] == []


ERASED: list[tuple[str, Any, Reads, dict[str, Any], list[str]]] = [
    ("an unread argument", {"a": 1, "b": 2}, Reads(args=frozenset("a")), {"args": {"a": 1}}, ["/input/args/b"]),
    ("an unread argument with an odd name", {"a/ ": 1}, Reads(args=frozenset("a")), {"args": {}}, ["/input/args/a~1 "]),
    ("an absent argument", {}, Reads(args=frozenset("a")), {}, []),
    ("a long string", {"a": "x" * 2049, "b": 1}, ALL, {"args": {"b": 1}}, ["/input/args/a"]),
    ("a long string in a list", {"a": ["x" * 2049], "b": 1}, ALL, {}, ["/input/args"]),
    ("much", {"a": ["x" * 2000] * 9}, ALL, {}, ["/input/args"]),
    ("many elements", {"a": [0] * 20_000}, ALL, {}, ["/input/args"]),
    ("many unread arguments", {f"a{n}": n for n in range(65)}, Reads(), {}, ["/input/args"]),
    ("a long name", {"a" * 129: 1}, ALL, {}, ["/input/args"]),
    ("a name that is no text", {1: 1}, ALL, {}, ["/input/args"]),
    ("a name that is half a character", {"\ud800": 1}, ALL, {}, ["/input/args"]),
]


@pytest.mark.parametrize(("args", "reads", "input_", "erased"), [row[1:] for row in ERASED], ids=[row[0] for row in ERASED])
def test_what_is_not_recorded_is_named(args: Any, reads: Reads, input_: dict[str, Any], erased: list[str]) -> None:
    found = recorded(args, reads)
    assert (found["input"], found["erased"]) == ({"args": {}, **input_} if input_.keys() == {"args"} else input_, erased)


def test_arguments_that_are_no_object() -> None:
    found = recorded([1])
    assert (found["input"], found["types"]) == ({}, {"/input/args": "unsupported"})


def test_every_root_is_recorded() -> None:
    user = User("alice", "billing", {"region": "eu", "secret": 1})
    found = recorded({}, Reads(attrs=frozenset({"region"}), ctx=EVERYTHING), user=user, ctx={"ip": "::1"}, resource={"owner": "x"})
    assert found["input"] == {"attrs": {"region": "eu"}, "ctx": {"ip": "::1"}, "resource": {}}
    assert found["erased"] == ["/input/attrs/secret", "/input/resource/owner"]


MASKED: list[tuple[str, tuple[str, ...], Any, Any, list[str]]] = [
    ("one member", ("args.card",), {"card": "4111", "a": 1}, {"card": "[masked]", "a": 1}, ["/input/args/card"]),
    ("a number", ("args.card",), {"card": 4111}, {"card": "[masked]"}, ["/input/args/card"]),
    ("a null", ("args.card",), {"card": None}, {"card": "[masked]"}, ["/input/args/card"]),
    ("nested", ("args.c.card",), {"c": {"card": "4111", "x": 1}}, {"c": {"card": "[masked]", "x": 1}}, ["/input/args/c/card"]),
    ("in a list", ("args.c.card",), {"c": [{"card": 1}, {"card": 2}]}, {"c": [{"card": "[masked]"}] * 2}, ["/input/args/c/0/card", "/input/args/c/1/card"]),
    ("not the shape expected", ("args.c.card",), {"c": "4111"}, {"c": "[masked]"}, ["/input/args/c"]),
    ("strings for members", ("args.c.card",), {"c": ["4111"]}, {"c": ["[masked]"]}, ["/input/args/c/0"]),
    ("of this tool", ("refund_order/args.card",), {"card": 1}, {"card": "[masked]"}, ["/input/args/card"]),
    ("of a pattern", ("refund*/args.card",), {"card": 1}, {"card": "[masked]"}, ["/input/args/card"]),
    ("of another tool", ("other/args.card",), {"card": 1}, {"card": 1}, []),
    ("a long string", ("args.card",), {"card": "4" * 10**6}, {"card": "[masked]"}, ["/input/args/card"]),
]  # fmt: skip


@pytest.mark.parametrize(("paths", "args", "expected", "masked"), [row[1:] for row in MASKED], ids=[row[0] for row in MASKED])
def test_masks(paths: tuple[str, ...], args: Any, expected: Any, masked: list[str]) -> None:
    found = recorded(args, mask=paths)
    assert (found["input"]["args"], found["masked"]) == (expected, masked)


def test_hashes_are_keyed_by_the_log_and_equal_for_equal_values(tmp_path: Path) -> None:
    with AuditLog(tmp_path / "log", state=tmp_path / "state", rotation=rotation(), clock=Clock()) as log:
        recorder = log.recorder(policy(ALL, hash=("args.email",)))
        record(recorder, args={"email": "a@example.com"})
        record(recorder, args={"email": "a@example.com", "x": 1})
    first, second = (event["input"]["args"]["email"] for event in events(tmp_path))
    salt = bytes.fromhex((tmp_path / "state" / "audit.salt").read_text())
    assert first == second == "hmac-sha256:" + hmac.digest(salt, b"a@example.com", "sha256").hex()


def test_masking_beats_hashing_and_the_whole_its_part() -> None:
    found = recorded({"a": {"b": 1}, "c": 2}, mask=("args.a.b", "args.c"), hash=("args.a", "args.c"))
    assert found["input"]["args"]["c"] == "[masked]"
    assert found["input"]["args"]["a"].startswith("hmac-sha256:")


@pytest.mark.parametrize(
    "path", ["", "args", "args.", "user.id", "user.email", "now", "args.a b", "args..a", "/args.a", "a b/args.c", "args[0]", "args.ä"]
)
def test_paths_that_are_none(path: str) -> None:
    sentence = f"`{path}` is no path to mask; write `args.card_number`, `user.attrs.email`, `ctx.x` or `resource.x`"
    with pytest.raises(MaskPathError, match=f"^{re.escape(sentence)}$"):
        Masking.parse(mask=[path])


def test_paths_are_printed_as_they_are_read() -> None:
    texts = ["args.card_number", "user.attrs.email", "a:b/c.*/ctx.x.y", "t/resource.z-1"]
    assert [str(path) for path in Masking.parse(hash=texts).paths] == texts


NAMES = ["x" * 10_000, "a\nb", "\x1b[31m", "\u2028", "\ud800", "\x7f", "", 7, None, b"x"]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_hostile_names_are_cut_and_escaped(name: Any) -> None:
    decision = Decision(Verdict.DENY, Reason.UNKNOWN_TOOL, name if type(name) is str else None, name if type(name) is str else None)
    found = recorded({}, decision=decision, user=User(name, "r"), run_id=name, call_id=name, token_id=name)
    expected = None
    if type(name) is str:
        expected = name[:255] + "…" if len(name) > 256 else name.replace("\ud800", "\ufffd")
    assert [found[key] for key in ("user", "run_id", "call_id", "token_id")] == [expected] * 4
    assert (found["result"]["role"], found["result"]["tool"]) == (expected, expected)


def test_nobody() -> None:
    assert recorded({}, user=None)["user"] is None


def test_the_digest_tells_arguments_apart_whatever_their_order() -> None:
    lines: list[bytes] = []
    log = AuditLog(None, sinks=[FunctionSink(lines.append)], clock=Clock())
    recorder = log.recorder(policy())
    for args in ({"a": 1, "b": [{"c": 1, "d": 2}]}, {"b": [{"d": 2, "c": 1}], "a": 1}, {"a": 1.0, "b": 2}, {"a": 2**70}, {"a": 2**71}, 7):
        record(recorder, args=args)
    digests = [json.loads(line)["args_digest"] for line in lines]
    assert digests[0] == digests[1] and digests[3] == digests[4]
    assert len(set(digests)) == 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(args=st.dictionaries(st.text(max_size=8), JSON, max_size=5), names=st.sets(st.text(max_size=8), max_size=4))
def test_any_arguments_give_one_line_that_reads_back(args: dict[str, Any], names: set[str]) -> None:
    keys = [*list(args)[:2], *names]
    recorded(args, Reads(args=frozenset(keys)))
    recorded(args)


@settings(deadline=None)
@given(args=st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_what_is_recorded_is_restored(args: dict[str, Any]) -> None:
    made, notes = record_roots((("args", args, EVERYTHING, {}),), lambda data: "")
    if not notes.erased and args:
        restored = restore_value(made["args"], "/input/args", notes.types)
        again, more = record_roots((("args", restored, EVERYTHING, {}),), lambda data: "")
        assert (again, more.types) == (made, notes.types)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (b"", "the JSON is empty"),
        (b"[]", "the line is no record of an audit log"),
        (b'{"type":1}', "the line is no record of an audit log"),
        (b'{"type":"decision","type":"x"}', "the key `type` appears twice in one object"),
        (b'"' + b"x" * 65_536, "the line is longer than 65536 bytes"),
    ],
)
def test_lines_that_are_no_records(line: bytes, sentence: str) -> None:
    with pytest.raises(EventMalformedError, match=f"^{re.escape(sentence)}$"):
        read_record(line)


def test_events_that_lack_a_field() -> None:
    found = recorded({})
    for key in found:
        if key not in ("type",):
            broken = {name: value for name, value in found.items() if name != key}
            with pytest.raises(EventMalformedError, match=r"^the event lacks a field, or one has another type$"):
                read_event(broken)


def test_what_few_events_have_reads_back() -> None:
    found = recorded({}, token_refusal=TokenRefusal.EXPIRED, decided_at=START + 7)
    event = read_event(found)
    assert (found["token_refusal"], event.token_refusal, event.decided_at) == ("expired", "expired", START + 7)
    assert list(found)[6:10] == ["token_id", "token_refusal", "now", "run_id"]


def test_time_is_the_decision_s() -> None:
    found = recorded({}, now=START + 123, latency_ns=456)
    assert found["timestamp"] == "2025-11-24T16:00:00.000000123Z"
    assert found["metrics"] == {"timer_hexgate_decide_ns": 456}
    assert found["bundles"] == {"policy": {"revision": "7", "digest": "ab" * 32}}
    assert ALLOWED.bundle is not None
