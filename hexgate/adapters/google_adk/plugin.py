"""`HexgatePlugin`: who a run of the kit is for. It holds the guarded run, and nothing that a model or a tool can write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.adk.plugins.base_plugin import BasePlugin

from hexgate.adapters.google_adk.attachment import attach
from hexgate.adapters.google_adk.reach import not_gated
from hexgate.adapters.guard import Guard, GuardedRun
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from google.adk.agents.invocation_context import InvocationContext

    from hexgate.runtime.gate import Gate

NAME = "hexgate"


class HexgatePlugin(BasePlugin):
    """The first of the plugins of a `Runner` or an `App` that is made for one request: every tool call of it is decided for its user.

    Where one runner serves many users, `HexgateRunner` takes `user=` per call. `run` holds one bundle from its start to its end.
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
        super().__init__(name=NAME)
        self.confirmations = confirmations
        self.run: GuardedRun = (Guard(gate) if guard is None else guard).run(user, ctx=ctx)

    async def before_run_callback(self, *, invocation_context: InvocationContext) -> None:
        """Raises UngatedToolsError, which the kit makes a RuntimeError."""
        self.run.require_offered(not_gated(invocation_context.agent))
