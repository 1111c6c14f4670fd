"""`hexgate token keygen`: a new root key for tokens."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from hexgate.bundle.keys import generate_key
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.signing_keys import PASSPHRASE_VARIABLE, create_key_file, new_passphrase
from hexgate_cli.terminal import escape_text


def command(
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write the private key.", show_default=False)
    ],
    key_id: Annotated[int, typer.Option("--key-id", metavar="N", min=0, max=2**32 - 1, help="The number that tokens name it by.")] = 1,
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help=f"Encrypt it: asks for a passphrase, or takes {PASSPHRASE_VARIABLE}.")
    ] = False,
) -> ExitCode:
    """An Ed25519 key in PEM (PKCS#8), readable by its owner only. A file that is there is never overwritten. Whoever has it can be
    every user: keep it apart from the keys that sign bundles. The entry of `rootKeys` that makes runtimes trust it is printed.
    """
    secret = new_passphrase() if passphrase else None
    key = generate_key()
    create_key_file(output, key, secret)
    entry = {"id": key_id, "key": key.public.text, "notBefore": None, "notAfter": None}
    sys.stdout.write(
        f"wrote {escape_text(output)}: keep it secret, and keep a copy\n"
        f"  rootKeys     {json.dumps(entry)}\n"
        f"  fingerprint  {key.public.fingerprint}\n"
    )
    return ExitCode.OK
