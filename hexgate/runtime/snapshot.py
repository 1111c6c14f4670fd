"""One policy, ready to decide: what a run keeps from its start to its end, whatever is published meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hexgate.decision.decision import BundleReference, Decision, Reason, User
from hexgate.decision.outcomes import fixed_decision

NANOSECONDS = 10**9
NEVER = 2**63
"""Later than any time of a clock in nanoseconds since the epoch."""


class DecidingEngine(Protocol):
    """The interpreter, or a module in its sandbox."""

    def decide(
        self, tool: Any, args: Any, user: User | None, *, ctx: Any = None, resource: Any = None, now: int | None = None
    ) -> Decision:
        """The decision on one call. Never raises."""


class Snapshot:
    """An engine, the bundle it came from, and when that expires. Safe to use from several threads."""

    __slots__ = ("bundle", "clock", "engine", "expires")

    def __init__(
        self,
        engine: DecidingEngine,
        clock: Callable[[], int],
        bundle: BundleReference | None = None,
        expires: int | None = None,
    ) -> None:
        """`clock` gives nanoseconds since the epoch, `expires` is in seconds. Without a bundle nothing expires."""
        self.engine = engine
        self.clock = clock
        self.expires = NEVER if expires is None else expires * NANOSECONDS
        """Nanoseconds since the epoch; 0 once it is over: a clock moved back revives nothing."""
        self.bundle = bundle

    @property
    def expired(self) -> bool:
        """Whether the bundle is past its expiry."""
        if self.clock() >= self.expires:
            self.expires = 0
        return self.expires == 0

    def decide(
        self, tool: Any, args: Any, user: User | None, *, ctx: Any = None, resource: Any = None, now: int | None = None
    ) -> Decision:
        """The decision on one call; `bundle_expired` for every call after the expiry. `now` is what constraints read as `now`,
        in nanoseconds since the epoch; the clock's time by default."""
        if self.clock() >= self.expires:
            return self.deny_expired(tool, user)
        return self.engine.decide(tool, args, user, ctx=ctx, resource=resource, now=now)

    def deny_expired(self, tool: Any, user: User | None) -> Decision:
        """The denial of every call from the expiry on."""
        self.expires = 0
        return self.deny(Reason.BUNDLE_EXPIRED, tool, user)

    def deny(self, reason: Reason, tool: Any, user: User | None) -> Decision:
        """The denial for a reason that the engine is not asked about."""
        role = user.role if type(user) is User and type(user.role) is str else None
        return fixed_decision(reason, role, tool if type(tool) is str else None, self.bundle)
