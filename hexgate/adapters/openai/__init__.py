"""Hexgate in front of agents of the OpenAI Agents SDK (docs/adapters.md).

The SDK is imported with the first of these names, not with this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hexgate.adapters.openai.reach import coverage, coverage_with_servers
    from hexgate.adapters.openai.runner import HexgateRunner

__all__ = ["HexgateRunner", "coverage", "coverage_with_servers"]

_MODULES = {"HexgateRunner": "runner", "coverage": "reach", "coverage_with_servers": "reach"}


def __getattr__(name: str) -> Any:
    """PEP 562: the SDK takes two seconds to import. Raises AdapterError where it is not installed."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name != "agents":
            raise
        from hexgate.adapters.guard import AdapterError

        raise AdapterError("the OpenAI Agents SDK is not installed: install `hexgate[openai]`") from None
