"""One run of an agent: its user, and the snapshot that decides all of it."""

from __future__ import annotations

import secrets
from contextvars import ContextVar, Token
from typing import Any

from hexgate.decision.decision import BundleReference, Decision, TokenUser, User
from hexgate.runtime.snapshot import Snapshot

_CURRENT: ContextVar[Run | None] = ContextVar("hexgate_run", default=None)


class Run:
    """A run, current inside `with run:` in this thread or task and in the tasks started there (PEP 567)."""

    __slots__ = ("_snapshot", "_tokens", "run_id", "user")

    def __init__(self, snapshot: Snapshot, user: User | TokenUser | None) -> None:
        self._snapshot = snapshot
        self._tokens: list[Token[Run | None]] = []
        self.user = user
        self.run_id = secrets.token_hex(16)
        """Names the run in audit records."""

    @property
    def bundle(self) -> BundleReference | None:
        """The bundle that decides the run; None for policies in development."""
        return self._snapshot.bundle

    @property
    def snapshot(self) -> Snapshot:
        """What decides the run."""
        return self._snapshot

    def decide(
        self,
        tool: str,
        args: Any,
        *,
        ctx: Any = None,
        resource: Any = None,
        now: int | None = None,
        call_id: str | None = None,
    ) -> Decision:
        """As `Gate.decide`, for the run's user and by the run's bundle."""
        return self._snapshot.decide(
            tool, args, self.user, ctx=ctx, resource=resource, now=now, run_id=self.run_id, call_id=call_id
        )

    def __enter__(self) -> Run:
        self._tokens.append(_CURRENT.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._tokens.pop())


def current_run() -> Run | None:
    """The innermost run of this thread or task."""
    return _CURRENT.get()
