"""`hexgate.testing`: the assertions of a user's own tests, whole texts included, and the strategy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from benchmarks.signed_policies import KEY, signed_policy
from hexgate import testing
from hexgate.decision.decision import Reason, User, Verdict
from hexgate.diagnostics import PolicyInvalidError
from hexgate.runtime import Gate
from hexgate.testing import DecidedCall, assert_allows, assert_denies, assert_requires_approval, decide, parity
from tests.policy.sets import check_text

TEXT = """version: 1
roles:
  clerk:
    tools:
      pay:
        rules:
          - {mode: allow, constraints: [args.amount <= 500]}
          - {mode: approval_required, constraints: [args.amount <= 5000], message: ask}
"""
POLICY = check_text(TEXT, "p.yaml")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "p.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def test_verdicts(path: Path) -> None:
    for policy in (path, str(path), POLICY):
        assert assert_allows(policy, "pay", {"amount": 500}, role="clerk").reason is Reason.RULE
        assert assert_requires_approval(policy, "pay", {"amount": 501}, role="clerk").message == "ask"
        assert assert_denies(policy, "pay", {"amount": 5001}, user=User("bob", "clerk")).constraint is not None
        assert assert_denies(policy, "pay", role="clerk").reason is Reason.EVALUATION_ERROR


def test_a_gate(tmp_path: Path) -> None:
    bundle = tmp_path / "policy.hexgate"
    bundle.write_bytes(signed_policy({"clerk.yaml": b"version: 1\ntools:\n  pay: {mode: allow}\n"}, 1, not_after=4_000_000_000))
    with Gate.from_key(f"{KEY.public.text}@{bundle}", state=str(tmp_path / "state"), audit=False) as gate:
        assert assert_allows(gate, "pay", role="clerk").bundle is not None
        with pytest.raises(AssertionError, match="`pay` for role `nobody` is denied, and should be allowed\n  unknown_role"):
            assert_allows(gate, "pay", role="nobody")


def test_a_failure_shows_the_line_that_decided(path: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_allows(path, "pay", {"amount": 9000}, role="clerk")
    assert str(caught.value) == (
        "`pay` for role `clerk` is denied, and should be allowed\n"
        f"  constraint_failed: args.amount <= 5000  {path}:8:53\n"
        "    8 |           - {mode: approval_required, constraints: [args.amount <= 5000], message: ask}\n"
        "      |                                                     ^^^^^^^^^^^^^^^^^^^"
    )


@pytest.mark.parametrize(
    ("asserted", "args", "head"),
    [
        (assert_denies, {"amount": 1}, "`pay` for role `clerk` is allowed, and should be denied\n  rule  p.yaml:7:20"),
        (assert_requires_approval, {"amount": 1}, "`pay` for role `clerk` is allowed, and should be held for approval\n  rule  p.yaml:7:20"),
        (assert_allows, {"amount": 501}, "`pay` for role `clerk` is held for approval, and should be allowed\n  rule  p.yaml:8:20"),
        (assert_allows, {"amount": "1"}, "`pay` for role `clerk` is denied, and should be allowed\n  evaluation_error (no_such_overload): args.amount <= 500  p.yaml:7:41"),
    ],
)  # fmt: skip
def test_failures(asserted: Any, args: dict[str, Any], head: str) -> None:
    with pytest.raises(AssertionError) as caught:
        asserted(POLICY, "pay", args, role="clerk")
    assert str(caught.value) == head


def test_a_misspelt_role_is_no_denial(path: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_denies(path, "pay", {"amount": 1}, role="clrk")
    assert str(caught.value) == "`clrk` is no role that a user can hold, so `pay` says nothing of the policy; where that is meant, use `decide`"
    assert decide(path, "pay", role="clrk").reason is Reason.UNKNOWN_ROLE


def test_a_path_is_read_anew(path: Path) -> None:
    assert_allows(path, "pay", {"amount": 500}, role="clerk")
    path.write_text(TEXT.replace("500]", "400]"), encoding="utf-8")
    assert_requires_approval(path, "pay", {"amount": 500}, role="clerk")


def test_roots_are_handed_on() -> None:
    policy = check_text("version: 1\nroles:\n  r:\n    tools:\n      t: {mode: allow, constraints: [ctx.a == 1, resource.b == 2, 'now == timestamp(\"1970-01-01T00:00:01Z\")', user.attrs.c == 3]}\n", "p.yaml")
    user = User("alice", "r", {"c": 3})
    assert_allows(policy, "t", user=user, ctx={"a": 1}, resource={"b": 2}, now=10**9)
    assert_denies(policy, "t", user=user, ctx={"a": 1}, resource={"b": 2}, now=10**9 + 1)


def test_what_cannot_be_asked(path: Path) -> None:
    with pytest.raises(TypeError, match="give either a role or a user"):
        decide(path, "pay")
    with pytest.raises(TypeError, match="give either a role or a user"):
        decide(path, "pay", role="clerk", user=User("a", "clerk"))
    with pytest.raises(TypeError, match="a token is verified by a gate: pass the gate as the policy"):
        decide(path, "pay", user=User.from_token("x"))
    path.write_text("version: 2\n", encoding="utf-8")
    with pytest.raises(PolicyInvalidError):
        decide(path, "pay", role="clerk")


SEEN: set[Verdict] = set()


@settings(max_examples=200, deadline=None, database=None)
@given(parity(POLICY))
def test_calls_of_both_sides_of_every_constraint(call: DecidedCall) -> None:
    SEEN.add(call.decision.verdict)
    if call.decision.allowed:
        assert call.args["amount"] <= 500


LISTS: list[list[Any]] = []


@settings(max_examples=200, deadline=None, database=None)
@given(parity(check_text("version: 1\nroles:\n  r:\n    tools:\n      t: {mode: allow, constraints: ['args.items.all(x, x < 3)']}\n", "p.yaml")))
def test_what_a_test_does_to_a_call_stays_there(call: DecidedCall) -> None:
    """The last item is the mark: a draw that has it was given what an earlier one changed."""
    items = call.args.get("items") if type(call.args) is dict else None
    if type(items) is list:
        assert "changed" not in items
        items.append("changed")
        LISTS.append(items)


def test_the_strategy_has_made_lists() -> None:
    assert len({id(items) for items in LISTS}) == len(LISTS) > 10


def test_the_strategy_has_seen_every_verdict() -> None:
    assert set(Verdict) == SEEN


def test_there_is_no_call_where_nobody_can_hold_a_role() -> None:
    with pytest.raises(ValueError, match="the policy has no role that a user can hold, and so no call to draw: every role is `abstract`"):
        parity(check_text("version: 1\nroles:\n  r:\n    abstract: true\n    tools:\n      t: {mode: allow}\n", "p.yaml"))


def test_engines_that_differ_fail_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = testing._engines(POLICY)
    other = testing._engines(check_text(TEXT.replace("500]", "499]"), "p.yaml"))
    monkeypatch.setattr(testing, "_of_policy", lambda _: testing._Engines(POLICY, engines.interpreter, other.wasm))
    with pytest.raises(AssertionError, match=re.escape("the engines disagree, which is a fault of Hexgate, on Call(tool='pay', args={'amount': 500}")):
        assert_allows(POLICY, "pay", {"amount": 500}, role="clerk")


def test_hypothesis_is_needed_for_the_strategy_only() -> None:
    program = (
        "import sys; sys.modules['hypothesis'] = None; from hexgate import testing\n"
        "try: testing.parity('policies')\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "`parity` needs hypothesis: pip install hypothesis\n"
