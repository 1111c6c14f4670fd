"""One policy, ready to decide: what a run keeps from its start to its end, whatever is published meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hexgate.decision.decision import BundleReference, Decision, Reason, RuleReference, TokenUser, User, Verdict
from hexgate.decision.mask_paths import MaskPath
from hexgate.decision.outcomes import fixed_decision
from hexgate.identity.refusal import TokenRefusal

if TYPE_CHECKING:
    from hexgate.decision.reads import Reads
    from hexgate.identity.verifier import IdentityVerifier

NANOSECONDS = 10**9
NEVER = 2**63
"""Later than any time of a clock in nanoseconds since the epoch."""


class DecidingEngine(Protocol):
    """The interpreter, or a module in its sandbox."""

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the roles that a user can hold."""

    @property
    def rules(self) -> tuple[RuleReference, ...]:
        """The rules of the boundary and of all roles, each once."""

    def decide(
        self, tool: Any, args: Any, user: User | None, *, ctx: Any = None, resource: Any = None, now: int | None = None
    ) -> Decision:
        """The decision on one call. Never raises."""

    def reads_for(self, tool: str) -> Reads:
        """What the rules of a tool read of a request, in any role."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, as far as that is known, and by which token; or why the token is refused."""

    user: User | None
    token_id: str | None = None
    refusal: Reason | None = None
    token_refusal: TokenRefusal | None = None


Identify = Callable[[TokenUser, Any, Any, int], Caller]
"""Reads a token for a call: token, tool, arguments, nanoseconds since the epoch. Never raises."""


class Record(Protocol):
    """Records a decision before the tool runs."""

    def __call__(
        self, decision: Decision, *, user: User | None, args: Any, now: int, latency_ns: int | None, run_id: str | None,
        call_id: str | None, token_id: str | None, token_refusal: TokenRefusal | None, decided_at: int | None, ctx: Any, resource: Any,
    ) -> bool:  # fmt: skip
        """Whether the decision is recorded. Never raises."""


class Snapshot:
    """An engine, the bundle it came from, when that expires, how its callers are known and its decisions recorded. Safe to use from
    several threads."""

    __slots__ = ("_identify", "_record", "_requires_token", "bundle", "clock", "engine", "expires", "masks", "plain", "verifier")

    def __init__(
        self,
        engine: DecidingEngine,
        clock: Callable[[], int],
        bundle: BundleReference | None = None,
        expires: int | None = None,
        *,
        identify: Identify | None = None,
        requires_token: bool = False,
        record: Record | None = None,
        masks: tuple[MaskPath, ...] = (),
        verifier: IdentityVerifier | None = None,
    ) -> None:
        """`clock` gives nanoseconds since the epoch, `expires` is in seconds. Without a bundle nothing expires. Without `identify`
        every token is refused. `masks` and `verifier`, the reader of tokens, are for calls that wait for an approval."""
        self.engine = engine
        self.clock = clock
        self.expires = NEVER if expires is None else expires * NANOSECONDS
        """Nanoseconds since the epoch; 0 once it is over: a clock moved back revives nothing."""
        self.bundle = bundle
        self._identify = identify
        self._requires_token = requires_token
        self._record = record
        self.masks = masks
        self.verifier = verifier
        self.plain = record is None and not requires_token
        """Whether the call of a named user asks nothing but the engine."""

    @property
    def expired(self) -> bool:
        """Whether the bundle is past its expiry."""
        if self.clock() >= self.expires:
            self.expires = 0
        return self.expires == 0

    def decide(
        self,
        tool: Any,
        args: Any,
        user: User | TokenUser | None,
        *,
        ctx: Any = None,
        resource: Any = None,
        now: int | None = None,
        run_id: str | None = None,
        call_id: str | None = None,
    ) -> Decision:
        """The decision on one call, recorded; `bundle_expired` for every call after the expiry. `now` is what constraints read as
        `now`, in nanoseconds since the epoch; the clock's time by default. Only an allow that is recorded stays one."""
        begun = time.perf_counter_ns()
        at = self.clock()
        caller = self.caller(tool, args, user, at)
        if at >= self.expires:
            self.expires = 0
            decision = self.deny(Reason.BUNDLE_EXPIRED, tool, caller.user)
        elif caller.refusal is not None:
            decision = self.deny(caller.refusal, tool, caller.user)
        else:
            # The time of the record, so that the call can be decided again as it was.
            decision = self.engine.decide(tool, args, caller.user, ctx=ctx, resource=resource, now=at if now is None else now)
        if self._record is None:
            return decision
        latency = time.perf_counter_ns() - begun
        recorded = self._record(
            decision, user=caller.user, args=args, now=at, latency_ns=latency, run_id=run_id, call_id=call_id,
            token_id=caller.token_id, token_refusal=caller.token_refusal, decided_at=now, ctx=ctx, resource=resource,
        )  # fmt: skip
        if recorded or decision.verdict is Verdict.DENY:
            return decision
        return self.deny(Reason.AUDIT_UNAVAILABLE, tool, caller.user)

    def caller(self, tool: Any, args: Any, user: User | TokenUser | None, at: int) -> Caller:
        """Who is calling, at a time in nanoseconds since the epoch. Never raises."""
        if type(user) is TokenUser:
            if self._identify is None:
                return Caller(None, None, Reason.TOKEN_REFUSED, TokenRefusal.UNKNOWN_KEY)
            return self._identify(user, tool, args, at)
        named = user if type(user) is User else None
        return Caller(named, None, Reason.TOKEN_REQUIRED if self._requires_token else None)

    def deny(self, reason: Reason, tool: Any, user: object) -> Decision:
        """The denial for a reason that the engine is not asked about."""
        role = user.role if type(user) is User and type(user.role) is str else None
        return fixed_decision(reason, role, tool if type(tool) is str else None, self.bundle)
