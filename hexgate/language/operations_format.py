"""`format` (docs/language.md L5.7; cel-go, ext/formatting)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hexgate.faults import FATAL, EvaluationFault
from hexgate.language.operations_conversions import charge_double_text, invalid, text_of
from hexgate.language.operations_numbers import no_overload, read
from hexgate.language.state import State, utf8_length
from hexgate.values import TypeValue, UInt, value_of_key


class _Output:
    """The text so far. It ends at the budget: an operand may hold one long text many times."""

    __slots__ = ("length", "parts", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.length = 0
        self.parts: list[str] = []

    def add(self, text: str) -> None:
        self.length += utf8_length(text)
        if self.length > self.state.bytes_left:
            self.state.charge_bytes(self.length)
        self.parts.append(text)


def _format(state: State, template: Any, operands: Any) -> str:
    if type(template) is not str or type(operands) is not tuple:
        raise no_overload()
    state.charge_scan(template)
    output = _Output(state)
    try:
        _write_template(output, template, operands)
    except EvaluationFault as error:
        if error.fault not in FATAL:
            state.charge_bytes(output.length)
        raise
    state.charge_bytes(output.length)
    return "".join(output.parts)


def _write_template(output: _Output, template: str, operands: tuple[Any, ...]) -> None:
    position = used = 0
    while position < len(template):
        percent = template.find("%", position)
        if percent < 0:
            output.add(template[position:])
            break
        output.add(template[position:percent])
        verb, precision, position = _verb(template, percent + 1)
        if verb == "%":
            output.add("%")
            continue
        if used >= len(operands):
            raise invalid()
        operand = read(operands[used])
        if verb == "s":
            _write(output, operand)
        else:
            text = _VERBS[verb](operand, precision)
            output.add(text)
            if type(operand) is float or verb in ("e", "f"):
                charge_double_text(output.state, text)
        used += 1


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
    if verb not in ("%", "s") and verb not in _VERBS:
        raise invalid()
    return verb, precision, position + 1


def _write(output: _Output, operand: Any) -> None:
    """`%s`: any value; lists and maps in brackets, maps ordered by the text of their keys."""
    kind = type(read(operand))
    if kind is tuple:
        _write_all(output, "[]", [("", element) for element in operand])
    elif kind is dict:
        output.state.charge_steps(2 * len(operand))
        output.state.charge_keys(operand)
        entries = [(text_of(value_of_key(key)), member) for key, member in operand.items()]
        entries.sort(key=lambda entry: entry[0])
        _write_all(output, "{}", [(f"{key}: ", member) for key, member in entries])
    else:
        if kind is bytes:
            output.state.charge_scan(operand)
        text = _text(operand)
        output.add(text)
        if kind is float:
            charge_double_text(output.state, text)


def _write_all(output: _Output, brackets: str, entries: list[tuple[str, Any]]) -> None:
    separator = brackets[0]
    for key, member in entries:
        output.add(separator + key)
        _write(output, member)
        separator = ", "
    output.add(brackets[1] if entries else brackets)


def _text(operand: Any) -> str:
    kind = type(operand)
    if operand is None:
        return "null"
    if kind is float and not math.isfinite(operand):
        return _not_finite(operand)
    return str(operand.name) if kind is TypeValue else text_of(operand)


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
    "d": _decimal,
    "f": _real("f"),
    "e": _real("e"),
    "b": _radix("b", of_text=False, of_bool=True),
    "o": _radix("o", of_text=False, of_bool=False),
    "x": _radix("x", of_text=True, of_bool=False),
    "X": _radix("X", of_text=True, of_bool=False),
}

OPERATIONS: dict[str, Callable[..., Any]] = {"format": _format}
