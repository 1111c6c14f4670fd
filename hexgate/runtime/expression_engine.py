"""Evaluate one expression with its compiled module: the WebAssembly side of `hexgate eval`."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from hexgate.decision.request import pack_carefully, pack_quickly
from hexgate.faults import EvaluationFault, Fault
from hexgate.runtime.module_limits import EXPRESSION_INTERFACE
from hexgate.runtime.sandbox import CompiledModule, Instance, TrapError
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Value, key_of


class ExpressionEngine:
    """An expression's module, ready to evaluate. For one thread at a time."""

    def __init__(self, wasm: bytes) -> None:
        """Raises ModuleRefusedError."""
        self._instance = Instance(CompiledModule(wasm, EXPRESSION_INTERFACE))

    def evaluate(self, values: Sequence[object]) -> Value:
        """The value over the variables' values, in the order they were compiled in. Raises EvaluationFault; TrapError
        where the module gives no answer."""
        instance = self._instance
        sent = [_sendable(value) for value in values]
        request = pack_quickly(sent) or pack_carefully(sent)
        if len(request) > instance.capacity:
            raise TrapError("the values are larger than a request may be")
        length = instance.call(request)
        if length == 0:
            length = instance.call(pack_carefully(sent))
        if length <= 0:
            raise TrapError("the module could not read the request")
        return _value(_read_answer(instance.read(instance.output, length))[0])


def _sendable(value: Any) -> Any:
    """A value of the language as the encoder takes it: a type travels as its name in an extension."""
    if type(value) is tuple:
        return [_sendable(element) for element in value]
    if type(value) is dict:
        return {key: _sendable(member) for key, member in value.items()}
    return value


def _value(answer: Any) -> Value:
    if type(answer) is EvaluationFault:
        raise answer
    return answer  # type: ignore[no-any-return]


def _read_answer(data: bytes, at: int = 0) -> tuple[Any, int]:
    """The value at a position of an answer as $encode_value writes it, and the position after it."""
    marker = data[at]
    if marker in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[marker], at + 1
    if marker == 0xD3:
        return struct.unpack_from(">q", data, at + 1)[0], at + 9
    if marker == 0xCB:
        return struct.unpack_from(">d", data, at + 1)[0], at + 9
    if marker == 0xD4:
        return EvaluationFault(Fault(data[at + 2])), at + 3
    if marker == 0xD7:
        made = UInt(int.from_bytes(data[at + 2 : at + 10], "big")) if data[at + 1] == 1 else None
        return made if made is not None else Duration(struct.unpack_from(">q", data, at + 2)[0]), at + 10
    if marker == 0xC7:
        nanoseconds, seconds = struct.unpack_from(">Iq", data, at + 3)
        return Timestamp(seconds * 10**9 + nanoseconds), at + 15
    length = int.from_bytes(data[at + 1 : at + 5], "big")
    return _read_long(marker, data, at + 5, length)


def _read_long(marker: int, data: bytes, at: int, length: int) -> tuple[Any, int]:
    if marker == 0xDB:
        return data[at : at + length].decode(), at + length
    if marker == 0xC6:
        return data[at : at + length], at + length
    if marker == 0xC9:
        return TypeValue(data[at + 1 : at + 1 + length].decode()), at + 1 + length
    if marker == 0xDD:
        elements = []
        for _ in range(length):
            element, at = _read_answer(data, at)
            elements.append(element)
        return tuple(elements), at
    if marker == 0xDF:
        entries = {}
        for _ in range(length):
            key, at = _read_answer(data, at)
            member, at = _read_answer(data, at)
            entries[key_of(key)] = member
        return entries, at
    raise TrapError("the module's answer is malformed")


