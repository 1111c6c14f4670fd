"""Policies in your own pytest: assertions that decide on both engines, and a hypothesis strategy of calls that the policy itself
suggests (docs/policy-tests.md T13, T14).

    from hexgate.testing import assert_allows, assert_denies, assert_requires_approval, parity

    def test_refunds():
        assert_allows("policies", "refund_order", {"amount": 30}, role="billing")

A policy is given as its path, as a `CheckedPolicy`, or as a `Gate`. A path is read at every call and compiled when its files have
changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import Decision, Reason, TokenUser, User, Verdict
from hexgate.parity.call import Call, call_of, put
from hexgate.parity.derive import Derivation
from hexgate.place import Place
from hexgate.policy.check import check
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.policy.link import link
from hexgate.policy.load import read_files
from hexgate.policy.parse import parse
from hexgate.runtime.gate import Gate
from hexgate.runtime.wasm_engine import WasmEngine

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = ["DecidedCall", "assert_allows", "assert_denies", "assert_requires_approval", "decide", "parity"]

Policy: TypeAlias = "str | os.PathLike[str] | CheckedPolicy | Gate"

CHANGES = 4
"""Places of a call that `parity` changes at once, at most."""

_WORDS = {Verdict.ALLOW: "allowed", Verdict.APPROVAL_REQUIRED: "held for approval", Verdict.DENY: "denied"}


@dataclass(frozen=True, slots=True)
class DecidedCall:
    """A call, and what both engines decided on it. `now` is in nanoseconds since the epoch."""

    tool: Any
    args: Any
    user: User | None
    ctx: Any
    resource: Any
    now: int
    decision: Decision


def decide(
    policy: Policy,
    tool: str,
    args: Mapping[str, Any] | None = None,
    *,
    role: str | None = None,
    user: User | TokenUser | None = None,
    ctx: Mapping[str, Any] | None = None,
    resource: Mapping[str, Any] | None = None,
    now: int | None = None,
) -> Decision:
    """The decision on a call: of a gate, or of both engines of a policy, which must agree. `role` stands for a user `alice` of that role.
    `now` is in nanoseconds since the epoch. Raises AssertionError where the engines differ, PolicyInvalidError where the policy does not
    check, TypeError for a role beside a user."""
    if (role is None) == (user is None):
        raise TypeError("give either a role or a user")
    caller = User("alice", role) if role is not None else user
    if isinstance(policy, Gate):
        return policy.decide(tool, args or {}, user=caller, ctx=ctx, resource=resource, now=now)
    if isinstance(caller, TokenUser):
        raise TypeError("a token is verified by a gate: pass the gate as the policy")
    return _both(_engines(policy), Call(tool, args or {}, caller, ctx, resource, now))  # type: ignore[arg-type]


def assert_allows(policy: Policy, tool: str, args: Mapping[str, Any] | None = None, **call: Any) -> Decision:
    """Fails unless the call is allowed. Takes what `decide` takes; the decision."""
    return _require(Verdict.ALLOW, tool, decide(policy, tool, args, **call))


def assert_denies(policy: Policy, tool: str, args: Mapping[str, Any] | None = None, **call: Any) -> Decision:
    """Fails unless the call is denied. Takes what `decide` takes; the decision, whose `reason` and `constraint` say why. A misspelt role is
    denied too, which looks like a success: fails for a role that no user can hold, which `decide` shows."""
    decision = _require(Verdict.DENY, tool, decide(policy, tool, args, **call))
    if decision.reason is Reason.UNKNOWN_ROLE:
        raise AssertionError(f"`{decision.role}` is no role that a user can hold, so `{tool}` says nothing of the policy; where that is meant, use `decide`")
    return decision


def assert_requires_approval(policy: Policy, tool: str, args: Mapping[str, Any] | None = None, **call: Any) -> Decision:
    """Fails unless the call waits for an approval. Takes what `decide` takes; the decision, whose `rule` has the approvers."""
    return _require(Verdict.APPROVAL_REQUIRED, tool, decide(policy, tool, args, **call))


def parity(policy: str | os.PathLike[str] | CheckedPolicy) -> SearchStrategy[DecidedCall]:
    """A hypothesis strategy of calls that the policy suggests, on both sides of its constraints, each decided by both engines. Drawing
    one fails the test where they differ; what must hold of the rest is the test's to say:

        @given(parity("policies"))
        def test_no_refund_above_ten_thousand(call):
            assert not (call.tool == "refund_order" and call.decision.allowed and call.args["amount"] > 10_000)

    Raises ImportError without hypothesis, PolicyInvalidError where the policy does not check, ValueError where no user can hold a role of it:
    there is no call to draw."""
    try:
        from hypothesis import strategies
    except ImportError:
        raise ImportError("`parity` needs hypothesis: pip install hypothesis") from None
    engines = _engines(policy)
    derivation = Derivation(engines.policy, with_huge=False)
    if not derivation.targets:
        raise ValueError("the policy has no role that a user can hold, and so no call to draw: every role is `abstract`")

    @strategies.composite
    def calls(draw: DrawFn) -> DecidedCall:
        target = draw(strategies.sampled_from(derivation.targets))
        request = draw(strategies.sampled_from(derivation.bases_of(target)))
        for _ in range(draw(strategies.integers(0, CHANGES)) if target.places else 0):
            place = draw(strategies.sampled_from(target.places))
            request = put(request, place.path, draw(strategies.sampled_from(place.values)))
        call = _with_own_containers(call_of(request, target.role, target.tool))
        return DecidedCall(*call, _both(engines, call))

    return calls()


@dataclass(frozen=True, slots=True)
class _Engines:
    policy: CheckedPolicy
    interpreter: InterpreterEngine
    wasm: WasmEngine


def _engines(policy: str | os.PathLike[str] | CheckedPolicy) -> _Engines:
    if isinstance(policy, CheckedPolicy):
        return _of_policy(policy)
    return _of_files(tuple(sorted(read_files(Path(policy)).items())))


@lru_cache(maxsize=32)
def _of_files(files: tuple[tuple[str, bytes], ...]) -> _Engines:
    return _of_policy(check(link(parse(dict(files)))))


@lru_cache(maxsize=32)
def _of_policy(policy: CheckedPolicy) -> _Engines:
    compiled = compile_policy(policy)
    return _Engines(policy, InterpreterEngine(policy), WasmEngine(compiled.wasm, compiled.table))


def _both(engines: _Engines, call: Call) -> Decision:
    """The decision that both engines come to. Raises AssertionError where they differ."""
    tool, args, user, ctx, resource, now = call
    if now is None:
        import time

        now = time.time_ns()
    first = engines.interpreter.decide(tool, args, user, ctx=ctx, resource=resource, now=now)
    second = engines.wasm.decide(tool, args, user, ctx=ctx, resource=resource, now=now)
    if first != second:
        raise AssertionError(f"the engines disagree, which is a fault of Hexgate, on {call}\n  interpreter  {first}\n  wasm         {second}")
    return first


def _with_own_containers(call: Call) -> Call:
    """The call in lists and maps of its own: a test may hand them to a tool that changes them, and the next draw has the same values."""
    user = call.user
    if type(user) is User:
        user = User(user.user_id, user.role, _own(user.attrs))
    return call._replace(args=_own(call.args), user=user, ctx=_own(call.ctx), resource=_own(call.resource))


def _own(value: Any) -> Any:
    if type(value) is dict:
        return {key: _own(member) for key, member in value.items()}
    return [_own(item) for item in value] if type(value) is list else value


def _require(verdict: Verdict, tool: str, decision: Decision) -> Decision:
    if decision.verdict is not verdict:
        raise AssertionError(
            f"`{tool}` for role `{decision.role}` is {_WORDS[decision.verdict]}, and should be {_WORDS[verdict]}\n" + "\n".join(_why(decision))
        )
    return decision


def _why(decision: Decision) -> list[str]:
    """The reason, and the line of the policy that decided."""
    reason = decision.reason.value + ("" if decision.fault is None else f" ({decision.fault.code})")
    deciding = decision.constraint if decision.constraint is not None else decision.rule
    if deciding is None:
        return [f"  {reason}"]
    text = f": {decision.constraint.text}" if decision.constraint is not None else ""
    place = deciding.place
    return [f"  {reason}{text}  {place.file}:{place.line}:{place.column}", *_excerpt(place)]


def _excerpt(place: Place) -> list[str]:
    try:
        line = Path(place.file).read_text(encoding="utf-8").split("\n")[place.line - 1]
    except (OSError, ValueError, IndexError):
        return []
    number = str(place.line)
    carets = " " * (place.column - 1) + "^" * max(place.length, 1)
    return [f"    {number} | {line}", f"    {' ' * len(number)} | {carets}"]
