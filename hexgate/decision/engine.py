"""What decides: the interpreter of a checked policy, and the module of a compiled one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hexgate.decision.decision import Decision, User


class DecisionEngine(Protocol):
    """Every engine of this process. `now` is in nanoseconds since the epoch; None is the present."""

    def decide(
        self,
        tool: str,
        args: Mapping[str, Any],
        user: User | None,
        *,
        ctx: Mapping[str, Any] | None = None,
        resource: Mapping[str, Any] | None = None,
        now: int | None = None,
    ) -> Decision: ...
