"""From any Python object to a value (docs/language.md L1.5): total, by exact type, running no code of the object's class."""

from __future__ import annotations

import datetime
from math import isfinite
from typing import Final

from hexgate.decision.request import instant_of
from hexgate.faults import EvaluationFault, Fault
from hexgate.limits import INT_MAX, INT_MIN, REQUEST_DEPTH, UINT_MAX
from hexgate.values import Duration, Key, Timestamp, TypeValue, UInt, Unsupported, Value

UNSUPPORTED: Final = Unsupported()
MISSING: Final = object()


def freeze(source: object, depth: int = 1) -> Value:
    """The value of an object, `Unsupported()` where it has none. `depth` is that of a list or map standing here."""
    kind = type(source)
    if kind is str:
        return source if _is_unicode(source) else UNSUPPORTED  # type: ignore[arg-type, return-value]
    if kind is int:
        return _freeze_int(source)  # type: ignore[arg-type]
    if kind is float:
        return source if isfinite(source) else UNSUPPORTED  # type: ignore[arg-type, return-value]
    if source is None or kind in (bool, bytes, UInt, Timestamp, Duration, TypeValue):
        return source  # type: ignore[return-value]
    if kind is list or kind is tuple:
        if depth > REQUEST_DEPTH:
            return UNSUPPORTED
        return tuple([freeze(element, depth + 1) for element in source])  # type: ignore[attr-defined]
    if kind is dict:
        return _freeze_dict(source, depth)  # type: ignore[arg-type]
    if kind is bytearray:
        return bytes(source)  # type: ignore[call-overload, no-any-return]
    if kind is memoryview:
        return bytes(source) if source.c_contiguous else UNSUPPORTED  # type: ignore[attr-defined, call-overload]
    if kind is datetime.datetime:
        return instant_of(source) or UNSUPPORTED  # type: ignore[arg-type]
    return UNSUPPORTED


def _freeze_int(source: int) -> Value:
    if INT_MIN <= source <= INT_MAX:
        return source
    return UInt(source) if INT_MAX < source <= UINT_MAX else UNSUPPORTED


def _freeze_dict(source: dict[object, object], depth: int) -> Value:
    if depth > REQUEST_DEPTH:
        return UNSUPPORTED
    frozen: dict[Key, Value] = {}
    for key, member in source.items():
        if type(key) is not str or not _is_unicode(key):
            return UNSUPPORTED
        frozen[key] = freeze(member, depth + 1)
    return frozen


def _is_unicode(text: str) -> bool:
    """Whether a string has no lone surrogate."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class RequestMap:
    """A root of a request over a host's object: members are frozen when they are first read, and only those."""

    __slots__ = ("_members", "_source", "_whole")

    def __init__(self, source: object) -> None:
        self._source = source
        self._members: dict[str, Value] = {}
        self._whole: Value | object = MISSING

    def member(self, name: str) -> Value | object:
        """The value of a member, `MISSING` where there is none; `Unsupported` too where the whole is no map."""
        source = self._source
        if type(source) is not dict:
            return UNSUPPORTED
        value = source.get(name, MISSING)
        kind = type(value)
        if kind is str or kind is bool or value is MISSING:
            return value if kind is not str or _is_unicode(value) else UNSUPPORTED
        frozen = self._members.get(name, MISSING)
        if frozen is MISSING:
            frozen = self._members[name] = freeze(value, 2)
        return frozen

    def has(self, name: str) -> bool:
        """Whether there is a member, which is not read. Raises EvaluationFault where the whole is no map."""
        if type(self._source) is not dict:
            raise EvaluationFault(Fault.UNSUPPORTED_VALUE)
        return name in self._source

    def whole(self) -> Value:
        """The value of all of it."""
        if self._whole is MISSING:
            source = self._source
            self._whole = freeze(source) if type(source) is dict else UNSUPPORTED
        return self._whole  # type: ignore[return-value]
