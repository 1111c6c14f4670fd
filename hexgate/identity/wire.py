"""Protocol buffer messages in their one form: what the token library would accept in several, has one here.

Fields come in the order of their numbers, each at most once unless it may repeat, with no unknown ones, and variable-length integers
take as few bytes as they can (the encoding specification of protocol buffers leaves all of that open). So a token cannot be
written in two ways, and nothing in it is seen by one reader and not by another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_VARINT_BYTES = 10


class WireError(Exception):
    """The bytes are not the message in its one form."""


class Field(NamedTuple):
    """How a field is written (its wire type), and whether it may come more than once."""

    wire_type: int
    repeats: bool


NUMBER, BYTES, REPEATED = Field(0, False), Field(2, False), Field(2, True)


class Fields:
    """The fields of a message, by number."""

    __slots__ = ("_values",)

    def __init__(self, data: bytes, shape: Mapping[int, Field]) -> None:
        """Raises WireError."""
        values: dict[int, Any] = {}
        position, last, end = 0, 0, len(data)
        while position < end:
            key, position = _varint(data, position)
            number = key >> 3
            field = shape.get(number)
            if field is None or number < last or (number == last and not field[1]):
                raise WireError
            last = number
            wire_type, repeats = field
            if wire_type != key & 7:
                raise WireError
            value: Any
            value, position = _varint(data, position)
            if wire_type == 2:
                start, position = position, position + value
                if position > end:
                    raise WireError
                value = data[start:position]
            if not repeats:
                values[number] = value
            elif number in values:
                values[number].append(value)
            else:
                values[number] = [value]
        self._values = values

    def __contains__(self, number: int) -> bool:
        return number in self._values

    def number(self, number: int, default: int | None = None) -> int:
        """An integer. Raises WireError where it is absent and has no default."""
        value: int | None = self._values.get(number, default)
        if value is None:
            raise WireError
        return value

    def data(self, number: int) -> bytes:
        """A string of bytes. Raises WireError where it is absent."""
        value: bytes | None = self._values.get(number)
        if value is None:
            raise WireError
        return value

    def all(self, number: int) -> list[bytes]:
        """Every value of a field that may repeat."""
        return self._values.get(number, [])  # type: ignore[no-any-return]

    def one(self) -> tuple[int, Any]:
        """The only field (of a `oneof`), as number and value. Raises WireError where there are more, or none."""
        if len(self._values) != 1:
            raise WireError
        return next(iter(self._values.items()))


def signed(value: int) -> int:
    """An `int64` of its varint."""
    return value - 2**64 if value >= 2**63 else value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number below 2^64, and where it ends. Raises WireError."""
    if position < len(data) and data[position] < 0x80:
        return data[position], position + 1
    value = shift = 0
    for position in range(position, min(position + _VARINT_BYTES, len(data))):  # noqa: B020 - the position goes on
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if (byte == 0 and shift) or value >= 2**64:
                raise WireError
            return value, position + 1
        shift += 7
    raise WireError


def number_field(number: int, value: int) -> bytes:
    """A field with an integer; a negative one is an `int64`."""
    return _write_varint(number << 3) + _write_varint(value % 2**64)


def data_field(number: int, *parts: bytes) -> bytes:
    """A field with bytes, or with a message whose fields are given."""
    data = b"".join(parts)
    return _write_varint(number << 3 | 2) + _write_varint(len(data)) + data


def _write_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
