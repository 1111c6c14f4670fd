"""`HexgateRunner`: a `Runner` of the kit, with every tool call decided for the user of the run."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any

from google.adk.events.event import Event
from google.adk.runners import Runner

from hexgate.adapters.approvals import Approvals
from hexgate.adapters.google_adk.attachment import attach
from hexgate.adapters.google_adk.reach import not_gated
from hexgate.adapters.google_adk.whose_run import NAME, RunnerRun, RunPlugin
from hexgate.adapters.guard import Guard
from hexgate.adapters.pauses import Pauses
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate


class HexgateRunner:
    """Runs what a `Runner` runs. One is enough for a process: every run has a user of its own.

    The runner, its agent, plugins and tools stay as they are, and run by themselves they are not gated. With `confirmations` a held
    call is the kit's tool confirmation: answer it with a function response in a new message, here or in another process that has the
    session. Without, it is refused.
    """

    def __init__(
        self,
        runner: Runner,
        gate: Gate | None = None,
        *,
        confirmations: bool = False,
        approvals: Approvals | None = None,
        pauses: Pauses | None = None,
        allow_ungated: bool = False,
    ) -> None:
        """The rest of the arguments are those of `Guard`. Raises what `Gate.from_env` raises, and AdapterError for a kit that cannot be
        gated."""
        attach()
        self.runner = runner
        self.confirmations = confirmations
        self.guard = Guard(gate, approvals=approvals, pauses=pauses, allow_ungated=allow_ungated)

    def run(self, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any) -> Generator[Event, None, None]:
        """As `Runner.run`, for a user; `ctx` is what the host adds to every request. Raises UserRequiredError and UngatedToolsError at
        once, before the model is called."""
        return self._begin(user, ctx).run(**options)

    def run_async(self, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any) -> AsyncGenerator[Event, None]:
        """As `Runner.run_async`, and as `run`."""
        return self._begin(user, ctx).run_async(**options)

    def run_live(self, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any) -> AsyncGenerator[Event, None]:
        """As `Runner.run_live`, and as `run`. A live session does not wait: what is held is refused."""
        return self._begin(user, ctx).run_live(**options)

    async def run_debug(self, messages: str | list[str], *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any) -> list[Event]:
        """As `Runner.run_debug`, and as `run`."""
        return await self._begin(user, ctx).run_debug(messages, **options)

    def _begin(self, user: User | TokenUser | None, ctx: Any) -> Runner:
        run = self.guard.run(user, ctx=ctx)
        run.require_offered(not_gated(self.runner.agent))
        runner, manager = copy.copy(self.runner), copy.copy(self.runner.plugin_manager)
        manager.plugins = [each for each in manager.plugins if not isinstance(each, RunPlugin)]
        manager.set_skip_closing_plugins(True)  # they are the user's runner's to close
        setattr(manager, NAME, RunnerRun(run, self.confirmations))
        runner.plugin_manager = manager
        return runner
