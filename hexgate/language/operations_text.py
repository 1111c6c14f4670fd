"""Strings and encoders (docs/language.md L5, L6.6)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from hexgate.faults import EvaluationFault, Fault
from hexgate.language.operations_numbers import no_overload, read
from hexgate.language.state import State, utf8_length

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""Unicode's White_Space property (L5.5)."""

_ASCII_LOWER = {code: code + 32 for code in range(65, 91)}
_ASCII_UPPER = {code: code - 32 for code in range(97, 123)}
_QUOTED = str.maketrans({
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"',
})  # fmt: skip
_NOT_GIVEN: Any = object()
"""An operand that was left out; null is one that was not."""


def _require(kind: type, *operands: Any) -> None:
    for operand in operands:
        if type(operand) is not kind:
            raise no_overload()


def _edge_test(test: Callable[[str, str], bool]) -> Callable[[State, Any, Any], bool]:
    def operation(state: State, text: Any, other: Any) -> bool:
        _require(str, text, other)
        state.charge_scan(other)
        return test(text, other)

    return operation


def _within(position: int, length: int) -> None:
    if not 0 <= position <= length:
        raise EvaluationFault(Fault.INDEX_OUT_OF_RANGE)


def _contains(state: State, text: Any, part: Any) -> bool:
    _require(str, text, part)
    state.charge_scan(text)
    return part in text


def _char_at(state: State, text: Any, position: Any) -> str:
    _require(str, text)
    _require(int, position)
    state.charge_scan(text)
    _within(position, len(text))
    return state.new_text(text[position : position + 1])


def _index_of(state: State, text: Any, other: Any, start: Any = 0) -> int:
    _require(str, text, other)
    _require(int, start)
    _within(start, len(text))
    state.charge_scan(text)
    return int(text.find(other, start))


def _last_index_of(state: State, text: Any, other: Any, start: Any = _NOT_GIVEN) -> int:
    _require(str, text, other)
    if start is _NOT_GIVEN:
        state.charge_scan(text)
        return int(text.rfind(other))
    _require(int, start)
    _within(start, len(text))
    state.charge_scan(text)
    return int(text.rfind(other, 0, start + len(other)))


def _join(state: State, parts: Any, separator: Any = "") -> str:
    _require(tuple, parts)
    _require(str, separator)
    state.charge_steps(len(parts) // 16)
    for part in parts:
        _require(str, read(part))
    # Charged before it is built: a list may hold one long text many times.
    state.charge_bytes(sum(map(utf8_length, parts)) + utf8_length(separator) * max(0, len(parts) - 1))
    return str(separator.join(parts))


def _replace(state: State, text: Any, old: Any, new: Any, limit: Any = -1) -> str:
    _require(str, text, old, new)
    _require(int, limit)
    state.charge_scan(text)
    times = text.count(old) if limit < 0 else min(text.count(old), limit)
    # Charged before it is built: replacing can multiply a text.
    state.charge_bytes(utf8_length(text) + times * (utf8_length(new) - utf8_length(old)))
    return str(text.replace(old, new, times))


def _split(state: State, text: Any, separator: Any, limit: Any = -1) -> tuple[str, ...]:
    """Charges the list and each part."""
    _require(str, text, separator)
    _require(int, limit)
    state.charge_scan(text)
    if limit == 0:
        return ()
    if limit == 1:
        parts = [text]
    elif separator:
        parts = text.split(separator, limit - 1 if limit > 0 else -1)
    else:
        cut = len(text) if limit < 0 else min(limit - 1, len(text))
        parts = [*text[:cut], *([text[cut:]] if cut < len(text) else [])]
    state.charge_bytes(16 * len(parts) + sum(map(utf8_length, parts)))
    return tuple(parts)


def _substring(state: State, text: Any, start: Any, end: Any = _NOT_GIVEN) -> str:
    _require(str, text)
    end = len(text) if end is _NOT_GIVEN else end
    _require(int, start, end)
    state.charge_scan(text)
    if not 0 <= start <= end <= len(text):
        raise EvaluationFault(Fault.INDEX_OUT_OF_RANGE)
    return state.new_text(text[start:end])


def _text_map(change: Callable[[str], str]) -> Callable[[State, Any], str]:
    def operation(state: State, text: Any) -> str:
        _require(str, text)
        return state.new_text(change(text))

    return operation


def _trim(state: State, text: Any) -> str:
    _require(str, text)
    state.charge_scan(text)
    return state.new_text(text.strip(WHITE_SPACE))


def _base64_encode(state: State, data: Any) -> str:
    _require(bytes, data)
    return state.new_text(base64.b64encode(data).decode())


def _base64_decode(state: State, text: Any) -> bytes:
    """RFC 4648 section 4, strictly: alphabet, padding complete or left out, spare bits zero."""
    _require(str, text)
    state.charge_scan(text)
    body = text.rstrip("=")
    padding = len(text) - len(body)
    if padding not in (0, -len(body) % 4) or len(body) % 4 == 1:
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise EvaluationFault(Fault.INVALID_ARGUMENT) from None
    if base64.b64encode(data).decode().rstrip("=") != body:
        raise EvaluationFault(Fault.INVALID_ARGUMENT)
    return state.new_bytes(data)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "contains": _contains,
    "starts_with": _edge_test(lambda text, part: text.startswith(part)),
    "ends_with": _edge_test(lambda text, part: text.endswith(part)),
    "char_at": _char_at,
    "index_of": _index_of,
    "index_of_from": _index_of,
    "last_index_of": _last_index_of,
    "last_index_of_from": _last_index_of,
    "join": _join,
    "join_with": _join,
    "lower_ascii": _text_map(lambda text: text.translate(_ASCII_LOWER)),
    "upper_ascii": _text_map(lambda text: text.translate(_ASCII_UPPER)),
    "replace": _replace,
    "replace_limit": _replace,
    "split": _split,
    "split_limit": _split,
    "substring": _substring,
    "substring_range": _substring,
    "trim": _trim,
    "quote": _text_map(lambda text: f'"{text.translate(_QUOTED)}"'),
    "base64_encode": _base64_encode,
    "base64_decode": _base64_decode,
}
