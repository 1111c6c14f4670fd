"""`HexgatePlugin`: who the runs of a `Runner` or an `App` are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hexgate.adapters.google_adk.attachment import attach
from hexgate.adapters.google_adk.reach import not_gated
from hexgate.adapters.google_adk.whose_run import RunPlugin
from hexgate.adapters.guard import Guard
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from google.adk.agents.invocation_context import InvocationContext

    from hexgate.runtime.gate import Gate


class HexgatePlugin(RunPlugin):
    """The first of the plugins of a `Runner` or an `App` that serves one user: every tool call of it is decided for that user.

    Where one runner serves many users, `HexgateRunner` takes `user=` per call. Every invocation holds the bundle that it began with.
    """

    def __init__(
        self,
        user: User | TokenUser | None,
        gate: Gate | None = None,
        *,
        guard: Guard | None = None,
        ctx: Any = None,
        confirmations: bool = False,
    ) -> None:
        """`guard` for more than a gate; `ctx` is what the host adds to every request; with `confirmations` a held call is the kit's tool
        confirmation, without it is refused. Raises what `Gate.from_env` raises, UserRequiredError, and AdapterError for a kit that
        cannot be gated."""
        attach()
        super().__init__(Guard(gate) if guard is None else guard, user, ctx, confirmations)

    async def before_run_callback(self, *, invocation_context: InvocationContext) -> None:
        """Raises UngatedToolsError, which the kit makes a RuntimeError."""
        self.begin(invocation_context).run.require_offered(not_gated(invocation_context.agent))
