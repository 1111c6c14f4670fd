"""Which overload of a function takes operands of given types, and what it yields. Types are gradual: `dyn` fits all."""

from __future__ import annotations

from functools import cache

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
    Type,
    TypeOf,
    TypeParameter,
)  # fmt: skip


@cache
def functions_by_call() -> dict[tuple[Style, str], dict[int, Function]]:
    """Style and name to arity to function; the arity counts a method's target."""
    table: dict[tuple[Style, str], dict[int, Function]] = {}
    for function in FUNCTIONS:
        table.setdefault((function.style, function.name), {})[function.arity] = function
    return table


@cache
def _common_result(function: Function) -> Type:
    """The result where nothing is known of the operands."""
    results = {overload.result for overload in function.overloads}
    only = results.pop()
    return DYN if results or _has_parameter(only) else only


def _has_parameter(type_: Type) -> bool:
    match type_:
        case TypeParameter():
            return True
        case ListOf(inner) | OptionalOf(inner) | TypeOf(inner):
            return _has_parameter(inner)
        case MapOf(key, value):
            return _has_parameter(key) or _has_parameter(value)
    return False


def resolve(function: Function, operands: tuple[Type, ...]) -> Type | None:
    """The type of the result, `dyn` where several overloads fit with different results; None where none fits."""
    if all(operand is DYN or operand is ERROR for operand in operands):
        return _common_result(function)
    common = _common_result(function)
    fitting: list[Type] = []
    for overload in function.overloads:
        bound: dict[str, Type] = {}
        if _all_fit(operands, overload.operands, bound):
            if common is not DYN:
                return common
            fitting.append(substitute(overload.result, bound))
    if not fitting:
        return None
    return fitting[0] if all(result == fitting[0] for result in fitting) else DYN


def _all_fit(operands: tuple[Type, ...], parameters: tuple[Type, ...], bound: dict[str, Type]) -> bool:
    for operand, parameter in zip(operands, parameters, strict=True):
        if operand is not parameter and not fits(operand, parameter, bound):
            return False
    return True


def fits(operand: Type, parameter: Type, bound: dict[str, Type]) -> bool:
    """Whether a value of one type may stand where another is asked for. Binds type parameters on the way."""
    if operand is DYN or operand is ERROR or parameter is DYN:
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
        case (Record(), Record() | MapOf()) | (MapOf(), Record()):
            return True
        case TypeOf(), TypeOf():
            return True
    return False


def join(left: Type, right: Type) -> Type:
    """The type of a value that may have either type."""
    return left if left == right else DYN


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


