"""The values of the language, as Python objects.

| CEL                | Python                                                     |
|--------------------|------------------------------------------------------------|
| int                | `int` within 64 bits signed                                |
| uint               | `UInt`                                                     |
| double             | `float`                                                    |
| string, bytes      | `str` of Unicode scalar values, `bytes`                    |
| bool, null         | `bool`, `None`                                             |
| list               | `tuple` of values                                          |
| map                | `dict` from `key_of(value)` to value; see `key_of`         |
| timestamp          | `Timestamp`                                                |
| duration           | `Duration`                                                 |
| type               | `TypeValue`                                                |
| (none)             | `Unsupported`: an error wherever it is read                |

Always compare types with `type(x) is T`: `bool` and `UInt` are subclasses of `int` in Python and other types in CEL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, Union

from hexgate.limits import UINT_MAX


class UInt(int):
    """A CEL uint: 0 to 2**64-1. Equal to and hashed as the `int` of the same number, as CEL's map keys need."""

    __slots__ = ()

    def __new__(cls, value: int) -> UInt:
        if not 0 <= value <= UINT_MAX:
            raise ValueError("a uint is between 0 and 18446744073709551615")
        return super().__new__(cls, value)

    def __repr__(self) -> str:
        return f"UInt({int(self)})"


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """An instant, in nanoseconds since 1970-01-01T00:00:00Z; years 1 to 9999."""

    nanoseconds: int


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A signed span of time in nanoseconds, within 64 bits (about 292 years), as in cel-go."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value: what `type(x)` yields. `name` is CEL's, for example `int` or `google.protobuf.Timestamp`."""

    name: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A value of a request that the language does not have. Reading it is the fault `unsupported_value`."""


class BoolKey(Enum):
    """A bool as a map key. Python's `True` equals and hashes as `1`; CEL's never equals a number."""

    FALSE = False
    TRUE = True


Key: TypeAlias = Union[str, int, UInt, BoolKey]
"""What a map's `dict` is keyed by: `int` and `UInt` of one number are one key (CEL: heterogeneous equality)."""

Value: TypeAlias = Union[
    bool, int, UInt, float, str, bytes, "tuple[Value, ...]", "dict[Key, Value]",
    Timestamp, Duration, TypeValue, Unsupported, None,
]  # fmt: skip


def key_of(value: Value) -> Key | None:
    """The `dict` key for a value used as a map key, or None where CEL has no such key type (double, null, …)."""
    kind = type(value)
    if kind is str or kind is int or kind is UInt:
        return value  # type: ignore[return-value]
    if kind is bool:
        return BoolKey.TRUE if value else BoolKey.FALSE
    return None


def value_of_key(key: Key) -> Value:
    """The CEL value of a `dict` key: the inverse of `key_of`."""
    return key.value if isinstance(key, BoolKey) else key
