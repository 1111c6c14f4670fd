"""What the commands of tokens take: tokens from files, names with values, durations, root keys."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer

from hexgate.atomic_file import replace_file
from hexgate.bundle.keys import KeyRefusedError, parse_public_key
from hexgate.bundle.statement import IdentitySettings, TokenRootKey
from hexgate.identity.envelope import TOKEN_CHARACTERS
from hexgate.strict_json import StrictJsonError, parse_json
from hexgate_cli.bundle_files import require_bundle
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import describe_os_error, read_start

TokenFile: TypeAlias = Annotated[
    str, typer.Argument(metavar="TOKEN", help="A file with a token, `-` for standard input.", show_default=False)
]
TokenOutput: TypeAlias = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write the token, for its owner only; else standard output."),
]

_KEY_ID = re.compile(r"[0-9]{1,10}")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_WHITE = " \t\r\n"
_V = TypeVar("_V")


def read_token(path: str) -> str:
    """The text of a token's file, without white space around it. Raises CommandError."""
    data = read_start(path, TOKEN_CHARACTERS + 1_024)
    text = data.decode("ascii", "replace").strip(_WHITE)
    if not text:
        what = "standard input has" if path == "-" else f"`{path}` has"
        raise InputError(f"{what} no token", help="`hexgate token mint` makes one")
    return text


def write_token(output: str | None, token: str) -> str:
    """Write a token where it shall go; what to say about it on standard output. Raises CommandError."""
    if output is None:
        return f"{token}\n"
    path = Path(output)
    try:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            path.write_text(f"{token}\n", encoding="ascii")
        else:
            replace_file(path, f"{token}\n".encode(), mode=0o600)
    except (OSError, ValueError) as error:
        detail = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise CommandError(f"cannot write `{output}`: {detail}") from None
    return ""


def parse_duration(option: str, text: str) -> int:
    """Seconds of `90s`, `5m`, `1h`, `30d`, `8w`. Raises InputError."""
    duration = _DURATION.fullmatch(text)
    if duration is None:
        raise InputError(f"{option}: `{text}` is no duration", help="write a number and a unit: `90s`, `5m`, `1h`, `30d`, `8w`")
    return int(duration[1]) * _UNITS[duration[2]]


def parse_pairs(option: str, texts: Sequence[str] | None, parse: Callable[[str, str, bool], _V]) -> dict[str, _V]:
    """Names with values from `NAME=TEXT` or `NAME:=JSON`; `parse` takes the option, the value, and whether it is JSON. Raises
    InputError."""
    pairs: dict[str, _V] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        json = name.endswith(":")
        name = name.removesuffix(":")
        if not equals or not name:
            raise InputError(f"{option}: `{text}` has no name and value", help=f"write `{option} NAME=VALUE`")
        if name in pairs:
            raise InputError(f"{option}: `{name}` is there twice", help="name it once")
        pairs[name] = parse(option, value, json)
    return pairs


def parse_integer(option: str, text: str, json: bool) -> int:
    """An integer, written in one of two ways. Raises InputError."""
    if not re.fullmatch(r"-?(0|[1-9][0-9]{0,19})", text):
        raise InputError(f"{option}: `{text}` is no integer", help="tokens compare integers only: count in cents, not in dollars")
    return int(text)


def parse_value(option: str, text: str, json: bool) -> object:
    """A string, or what JSON says. Raises InputError."""
    if not json:
        return text
    try:
        return parse_json(text)
    except StrictJsonError as error:
        raise InputError(f"{option}: {error}", help=f"`{option} NAME:=JSON` takes JSON, `{option} NAME=TEXT` a string") from None


def parse_scalar(option: str, text: str, json: bool) -> str | int | bool:
    """A string, or what JSON says if that is a string, an integer or a bool. Raises InputError."""
    value = parse_value(option, text, json)
    if not isinstance(value, str | int | bool):
        raise InputError(f"{option}: `{text}` is no string, integer or bool", help="a token compares only those")
    return value


def identity_settings(
    root_keys: Sequence[str] | None, bundle: str | None, trust: str | None, audience: str | None, now: int
) -> IdentitySettings:
    """Whom to trust: root keys `[ID=]ed25519:…` (the id is 1 where there is none), or those of a verified bundle. `now` is in nanoseconds
    since the epoch. Raises CommandError."""
    if (bundle is None) == (not root_keys):
        raise InputError("whom to trust is not clear", help="pass `--root-key ed25519:…`, or `--bundle NAME.hexgate`; not both")
    if bundle is not None:
        if audience is not None:
            raise InputError("the audience is the bundle's own", help="leave out `--audience`")
        return require_bundle(bundle, trust, now).statement.predicate.identity
    keys = tuple(map(_root_key, root_keys or ()))
    if len({key.id for key in keys}) < len(keys):
        raise InputError("--root-key: two keys have one id", help="write `--root-key 2=ed25519:…`")
    return IdentitySettings(root_keys=keys, audience=audience)


def _root_key(text: str) -> TokenRootKey:
    name, equals, key = text.partition("=")
    if not equals:
        name, key = "1", text
    try:
        if not _KEY_ID.fullmatch(name) or int(name) >= 2**32:
            raise InputError(f"--root-key: `{name}` is no id", help="an id is a number below 4294967296")
        return TokenRootKey(int(name), parse_public_key(key))
    except KeyRefusedError as error:
        raise InputError(f"--root-key: {error}", help="`hexgate key show FILE` prints the public key of a private one") from None


def untrusted(message: str, *, help: str = "") -> CommandError:  # noqa: A002
    """The failure of a token that cannot be used."""
    return CommandError(message, help=help, code=ExitCode.UNTRUSTED)
