"""`hexgate key show`: the public side of keys, as `HEXGATE_KEY` has it."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from hexgate.bundle.keys import SCHEME, KeyRefusedError, PublicKey, parse_public_key
from hexgate.bundle.trust_root import HexgateKeyError, TrustRoot, parse_hexgate_key
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.signing_keys import read_signing_keys


class Action(StrEnum):
    """What to do with keys."""

    SHOW = "show"


def command(
    action: Annotated[Action, typer.Argument(metavar="show", help="Show public keys.", show_default=False)],
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY...", help="Private keys in PEM, `-` for standard input, or public keys `ed25519:…`.", show_default=False
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="LOCATION", help="Path or https URL of the bundle: NAME.hexgate.")
    ] = None,
    threshold: Annotated[
        int, typer.Option("--threshold", metavar="N", min=1, help="How many of the keys must have signed.")
    ] = 1,
) -> ExitCode:
    """With --at, the line that sets HEXGATE_KEY; without it, each key with its fingerprint. Without a KEY, that of
    HEXGATE_SIGNING_KEY. All of it is public; nothing of a private key is shown.
    """
    public = _public_keys(keys) if keys else [read_signing_keys(())[0].public]
    try:
        trust = TrustRoot(threshold, tuple(public))
        if at is None:
            sys.stdout.write("".join(f"{key.text}  {key.fingerprint}\n" for key in trust.keys))
            return ExitCode.OK
        count = f"{threshold}/" if threshold > 1 else ""
        text = f"{count}{','.join(key.text for key in trust.keys)}@{at}"
        parse_hexgate_key(text)
    except HexgateKeyError as error:
        sentence, _, way = str(error).partition("; ")
        raise InputError(sentence, help=way or "`hexgate key --help` shows how") from None
    sys.stdout.write(f"HEXGATE_KEY={text}\n")
    return ExitCode.OK


def _public_keys(keys: list[str]) -> list[PublicKey]:
    files = [key for key in keys if not key.startswith(SCHEME)]
    read = dict(zip(files, read_signing_keys(files), strict=True)) if files else {}
    try:
        return [parse_public_key(key) if key.startswith(SCHEME) else read[key].public for key in keys]
    except KeyRefusedError as error:
        raise InputError(str(error), help="`hexgate key show FILE` prints the public key of a private one") from None
