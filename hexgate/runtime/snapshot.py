"""One policy, ready to decide: what a run keeps from its start to its end, whatever is published meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hexgate.decision.decision import BundleReference, Decision, Reason, User
from hexgate.decision.outcomes import fixed_decision

NANOSECONDS = 10**9


class DecidingEngine(Protocol):
    """The interpreter, or a module in its sandbox."""

    def decide(
        self, tool: Any, args: Any, user: User | None, *, ctx: Any = None, resource: Any = None, now: int | None = None
    ) -> Decision:
        """The decision on one call. Never raises."""


class Snapshot:
    """An engine, the bundle it came from, and when that expires. Safe to use from several threads."""

    __slots__ = ("_clock", "_decide", "_expires", "bundle")

    def __init__(
        self,
        engine: DecidingEngine,
        clock: Callable[[], int],
        bundle: BundleReference | None = None,
        expires: int | None = None,
    ) -> None:
        """`clock` gives nanoseconds since the epoch, `expires` is in seconds. Without a bundle nothing expires."""
        self._decide = engine.decide
        self._clock = clock
        self._expires = None if expires is None else expires * NANOSECONDS
        self.bundle = bundle

    @property
    def expired(self) -> bool:
        """Whether the bundle is past its expiry. Once it was, it stays so: a clock moved back revives nothing."""
        if self._expires is None:
            return False
        if self._expires > 0 and self._clock() >= self._expires:
            self._expires = 0
        return self._expires == 0

    def decide(
        self, tool: Any, args: Any, user: User | None, *, ctx: Any = None, resource: Any = None, now: int | None = None
    ) -> Decision:
        """The decision on one call; `bundle_expired` for every call after the expiry. `now` is what constraints read as `now`,
        in nanoseconds since the epoch; the clock's time by default."""
        expires = self._expires
        if expires is not None and self._clock() >= expires:
            self._expires = 0
            return self._refuse(Reason.BUNDLE_EXPIRED, user, tool)
        return self._decide(tool, args, user, ctx=ctx, resource=resource, now=now)

    def _refuse(self, reason: Reason, user: User | None, tool: Any) -> Decision:
        role = user.role if type(user) is User and type(user.role) is str else None
        denial = fixed_decision(reason, role, tool if type(tool) is str else None)
        return Decision(denial.verdict, denial.reason, denial.role, denial.tool, bundle=self.bundle)
