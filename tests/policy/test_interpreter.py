"""The interpreter engine: total over any call, sizes, equal answers made once, time only where it is read."""

from __future__ import annotations

import datetime
import decimal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from hexgate.decision.decision import Reason, User, Verdict
from hexgate.decision.request import encode_request
from hexgate.faults import Fault
from hexgate.limits import NAME_BYTES, REQUEST_BYTES, TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.policy import interpret
from hexgate.policy.interpret import InterpreterEngine
from tests.policy.engines import ENGINES
from tests.policy.sets import check_text

POLICY = """\
version: 1
roles:
  r:
    tools:
      free: {mode: allow}
      limit: {mode: allow, constraints: [args.n <= 5]}
      text: {mode: allow, constraints: [size(args.s) >= 0]}
      two: {mode: allow, constraints: [size(args.s) >= 0 && size(args.t) >= 0]}
      whole: {mode: allow, constraints: [size(args) >= 0]}
      attr: {mode: allow, constraints: [size(user.attrs.s) >= 0]}
      ctx: {mode: allow, constraints: [size(ctx.s) >= 0]}
      resource: {mode: allow, constraints: [size(resource.s) >= 0]}
      clock: {mode: allow, constraints: [now.getFullYear() == 2024]}
      'p*': {mode: allow, constraints: [args.n <= 5]}
"""
USER = User("alice", "r")


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Any:
    return ENGINES[request.param](check_text(POLICY, "p.yaml"))


class Lying(str):
    """A text that says it is another."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("r")


class Hostile:
    """An object whose every method fails."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError


class HostileMapping(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise RuntimeError

    def __iter__(self) -> Any:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError


LOOP: list[Any] = []
LOOP.append(LOOP)
DEEP: Any = 1
for _ in range(50_000):
    DEEP = [DEEP]

VALUES = [
    None, True, 0, -1, 2**63, 2**64, -(2**63) - 1, 10**5_000, 1.5, float("nan"), float("inf"), "", "x", "\ud800", b"x", bytearray(b"x"),
    memoryview(b"xy")[::2], (), [], {}, {1: 2}, {"a": {1: 2}}, {None: 1}, set(), frozenset(), 1j, object(), Hostile(), HostileMapping(), Lying("x"),
    type, len, decimal.Decimal("1.5"), datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), datetime.date(2024, 1, 1),
    datetime.timedelta(1), threading.Lock(), LOOP, DEEP, Ellipsis, range(3), iter([]), User("a", "r"),
]  # fmt: skip
TOOLS = ["free", "limit", "text", "whole", "attr", "ctx", "resource", "clock", "pqr", "unknown"]


def test_any_value_anywhere(engine: Any) -> None:
    """Nothing in a call makes an engine raise or fail, and the next call is decided as ever."""
    for value in VALUES:
        for tool in TOOLS:
            for args in ({"n": value, "s": value}, value):
                assert engine.decide(tool, args, USER).reason is not Reason.ENGINE_FAULT, (tool, type(value))
        assert engine.decide("attr", {}, User("a", "r", {"s": value})).reason is not Reason.ENGINE_FAULT
        assert engine.decide("attr", {}, User("a", "r", value)).reason is not Reason.ENGINE_FAULT
        assert engine.decide("ctx", {}, USER, ctx={"s": value}, resource=value).reason is not Reason.ENGINE_FAULT
        assert engine.decide("ctx", {}, USER, ctx=value).reason is not Reason.ENGINE_FAULT
        assert engine.decide("limit", {"n": 5}, USER).allowed


