"""The gate as the judge of one client's calls."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from typing import Any

from hexgate.adapters.guard import Guard, GuardedRun
from hexgate.adapters.ruling import Refusal, denial_text
from hexgate.decision.decision import Decision, Reason, RuleReference, TokenUser, User, Verdict
from hexgate.identity.refusal import TokenRefusedError
from hexgate.mcp_proxy.answers import Ruling
from hexgate.mcp_proxy.conversation import Sight
from hexgate.mcp_proxy.meaning import Call
from hexgate.runtime.run_scope import Run
from hexgate.runtime.snapshot import Snapshot

FRESH_SECONDS = 1.0
"""For how long a look at the bundle's location counts: a conversation has no end at which a new bundle could take over."""

_UNKNOWN = object()
"""A value that the language does not have: a constraint that reads it is in error (docs/language.md L1.5)."""


class GateJudge:
    """Decides for one caller, by the bundle of the moment; every decision is recorded under one run id."""

    def __init__(self, guard: Guard, user: User | TokenUser, *, ctx: Any = None) -> None:
        """`ctx` is what the host adds to every request."""
        self._guard = guard
        self._user = user
        self._ctx = ctx
        self._run_id = secrets.token_hex(16)
        self._run, self._looked = self._begin(), time.monotonic()

    def rule(self, call: Call, *, call_id: str, can_hold: bool) -> Ruling:
        """As the protocol says."""
        run = self._fresh()
        if not can_hold:
            decision = run.decide(call.tool, call.arguments, ctx=self._ctx, call_id=call_id or None)
            return Ruling(True) if decision.verdict is Verdict.ALLOW else Ruling(False, denial_text(decision), _code(decision))
        ruling = GuardedRun(self._guard, run, self._user, self._ctx).admit(call.tool, call.arguments, call_id=call_id)
        if ruling.runs:
            return Ruling(True)
        code = _code(ruling.decision) if ruling.refusal is None else ruling.refusal.value
        return Ruling(False, ruling.text, code, ruling.request_id if ruling.refusal is Refusal.APPROVAL_REQUIRED else None)

    def sight(self, tool: str, arguments: dict[str, Any] | None, missing: str | None = None) -> Sight:
        """As the protocol says."""
        snapshot = self._fresh().snapshot
        known = arguments is not None and missing is None
        asked: Any = _UNKNOWN if arguments is None else arguments if missing is None else {**arguments, missing: _UNKNOWN}
        caller = self._caller(snapshot, tool, asked, known)
        if snapshot.expired or caller is None:
            return Sight.NEVER
        decision = snapshot.engine.decide(tool, asked, caller, ctx=self._ctx)
        if decision.verdict is not Verdict.DENY:
            return Sight.ALWAYS
        if known or _only_denies(decision, snapshot.engine.rules):
            return Sight.NEVER
        return _sight_of_denial(decision, reads_clock=snapshot.engine.reads_for(tool).now)

    def _caller(self, snapshot: Snapshot, tool: str, asked: Any, known: bool) -> User | None:
        """Who calls, if there is a call that the caller's token may permit."""
        at = snapshot.clock()
        if type(self._user) is TokenUser and not known and snapshot.verifier is not None:
            try:
                verified = snapshot.verifier.caller(self._user, at)
            except TokenRefusedError:
                return None
            return verified.user if verified.permits_some(tool, at) else None
        caller = snapshot.caller(tool, asked, self._user, at)
        return None if caller.refusal is not None else caller.user

    def _fresh(self) -> Run:
        if time.monotonic() - self._looked >= FRESH_SECONDS:
            self._run, self._looked = self._begin(), time.monotonic()
        return self._run

    def _begin(self) -> Run:
        run = self._guard.gate.run(self._user)
        run.run_id = self._run_id
        return run


def _only_denies(decision: Decision, rules: Iterable[RuleReference]) -> bool:
    """Whether the role's own entry has decided, and has no rule that lets a call pass. A boundary without one is no limit."""
    rule = decision.rule
    if rule is None or rule.role is None:
        return False
    return all(each.mode is Verdict.DENY for each in rules if (each.role, each.tool) == (rule.role, rule.tool))


def _sight_of_denial(decision: Decision, *, reads_clock: bool) -> Sight:
    """Of a call that is not known whole. A constraint that is false without the rest is false for every call: what is absorbed does not
    count (`&&`), what is read is an error. Only the clock may change it, unless the first rule denies whatever it says."""
    if decision.reason is Reason.EVALUATION_ERROR:
        return Sight.DEPENDS
    rule = decision.rule
    settled = rule is None or (rule.number == 0 and not rule.constraints)
    return Sight.DEPENDS if reads_clock and not settled else Sight.NEVER


def _code(decision: Decision) -> str:
    held = decision.verdict is Verdict.APPROVAL_REQUIRED
    return Refusal.APPROVAL_REQUIRED.value if held else decision.reason.value
