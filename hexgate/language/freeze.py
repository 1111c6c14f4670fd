"""From any Python object to a value (docs/language.md L1.5): total, by exact type, running no code of the object's class."""

from __future__ import annotations

import datetime
from math import isfinite
from typing import Any, Final

from hexgate.decision.request import instant_of
from hexgate.faults import EvaluationFault, Fault
from hexgate.limits import INT_MAX, INT_MIN, REQUEST_DEPTH, TIMESTAMP_MAX, TIMESTAMP_MIN, UINT_MAX
from hexgate.values import Duration, Key, Timestamp, UInt, Unsupported, Value

UNSUPPORTED: Final = Unsupported()
MISSING: Final = object()


def freeze(source: object, depth: int = 1) -> Value:
    """The value of an object, `Unsupported()` where it has none. `depth` is that of a list or map standing here: the
    map `args` is at depth 1, a list that is a member of it at depth 2."""
    kind: Any = type(source)
    of: Any = source
    if kind is str:
        return of if is_unicode(of) else UNSUPPORTED
    if kind is int:
        return of if INT_MIN <= of <= INT_MAX else _freeze_large(of)
    if kind is float:
        return of if isfinite(of) else UNSUPPORTED
    if source is None or kind is bool or kind is bytes or kind is UInt:
        return source  # type: ignore[return-value]
    if kind is list or kind is tuple:
        return tuple([freeze(element, depth + 1) for element in of]) if depth <= REQUEST_DEPTH else UNSUPPORTED
    if kind is dict:
        return _freeze_dict(of, depth)
    freeze_other = _OTHER_KINDS.get(kind)
    return UNSUPPORTED if freeze_other is None else freeze_other(of)


def _freeze_large(source: int) -> Value:
    return UInt(source) if INT_MAX < source <= UINT_MAX else UNSUPPORTED


def _freeze_dict(source: dict[object, object], depth: int) -> Value:
    if depth > REQUEST_DEPTH:
        return UNSUPPORTED
    frozen: dict[Key, Value] = {}
    # The entries are copied first: another thread may be adding to the host's dictionary.
    for key, member in tuple(source.items()):
        if type(key) is not str or not is_unicode(key):
            return UNSUPPORTED
        frozen[key] = freeze(member, depth + 1)
    return frozen


def _freeze_memory(source: memoryview) -> Value:
    try:
        return bytes(source) if source.c_contiguous else UNSUPPORTED
    except ValueError:
        return UNSUPPORTED  # the view has been released


def _freeze_duration(source: Duration) -> Value:
    count: object = source.nanoseconds
    return source if type(count) is int and INT_MIN <= count <= INT_MAX else UNSUPPORTED


def _freeze_timestamp(source: Timestamp) -> Value:
    count: object = source.nanoseconds
    return source if type(count) is int and TIMESTAMP_MIN <= count <= TIMESTAMP_MAX else UNSUPPORTED


def is_unicode(text: str) -> bool:
    """Whether a string has no lone surrogate."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class RequestMap:
    """A root of a request over a host's object: members are frozen when they are first read, and only those.

    It stands wherever a map value may stand as a variable. A host without such a root has it as None, which is the
    empty map.
    """

    __slots__ = ("_frozen", "_whole", "source")

    def __init__(self, source: object) -> None:
        self.source = {} if source is None else source
        self._frozen: dict[str, Value] | None = None
        self._whole: Value | object = MISSING

    def member(self, name: str) -> Any:
        """The value of a member, which may be another `RequestMap`; `MISSING` where there is none, and `Unsupported`
        where this is no map."""
        source = self.source
        if type(source) is not dict:
            return UNSUPPORTED
        value = source.get(name, MISSING)
        kind = type(value)
        if kind is str:
            return value if is_unicode(value) else UNSUPPORTED
        if kind is bool or value is MISSING or kind is RequestMap:
            return value
        if self._frozen is None:
            self._frozen = {}
        elif name in self._frozen:
            return self._frozen[name]
        frozen = self._frozen[name] = freeze(value, 2)
        return frozen

    def has(self, name: str) -> bool:
        """Whether there is a member, which is not read. Raises EvaluationFault where this is no map."""
        if type(self.source) is not dict:
            raise EvaluationFault(Fault.UNSUPPORTED_VALUE)
        return name in self.source

    def whole(self) -> Value:
        """The value of all of it."""
        if self._whole is MISSING:
            source = self.source
            self._whole = freeze(source) if type(source) is dict else UNSUPPORTED
        return self._whole  # type: ignore[return-value]


_OTHER_KINDS: dict[type, Any] = {
    bytearray: bytes,
    memoryview: _freeze_memory,
    datetime.datetime: lambda source: instant_of(source) or UNSUPPORTED,
    Timestamp: _freeze_timestamp,
    Duration: _freeze_duration,
    RequestMap: RequestMap.whole,
}
