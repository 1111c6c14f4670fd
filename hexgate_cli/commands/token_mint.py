"""`hexgate token mint`: a token that says who its bearer is."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate.bundle.strict_members import format_time
from hexgate.identity.mint import Grant, GrantError, mint
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import instant_or_now, parse_instant
from hexgate_cli.options import Now
from hexgate_cli.signing_keys import read_signing_keys
from hexgate_cli.terminal import escape_name, escape_text
from hexgate_cli.token_inputs import TokenOutput, parse_duration, parse_pairs, parse_value, write_token

TTL = "1h"
"""How long a token is valid where nobody says."""

_SECOND = 10**9


def command(
    key: Annotated[str, typer.Option("--key", metavar="FILE", help="The root key in PEM, `-` for standard input.", show_default=False)],
    user: Annotated[str, typer.Option("--user", metavar="ID", help="Who the bearer is.", show_default=False)],
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The bearer's role.", show_default=False)],
    ttl: Annotated[str, typer.Option("--ttl", metavar="TIME", help="Valid for so long: `90s`, `5m`, `1h`, `30d`.")] = TTL,
    attributes: Annotated[
        list[str] | None, typer.Option("--attr", metavar="K=V", help="`user.attrs.K` is a string; `K:=JSON` for other values.")
    ] = None,
    audience: Annotated[
        list[str] | None, typer.Option("--audience", metavar="NAME", help="For runtimes of this audience only; several for any of them.")
    ] = None,
    narrower: Annotated[
        list[str] | None, typer.Option("--narrower-role", metavar="ROLE", help="A role that the bearer may choose instead.")
    ] = None,
    key_id: Annotated[int, typer.Option("--key-id", metavar="N", min=0, max=2**32 - 1, help="The root key's id in `rootKeys`.")] = 1,
    not_before: Annotated[str | None, typer.Option("--not-before", metavar="INSTANT", help="Not valid until then.")] = None,
    output: TokenOutput = None,
    now: Now = None,
) -> ExitCode:
    """A Biscuit token, signed by a root key that the bundle's `identity.rootKeys` names. A token is a secret of its bearer: with
    --output it is written for its owner only.
    """
    issued = instant_or_now(now) // _SECOND
    grant = Grant(
        user,
        role,
        issued + parse_duration("--ttl", ttl),
        None if not_before is None else parse_instant(not_before) // _SECOND,
        parse_pairs("--attr", attributes, parse_value),
        tuple(narrower or ()),
        tuple(audience or ()),
    )
    (root,) = read_signing_keys([key])
    try:
        token = mint(grant, root, key_id)
    except GrantError as error:
        raise InputError(str(error), help="names have 1 to 256 bytes; attributes are strings, integers, bools, or lists of those") from None
    said = write_token(output, token)
    if output is not None and grant.expires is not None:
        said = f"wrote {escape_text(output)}: {escape_text(user)} as {escape_name(role)} until {format_time(grant.expires)}\n"
    sys.stdout.write(said)
    return ExitCode.OK
