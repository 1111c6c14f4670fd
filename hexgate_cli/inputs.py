"""What users hand over: JSON on the command line, in files, on standard input; instants; paths."""

from __future__ import annotations

import datetime
import re
import sys
import time
from pathlib import Path

from hexgate.limits import TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.strict_json import Json, StrictJsonError, parse_json
from hexgate_cli.failures import CommandError, InputError

INPUT_BYTES = 67_108_864
"""Longest JSON input in bytes."""

_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)
_SECOND = 10**9


def describe_os_error(error: OSError) -> str:
    """What the operating system says, in a sentence's form."""
    text = error.strerror or "it cannot be read"
    return text[:1].lower() + text[1:]


def read_bytes(path: str) -> bytes:
    """The content of a file, or of standard input for `-`. Raises CommandError where it cannot be read."""
    try:
        if path == "-":
            data = sys.stdin.buffer.read(INPUT_BYTES + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(INPUT_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file `{path}`") from None
    except (OSError, ValueError) as error:
        detail = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise CommandError(f"cannot read `{path}`: {detail}") from None
    if len(data) > INPUT_BYTES:
        raise InputError(f"`{path}` is longer than {INPUT_BYTES} bytes")
    return data


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
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a bool"
    if isinstance(value, int | float):
        return "a number"
    return {str: "a string", list: "a list", dict: "an object"}.get(type(value), "a value")


def parse_instant(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time (docs/language.md L4.7) or of whole seconds. Raises InputError."""
    if re.fullmatch(r"-?[0-9]{1,12}", text):
        return _bounded(int(text) * _SECOND, text)
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InputError(
            f"`{text}` is no instant", help="write RFC 3339, as in `2026-01-31T09:00:00Z`, or seconds since the epoch"
        )
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError as error:
        raise InputError(f"`{text}` is no instant: {error}") from None
    offset_hours, offset_minutes = int(match[9] or 0), int(match[10] or 0)
    if offset_hours > 23 or offset_minutes > 59:
        raise InputError(f"`{text}` is no instant: an offset is at most 23:59")
    offset = (offset_hours * 60 + offset_minutes) * (-60 if match[8] == "-" else 60)
    span = moment - datetime.datetime(1970, 1, 1)
    nanoseconds = (span.days * 86_400 + span.seconds - offset) * _SECOND + int((match[7] or "0").ljust(9, "0"))
    return _bounded(nanoseconds, text)


def _bounded(nanoseconds: int, text: str) -> int:
    if not TIMESTAMP_MIN <= nanoseconds <= TIMESTAMP_MAX:
        raise InputError(f"`{text}` is outside the years 1 to 9999")
    return nanoseconds


def instant_or_now(text: str | None) -> int:
    """The instant of `--now`, or the clock's, in nanoseconds since the epoch."""
    return time.time_ns() if text is None else parse_instant(text)
