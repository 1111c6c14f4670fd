"""`HexgateMiddleware`: the framework's own place for a gate, for agents that are built with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from langchain.agents.middleware.types import AgentMiddleware
from langgraph.config import get_config

from hexgate.adapters.guard import Guard, GuardedRun, UserRequiredError
from hexgate.adapters.langchain.attachment import attach
from hexgate.adapters.langchain.scope import find_run, in_scope
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

WhoCalls = User | TokenUser | Callable[[Any], User | TokenUser | None] | None
"""The user, or a function of the agent's `Runtime`, whose `context` is what the caller of the run has passed."""


class HexgateMiddleware(AgentMiddleware[Any, Any, Any]):
    """Gates the agent that it is a middleware of: `create_agent(model, tools, middleware=[HexgateMiddleware(user=...)])`.

    The user is that of the run around it (`wrap`, `HexgateCallback`) where there is one, else `user`. A middleware does not know where a
    run begins and ends: without a run around it, each step is decided by the bundle of its time. Put it first of the middlewares: what
    those before it do around it, and what any does in its hooks before and after a step, is not gated by it.
    """

    def __init__(
        self,
        gate: Gate | None = None,
        *,
        user: WhoCalls = None,
        ctx: Any = None,
        guard: Guard | None = None,
        interrupts: bool = False,
    ) -> None:
        """`user` for all runs of the agent, or from the runtime of each; the rest as in `HexgateCallback`. Raises UserRequiredError for a
        `user` that is neither."""
        if not (user is None or isinstance(user, User | TokenUser) or callable(user)):
            raise UserRequiredError("`user=` takes a user with an id and a role, the user of a token, or a function of the runtime")
        attach()
        super().__init__()
        self.guard = Guard(gate) if guard is None else guard
        self.user = user
        self.ctx = ctx
        self.interrupts = interrupts

    def before_agent(self, state: Any, runtime: Any) -> None:
        """Raises UserRequiredError before the model is called."""
        self._find(runtime)

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """What the provider would run is withheld from the model unless the policy allows it by name."""
        with in_scope(*self._find(request.runtime)):
            return handler(request)

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """As `wrap_model_call`."""
        with in_scope(*self._find(request.runtime)):
            return await handler(request)

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """The call is decided on where the tool runs, with the arguments that all middlewares have left."""
        with in_scope(*self._find(request.runtime)):
            return handler(request)

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """As `wrap_tool_call`."""
        with in_scope(*self._find(request.runtime)):
            return await handler(request)

    def _find(self, runtime: Any) -> tuple[GuardedRun, bool]:
        config = get_config()
        run, interrupts = find_run(config.get("callbacks"), config)
        if run is not None:
            return run, interrupts
        user = self.user
        if user is not None and not isinstance(user, User | TokenUser):
            user = user(runtime)
        if user is None:
            raise UserRequiredError("nobody is calling: give the middleware `user=`, a user or a function of the runtime")
        return self.guard.run(user, ctx=self.ctx), self.interrupts
