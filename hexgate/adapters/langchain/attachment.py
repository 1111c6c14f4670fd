"""Attach the guard where the framework runs a tool and calls a model.

A callback can refuse a call, but what it is shown is not what the tool is run with, and other callbacks come after it; middleware is
of one agent and is not there in graphs that tool bodies run (docs/adapters.md, ADL). So the few functions through which every call and
every offer passes are wrapped, once in a process: outside of a guarded run they do what they did. What a release has changed is refused
before any run, never passed by.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from hexgate.adapters.guard import AdapterError
from hexgate.adapters.langchain import calls, offers

_LOCK = threading.Lock()
_MARK = "__hexgate_attached__"


@dataclass(frozen=True, slots=True)
class Place:
    """A method of the framework: its module, its path there, the parameters that it must begin with, and what wraps it."""

    module: str
    path: str
    parameters: tuple[str, ...]
    wrap: Callable[[Any], Any]


_TOOL, _NODE, _MODEL = "langchain_core.tools.base", "langgraph.prebuilt.tool_node", "langchain_core.language_models.chat_models"
_RUN = ("self", "tool_input", "verbose", "start_color", "color", "callbacks")
_EXECUTE = ("self", "request", "input_type", "config")
_GENERATE, _STREAM = ("self", "messages", "stop", "callbacks"), ("self", "input", "config")

PLACES = (
    Place(_TOOL, "BaseTool.run", _RUN, calls.gate_run),
    Place(_TOOL, "BaseTool.arun", _RUN, calls.gate_arun),
    Place(_TOOL, "BaseTool._filter_injected_args", ("self", "tool_input"), calls.gate_callback_inputs),
    Place(_NODE, "ToolNode._execute_tool_sync", _EXECUTE, calls.gate_execution),
    Place(_NODE, "ToolNode._execute_tool_async", _EXECUTE, calls.gate_aexecution),
    Place(_NODE, "ToolNode._parse_input", ("self", "input"), calls.gate_node_input),
    Place(_MODEL, "BaseChatModel.generate", _GENERATE, offers.gate_model),
    Place(_MODEL, "BaseChatModel.agenerate", _GENERATE, offers.gate_model),
    Place(_MODEL, "BaseChatModel.stream", _STREAM, offers.gate_model),
    Place(_MODEL, "BaseChatModel.astream", _STREAM, offers.gate_model),
    Place(_MODEL, "BaseChatModel.stream_events", _STREAM, offers.gate_model),
    Place(_MODEL, "BaseChatModel.astream_events", _STREAM, offers.gate_model),
)

NAMES = (
    # module, and a name of it that the adapter reads: what holds the pause of a graph
    ("langgraph._internal._constants", "CONFIG_KEY_CHECKPOINTER"),
    ("langgraph._internal._constants", "CONFIG_KEY_CHECKPOINT_NS"),
    ("langgraph._internal._constants", "CONFIG_KEY_SCRATCHPAD"),
)


def attach() -> None:
    """Wrap every place, once. Raises AdapterError for a framework that has a place less, and then wraps none."""
    with _LOCK:
        found = [(place, *_find(place)) for place in PLACES]
        for module, name in NAMES:
            if not isinstance(getattr(import_module(module), name, None), str):
                raise _changed(f"{module}.{name}")
        for place, owner, name, function in found:
            if not hasattr(function, _MARK):
                wrapped = place.wrap(function)
                setattr(wrapped, _MARK, True)
                setattr(owner, name, wrapped)


def _find(place: Place) -> tuple[Any, str, Any]:
    """Where a place is held, under which name, and what is there now."""
    try:
        owner: Any = import_module(place.module)
        *classes, name = place.path.split(".")
        for each in classes:
            owner = getattr(owner, each)
        function = vars(owner)[name]
        parameters = tuple(inspect.signature(function).parameters)
    except (ImportError, AttributeError, KeyError, TypeError, ValueError):
        raise _changed(f"{place.module}.{place.path}") from None
    if parameters[: len(place.parameters)] != place.parameters:
        raise _changed(f"{place.module}.{place.path}")
    return owner, name, function


def _changed(place: str) -> AdapterError:
    try:
        installed = f"langchain-core {version('langchain-core')} with langgraph {version('langgraph')}"
    except PackageNotFoundError:
        installed = "what is installed"
    return AdapterError(
        f"`{place}` is not what the gate attaches to in {installed}: install `hexgate[langchain]`, which asks for releases that were tested"
    )
