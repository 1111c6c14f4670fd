"""`hexgate token attenuate`: the same token, good for less."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate.identity.attenuate import Narrowing, NarrowingError, attenuate
from hexgate.identity.refusal import TokenRefusedError
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import instant_or_now
from hexgate_cli.options import Now
from hexgate_cli.rendering.token_words import count_blocks
from hexgate_cli.terminal import escape_text
from hexgate_cli.token_inputs import (
    TokenFile,
    TokenOutput,
    parse_duration,
    parse_integer,
    parse_pairs,
    parse_scalar,
    read_token,
    untrusted,
    write_token,
)


def command(
    token: TokenFile,
    tool: Annotated[list[str] | None, typer.Option("--tool", metavar="TOOL", help="Only this tool; several for any of them.")] = None,
    maxima: Annotated[list[str] | None, typer.Option("--max", metavar="ARG=N", help="The argument is an integer of at most N.")] = None,
    minima: Annotated[list[str] | None, typer.Option("--min", metavar="ARG=N", help="The argument is an integer of at least N.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--equals", metavar="ARG=TEXT", help="The argument is this string; `ARG:=JSON` for an integer or bool.")
    ] = None,
    ttl: Annotated[str | None, typer.Option("--ttl", metavar="TIME", help="Valid for so long from now: `90s`, `5m`, `1h`.")] = None,
    output: TokenOutput = None,
    now: Now = None,
) -> ExitCode:
    """Adds a block of checks, all of which every call must pass; nothing takes a block off again. Works offline and without a key:
    whoever holds a token can hand on less of it. A call without an argument that is bounded is refused.
    """
    narrowing = Narrowing(
        tuple(tool or ()),
        parse_pairs("--max", maxima, parse_integer),
        parse_pairs("--min", minima, parse_integer),
        parse_pairs("--equals", values, parse_scalar),
        None if ttl is None else instant_or_now(now) // 10**9 + parse_duration("--ttl", ttl),
    )
    try:
        made = attenuate(read_token(token), narrowing)
    except NarrowingError as error:
        raise InputError(str(error), help="`--tool`, `--max`, `--min`, `--equals` and `--ttl` say what the new token is good for") from None
    except TokenRefusedError as error:
        raise untrusted(f"the token is refused ({error.refusal.value}): {error.detail}", help="`hexgate token mint` makes a token") from None
    said = write_token(output, made)
    if output is not None:
        said = f"wrote {escape_text(output)}: {count_blocks(made)}\n"
    sys.stdout.write(said)
    return ExitCode.OK
