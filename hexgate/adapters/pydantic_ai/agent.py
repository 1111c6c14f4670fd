"""`HexgateAgent`: an agent of Pydantic AI, with every tool call decided for the user of the run."""

from __future__ import annotations

from types import FrameType
from typing import TYPE_CHECKING, Any

from pydantic_ai.agent import AbstractAgent, WrapperAgent

from hexgate.adapters.approvals import Approvals
from hexgate.adapters.guard import Guard
from hexgate.adapters.pauses import Pauses
from hexgate.adapters.pydantic_ai.attachment import attach
from hexgate.adapters.pydantic_ai.capability import HexgateCapability
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

AnyUser = User | TokenUser | None


class UserAgent(WrapperAgent[Any, Any]):
    """An agent for one user: wherever the framework takes an agent. Every run has a bundle of its own, from its start to its end.

    All ways to run an agent come to `iter`, or to the session of a realtime model.
    """

    def __init__(self, agent: AbstractAgent[Any, Any], guard: Guard, user: AnyUser, ctx: Any = None) -> None:
        """Use `HexgateAgent.for_user`."""
        super().__init__(agent)
        self._guard = guard
        self._user = user
        self._ctx = ctx

    def iter(self, *prompt: Any, **options: Any) -> Any:
        """As `Agent.iter`. Raises UserRequiredError at once, and UngatedToolsError before the model is called."""
        options["infer_name"] = False  # the user's agent keeps the name that it has
        return self.wrapped.iter(*prompt, **self._guarded(options))

    def _resolve_realtime_session(self, *model: Any, **options: Any) -> Any:
        return self.wrapped._resolve_realtime_session(*model, **self._guarded(options))

    def _open_realtime_session(self, *model: Any, **options: Any) -> Any:
        return self.wrapped._open_realtime_session(*model, **self._guarded(options))

    def _infer_name(self, function_frame: FrameType | None) -> None:
        """The user's agent keeps the name that it has."""

    def _guarded(self, options: dict[str, Any]) -> dict[str, Any]:
        capability = HexgateCapability(self._user, guard=self._guard, ctx=self._ctx)
        return {**options, "capabilities": [*(options.get("capabilities") or ()), capability]}


class HexgateAgent(WrapperAgent[Any, Any]):
    """Runs an agent as it runs itself. One is enough for a process: every run has a user of its own.

    The agent and its tools stay as they are, and run by themselves they are not gated. A held call is one of the `DeferredToolRequests`,
    where these are among the output types: answer it with `DeferredToolResults` in a new run, here or in another process. Otherwise, it is refused.
    """

    def __init__(
        self,
        agent: AbstractAgent[Any, Any],
        gate: Gate | None = None,
        *,
        approvals: Approvals | None = None,
        pauses: Pauses | None = None,
        allow_ungated: bool = False,
    ) -> None:
        """The rest of the arguments are those of `Guard`. Raises what `Gate.from_env` raises, and AdapterError for a framework that
        cannot be gated."""
        attach()
        super().__init__(agent)
        self.guard = Guard(gate, approvals=approvals, pauses=pauses, allow_ungated=allow_ungated)

    def for_user(self, user: AnyUser, *, ctx: Any = None) -> UserAgent:
        """The agent for one user, for what takes an agent and runs it: a server, a chat, another framework."""
        return UserAgent(self.wrapped, self.guard, user, ctx)

    async def run(self, *prompt: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> Any:
        """As `Agent.run`, for a user; `ctx` is what the host adds to every request. Raises UserRequiredError and UngatedToolsError
        before the model is called."""
        return await self.for_user(user, ctx=ctx).run(*prompt, **options)

    def run_sync(self, *prompt: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> Any:
        """As `Agent.run_sync`, and as `run`."""
        return self.for_user(user, ctx=ctx).run_sync(*prompt, **options)

    def run_stream(self, *prompt: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> Any:
        """As `Agent.run_stream`, and as `run`."""
        return self.for_user(user, ctx=ctx).run_stream(*prompt, **options)

    def run_stream_sync(self, *prompt: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> Any:
        """As `Agent.run_stream_sync`, and as `run`."""
        return self.for_user(user, ctx=ctx).run_stream_sync(*prompt, **options)

    def run_stream_events(self, *prompt: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> Any:
        """As `Agent.run_stream_events`, and as `run`."""
        return self.for_user(user, ctx=ctx).run_stream_events(*prompt, **options)

    def iter(self, *prompt: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> Any:
        """As `Agent.iter`, and as `run`."""
        return self.for_user(user, ctx=ctx).iter(*prompt, **options)

    def realtime(self, *model: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> Any:
        """As `Agent.realtime`, and as `run`. A session does not wait: what is held is refused."""
        return self.for_user(user, ctx=ctx).realtime(*model, **options)

    async def to_cli(self, *deps: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> None:
        """As `Agent.to_cli`, and as `run`."""
        await self.for_user(user, ctx=ctx).to_cli(*deps, **options)

    def to_cli_sync(self, *deps: Any, user: AnyUser = None, ctx: Any = None, **options: Any) -> None:
        """As `Agent.to_cli_sync`, and as `run`."""
        self.for_user(user, ctx=ctx).to_cli_sync(*deps, **options)

    def _resolve_realtime_session(self, *model: Any, **options: Any) -> Any:
        return self.for_user(None)._resolve_realtime_session(*model, **options)

    def _open_realtime_session(self, *model: Any, **options: Any) -> Any:
        return self.for_user(None)._open_realtime_session(*model, **options)

    def _infer_name(self, function_frame: FrameType | None) -> None:
        """The user's agent keeps the name that it has."""
