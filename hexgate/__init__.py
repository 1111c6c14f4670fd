"""Hexgate: typed, deny-by-default decisions on the tool calls of AI agents."""

from pathlib import Path

__version__ = "0.1.0"

# An installed package has the grammar, the prelude and the schemas in it; in a checkout they stand beside it.
_BESIDE = Path(__file__).parents[1]
if (_BESIDE / "grammar" / "cel.lark").is_file():
    __path__.append(str(_BESIDE))
