"""Which adapter an agent belongs to, by the package that its class comes from."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hexgate.adapters.coverage import Coverage
from hexgate.adapters.guard import AdapterError

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

AGENTS = {
    # top-level package and name of a class that agents have above them -> the adapter's package, whose `coverage` takes the agent and the gate
    ("agents", "AgentBase"): "openai",
    ("langgraph", "PregelProtocol"): "langchain",
    ("google", "BaseNode"): "google_adk",
    ("google", "App"): "google_adk",
    ("google", "Runner"): "google_adk",
    ("pydantic_ai", "AbstractAgent"): "pydantic_ai",
}


def adapter_of(agent: Any) -> str:
    """The name of the adapter for an agent. Raises AdapterError for what is none, such as one of its tools."""
    for each in type(agent).__mro__:
        found = AGENTS.get((each.__module__.partition(".")[0], each.__name__))
        if found is not None:
            return found
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(AGENTS.values()))
    raise AdapterError(f"this is no agent of a framework that has an adapter: name an agent of {names}")


def coverage_of(agent: Any, gate: Gate) -> Coverage:
    """The coverage of an agent of any framework. Raises AdapterError as above."""
    found: Coverage = import_module(f"hexgate.adapters.{adapter_of(agent)}").coverage(agent, gate)
    return found
