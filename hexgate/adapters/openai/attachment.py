"""Attach the guard where the SDK executes what a model asks for.

The SDK has no public gate for a whole run that keeps the user's agent object (docs/adapters.md, AD4). So the few functions through
which every tool call, hand-off and offer of tools passes are wrapped, once in a process: outside of a guarded run they do what they
did. Their names and parameters are checked first. What a release has changed is refused before any run, never passed by.
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
from hexgate.adapters.openai import function_calls, hand_offs, hosted_calls, native_calls, reach

Wrap = Callable[[Any], Any]

_LOCK = threading.Lock()
_MARK = "__hexgate_attached__"


@dataclass(frozen=True, slots=True)
class Place:
    """A function of the SDK: its module below `agents`, its path there, the parameters that it must have, and what wraps it."""

    module: str
    path: str
    parameters: tuple[str, ...]
    wrap: Wrap


_INVOKE = ("function_tool", "context", "arguments")
_APPROVAL = ("function_tool", "context_wrapper", "tool_call")
_ACTION = ("agent", "call", "hooks", "context_wrapper", "config")
_EXECUTE = "run_internal.tool_execution"
_RESOLVE = "run_internal.turn_resolution"
_ACTIONS = "run_internal.tool_actions"
_PLAN = "run_internal.tool_planning"

PLACES = (
    # Function tools, local MCP tools, agents as tools, programmatic calls.
    Place(_EXECUTE, "_invoke_function_tool_with_metadata", _INVOKE, function_calls.gate_invocation),
    Place("tool", "_invoke_function_tool_with_metadata", _INVOKE, function_calls.gate_invocation),
    Place(_EXECUTE, "function_needs_approval", _APPROVAL, function_calls.gate_approval),
    Place(_RESOLVE, "function_needs_approval", _APPROVAL, function_calls.gate_approval),
    # Tools of a kind of their own.
    Place(_ACTIONS, "CustomToolAction.execute", _ACTION, native_calls.gate_custom),
    Place(_ACTIONS, "ShellAction.execute", _ACTION, native_calls.gate_shell),
    Place(_ACTIONS, "ApplyPatchAction.execute", _ACTION, native_calls.gate_patch),
    Place(_ACTIONS, "LocalShellAction.execute", _ACTION, native_calls.gate_local_shell),
    Place(_ACTIONS, "ComputerAction.execute", ("agent", "action", *_ACTION[2:]), native_calls.gate_computer),
    # Hand-offs.
    Place(_RESOLVE, "execute_handoffs", ("public_agent", "run_handoffs", "context_wrapper"), hand_offs.gate_hand_offs),
    # Calls of hosted MCP servers that ask first.
    Place(_PLAN, "execute_mcp_approval_requests", ("agent", "approval_requests", "context_wrapper"), hosted_calls.gate_callbacks),
    Place(_PLAN, "_apply_manual_mcp_approvals", ("agent", "requests", "context_wrapper"), hosted_calls.gate_manual),
    # What is offered to the model in a turn.
    Place("run_internal.run_loop", "get_all_tools", ("agent", "context_wrapper"), reach.gate_offer),
)


def attach() -> None:
    """Wrap every place, once. Raises AdapterError for an SDK that has a place less, and then wraps none."""
    with _LOCK:
        found = [(place, *_find(place)) for place in PLACES]
        for place, owner, name, held in found:
            function = held.__func__ if isinstance(held, classmethod) else held
            if not hasattr(function, _MARK):
                wrapped = place.wrap(function)
                setattr(wrapped, _MARK, True)
                setattr(owner, name, classmethod(wrapped) if isinstance(held, classmethod) else wrapped)


def _find(place: Place) -> tuple[Any, str, Any]:
    """Where a place is held, under which name, and what is there now."""
    try:
        owner: Any = import_module(f"agents.{place.module}")
        *classes, name = place.path.split(".")
        for each in classes:
            owner = getattr(owner, each)
        held = vars(owner)[name]
        function = held.__func__ if isinstance(held, classmethod) else held
        parameters = inspect.signature(function).parameters
    except (ImportError, AttributeError, KeyError, TypeError, ValueError):
        raise _changed(place) from None
    if not all(each in parameters for each in place.parameters):
        raise _changed(place)
    return owner, name, held


def _changed(place: Place) -> AdapterError:
    try:
        installed = version("openai-agents")
    except PackageNotFoundError:
        installed = "?"
    return AdapterError(
        f"`agents.{place.module}.{place.path}` is not what the gate attaches to in openai-agents {installed}: install `hexgate[openai]`, which"
        " asks for a release that was tested"
    )
