"""`HexgateRunner`: the SDK's `Runner`, with every tool call decided for the user of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import Agent, Runner
from agents.result import RunResult, RunResultStreaming
from agents.run_state import RunState

from hexgate.adapters.approvals import Approvals
from hexgate.adapters.guard import Guard, GuardedRun
from hexgate.adapters.openai.attachment import attach
from hexgate.adapters.openai.reach import not_gated
from hexgate.adapters.pauses import Pauses
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate


class HexgateRunner:
    """Runs agents of the SDK as `Runner` does. One is enough for a process: every run has a user of its own.

    The agent and its tools stay as they are, and run by `Runner` they are not gated. A held call is an interruption: approve or reject
    it on the `RunState`, here or in another process, and run again with that.
    """

    def __init__(
        self,
        gate: Gate | None = None,
        *,
        approvals: Approvals | None = None,
        pauses: Pauses | None = None,
        allow_ungated: bool = False,
    ) -> None:
        """The arguments are those of `Guard`. Raises what `Gate.from_env` raises, and AdapterError for an SDK that cannot be gated."""
        attach()
        self.guard = Guard(gate, approvals=approvals, pauses=pauses, allow_ungated=allow_ungated)

    async def run(
        self,
        starting_agent: Agent[Any],
        input: str | list[Any] | RunState[Any],  # noqa: A002 - the name that the SDK gives it
        *,
        user: User | TokenUser | None = None,
        ctx: Any = None,
        **options: Any,
    ) -> RunResult:
        """As `Runner.run`, for a user; `ctx` is what the host adds to every request. Raises UserRequiredError and UngatedToolsError
        before the model is called."""
        with self._begin(starting_agent, user, ctx).current():
            return await Runner.run(starting_agent, input, **options)

    def run_sync(
        self,
        starting_agent: Agent[Any],
        input: str | list[Any] | RunState[Any],  # noqa: A002
        *,
        user: User | TokenUser | None = None,
        ctx: Any = None,
        **options: Any,
    ) -> RunResult:
        """As `Runner.run_sync`, and as `run`."""
        with self._begin(starting_agent, user, ctx).current():
            return Runner.run_sync(starting_agent, input, **options)

    def run_streamed(
        self,
        starting_agent: Agent[Any],
        input: str | list[Any] | RunState[Any],  # noqa: A002
        *,
        user: User | TokenUser | None = None,
        ctx: Any = None,
        **options: Any,
    ) -> RunResultStreaming:
        """As `Runner.run_streamed`, and as `run`. The calls are made in a task of the SDK's that begins here, whoever reads the events."""
        with self._begin(starting_agent, user, ctx).current():
            return Runner.run_streamed(starting_agent, input, **options)

    def _begin(self, agent: Agent[Any], user: User | TokenUser | None, ctx: Any) -> GuardedRun:
        run = self.guard.run(user, ctx=ctx)
        run.require_offered(not_gated(agent))
        return run
