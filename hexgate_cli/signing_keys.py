"""Private keys: from files, the environment or standard input, and their passphrases."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from hexgate.atomic_file import create_file
from hexgate.bundle.keys import PEM_BYTES, KeyRefusedError, SigningKey, read_signing_key, write_signing_key
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import describe_os_error, read_start

KEY_VARIABLE = "HEXGATE_SIGNING_KEY"
"""The environment variable with a private key in PEM."""

PASSPHRASE_VARIABLE = "HEXGATE_SIGNING_PASSPHRASE"
"""The environment variable with the passphrase of all private keys that have one."""

_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


def read_signing_keys(files: Sequence[str]) -> list[SigningKey]:
    """The keys of files, `-` for standard input; the environment's where no file is named. Raises InputError."""
    if files:
        if list(files).count("-") > 1:
            raise InputError("standard input has one key", help="put the other keys in files")
        return [_read("standard input" if file == "-" else f"`{file}`", read_start(file, PEM_BYTES + 1)) for file in files]
    text = os.environ.get(KEY_VARIABLE, "")
    if not text.strip():
        raise InputError(
            "there is no key to sign with", help=f"name its file, or set {KEY_VARIABLE} to its text; `hexgate keygen` makes a key"
        )
    return [_read(KEY_VARIABLE, os.fsencode(text))]


def _read(where: str, pem: bytes) -> SigningKey:
    passphrase = _passphrase(where) if _ENCRYPTED in pem else None
    try:
        return read_signing_key(pem, passphrase)
    except KeyRefusedError as error:
        sentence, _, way = str(error).partition("; ")
        raise InputError(f"{where}: {sentence}", help=way or "`hexgate keygen` makes a key that signs") from None


def _passphrase(where: str) -> bytes:
    text = os.environ.get(PASSPHRASE_VARIABLE)
    return os.fsencode(text if text is not None else _ask(f"passphrase of {where}: "))


def new_passphrase() -> bytes:
    """The passphrase for a new key, from the environment or asked for twice. Raises InputError."""
    text = os.environ.get(PASSPHRASE_VARIABLE)
    if text is None:
        text = _ask("passphrase: ")
        if _ask("the same again: ") != text:
            raise InputError("the two passphrases differ", help="try again")
    if not text:
        raise InputError("the passphrase is empty", help="leave out `--passphrase` for a key without one")
    return os.fsencode(text)


def create_key_file(path: str, key: SigningKey, passphrase: bytes | None) -> None:
    """Write a private key to a new file that only its owner can read. Raises InputError where something is there, CommandError where
    it cannot be written."""
    if not Path(path).name:
        raise InputError(f"`{path}` is no name of a file", help="name a new file, as in `-o release.key`")
    try:
        create_file(Path(path), write_signing_key(key, passphrase), mode=0o600)
    except FileExistsError:
        raise InputError(f"`{path}` is there already", help="a key is never overwritten: name a new file") from None
    except (OSError, ValueError) as error:
        detail = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise CommandError(f"cannot write `{path}`: {detail}") from None


def _ask(prompt: str) -> str:
    """What is typed at the terminal, unseen. Raises InputError where there is none."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError("there is nobody to ask for the passphrase", help=f"set {PASSPHRASE_VARIABLE}")
    return getpass.getpass(prompt, sys.stderr)
