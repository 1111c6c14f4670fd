"""Read the members of a JSON object strictly: each is there, has its type, and there is no other."""

from __future__ import annotations

import binascii
import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeGuard

_SURROGATE = re.compile("[\ud800-\udfff]")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)

LONGEST_TEXT = 4_096
"""Length of a text in a statement in code points, at most."""


class MemberError(ValueError):
    """A member is missing, unknown, or not what it has to be. The text is a clause that names it."""


class Members:
    """An object whose members are exactly those named. `what` names the object in errors."""

    def __init__(self, value: Any, what: str, names: Sequence[str]) -> None:
        """Raises MemberError."""
        if type(value) is not dict:
            raise MemberError(f"{what} is not an object")
        for name in names:
            if name not in value:
                raise MemberError(f"{what} has no `{name}`")
        if len(value) > len(names):
            raise MemberError(f"{what} has members that it does not know")
        self._value = value
        self._what = what

    def any(self, name: str) -> Any:
        """A member, whatever it is."""
        return self._value[name]

    def _fail(self, name: str, must: str) -> MemberError:
        return MemberError(f"`{name}` of {self._what} is not {must}")

    def text(self, name: str, pattern: re.Pattern[str] | None = None, must: str = "a text") -> str:
        value: Any = self._value[name]
        if not is_text(value) or (pattern is not None and not pattern.fullmatch(value)):
            raise self._fail(name, must)
        return value

    def sha256(self, name: str) -> str:
        return self.text(name, _SHA256, "64 hexadecimal digits")

    def number(self, name: str, least: int, most: int) -> int:
        value = self._value[name]
        if type(value) is not int or not least <= value <= most:
            raise self._fail(name, f"a whole number from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        value = self._value[name]
        if type(value) is not bool:
            raise self._fail(name, "true or false")
        return value

    def time(self, name: str) -> int:
        """Seconds since the epoch."""
        value = self._value[name]
        seconds = parse_time(value) if type(value) is str else None
        if seconds is None:
            raise self._fail(name, "a time such as 2026-01-31T12:00:00Z")
        return seconds

    def list(self, name: str, most: int) -> list[Any]:
        value = self._value[name]
        if type(value) is not list or len(value) > most:
            raise self._fail(name, f"a list of at most {most}")
        return value

    def object(self, name: str, most: int) -> dict[str, Any]:
        value = self._value[name]
        if type(value) is not dict or len(value) > most:
            raise self._fail(name, f"an object of at most {most} members")
        return value

    def data(self, name: str) -> bytes:
        value = self._value[name]
        data = decode_base64(value) if type(value) is str else None
        if data is None:
            raise self._fail(name, "base64 in its one form")
        return data


def is_text(value: object) -> TypeGuard[str]:
    """Whether a value is a text that UTF-8 has (readers of JSON differ on lone surrogates) and that is not too long."""
    return type(value) is str and len(value) <= LONGEST_TEXT and (value.isascii() or _SURROGATE.search(value) is None)


def decode_base64(text: str) -> bytes | None:
    """The bytes of base64 (RFC 4648, 4) in its one form: with padding, spare bits zero, nothing else in it. None for any other."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return data if b64encode(data).decode() == text else None


def encode_base64(data: bytes) -> str:
    """Base64 with padding."""
    return b64encode(data).decode()


def parse_time(text: str) -> int | None:
    """Seconds since the epoch of `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339, this form only), from 1970 on; None for what is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        seconds = int(datetime(*map(int, match.groups()), tzinfo=UTC).timestamp())  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return seconds if seconds >= 0 else None


def format_time(seconds: int) -> str:
    """The inverse of `parse_time`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
