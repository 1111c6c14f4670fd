"""A reader of requests by docs/abi.md A2 in Python, as plain as it can be: what the module's reader is held to."""

from __future__ import annotations

import math
import struct

from hexgate.limits import REQUEST_DEPTH, TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.values import Duration, Key, Timestamp, UInt, Unsupported, Value


class MalformedError(Exception):
    """The bytes are no request (A2.3)."""


def read_array(data: bytes, count: int) -> tuple[Value, ...]:
    """The values of an array of exactly `count` that fills the data. Raises MalformedError."""
    reader = _Reader(data)
    values = reader.value(0)
    if type(values) is not tuple or len(values) != count or reader.position != len(data):
        raise MalformedError
    return values


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.position:
            raise MalformedError
        self.position += size
        return self.data[self.position - size : self.position]

    def length(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def value(self, depth: int) -> Value:
        marker = self.take(1)[0]
        if marker < 0x80:
            return marker
        if marker < 0x90:
            return self.map_(marker & 15, depth)
        if marker < 0xA0:
            return self.list_(marker & 15, depth)
        if marker < 0xC0:
            return self.text(marker & 31)
        if marker >= 0xE0:
            return marker - 256
        match marker:
            case 0xC0:
                return None
            case 0xC2 | 0xC3:
                return marker == 0xC3
            case 0xC4 | 0xC5 | 0xC6:
                return self.take(self.length(1 << marker - 0xC4))
            case 0xC7 | 0xC8 | 0xC9:
                return self.extension(self.length(1 << marker - 0xC7))
            case 0xCA:
                return _finite(struct.unpack(">f", self.take(4))[0])
            case 0xCB:
                return _finite(struct.unpack(">d", self.take(8))[0])
            case 0xCC | 0xCD | 0xCE | 0xCF:
                number = self.length(1 << marker - 0xCC)
                return number if number < 2**63 else UInt(number)
            case 0xD0 | 0xD1 | 0xD2 | 0xD3:
                return int.from_bytes(self.take(1 << marker - 0xD0), "big", signed=True)
            case 0xD4 | 0xD5 | 0xD6 | 0xD7 | 0xD8:
                return self.extension(1 << marker - 0xD4)
            case 0xD9 | 0xDA | 0xDB:
                return self.text(self.length(1 << marker - 0xD9))
            case 0xDC | 0xDD:
                return self.list_(self.length(2 << marker - 0xDC), depth)
            case 0xDE | 0xDF:
                return self.map_(self.length(2 << marker - 0xDE), depth)
        raise MalformedError

    def text(self, length: int) -> str:
        try:
            return self.take(length).decode()
        except UnicodeDecodeError:
            raise MalformedError from None

    def list_(self, count: int, depth: int) -> Value:
        if depth > REQUEST_DEPTH:
            raise MalformedError
        return tuple([self.value(depth + 1) for _ in range(count)])

    def map_(self, count: int, depth: int) -> Value:
        if depth > REQUEST_DEPTH:
            raise MalformedError
        entries = [(self.value(depth + 1), self.value(depth + 1)) for _ in range(count)]
        if any(type(key) is not str for key, _ in entries):
            return Unsupported()
        made: dict[Key, Value] = {key: member for key, member in entries if type(key) is str}
        if len(made) < len(entries):
            raise MalformedError
        return made

    def extension(self, length: int) -> Value:
        kind, payload = self.take(1)[0], self.take(length)
        if kind == 1 and length == 8:
            return UInt(int.from_bytes(payload, "big"))
        if kind == 2 and length == 8:
            return Duration(int.from_bytes(payload, "big", signed=True))
        if kind in (255, 6) and length == 12:
            nanoseconds, seconds = struct.unpack(">Iq", payload)
            instant = seconds * 10**9 + nanoseconds
            if nanoseconds < 10**9 and TIMESTAMP_MIN <= instant <= TIMESTAMP_MAX:
                return Timestamp(instant)
        return Unsupported()


def _finite(value: float) -> Value:
    return value if math.isfinite(value) else Unsupported()
