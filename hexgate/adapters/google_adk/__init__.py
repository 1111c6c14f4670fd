"""Hexgate in front of agents of the Google Agent Development Kit (docs/adapters.md).

The kit is imported with the first of these names, not with this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hexgate.adapters.google_adk.plugin import HexgatePlugin
    from hexgate.adapters.google_adk.reach import coverage
    from hexgate.adapters.google_adk.runner import HexgateRunner

__all__ = ["HexgatePlugin", "HexgateRunner", "coverage"]

_MODULES = {"HexgatePlugin": "plugin", "HexgateRunner": "runner", "coverage": "reach"}


def __getattr__(name: str) -> Any:
    """PEP 562: the kit takes two seconds to import. Raises AdapterError where it is not installed."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("google", "google.adk", "google.genai"):
            raise
        from hexgate.adapters.guard import AdapterError

        raise AdapterError("the Google Agent Development Kit is not installed: install `hexgate[google-adk]`") from None
