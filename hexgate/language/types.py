"""Static types of the language, gradual: `DYN` is a type that is known only at run time.

Types describe what the checker could prove; no engine reads them. `Record` is the type that a tool's JSON Schema
gives to `args`: a map with known member names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, Union


@dataclass(frozen=True, slots=True)
class Simple:
    """A type without parameters. `name` is CEL's name of the type."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    element: Type


@dataclass(frozen=True, slots=True)
class MapOf:
    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class TypeOf:
    """The type of a type value: what `type(x)` and the identifier `int` have."""

    of: Type


@dataclass(frozen=True, slots=True)
class OptionalOf:
    value: Type


@dataclass(frozen=True, slots=True)
class Member:
    """A named member of a record. `required` is False where the schema lets it be absent; `values` are the only ones
    that an `enum` or `const` allows, as CEL literals' Python values, or None."""

    type: Type
    required: bool
    values: tuple[object, ...] | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A map with string keys whose members are known. `open` allows other members, of type `rest`.

    `title` names it in messages, for example ``tool `refund_order` ``.
    """

    members: Mapping[str, Member]
    open: bool
    title: str
    rest: Type

    def __hash__(self) -> int:
        return hash((self.title, tuple(sorted(self.members)), self.open))


@dataclass(frozen=True, slots=True)
class TypeParameter:
    """A type variable of a function's signature, for example the `A` of `list(A)`."""

    name: str


Type: TypeAlias = Union[Simple, ListOf, MapOf, TypeOf, OptionalOf, Record, TypeParameter]

DYN = Simple("dyn")
NULL = Simple("null_type")
BOOL = Simple("bool")
INT = Simple("int")
UINT = Simple("uint")
DOUBLE = Simple("double")
STRING = Simple("string")
BYTES = Simple("bytes")
TIMESTAMP = Simple("google.protobuf.Timestamp")
DURATION = Simple("google.protobuf.Duration")
IP = Simple("net.IP")
CIDR = Simple("net.CIDR")
ERROR = Simple("error")
"""The type of an expression that has been reported already: silences follow-up reports."""

NUMBER = Simple("number")
"""An int, uint or double: what a JSON Schema's `number` arrives as."""

NUMERIC = frozenset({INT, UINT, DOUBLE, NUMBER})


def format_type(type_: Type) -> str:
    """The type as messages and documents show it: `int`, `list(string)`, `map(string, dyn)`, `timestamp`."""
    match type_:
        case Simple(name):
            return {TIMESTAMP.name: "timestamp", DURATION.name: "duration", NULL.name: "null"}.get(name, name)
        case ListOf(element):
            return f"list({format_type(element)})"
        case MapOf(key, value):
            return f"map({format_type(key)}, {format_type(value)})"
        case TypeOf(of):
            return f"type({format_type(of)})"
        case OptionalOf(value):
            return f"optional({format_type(value)})"
        case Record():
            return "map(string, dyn)"
        case TypeParameter(name):
            return name
