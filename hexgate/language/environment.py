"""What an expression may refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hexgate.language.types import Type
from hexgate.values import Value

RESERVED_ROOTS = frozenset({"session", "budget"})


@dataclass(frozen=True, slots=True)
class Environment:
    """Roots with their types, and the constants that `consts.name` stands for.

    `unchecked` lets through what has no type or no meaning: it is a fault when it is evaluated. Only `hexgate eval`
    and conformance tests use it.
    """

    variables: Mapping[str, Type]
    constants: Mapping[str, Value] = field(default_factory=dict)
    unchecked: bool = False
