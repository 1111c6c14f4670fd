"""Attach the guard where the framework begins the run of an agent.

Capabilities of a run are a public place for the decision, but a run that a tool's body begins has none of them, and a capability does not learn what
its run's output may be (docs/adapters.md, ADP). So the functions that begin runs are wrapped, once in a process: outside of a guarded run
they do what they did. The hooks that decide are checked as well: what a release has changed is refused before any run, never passed by.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic_ai.tools import DeferredToolRequests

from hexgate.adapters.guard import AdapterError, current_guarded_run
from hexgate.adapters.pydantic_ai.run_gate import BeginsRuns, RunGate

Begin = Callable[..., AbstractAsyncContextManager[Any]]

_LOCK = threading.Lock()
_MARK = "__hexgate_attached__"


@dataclass(frozen=True, slots=True)
class Place:
    """A function of the framework: its module, its path there, the parameters that it must have, and what wraps it, if anything does."""

    module: str
    path: str
    parameters: tuple[str, ...]
    wrap: Callable[[Begin], Begin] | None = None


def gate_runs(begin: Begin) -> Begin:
    """The beginning of a run: a capability of ours becomes that of this run, and a run in a guarded tool's body gets one."""

    @wraps(begin)
    def gated(self: Any, *args: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
        return begin(self, *args, **_with_gate(self, options))

    return gated


def gate_sessions(resolve: Begin) -> Begin:
    """The beginning of a realtime session, which cannot pause; what the provider would run is known before it is called."""

    @wraps(resolve)
    @asynccontextmanager
    async def gated(self: Any, *args: Any, **options: Any) -> AsyncGenerator[Any]:
        options = _with_gate(self, options, session=True)
        async with resolve(self, *args, **options) as resolved:
            for gate in options.get("capabilities") or ():
                if isinstance(gate, RunGate):
                    gate.require_offered(resolved.model_request_parameters)
                    resolved.model_request_parameters = gate.withhold(resolved.model_request_parameters)
            yield resolved

    return gated


_EXECUTE = ("self", "ctx", "call", "tool_def", "args")
_HOOKS = "pydantic_ai.capabilities.abstract"

PLACES = (
    Place("pydantic_ai.agent", "Agent.iter", ("self", "user_prompt", "output_type", "capabilities"), gate_runs),
    Place("pydantic_ai.agent", "Agent._resolve_realtime_session", ("self", "model", "capabilities"), gate_sessions),
    # What decides.
    Place(_HOOKS, "AbstractCapability.before_tool_execute", _EXECUTE),
    Place(_HOOKS, "AbstractCapability.wrap_tool_execute", (*_EXECUTE, "handler")),
    Place(_HOOKS, "AbstractCapability.wrap_tool_validate", (*_EXECUTE, "handler")),
    Place(_HOOKS, "AbstractCapability.handle_deferred_tool_calls", ("self", "ctx", "requests")),
    Place(_HOOKS, "AbstractCapability.before_output_process", ("self", "ctx", "output_context", "output")),
    Place(_HOOKS, "AbstractCapability.wrap_output_process", ("self", "ctx", "output_context", "output", "handler")),
    Place(_HOOKS, "AbstractCapability.before_model_request", ("self", "ctx", "request_context")),
    Place(_HOOKS, "AbstractCapability.prepare_model_request", ("self", "ctx", "request_context")),
    Place("pydantic_ai.toolsets.abstract", "AbstractToolset.call_tool", ("self", "name", "tool_args", "ctx", "tool")),
    Place("pydantic_ai.toolsets.abstract", "AbstractToolset.apply", ("self", "visitor")),
)


def attach() -> None:
    """Wrap every place that is wrapped, once. Raises AdapterError for a framework that has a place less, and then wraps none."""
    with _LOCK:
        found = [(place, *_find(place)) for place in PLACES]
        for place, owner, name, function in found:
            if place.wrap is not None and not hasattr(function, _MARK):
                wrapped = place.wrap(function)
                setattr(wrapped, _MARK, True)
                setattr(owner, name, wrapped)


def _with_gate(agent: Any, options: dict[str, Any], session: bool = False) -> dict[str, Any]:
    """The options of a run with the capability that decides on its calls, if anything does."""
    capabilities = options.get("capabilities") or ()
    run = current_guarded_run()
    if run is None and not any(isinstance(each, BeginsRuns) for each in capabilities):
        return options
    output = options.get("output_type")
    pauses = not session and _takes_deferred(agent.output_type if output is None else output)
    begun = [each.begin(pauses) if isinstance(each, BeginsRuns) else each for each in capabilities]
    if run is not None and not any(isinstance(each, RunGate) for each in begun):
        begun.append(RunGate(run=run, pauses=pauses, nested=True))
    return {**options, "capabilities": begun}


def _takes_deferred(output_type: Any) -> bool:
    """Whether a run may end with `DeferredToolRequests`: that is an output type, or one of a list or a union."""
    if output_type is DeferredToolRequests:
        return True
    if isinstance(output_type, Sequence) and not isinstance(output_type, str):
        return any(map(_takes_deferred, output_type))
    union = getattr(output_type, "__value__", output_type)  # of a `type` statement
    return get_origin(union) in (Union, UnionType) and DeferredToolRequests in get_args(union)


def _find(place: Place) -> tuple[Any, str, Any]:
    """Where a place is held, under which name, and what is there now."""
    try:
        owner: Any = import_module(place.module)
        *classes, name = place.path.split(".")
        for each in classes:
            owner = getattr(owner, each)
        function = vars(owner)[name]
        parameters = inspect.signature(function).parameters
    except (ImportError, AttributeError, KeyError, TypeError, ValueError):
        raise _changed(place) from None
    if not all(each in parameters for each in place.parameters):
        raise _changed(place)
    return owner, name, function


def _changed(place: Place) -> AdapterError:
    try:
        installed = version("pydantic-ai-slim")
    except PackageNotFoundError:
        installed = "?"
    return AdapterError(
        f"`{place.module}.{place.path}` is not what the gate attaches to in pydantic-ai-slim {installed}: install `hexgate[pydantic-ai]`, which"
        " asks for a release that was tested"
    )