def test_any_name(engine: Any) -> None:
    for value in [*VALUES, "x" * 10_000, "é" * (NAME_BYTES // 2 + 1)]:
        decision = engine.decide(value, {}, USER)
        assert (decision.verdict, decision.reason) == (Verdict.DENY, Reason.UNKNOWN_TOOL)
        decision = engine.decide("free", {}, User("alice", value))
        assert (decision.verdict, decision.reason) == (Verdict.DENY, Reason.UNKNOWN_ROLE)
        decision = engine.decide("free", {}, value)
        expected = (Verdict.DENY, Reason.MISSING_USER) if type(value) is not User else (Verdict.ALLOW, Reason.RULE)
        assert (decision.verdict, decision.reason) == expected
        decision = engine.decide("free", {}, User(value, "r"))
        is_id = type(value) is str and value == "x"
        assert decision.reason is (Reason.RULE if is_id else Reason.MISSING_USER)


def test_a_subclass_of_user_is_nobody(engine: Any) -> None:
    class Admin(User):
        pass

    assert engine.decide("free", {}, Admin("alice", "r")).reason is Reason.MISSING_USER


def test_names_of_full_length(engine: Any) -> None:
    assert engine.decide("p" * NAME_BYTES, {"n": 1}, USER).allowed
    assert engine.decide("p" * (NAME_BYTES + 1), {"n": 1}, USER).reason is Reason.UNKNOWN_TOOL
    assert engine.decide("pé", {"n": 1}, User("é" * (NAME_BYTES // 2), "r")).allowed
    assert engine.decide("pé", {"n": 1}, User("é" * (NAME_BYTES // 2) + "x", "r")).reason is Reason.MISSING_USER


def place(tool: str, value: Any) -> dict[str, Any]:
    """The call of `tool` whose rule reads a value."""
    roots = {"args": {}, "ctx": None, "resource": None, "attrs": {}}
    roots[{"attr": "attrs", "ctx": "ctx", "resource": "resource"}.get(tool, "args")] = {"s": value, "t": ""}
    return {
        "tool": tool, "args": roots["args"], "user": User("alice", "r", roots["attrs"]),
        "ctx": roots["ctx"], "resource": roots["resource"],
    }  # fmt: skip


@pytest.mark.parametrize("tool", ["text", "two", "whole", "attr", "ctx", "resource"])
@pytest.mark.parametrize("unit", ["x", "é", "😀", b"x"], ids=["ascii", "two bytes", "four bytes", "bytes"])
def test_requests_at_the_limit(engine: Any, tool: str, unit: Any) -> None:
    """The limit is exact, whatever bound is looked at first: the encoded request may be `REQUEST_BYTES` long."""
    policy = check_text(POLICY, "p.yaml")
    for count in (0, REQUEST_BYTES // 8, REQUEST_BYTES // 4 - 200, REQUEST_BYTES // 4, REQUEST_BYTES // 2, REQUEST_BYTES - 200, REQUEST_BYTES):
        call = place(tool, unit * count)
        length = len(encode_request(policy.reads_for(tool), "r", tool, call["user"], call["args"], call["ctx"], call["resource"], 0))
        decision = engine.decide(**call)
        assert (decision.reason is Reason.REQUEST_TOO_LARGE) is (length > REQUEST_BYTES)
    width = len(unit.encode()) if isinstance(unit, str) else 1
    longest = 0
    for count in range(REQUEST_BYTES // width - 100, REQUEST_BYTES // width + 1):
        decision = engine.decide(**place(tool, unit * count))
        if decision.reason is not Reason.REQUEST_TOO_LARGE:
            assert decision.allowed
            longest = count
    call = place(tool, unit * longest)
    length = len(encode_request(policy.reads_for(tool), "r", tool, call["user"], call["args"], call["ctx"], call["resource"], 0))
    assert REQUEST_BYTES - width < length <= REQUEST_BYTES


def test_what_is_not_read_may_be_large(engine: Any) -> None:
    large = {"n": 1, "body": "x" * (2 * REQUEST_BYTES), "more": [["x"] * REQUEST_BYTES]}
    assert engine.decide("limit", large, USER, ctx=large, resource=large).allowed
    assert engine.decide("limit", large, User("a", "r", large)).allowed
    assert engine.decide("whole", large, USER).reason is Reason.REQUEST_TOO_LARGE


def test_containers_count(engine: Any) -> None:
    assert engine.decide("text", {"s": ["x" * 1000] * 60}, USER).allowed
    assert engine.decide("text", {"s": ["x" * 1000] * 70}, USER).reason is Reason.REQUEST_TOO_LARGE
    assert engine.decide("text", {"s": {str(n): n for n in range(20_000)}}, USER).reason is Reason.REQUEST_TOO_LARGE
    assert engine.decide("unknown", {"s": ["x" * 1000] * 70}, USER).reason is Reason.UNKNOWN_TOOL


def test_the_clock_is_asked_only_where_a_rule_reads_it() -> None:
    asked = []

    def clock() -> int:
        asked.append(1)
        return 1_710_000_000 * 10**9

    engine = InterpreterEngine(check_text(POLICY, "p.yaml"), clock)
    assert engine.decide("free", {}, USER).allowed
    assert engine.decide("clock", {}, USER, now=0).reason is Reason.CONSTRAINT_FAILED
    assert not asked
    assert engine.decide("clock", {}, USER).allowed
    assert len(asked) == 1


def test_a_clock_that_fails_denies() -> None:
    engine = InterpreterEngine(check_text(POLICY, "p.yaml"), lambda: 1 // 0)
    assert engine.decide("clock", {}, USER).reason is Reason.ENGINE_FAULT
    assert engine.decide("free", {}, USER).allowed


def test_times_that_are_no_times(engine: Any) -> None:
    assert engine.decide("clock", {}, USER, now=1_710_000_000 * 10**9).allowed
    for now in (2**200, -(2**200), TIMESTAMP_MAX + 1, TIMESTAMP_MIN - 1, "x", 1.5, True, datetime.datetime.now()):
        assert engine.decide("free", {}, USER, now=now).allowed
        decision = engine.decide("clock", {}, USER, now=now)
        assert (decision.reason, decision.fault) == (Reason.EVALUATION_ERROR, Fault.UNSUPPORTED_VALUE)


def test_a_decision_is_made_once() -> None:
    engine = InterpreterEngine(check_text(POLICY, "p.yaml"))
    for args in ({"n": 1}, {"n": 9}, {}):
        assert engine.decide("limit", args, USER) is engine.decide("limit", dict(args), User("bob", "r"))
    assert engine.decide("limit", {"n": 1}, USER) is not engine.decide("pqr", {"n": 1}, USER)
    assert engine.decide("pa", {"n": 1}, USER).tool == "pa"


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpret, "CACHED_PLANS", 10)
    engine = InterpreterEngine(check_text(POLICY, "p.yaml"))
    for number in range(100):
        assert engine.decide(f"p{number}", {"n": 1}, USER).allowed
        assert engine.decide(f"unknown{number}", {}, USER).reason is Reason.UNKNOWN_TOOL
    assert len(engine._plans) <= 10


def test_threads_decide_alike(engine: Any) -> None:
    wrong = []

    def run(seed: int) -> None:
        for number in range(300):
            n = (number * 7 + seed) % 11
            if engine.decide("limit", {"n": n}, USER).allowed is not (n <= 5):
                wrong.append(n)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_interpreter_imports_no_compiler() -> None:
    code = "import sys, hexgate.policy.interpret; print(sorted(n for n in sys.modules if n.startswith(('hexgate.compiler', 'yaml', 'wasmtime'))))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
