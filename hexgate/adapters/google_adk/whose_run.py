"""Whose run an invocation of the kit is: said by its runner, by a plugin of that, or by the tool body that it was started in."""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.adk.plugins.base_plugin import BasePlugin

from hexgate.adapters.guard import Guard, GuardedRun, current_guarded_run
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from google.adk.agents.invocation_context import InvocationContext

NAME = "hexgate"
"""Of the plugin, and of what a wrapped runner's manager of plugins holds: a plugin costs each call two callbacks."""


CONFIRMED: ContextVar[GuardedRun | None] = ContextVar("hexgate_adk_confirmed", default=None)
"""The run of a call that was resumed by a confirmation, in its body: the kit loses a second question from inside of it."""


@dataclass(frozen=True, slots=True)
class RunnerRun:
    """The guarded run of one call of a wrapped runner, which nothing that a model or a tool can write says; and whether its caller takes
    tool confirmations."""

    run: GuardedRun
    confirmations: bool


class RunPlugin(BasePlugin):
    """Begins a guarded run for each invocation: a plugin lives as long as its runner, a bundle does not."""

    def __init__(self, guard: Guard, user: User | TokenUser | None, ctx: Any, confirmations: bool) -> None:
        """Raises UserRequiredError."""
        super().__init__(name=NAME)
        self.guard = guard
        self.user = guard.run(user, ctx=ctx).user
        self.confirmations = confirmations
        self._ctx = ctx
        self._runs: dict[str, RunnerRun] = {}

    def run_of(self, invocation: InvocationContext) -> RunnerRun:
        """The run that an invocation began with."""
        return self._runs.get(invocation.invocation_id) or self.begin(invocation)

    def begin(self, invocation: InvocationContext) -> RunnerRun:
        """A run by the bundle of now, for as long as the invocation is there. What a tool's body starts belongs to the run around it, and
        nobody could answer it."""
        outer = current_guarded_run()
        if outer is not None and outer.guard is self.guard and outer.user is self.user:
            begun = RunnerRun(outer, confirmations=False)
        else:
            begun = RunnerRun(self.guard.run(self.user, ctx=self._ctx), self.confirmations)
        self._runs[invocation.invocation_id] = begun
        weakref.finalize(invocation, self._end, invocation.invocation_id, begun).atexit = False
        return begun

    def _end(self, invocation_id: str, begun: RunnerRun) -> None:
        if self._runs.get(invocation_id) is begun:  # a resumed invocation has the same id
            del self._runs[invocation_id]


def find_run(invocation: Any) -> tuple[GuardedRun | None, bool]:
    """The run that an invocation belongs to, and whether it takes tool confirmations: in a runner that a tool's body makes nobody could
    answer one, in the body of a call that was confirmed the kit loses it, and a live session does not wait."""
    manager = invocation.plugin_manager
    begun: RunnerRun | None = getattr(manager, NAME, None)
    if begun is None:
        plugin = next((each for each in manager.plugins if isinstance(each, RunPlugin)), None)
        if plugin is None:
            return current_guarded_run(), False
        begun = plugin.run_of(invocation)
    return begun.run, begun.confirmations and invocation.live_request_queue is None and CONFIRMED.get() is not begun.run
