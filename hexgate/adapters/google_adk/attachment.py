"""Attach the guard where the kit makes the calls that a model asks for.

A plugin decides before the agent's own callbacks, which may still edit the arguments, and is not there in runners that tool bodies
make (docs/adapters.md, ADG.3). So the few functions through which every call and every offer passes are wrapped, once in a process:
outside of a guarded run they do what they did. What a release has changed is refused before any run, never passed by.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from hexgate.adapters.google_adk import calls, code, nodes, offers
from hexgate.adapters.guard import AdapterError

_LOCK = threading.Lock()
_MARK = "__hexgate_attached__"


@dataclass(frozen=True, slots=True)
class Place:
    """A function of the kit: its module below `google.adk`, its path there, the parameters that it must have, and what
    wraps it."""

    module: str
    path: str
    parameters: tuple[str, ...]
    wrap: Callable[[Any], Any]


_EXECUTE = ("invocation_context", "prepared_call", "agent", "tool_runner")
_CONFIRM = ("tool", "function_args", "tool_context")
_BEFORE = ("self", "invocation_context", "llm_request", "model_response_event")
_PREPARE = ("self", "invocation_context", "llm_request", "live")
_AGENT = ("self", "parent_context")

PLACES = (
    Place("flows.llm_flows.tools._caller", "_execute_single_prepared_call", _EXECUTE, calls.gate_execution),
    Place("flows.llm_flows.tools._live_caller", "_execute_single_prepared_call", _EXECUTE, calls.gate_execution),
    Place("flows.llm_flows.tools._caller", "apply_confirmation_gate", _CONFIRM, calls.gate_confirmation),
    Place("flows.llm_flows.base_llm_flow", "BaseLlmFlow._handle_before_model_callback", _BEFORE, offers.gate_model),
    Place("flows.llm_flows.base_llm_flow", "BaseLlmFlow._preprocess_async", _PREPARE, offers.gate_session),
    Place("flows.llm_flows.extensions._code_execution", "_resolve_code_executor", ("invocation_context", "agent"), code.gate_executor),
    Place("workflow._tool_node", "_ToolNode._run_tool_with_plugin_callbacks", ("self", "ctx", "args"), nodes.gate_node),
    Place("workflow._tool_node", "apply_confirmation_gate", _CONFIRM, nodes.gate_node_confirmation),
    Place("workflow._llm_agent_wrapper", "_dispatch_task_fc", ("parent_agent", "fc", "ctx"), nodes.gate_delegation),
    Place("agents.base_agent", "BaseAgent.run_async", _AGENT, nodes.gate_agent),
    Place("agents.base_agent", "BaseAgent.run_live", _AGENT, nodes.gate_agent),
)


def attach() -> None:
    """Wrap every place, once. Raises AdapterError for a kit that has a place less, and then wraps none."""
    with _LOCK:
        found = [(place, *_find(place)) for place in PLACES]
        for place, owner, name, function in found:
            if not hasattr(function, _MARK):
                wrapped = place.wrap(function)
                setattr(wrapped, _MARK, True)
                setattr(owner, name, wrapped)


def _find(place: Place) -> tuple[Any, str, Any]:
    """Where a place is held, under which name, and what is there now."""
    try:
        owner: Any = import_module(f"google.adk.{place.module}")
        *classes, name = place.path.split(".")
        for each in classes:
            owner = getattr(owner, each)
        function = vars(owner)[name]
        parameters = tuple(inspect.signature(function).parameters)
    except (ImportError, AttributeError, KeyError, TypeError, ValueError):
        raise _changed(place) from None
    if parameters != place.parameters:
        raise _changed(place)
    return owner, name, function


def _changed(place: Place) -> AdapterError:
    try:
        installed = version("google-adk")
    except PackageNotFoundError:
        installed = "?"
    return AdapterError(
        f"`google.adk.{place.module}.{place.path}` is not what the gate attaches to in google-adk {installed}: install"
        " `hexgate[google-adk]`, which asks for a release that was tested"
    )
