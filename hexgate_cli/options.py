"""Options that several subcommands share: one spelling, one help text."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer


class Engine(StrEnum):
    """Who decides."""

    INTERPRETER = "interpreter"
    WASM = "wasm"
    BOTH = "both"


class Format(StrEnum):
    """For whom the answer is written."""

    HUMAN = "human"
    JSON = "json"


def require_finite(value: float | None) -> float | None:
    """A number of seconds that comes to an end: what is no number (`nan`) is neither below a limit nor above. Raises BadParameter."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number of seconds")
    return value


PolicyPath: TypeAlias = Annotated[
    str, typer.Argument(metavar="PATH", help="A directory of role files, or one policy file.", show_default=False)
]
PolicyOrBundlePath: TypeAlias = Annotated[
    str, typer.Argument(metavar="PATH", help="A directory of role files, one policy file, or a bundle.", show_default=False)
]
PolicyPaths: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="PATH", help="Directories of role files, or policy files.", show_default=False)
]
ToolSchemas: TypeAlias = Annotated[
    str | None, typer.Option("--tools", metavar="FILE", help="JSON with the tools' schemas: types `args`.")
]
FormatOption: TypeAlias = Annotated[Format, typer.Option("--format", help="For people or for programs.")]
Now: TypeAlias = Annotated[
    str | None,
    typer.Option("--now", metavar="INSTANT", help="RFC 3339 or seconds since the epoch; else the clock's."),
]
Trust: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--trust", metavar="KEYS", help="Who must have signed: `[N/]ed25519:…[,ed25519:…]`, or a whole HEXGATE_KEY; else the variable's."
    ),
]
