"""How case tables write values: JSON, and a few marks for what JSON has not. Independent of the language's own parser.

| written                              | value                                        |
|--------------------------------------|----------------------------------------------|
| `null true false "text" [1] {"a": 1}`| as in JSON; a map's keys may be any key type |
| `1`, `1u`, `1.0`, `NaN`, `-Infinity` | int, uint, double                            |
| `b"a\\u00ff"`                         | bytes, one character below 256 each          |
| `t"2024-01-01T00:00:00.5Z"`          | timestamp                                    |
| `d"-1.5"`                            | duration, in seconds                         |
| `<int>`                              | type                                         |
| `?`                                  | an unsupported value                         |
| `"ab" * 1000`                        | a text, repeated                             |
| `[0] * 1000`                         | a list, repeated                             |
"""

from __future__ import annotations

import datetime
import json
import re
from decimal import Decimal
from typing import Any

from hexgate.values import Duration, Timestamp, TypeValue, UInt, Unsupported, Value, key_of

_TOKEN = re.compile(
    r'\s*(?:(?P<text>[btd]?"(?:[^"\\]|\\.)*")|(?P<type><[\w.]+>)|(?P<number>-?(?:Infinity|NaN|\d[\d.]*(?:e[+-]?\d+)?u?))'
    r"|(?P<word>null|true|false)|(?P<mark>[\[\]{},:?*]))"
)
_WORDS: dict[str, Value] = {"null": None, "true": True, "false": False}


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0

    def peek(self) -> str:
        return self.text[self.position :].lstrip()[:1]

    def take(self) -> tuple[str, str]:
        match = _TOKEN.match(self.text, self.position)
        if match is None or match.lastgroup is None:
            raise ValueError(f"not a value at {self.text[self.position :]!r}")
        self.position = match.end()
        return match.lastgroup, match.group(match.lastgroup)

    def expect(self, mark: str) -> None:
        if self.take()[1] != mark:
            raise ValueError(f"`{mark}` is missing in {self.text!r}")

    def value(self) -> Value:
        value = self.single()
        if self.peek() == "*":
            self.expect("*")
            value = value * int(self.take()[1])  # type: ignore[operator]
        return value

    def single(self) -> Value:
        kind, token = self.take()
        if kind == "text":
            return _text(token)
        if kind == "number":
            return _number(token)
        if kind == "type":
            return TypeValue(token[1:-1])
        if kind == "word":
            return _WORDS[token]
        if token == "?":
            return Unsupported()
        if token == "[":
            return tuple(self.items("]"))
        if token == "{":
            return self.entries()
        raise ValueError(f"not a value: {token!r}")

    def items(self, end: str) -> list[Value]:
        items: list[Value] = []
        while self.peek() != end:
            items.append(self.value())
            if self.peek() != end:
                self.expect(",")
        self.expect(end)
        return items

    def entries(self) -> dict[Any, Value]:
        entries: dict[Any, Value] = {}
        while self.peek() != "}":
            key = key_of(self.value())
            self.expect(":")
            entries[key] = self.value()
            if self.peek() != "}":
                self.expect(",")
        self.expect("}")
        return entries


def _text(token: str) -> Value:
    content: str = json.loads(token[token.index('"') :])
    match token[0]:
        case "b":
            return content.encode("latin-1")
        case "t":
            return _timestamp(content)
        case "d":
            return Duration(int(Decimal(content) * 10**9))
    return content


def _timestamp(text: str) -> Timestamp:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    instant = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.UTC)
    seconds = (instant - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(seconds=1)
    return Timestamp(seconds * 10**9 + int(fraction.ljust(9, "0")))


def _number(token: str) -> Value:
    if token.endswith("u"):
        return UInt(int(token[:-1]))
    if token.lstrip("-").isdigit():
        return int(token)
    return float(token)


def read_value(text: str) -> Value:
    """The value of a text in the notation. Raises ValueError."""
    reader = _Reader(text)
    value = reader.value()
    if reader.text[reader.position :].strip():
        raise ValueError(f"more than one value: {text!r}")
    return value


def read_bindings(text: str) -> dict[str, Value]:
    """The variables of `name: value, name: value`. Raises ValueError."""
    reader = _Reader(text)
    bindings: dict[str, Value] = {}
    while reader.text[reader.position :].strip():
        name = re.compile(r"[\s,]*([a-z]\w*)\s*:").match(reader.text, reader.position)
        if name is None:
            raise ValueError(f"no name of a variable at {reader.text[reader.position :]!r}")
        reader.position = name.end()
        bindings[name.group(1)] = reader.value()
    return bindings


def same(left: object, right: object, ordered: bool = True) -> bool:
    """Whether two values are the same to the bit: types, signs of zero, and where `ordered` the order of entries."""
    if type(left) is not type(right):
        return False
    if type(left) is tuple and type(right) is tuple:
        return len(left) == len(right) and all(same(a, b, ordered) for a, b in zip(left, right, strict=True))
    if type(left) is dict and type(right) is dict:
        pairs = list(zip(left.items(), right.items(), strict=False))
        if not ordered:
            keys = {key: key for key in right}
            pairs = [((key, left[key]), (keys[key], right[key])) for key in left if key in right]
        return len(left) == len(right) == len(pairs) and all(
            same(a, b) and same(x, y, ordered) for (a, x), (b, y) in pairs
        )
    if type(left) is float:
        return repr(left) == repr(right)
    return left == right
