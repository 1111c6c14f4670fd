"""A request as the module reads it: the projection of a call, in MessagePack (docs/abi.md A2).

Encoding is also freezing: only values of exact types that the language has are sent, anything else travels as the
unsupported value (docs/language.md L1.5). No method of a caller's object is ever run.
"""

from __future__ import annotations

import datetime
import struct
import sys
from typing import Any

import ormsgpack

from hexgate.decision.decision import Reason, User
from hexgate.decision.reads import Everything, Members, Reads
from hexgate.limits import (
    INT_MAX,
    INT_MIN,
    NAME_BYTES,
    REQUEST_BYTES,
    REQUEST_DEPTH,
    TIMESTAMP_MAX,
    TIMESTAMP_MIN,
    UINT_MAX,
)
from hexgate.values import Duration, Timestamp, UInt

UNSUPPORTED = ormsgpack.Ext(0, b"")
_UINT, _DURATION, _TIMESTAMP = 1, 2, 6

OPTIONS = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_UUID
)
"""Everything that the encoder would convert by itself is passed to `encode_extension` instead."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


def instant_of(value: datetime.datetime) -> Timestamp | None:
    """The instant of an aware `datetime` with a fixed offset or an IANA zone; None for a naive one, for a time zone of
    another class, whose code is the caller's, and outside years 1 to 9999."""
    zoneinfo = sys.modules.get("zoneinfo")
    zone = type(value.tzinfo)
    if zone is not datetime.timezone and (zoneinfo is None or zone is not zoneinfo.ZoneInfo):
        return None
    try:
        nanoseconds = ((value - _EPOCH) // _MICROSECOND) * 1000
    except OverflowError:
        return None
    return Timestamp(nanoseconds) if TIMESTAMP_MIN <= nanoseconds <= TIMESTAMP_MAX else None


def encode_extension(value: object) -> ormsgpack.Ext:
    """What stands for a value that MessagePack has no type for: a time, a uint, or the unsupported value."""
    found: object = value
    if type(found) is datetime.datetime:
        found = instant_of(found)
    if type(found) is UInt:
        return ormsgpack.Ext(_UINT, int(found).to_bytes(8, "big"))
    if type(found) is Timestamp and _is_within(found.nanoseconds, TIMESTAMP_MIN, TIMESTAMP_MAX):
        seconds, nanoseconds = divmod(found.nanoseconds, 10**9)
        return ormsgpack.Ext(_TIMESTAMP, struct.pack(">Iq", nanoseconds, seconds))
    if type(found) is Duration and _is_within(found.nanoseconds, INT_MIN, INT_MAX):
        return ormsgpack.Ext(_DURATION, struct.pack(">q", found.nanoseconds))
    return UNSUPPORTED


def _is_within(value: object, lowest: int, highest: int) -> bool:
    return type(value) is int and lowest <= value <= highest


def pack_quickly(value: Any) -> bytes | None:
    """The MessagePack form of a value, None where the encoder refuses something in it. What nests deeper than
    `REQUEST_DEPTH` is sent as it is, and a module refuses it as malformed (A2.3)."""
    try:
        return ormsgpack.packb(value, encode_extension, OPTIONS)
    except (TypeError, ValueError, BufferError):
        return None


def pack_carefully(value: Any) -> bytes:
    """The MessagePack form of a value of any Python type, with the unsupported value in place of what is none. Never
    raises."""
    return ormsgpack.packb(_Supported(sys.maxsize).of(value, 0), encode_extension, OPTIONS)


class _TooLongError(Exception):
    """What is encoded is longer than it may be."""


class _Supported:
    """Replaces what the encoder refuses by the unsupported value, up to a length in bytes of what comes out of it."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def of(self, value: Any, depth: int) -> Any:
        """The replacement of a value. `depth` counts lists and maps around it; the request's own array is at 0. Raises
        _TooLongError once what was met takes more than the length: a list may hold itself many times."""
        self._left -= 1
        if self._left < 0:
            raise _TooLongError
        kind = type(value)
        if kind is str:
            return self._text(value)
        if kind is int:
            return value if INT_MIN <= value <= UINT_MAX else UNSUPPORTED
        if kind is bytes or kind is bytearray:
            self._left -= len(value)
            return value
        if kind is memoryview:
            return _bytes_of(value)
        if kind is tuple or kind is list:
            if depth > REQUEST_DEPTH:
                return UNSUPPORTED
            return [self.of(element, depth + 1) for element in value]
        if kind is dict:
            if depth > REQUEST_DEPTH or not all(type(key) is str and _is_unicode(key) for key in value):
                return UNSUPPORTED
            return {key: self.of(member, depth + 1) for key, member in value.items()}
        return value

    def _text(self, value: str) -> object:
        if not _is_unicode(value):
            return UNSUPPORTED
        self._left -= len(value)
        return value


def _bytes_of(view: memoryview) -> object:
    """The bytes of a view; one that is released or has gaps is unsupported."""
    try:
        return bytes(view) if view.c_contiguous else UNSUPPORTED
    except ValueError:
        return UNSUPPORTED


def _is_unicode(text: str) -> bool:
    """Whether a string has no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def project(members: Members, source: object) -> object:
    """The part of a root that is read, name by name. None, as a host without such a root has it, is an empty map."""
    if source is None:
        return {}
    if type(source) is not dict:
        return UNSUPPORTED
    if isinstance(members, Everything):
        return source
    return {name: source[name] for name in sorted(members) if name in source}


def encode_request(
    reads: Reads, role: str, tool: str, user: User, args: object, ctx: object, resource: object, now: int,
    *, careful: bool = False,
) -> bytes:  # fmt: skip
    """The bytes that decide: what `reads` names of each root. `now` is in nanoseconds since the epoch. Some that are longer than
    `REQUEST_BYTES` stand for any request that is.

    `careful` also replaces what nests too deep, for a module that has refused the quick form.
    """
    request = (
        role,
        tool,
        user.user_id,
        project(reads.attrs, user.attrs),
        project(reads.args, args),
        project(reads.ctx, ctx),
        project(reads.resource, resource),
        Timestamp(now) if reads.now else None,
    )
    quick = None if careful else pack_quickly(request)
    if quick is not None and len(quick) <= REQUEST_BYTES:
        return quick
    # What nests too deep is not sent, so that it does not count (A2.3).
    try:
        return ormsgpack.packb(_Supported(REQUEST_BYTES).of(request, 0), encode_extension, OPTIONS)
    except _TooLongError:
        return bytes(REQUEST_BYTES + 1)


def is_plain_name(value: object) -> bool:
    """Whether a value is a name for sure, without encoding it: `is_name` decides on what is none of these."""
    return type(value) is str and value.isascii() and 0 < len(value) <= NAME_BYTES


def is_name(value: object) -> bool:
    """Whether a role, a tool name or a user id is one at all: an exact str of Unicode, at most `NAME_BYTES` long (P6)."""
    if type(value) is not str or not value or len(value) > NAME_BYTES:
        return False
    try:
        return len(value.encode()) <= NAME_BYTES
    except UnicodeEncodeError:
        return False


def refuse_names(user: object, tool: object) -> Reason | None:
    """Why a call cannot be decided from its names alone (P6), or None."""
    if type(user) is not User or not is_name(user.user_id):
        return Reason.MISSING_USER
    if not is_name(user.role):
        return Reason.UNKNOWN_ROLE
    if not is_name(tool):
        return Reason.UNKNOWN_TOOL
    return None
