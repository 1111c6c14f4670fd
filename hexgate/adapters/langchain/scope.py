"""Which guarded run a call of the framework belongs to, and whether it may pause there.

A run is known by the config of its request, which the framework hands down to everything below it, also into threads that are given it:
as a callback of its own (`HexgateCallback`), or, since the framework takes its time over any callback, under a key of `configurable` that
it keeps out of checkpoints and traces. Where code has dropped its config, the run is the one whose context it is in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks.base import BaseCallbackHandler
from langchain_core.runnables.config import var_child_runnable_config

from hexgate.adapters.guard import GuardedRun, current_guarded_run

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

KEY = "__hexgate_run"
"""Of `configurable`. What begins so is neither kept nor traced, and the value is an object that no request can bring."""

_NUMBERS = count()
_PAUSING: ContextVar[GuardedRun | None] = ContextVar("hexgate_langchain_pausing", default=None)


class RunHandler(BaseCallbackHandler):
    """A callback that says whose run it is."""

    def __init__(self, run: GuardedRun, interrupts: bool) -> None:
        """`interrupts`: whether a held call may pause the graph."""
        super().__init__()
        self.run = run
        self.interrupts = interrupts
        self.number = next(_NUMBERS)


def find_run(callbacks: Any, config: Any = None) -> tuple[GuardedRun | None, bool]:
    """The run of a list or a manager of callbacks and of a config (of several, the innermost: the one that began last), else of the
    config that the code around is run with, or else of the context; and whether it may pause."""
    found = _innermost(callbacks, config)
    if found is None:
        around = var_child_runnable_config.get()
        found = None if around is None else _innermost(around.get("callbacks"), around)
    if found is not None:
        return found.run, found.interrupts
    run = current_guarded_run()
    return run, run is not None and _PAUSING.get() is run


def _innermost(callbacks: Any, config: Any) -> RunHandler | None:
    found = _handler_of(config)
    for each in callbacks if isinstance(callbacks, list) else getattr(callbacks, "handlers", ()):
        if isinstance(each, RunHandler) and (found is None or each.number > found.number):
            found = each
    return found


def _handler_of(config: Any) -> RunHandler | None:
    found = ((config or {}).get("configurable") or {}).get(KEY)
    return found if isinstance(found, RunHandler) else None


@contextmanager
def in_scope(run: GuardedRun, interrupts: bool) -> Iterator[None]:
    """Be in the context of a run. Never around a `yield` to somebody else."""
    token = _PAUSING.set(run if interrupts else None)
    try:
        with run.current():
            yield
    finally:
        _PAUSING.reset(token)


def with_key(config: RunnableConfig | None, handler: RunHandler) -> RunnableConfig:
    """A copy of a config that says whose run it is."""
    made: RunnableConfig = {**config} if config is not None else {}
    made["configurable"] = {**(made.get("configurable") or {}), KEY: handler}
    return made
