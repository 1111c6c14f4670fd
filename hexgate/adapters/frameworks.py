"""Which adapter an agent belongs to, by the package that its class comes from."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hexgate.adapters.coverage import Coverage
from hexgate.adapters.guard import AdapterError

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

FRAMEWORKS = {
    # top-level package of an agent's class -> the adapter's package, whose `coverage` takes the agent and the gate
    "agents": "openai",
    "langchain": "langchain",
    "langchain_core": "langchain",
    "langgraph": "langchain",
    "google": "google_adk",
    "pydantic_ai": "pydantic_ai",
}


def adapter_of(agent: Any) -> str:
    """The name of the adapter for an agent. Raises AdapterError for an object of no framework."""
    for each in type(agent).__mro__:
        found = FRAMEWORKS.get(each.__module__.partition(".")[0])
        if found is not None:
            return found
    names = ", ".join(f"`{name}`" for name in dict.fromkeys(FRAMEWORKS.values()))
    raise AdapterError(f"this is an agent of no framework that has an adapter: name an agent of {names}")


def coverage_of(agent: Any, gate: Gate) -> Coverage:
    """The coverage of an agent of any framework. Raises AdapterError as above."""
    found: Coverage = import_module(f"hexgate.adapters.{adapter_of(agent)}").coverage(agent, gate)
    return found
