"""`HexgateCapability`: who a run of an agent is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering
from pydantic_ai.tools import RunContext

from hexgate.adapters.guard import Guard
from hexgate.adapters.pydantic_ai.attachment import attach
from hexgate.adapters.pydantic_ai.run_gate import BeginsRuns, RunGate
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate


class HexgateCapability(BeginsRuns):
    """For `capabilities=` of a run: every tool call of it is decided for its user.

    Where one agent serves many users, `HexgateAgent` takes `user=` per call. Each run that it is given to has a bundle of its own, from
    its start to its end.
    """

    def __init__(
        self, user: User | TokenUser | None, gate: Gate | None = None, *, guard: Guard | None = None, ctx: Any = None
    ) -> None:
        """`guard` for more than a gate; `ctx` is what the host adds to every request. Raises what `Gate.from_env` raises, and
        AdapterError for a framework that cannot be gated."""
        attach()
        self.guard = Guard(gate) if guard is None else guard
        self.user = user
        self.ctx = ctx

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def get_ordering(self) -> CapabilityOrdering:
        """After the hooks of all others."""
        return CapabilityOrdering(position="innermost")

    def begin(self, pauses: bool) -> RunGate:
        """As the base says."""
        return RunGate(run=self.guard.run(self.user, ctx=self.ctx), pauses=pauses)

    async def for_run(self, ctx: RunContext[Any]) -> AbstractCapability[Any]:
        """For an agent that is made with the capability, or that has it inside of another one: what its caller takes is not known there, so held calls
        are refused. Raises UserRequiredError."""
        return self.begin(pauses=False)
