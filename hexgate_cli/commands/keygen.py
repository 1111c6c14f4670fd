"""`hexgate keygen`: a new private key."""

from __future__ import annotations

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
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help=f"Encrypt it: asks for a passphrase, or takes {PASSPHRASE_VARIABLE}.")
    ] = False,
) -> ExitCode:
    """An Ed25519 key in PEM (PKCS#8), readable by its owner only. A file that is there is never overwritten. The public key,
    which HEXGATE_KEY names, is printed; `hexgate key show` prints it again.
    """
    secret = new_passphrase() if passphrase else None
    key = generate_key()
    create_key_file(output, key, secret)
    sys.stdout.write(
        f"wrote {escape_text(output)}: keep it secret, and keep a copy\n"
        f"  public key   {key.public.text}\n"
        f"  fingerprint  {key.public.fingerprint}\n"
    )
    return ExitCode.OK
