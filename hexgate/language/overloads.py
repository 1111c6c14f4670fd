"""Which overload of a function takes operands of given types, and what it yields. Types are gradual: `dyn` fits all."""

from __future__ import annotations

from typing import Final

from hexgate.language.functions import FUNCTIONS, Function, Style
from hexgate.language.types import (
    DYN,
    ERROR,
    NUMBER,
    NUMERIC,
    STRING,
    ListOf,
    MapOf,
    OptionalOf,
    Record,
    Simple,
    Type,
    TypeOf,
    TypeParameter,
)  # fmt: skip

_UNKNOWN: Final = object()


class Callee:
    """A function of the table, with what it was found to yield for operands of simple types."""

    __slots__ = ("_common", "_known", "function")

    def __init__(self, function: Function) -> None:
        self.function = function
        results = {overload.result for overload in function.overloads}
        only = next(iter(results))
        self._common = DYN if len(results) > 1 or _has_parameter(only) else only
        self._known: dict[tuple[Type, ...], Type | None] = {}

    def result(self, operands: tuple[Type, ...]) -> Type | None:
        """The type of the result, `dyn` where several overloads fit with different results; None where none fits."""
        for operand in operands:
            if operand is not DYN and operand is not ERROR:
                break
        else:
            return self._common
        for operand in operands:
            # Only types of which there are few: records are large, and hashing one takes long.
            kind = type(operand)
            if kind is not Simple and (kind is not ListOf or type(operand.element) is not Simple):  # type: ignore[union-attr]
                return self._resolve(operands)
        known = self._known.get(operands, _UNKNOWN)
        if known is _UNKNOWN:
            known = self._known[operands] = self._resolve(operands)
        return known  # type: ignore[return-value]

    def _resolve(self, operands: tuple[Type, ...]) -> Type | None:
        fitting: list[Type] = []
        for overload in self.function.overloads:
            bound: dict[str, Type] = {}
            if _all_fit(operands, overload.operands, bound):
                if self._common is not DYN:
                    return self._common
                fitting.append(substitute(overload.result, bound))
        if not fitting:
            return None
        return fitting[0] if all(result == fitting[0] for result in fitting) else DYN


def _has_parameter(type_: Type) -> bool:
    match type_:
        case TypeParameter():
            return True
        case ListOf(inner) | OptionalOf(inner) | TypeOf(inner):
            return _has_parameter(inner)
        case MapOf(key, value):
            return _has_parameter(key) or _has_parameter(value)
    return False


def _all_fit(operands: tuple[Type, ...], parameters: tuple[Type, ...], bound: dict[str, Type]) -> bool:
    for operand, parameter in zip(operands, parameters, strict=True):
        if operand is not parameter and not fits(operand, parameter, bound):
            return False
    return True


def fits(operand: Type, parameter: Type, bound: dict[str, Type]) -> bool:
    """Whether a value of one type may stand where another is asked for. Binds type parameters on the way."""
    if operand is DYN or operand is ERROR:
        _bind_unknown(parameter, bound)
        return True
    if parameter is DYN:
        return True
    match parameter:
        case TypeParameter(name):
            known = bound.get(name)
            bound[name] = operand if known is None else join(known, operand)
            return known is None or comparable(known, operand)
        case ListOf(element):
            return isinstance(operand, ListOf) and fits(operand.element, element, bound)
        case MapOf(key, value):
            if isinstance(operand, Record):
                return fits(STRING, key, bound) and fits(DYN, value, bound)
            return isinstance(operand, MapOf) and fits(operand.key, key, bound) and fits(operand.value, value, bound)
        case OptionalOf(inner):
            return isinstance(operand, OptionalOf) and fits(operand.value, inner, bound)
        case TypeOf():
            return isinstance(operand, TypeOf)
        case _:
            return operand == parameter or (operand is NUMBER and parameter in NUMERIC)


def _bind_unknown(parameter: Type, bound: dict[str, Type]) -> None:
    """Where nothing is known of an operand, nothing is known of the parameters in its place."""
    match parameter:
        case TypeParameter(name):
            bound[name] = DYN
        case ListOf(inner) | OptionalOf(inner):
            _bind_unknown(inner, bound)
        case MapOf(key, value):
            _bind_unknown(key, bound)
            _bind_unknown(value, bound)


def comparable(left: Type, right: Type) -> bool:
    """Whether equality between two types can hold: numbers of all types are one family."""
    if left is DYN or right is DYN or left is ERROR or right is ERROR or left == right:
        return True
    if left in NUMERIC and right in NUMERIC:
        return True
    match left, right:
        case ListOf(a), ListOf(b):
            return comparable(a, b)
        case OptionalOf(a), OptionalOf(b):
            return comparable(a, b)
        case MapOf(k, v), MapOf(m, w):
            return comparable(k, m) and comparable(v, w)
        case (Record(), Record()) | (Record(), MapOf()) | (MapOf(), Record()):
            return True
        case TypeOf(), TypeOf():
            return True
    return False


def join(left: Type, right: Type) -> Type:
    """The type of a value that may have either type: `dyn` where they differ, as in CEL's checker."""
    return left if left is right or left == right else DYN


def join_all(types: list[Type]) -> Type:
    """The type of a value that may have any of these types; `dyn` where there are none."""
    if not types:
        return DYN
    result = types[0]
    for type_ in types:
        if type_ is not result:
            result = join(result, type_)
    return result


def substitute(type_: Type, bound: dict[str, Type]) -> Type:
    """A type with its parameters replaced; an unbound one is `dyn`."""
    match type_:
        case TypeParameter(name):
            return bound.get(name, DYN)
        case ListOf(element):
            return ListOf(substitute(element, bound))
        case MapOf(key, value):
            return MapOf(substitute(key, bound), substitute(value, bound))
        case OptionalOf(value):
            return OptionalOf(substitute(value, bound))
        case TypeOf(of):
            return TypeOf(substitute(of, bound))
        case _:
            return type_


def _callees(style: Style) -> dict[str, dict[int, Callee]]:
    table: dict[str, dict[int, Callee]] = {}
    for function in FUNCTIONS:
        if function.style is style:
            table.setdefault(function.name, {})[function.arity] = Callee(function)
    return table


GLOBALS: Final = _callees(Style.GLOBAL)
"""Functions that are written `f(x)`: name to number of operands to callee."""

METHODS: Final = _callees(Style.METHOD)
"""Functions that are written `x.f()`; the number of operands counts the target."""

_OPERATORS: Final = _callees(Style.OPERATOR)

PREFIX: Final = {name[0]: arities[1] for name, arities in _OPERATORS.items() if name[0] != "_"}
"""`!` and `-`."""

INFIX: Final = {name[1:-1]: arities[2] for name, arities in _OPERATORS.items() if name[0] == name[-1] == "_"}
"""The infix operators that are functions, by their text."""

INDEX: Final = _OPERATORS["_[_]"][2]
"""`operand[index]`."""
