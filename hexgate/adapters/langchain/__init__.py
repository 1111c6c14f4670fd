"""Hexgate in front of LangChain agents and LangGraph graphs (docs/adapters.md).

The framework is imported with the first of these names, not with this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hexgate.adapters.langchain.callback import HexgateCallback
    from hexgate.adapters.langchain.graph import HexgateGraph, wrap
    from hexgate.adapters.langchain.middleware import HexgateMiddleware
    from hexgate.adapters.langchain.reach import coverage

__all__ = ["HexgateCallback", "HexgateGraph", "HexgateMiddleware", "coverage", "wrap"]

_MODULES = {
    "HexgateCallback": "callback",
    "HexgateGraph": "graph",
    "HexgateMiddleware": "middleware",
    "coverage": "reach",
    "wrap": "graph",
}


def __getattr__(name: str) -> Any:
    """PEP 562: the framework takes two seconds to import. Raises AdapterError where it is not installed."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("langchain", "langchain_core", "langgraph"):
            raise
        from hexgate.adapters.guard import AdapterError

        raise AdapterError("LangChain is not installed: install `hexgate[langchain]`") from None
