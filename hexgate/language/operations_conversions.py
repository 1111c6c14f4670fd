"""Conversions between types (docs/language.md L4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hexgate.faults import EvaluationFault, Fault
from hexgate.language.operations_numbers import fit_duration, no_overload
from hexgate.language.operations_time import format_duration, format_timestamp, parse_duration, parse_timestamp
from hexgate.language.state import State, utf8_length
from hexgate.limits import INT_MAX, INT_MIN, TIMESTAMP_MAX, TIMESTAMP_MIN, UINT_MAX
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Value

_TYPES: dict[type, TypeValue] = {
    type(None): TypeValue("null_type"), bool: TypeValue("bool"), int: TypeValue("int"), UInt: TypeValue("uint"),
    float: TypeValue("double"), str: TypeValue("string"), bytes: TypeValue("bytes"), tuple: TypeValue("list"),
    dict: TypeValue("map"), Timestamp: TypeValue("google.protobuf.Timestamp"),
    Duration: TypeValue("google.protobuf.Duration"), TypeValue: TypeValue("type"),
}  # fmt: skip
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_DIGITS = frozenset("0123456789")


def invalid() -> EvaluationFault:
    """The fault of a text that has no value of the type asked for."""
    return EvaluationFault(Fault.INVALID_ARGUMENT)


def _digits(text: str) -> bool:
    return bool(text) and _DIGITS.issuperset(text)


def _integer(text: str) -> int:
    """The number of decimal digits; past 20 significant ones only its size matters."""
    significant = text.lstrip("0")
    return int(significant[:21] or "0") if len(significant) > 20 else int(significant or "0")


def _to_int(state: State, operand: Any) -> int:
    kind = type(operand)
    if kind is int:
        return int(operand)
    if kind is UInt:
        return _int_within(int(operand))
    if kind is float:
        if not -(2.0**63) < operand < 2.0**63:
            raise EvaluationFault(Fault.OVERFLOW)
        return int(operand)
    if kind is str:
        state.charge_scan(operand)
        negative, digits = operand[:1] == "-", operand[1:] if operand[:1] in ("+", "-") else operand
        if not _digits(digits):
            raise invalid()
        return _int_within(-_integer(digits) if negative else _integer(digits))
    if kind is Timestamp:
        return int(operand.nanoseconds // 10**9)
    if kind is Duration:
        return int(abs(operand.nanoseconds) // 10**9) * (1 if operand.nanoseconds >= 0 else -1)
    raise no_overload()


def _int_within(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationFault(Fault.OVERFLOW)


def _to_uint(state: State, operand: Any) -> UInt:
    kind = type(operand)
    if kind is UInt:
        return UInt(operand)
    if kind is int:
        return _uint_within(operand)
    if kind is float:
        if not -1.0 < operand < 2.0**64:
            raise EvaluationFault(Fault.OVERFLOW)
        return _uint_within(int(operand))
    if kind is str:
        state.charge_scan(operand)
        if not _digits(operand):
            raise invalid()
        return _uint_within(_integer(operand))
    raise no_overload()


def _uint_within(value: int) -> UInt:
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise EvaluationFault(Fault.OVERFLOW)


def _to_double(state: State, operand: Any) -> float:
    kind = type(operand)
    if kind is float or kind is int or kind is UInt:
        return float(operand)
    if kind is str:
        length = utf8_length(operand)
        # Up to 15 digits and a point make an exact quotient.
        if length >= 16 or "e" in operand or "E" in operand:
            state.charge_steps(length // 16 + 4)
        return parse_double(operand)
    raise no_overload()


def parse_double(text: str) -> float:
    """L4.3."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if body.lower() in ("nan", "inf", "infinity") and body.isascii():
        return float(text)
    mantissa, mark, exponent = body, "", ""
    for letter in "eE":
        if letter in body:
            mantissa, mark, exponent = body.partition(letter)
            break
    if mark and not _digits(exponent[1:] if exponent[:1] in ("+", "-") else exponent):
        raise invalid()
    whole, _, fraction = mantissa.partition(".")
    if not (whole or fraction) or not _DIGITS.issuperset(whole) or not _DIGITS.issuperset(fraction):
        raise invalid()
    return float(text)


def _to_bool(_: State, operand: Any) -> bool:
    if type(operand) is bool:
        return operand
    if type(operand) is not str:
        raise no_overload()
    if operand in _TRUE:
        return True
    if operand in _FALSE:
        return False
    raise invalid()


def _to_bytes(state: State, operand: Any) -> bytes:
    if type(operand) is bytes:
        return state.new_bytes(operand)
    if type(operand) is str:
        return state.new_bytes(operand.encode())
    raise no_overload()


def _to_string(state: State, operand: Any) -> str:
    if type(operand) is bytes:
        state.charge_scan(operand)
    text = text_of(operand)
    if type(operand) is float:
        charge_double_text(state, text)
    return state.new_text(text)


def charge_double_text(state: State, text: str) -> None:
    """The steps of writing a double (L2.9)."""
    state.charge_steps(len(text) // 4 + 1)


def text_of(operand: Any) -> str:
    """The text that `string(x)` makes (L4.5, L4.6, L4.9). Raises EvaluationFault."""
    kind = type(operand)
    if kind is str:
        return str(operand)
    if kind is bool:
        return "true" if operand else "false"
    if kind is int or kind is UInt:
        return str(int(operand))
    if kind is float:
        return format_double(operand)
    if kind is bytes:
        try:
            return str(operand.decode())
        except UnicodeDecodeError:
            raise invalid() from None
    if kind is Timestamp:
        return format_timestamp(operand)
    if kind is Duration:
        return format_duration(operand)
    raise no_overload()


def format_double(value: float) -> str:
    """L4.5: the shortest digits that read back, positional for exponents -4 to 20."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return sign + "0"
    mantissa, _, exponent_text = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(exponent_text or "0") + len(whole) - 1 - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if not -4 <= exponent < 21:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole_digits = digits[: exponent + 1].ljust(exponent + 1, "0")
    rest = digits[exponent + 1 :]
    return sign + whole_digits + (f".{rest}" if rest else "")


def _to_timestamp(_: State, operand: Any) -> Timestamp:
    if type(operand) is Timestamp:
        return operand
    if type(operand) is str:
        return parse_timestamp(operand)
    if type(operand) is int:
        if TIMESTAMP_MIN <= operand * 10**9 <= TIMESTAMP_MAX:
            return Timestamp(operand * 10**9)
        raise EvaluationFault(Fault.OVERFLOW)
    raise no_overload()


def _to_duration(state: State, operand: Any) -> Duration:
    if type(operand) is Duration:
        return operand
    if type(operand) is str:
        state.charge_scan(operand)
        return parse_duration(operand)
    if type(operand) is int:
        return fit_duration(operand * 10**9)
    raise no_overload()


def type_of(operand: Any) -> TypeValue:
    """The type of a value, as a value."""
    return _TYPES[type(operand)]


def _identity(_: State, operand: Any) -> Value:
    return operand  # type: ignore[no-any-return]


OPERATIONS: dict[str, Callable[..., Any]] = {
    "to_bool": _to_bool,
    "to_bytes": _to_bytes,
    "to_double": _to_double,
    "to_duration": _to_duration,
    "to_int": _to_int,
    "to_string": _to_string,
    "to_timestamp": _to_timestamp,
    "to_uint": _to_uint,
    "dyn": _identity,
    "type": lambda _, operand: type_of(operand),
}
