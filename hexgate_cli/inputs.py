"""What users hand over: JSON on the command line, in files, on standard input; instants; paths."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import BinaryIO

from hexgate.faults import EvaluationFault, Fault
from hexgate.language.operations_time import parse_timestamp
from hexgate.limits import TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.strict_json import Json, StrictJsonError, parse_json
from hexgate_cli.failures import CommandError, InputError

INPUT_BYTES = 67_108_864
"""Longest JSON input in bytes."""

BUNDLE_SUFFIX = ".hexgate"
"""How the name of a bundle's file ends; `hexgate.bundle.trust_root` has the same, and costs more to import."""

_SECOND = 10**9


def describe_os_error(error: OSError) -> str:
    """What the operating system says, in a sentence's form."""
    text = error.strerror or "it cannot be read"
    return text[:1].lower() + text[1:]


def open_standard_input() -> BinaryIO:
    """Standard input as bytes. Raises InputError where it is closed."""
    if sys.stdin is None:
        raise InputError("standard input is closed")
    return sys.stdin.buffer


def read_bytes(path: str) -> bytes:
    """The content of a file, or of standard input for `-`. Raises CommandError where it cannot be read."""
    data = read_start(path, INPUT_BYTES + 1)
    if len(data) > INPUT_BYTES:
        raise InputError(f"`{path}` is longer than {INPUT_BYTES} bytes")
    return data


def read_start(path: str, count: int) -> bytes:
    """The first bytes of a file, or of standard input for `-`: what is longer is not read. Raises CommandError where it cannot be read."""
    try:
        if path == "-":
            return open_standard_input().read(count)
        with Path(path).open("rb") as file:
            return file.read(count)
    except FileNotFoundError:
        raise InputError(f"there is no file `{path}`") from None
    except (OSError, ValueError) as error:
        detail = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise CommandError(f"cannot read `{path}`: {detail}") from None


def parse_json_option(option: str, text: str) -> Json:
    """The value of an option that takes JSON, `@FILE`, or `-` for standard input."""
    source = read_bytes(text.removeprefix("@")) if text == "-" or text.startswith("@") else text
    try:
        return parse_json(source)
    except StrictJsonError as error:
        raise InputError(
            f"{option}: {error}", help=f"{option} takes JSON, `@FILE` with JSON, or `-` for standard input"
        ) from None


def parse_json_object(option: str, text: str) -> dict[str, Json]:
    """The value of an option that takes a JSON object, as `parse_json_option` reads it."""
    value = parse_json_option(option, text)
    if not isinstance(value, dict):
        raise InputError(f"{option} takes a JSON object, not {name_json(value)}")
    return value


def name_json(value: object) -> str:
    """The kind of a JSON value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a bool"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def parse_instant(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time (docs/language.md L4.7) or of whole seconds. Raises InputError."""
    if re.fullmatch(r"-?[0-9]{1,20}", text):
        return _bounded(int(text) * _SECOND, text)
    try:
        return parse_timestamp(text).nanoseconds
    except EvaluationFault as error:
        if error.fault is Fault.OVERFLOW:
            raise _outside(text) from None
        raise InputError(
            f"`{text}` is no instant", help="write RFC 3339, as in `2026-01-31T09:00:00Z`, or seconds since the epoch"
        ) from None


def _bounded(nanoseconds: int, text: str) -> int:
    if not TIMESTAMP_MIN <= nanoseconds <= TIMESTAMP_MAX:
        raise _outside(text)
    return nanoseconds


def _outside(text: str) -> InputError:
    return InputError(f"`{text}` is outside the years 1 to 9999")


def instant_or_now(text: str | None) -> int:
    """The instant of `--now`, or the clock's, in nanoseconds since the epoch."""
    return time.time_ns() if text is None else parse_instant(text)


def is_there(path: str) -> bool:
    """Whether there is something at a path. Raises CommandError where that cannot be found out: a name that is too long, a folder that
    may not be entered."""
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError as error:
        raise CommandError(f"cannot read `{path}`: {describe_os_error(error)}") from None
    return True


def is_bundle(path: str) -> bool:
    """Whether a path names a bundle and not policies."""
    return path.endswith(BUNDLE_SUFFIX) and not Path(path).is_dir()


def refuse_trust_in_policies(trust: str | None) -> None:
    """Policies are not signed. Raises InputError where somebody is named who should have."""
    if trust is not None:
        raise InputError("--trust goes with a bundle", help=f"name a file that ends in `{BUNDLE_SUFFIX}`: policies are not signed")
