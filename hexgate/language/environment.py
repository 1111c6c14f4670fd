"""What an expression may refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hexgate.language.functions import TYPE_NAMES
from hexgate.language.overloads import join_all
from hexgate.language.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    ListOf,
    MapOf,
    Type,
    TypeOf,
)  # fmt: skip
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Value, value_of_key

RESERVED_ROOTS = frozenset({"session", "budget"})

SCALAR_TYPES: dict[type, Type] = {
    type(None): NULL, bool: BOOL, int: INT, UInt: UINT, float: DOUBLE, str: STRING, bytes: BYTES,
    Timestamp: TIMESTAMP, Duration: DURATION,
}  # fmt: skip
"""The static type of a value without parts, by its Python type."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Roots with their types, and the constants that `consts.name` stands for.

    `unchecked` lets through what has no type or no meaning: it is a fault when it is evaluated. Only `hexgate eval`
    and conformance tests use it.
    """

    variables: Mapping[str, Type]
    constants: Mapping[str, Value] = field(default_factory=dict)
    unchecked: bool = False
    _types: dict[str, Type] = field(default_factory=dict, init=False, repr=False, compare=False)

    def type_of_constant(self, name: str) -> Type:
        """The static type of a constant, found once: many constraints may read one long list. Raises KeyError."""
        type_ = self._types.get(name)
        if type_ is None:
            type_ = self._types[name] = type_of_value(self.constants[name])
        return type_


def type_of_value(value: Value) -> Type:
    """The static type of a constant value."""
    if type(value) is tuple:
        return ListOf(join_all([type_of_value(element) for element in value]))
    if type(value) is dict:
        keys = [type_of_value(value_of_key(key)) for key in value]
        return MapOf(join_all(keys), join_all([type_of_value(member) for member in value.values()]))
    if type(value) is TypeValue:
        return TypeOf(TYPE_NAMES.get(value.name, DYN))
    return SCALAR_TYPES[type(value)]
