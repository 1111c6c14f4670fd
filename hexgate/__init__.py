"""Hexgate: typed, deny-by-default decisions on the tool calls of AI agents."""

__version__ = "0.1.0"
