"""`format` (docs/language.md L5.7; cel-go, ext/formatting)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hexgate.language.operations_conversions import invalid, text_of
from hexgate.language.operations_numbers import no_overload, read
from hexgate.language.state import State
from hexgate.values import Duration, Timestamp, TypeValue, UInt, value_of_key


def _format(state: State, template: Any, operands: Any) -> str:
    if type(template) is not str or type(operands) is not tuple:
        raise no_overload()
    parts: list[str] = []
    position = used = 0
    while position < len(template):
        percent = template.find("%", position)
        if percent < 0:
            parts.append(template[position:])
            break
        parts.append(template[position:percent])
        verb, precision, position = _verb(template, percent + 1)
        if verb == "%":
            parts.append("%")
            continue
        if used >= len(operands):
            raise invalid()
        parts.append(_VERBS[verb](read(operands[used]), precision))
        used += 1
    return state.new_text("".join(parts))


def _verb(template: str, position: int) -> tuple[str, int, int]:
    """The verb after a percent sign, its precision, and where the template goes on."""
    precision = 6
    if template[position : position + 1] == ".":
        end = position + 1
        while end < len(template) and template[end] in "0123456789":
            end += 1
        if not 1 <= end - position - 1 <= 2:
            raise invalid()
        precision, position = int(template[position + 1 : end]), end
        if template[position : position + 1] not in ("f", "e"):
            raise invalid()
    verb = template[position : position + 1]
    if verb != "%" and verb not in _VERBS:
        raise invalid()
    return verb, precision, position + 1


def _text(operand: Any, _: int = 0) -> str:
    """`%s`: any value; lists and maps in brackets, maps ordered by the text of their keys."""
    kind = type(read(operand))
    if operand is None:
        return "null"
    if kind is float and not math.isfinite(operand):
        return _not_finite(operand)
    if kind is tuple:
        return "[" + ", ".join(_text(element) for element in operand) + "]"
    if kind is dict:
        entries = sorted(((text_of(value_of_key(key)), member) for key, member in operand.items()), key=lambda e: e[0])
        return "{" + ", ".join(f"{key}: {_text(member)}" for key, member in entries) + "}"
    if kind is TypeValue:
        return str(operand.name)
    if kind in (str, bool, int, UInt, float, bytes, Timestamp, Duration):
        return text_of(operand)
    raise invalid()


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _decimal(operand: Any, _: int) -> str:
    if type(operand) in (int, UInt):
        return str(int(operand))
    if type(operand) is float and not math.isfinite(operand):
        return _not_finite(operand)
    raise invalid()


def _real(how: str) -> Callable[[Any, int], str]:
    def verb(operand: Any, precision: int) -> str:
        if type(operand) not in (int, UInt, float):
            raise invalid()
        value = float(operand)
        return f"{value:.{precision}{how}}" if math.isfinite(value) else _not_finite(value)

    return verb


def _radix(how: str, of_text: bool, of_bool: bool) -> Callable[[Any, int], str]:
    def verb(operand: Any, _: int) -> str:
        if type(operand) in (int, UInt) or (of_bool and type(operand) is bool):
            return f"{int(operand):{how}}"
        if of_text and type(operand) in (str, bytes):
            digits = (operand.encode() if type(operand) is str else operand).hex()
            return digits.upper() if how == "X" else digits
        raise invalid()

    return verb


_VERBS: dict[str, Callable[[Any, int], str]] = {
    "s": _text,
    "d": _decimal,
    "f": _real("f"),
    "e": _real("e"),
    "b": _radix("b", of_text=False, of_bool=True),
    "o": _radix("o", of_text=False, of_bool=False),
    "x": _radix("x", of_text=True, of_bool=False),
    "X": _radix("X", of_text=True, of_bool=False),
}

OPERATIONS: dict[str, Callable[..., Any]] = {"format": _format}
