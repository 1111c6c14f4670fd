"""JSON (RFC 8259), read strictly: one value, one reading of it.

What parsers disagree about is an error: duplicate keys, `NaN` and `Infinity`, a byte order mark, text that is not
UTF-8, anything after the value. What JSON can hold and the language cannot (an integer outside 64 bits, a lone
surrogate, a number beyond the range of a double) is kept: it becomes an unsupported value where it is decided on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NoReturn, TypeAlias, Union

JSON_DEPTH = 256
"""Nesting of lists and objects in one text."""

JSON_NUMBER_DIGITS = 4_300
"""Digits of one integer: reading a longer one takes time that grows with the square of its length."""

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]

_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|$)|[\[\]{}]', re.DOTALL)
_STRING_OR_SIGN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|$)|[\[{,]', re.DOTALL)


class StrictJsonError(ValueError):
    """A text that is not strict JSON. `message` is one sentence without position; `line` and `column` count from 1, in
    code points, and are None where the fault has no one place."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        where = "" if line is None else f" (line {line}, column {column})"
        super().__init__(message + where)
        self.message = message
        self.line = line
        self.column = column


def parse_json(text: str | bytes, *, depth: int = JSON_DEPTH, signs: int | None = None) -> Json:
    """The value of a JSON text. `depth` bounds the nesting of lists and objects, `signs` the commas and opening brackets outside of
    strings, and so the time and memory that a text takes which is nothing but those. Raises StrictJsonError, nothing else."""
    decoded = _decode(text) if isinstance(text, bytes) else text
    if decoded.startswith("\ufeff"):
        raise StrictJsonError("a byte order mark before the JSON", 1, 1)
    brackets = decoded.count("[") + decoded.count("{")
    if signs is not None and brackets + decoded.count(",") > signs:
        _require_signs(decoded, signs)
    if brackets > JSON_DEPTH:
        # The decoder is recursive: it must not see what may be too deep for it.
        _require_depth(decoded, depth)
    try:
        value: Json = _DECODER.decode(decoded)
    except json.JSONDecodeError as error:
        raise StrictJsonError(_sentence(error), error.lineno, error.colno) from None
    if depth < brackets <= JSON_DEPTH and _is_deeper(value, depth):
        _require_depth(decoded, depth)
    return value


def _is_deeper(value: Json, limit: int) -> bool:
    """Whether lists and objects nest deeper than that."""
    if type(value) is dict:
        members: Iterable[Json] = value.values()
    elif type(value) is list:
        members = value
    else:
        return False
    return limit <= 0 or any(_is_deeper(member, limit - 1) for member in members)


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start_of_line = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start_of_line : error.start].decode()) + 1
        raise StrictJsonError("the JSON is not UTF-8", line, column) from None


def _require_depth(text: str, limit: int) -> None:
    """Refuse deep nesting, saying where it begins."""
    level = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        sign = text[match.start()]
        if sign in "[{":
            level += 1
            if level > limit:
                line = text.count("\n", 0, match.start()) + 1
                column = match.start() - text.rfind("\n", 0, match.start())
                raise StrictJsonError(f"the JSON is nested deeper than {limit}", line, column)
        elif sign in "]}":
            level -= 1


def _require_signs(text: str, most: int) -> None:
    """Refuse a text of too many parts, once so many have been seen. A part is a sign, and JSON has at most two strings after one."""
    signs = 0
    for strings_and_signs, match in enumerate(_STRING_OR_SIGN.finditer(text)):
        signs += text[match.start()] != '"'
        if signs > most or strings_and_signs > 3 * most + 1:
            raise StrictJsonError(f"the JSON has more than {most} commas and brackets")


def _unique_members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members: dict[str, Json] = {}
    for key, value in pairs:
        if key in members:
            raise StrictJsonError(f"the key `{key}` appears twice in one object")
        members[key] = value
    return members


def _parse_integer(text: str) -> int:
    if len(text) > JSON_NUMBER_DIGITS:
        raise StrictJsonError(f"an integer of more than {JSON_NUMBER_DIGITS} digits")
    return int(text)


def _refuse_constant(text: str) -> NoReturn:
    raise StrictJsonError(f"`{text}` is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_members, parse_int=_parse_integer, parse_constant=_refuse_constant
)


def _sentence(error: json.JSONDecodeError) -> str:
    """The decoder's finding in our words."""
    if error.pos >= len(error.doc.rstrip()):
        return "the JSON ends early" if error.doc.strip() else "the JSON is empty"
    if error.msg == "Extra data":
        return "something follows the JSON value"
    detail = error.msg.removesuffix(" at").removesuffix(" starting")
    return f"not JSON: {detail[:1].lower()}{detail[1:]}"
