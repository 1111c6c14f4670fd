"""Hexgate in front of agents of Pydantic AI (docs/adapters.md).

The framework is imported with the first of these names, not with this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hexgate.adapters.pydantic_ai.agent import HexgateAgent
    from hexgate.adapters.pydantic_ai.capability import HexgateCapability
    from hexgate.adapters.pydantic_ai.reach import coverage

__all__ = ["HexgateAgent", "HexgateCapability", "coverage"]

_MODULES = {"HexgateAgent": "agent", "HexgateCapability": "capability", "coverage": "reach"}


def __getattr__(name: str) -> Any:
    """PEP 562: the framework takes more than a second to import. Raises AdapterError where it is not installed."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name != "pydantic_ai":
            raise
        from hexgate.adapters.guard import AdapterError

        raise AdapterError("Pydantic AI is not installed: install `hexgate[pydantic-ai]`") from None
