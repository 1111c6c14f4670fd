"""Which guarded run a call of the framework belongs to, and whether it may pause there.

A run is known by the callback of its request, which the framework hands down to everything below it, also into threads that are given
the config. Where code has dropped its config, the run is the one whose context it is in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks.base import BaseCallbackHandler

from hexgate.adapters.guard import GuardedRun, current_guarded_run

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

_PAUSING: ContextVar[GuardedRun | None] = ContextVar("hexgate_langchain_pausing", default=None)


class RunHandler(BaseCallbackHandler):
    """A callback that says whose run it is."""

    def __init__(self, run: GuardedRun, interrupts: bool) -> None:
        """`interrupts`: whether a held call may pause the graph."""
        super().__init__()
        self.run = run
        self.interrupts = interrupts


def find_run(callbacks: Any) -> tuple[GuardedRun | None, bool]:
    """The run of a list or a manager of callbacks (of several, the innermost), or else of the context; and whether it may pause."""
    handlers = callbacks if isinstance(callbacks, list) else getattr(callbacks, "handlers", ())
    for each in reversed(handlers):
        if isinstance(each, RunHandler):
            return each.run, each.interrupts
    run = current_guarded_run()
    return run, run is not None and _PAUSING.get() is run


@contextmanager
def in_scope(run: GuardedRun, interrupts: bool) -> Iterator[None]:
    """Be in the context of a run. Never around a `yield` to somebody else."""
    token = _PAUSING.set(run if interrupts else None)
    try:
        with run.current():
            yield
    finally:
        _PAUSING.reset(token)


def with_handler(config: RunnableConfig | None, handler: RunHandler) -> RunnableConfig:
    """A copy of a config with one callback more, the last. Callbacks are a list or a manager."""
    made: RunnableConfig = {**config} if config is not None else {}
    callbacks = made.get("callbacks")
    if callbacks is None or isinstance(callbacks, list):
        made["callbacks"] = [*(callbacks or ()), handler]
    else:
        manager = callbacks.copy()
        manager.add_handler(handler, inherit=True)
        made["callbacks"] = manager
    return made
