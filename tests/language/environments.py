"""The environments that cases name."""

from __future__ import annotations

from hexgate.language.environment import Environment
from hexgate.language.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    UINT,
    ListOf,
    MapOf,
    Member,
    Record,
    TypeOf,
)  # fmt: skip
from hexgate.values import Value

_MAP = MapOf(STRING, DYN)
_USER = Record({"id": Member(STRING, True), "role": Member(STRING, True), "attrs": Member(_MAP, True)}, False, "`user`", DYN)
_ROOTS = {"args": _MAP, "user": _USER, "tool": STRING, "ctx": _MAP, "resource": _MAP, "now": TIMESTAMP}

_CONSTANTS: dict[str, Value] = {
    "limit": 500,
    "rate": 1.5,
    "currencies": ("USD", "EUR"),
    "mixed": (1, "a"),
    "limits": {"USD": 500, "EUR": 400},
    "nested": {"a": {"b": True}},
    "pattern": "^[a-z]+$",
    "bad_pattern": "(a",
    "zone": "Europe/Berlin",
    "bad_zone": "Europe/Belrin",
}

_ITEM = Record({"sku": Member(STRING, True), "price": Member(NUMBER, True), "note": Member(STRING, False)}, False, "the object", DYN)
_ADDRESS = Record({"city": Member(STRING, True), "zip": Member(STRING, False)}, False, "the object", DYN)
_ORDER = Record(
    {
        "amount": Member(NUMBER, True),
        "count": Member(INT, True),
        "currency": Member(STRING, True, ("USD", "EUR", "GBP")),
        "level": Member(INT, True, (1, 2, 3)),
        "kind": Member(STRING, False, ("gift",)),
        "note": Member(STRING, False),
        "express": Member(BOOL, False),
        "tags": Member(ListOf(STRING), True),
        "items": Member(ListOf(_ITEM), True),
        "address": Member(_ADDRESS, False),
        "extra": Member(DYN, True),
        "labels": Member(MapOf(STRING, STRING), True),
    },
    False,
    "tool `refund_order`",
    DYN,
)
_OPEN = Record({"amount": Member(NUMBER, True), "note": Member(STRING, False)}, True, "tool `search`", DYN)

ENVIRONMENTS: dict[str, Environment] = {
    # as a policy's constraints see it, without schemas
    "policy": Environment(_ROOTS, _CONSTANTS),
    "no constants": Environment(_ROOTS),
    # with the tool's schema
    "order": Environment({**_ROOTS, "args": _ORDER}, _CONSTANTS),
    "open": Environment({**_ROOTS, "args": _OPEN}),
    "no arguments": Environment({**_ROOTS, "args": Record({}, False, "tool `ping`", DYN)}),
    # a variable of each type, and one of none
    "types": Environment({
        "i": INT, "u": UINT, "d": DOUBLE, "n": NUMBER, "s": STRING, "y": BYTES, "b": BOOL, "z": NULL, "t": TIMESTAMP,
        "l": DURATION, "xs": ListOf(INT), "ss": ListOf(STRING), "m": MapOf(STRING, INT), "k": TypeOf(INT), "x": DYN,
        "xss": ListOf(ListOf(INT)), "dl": ListOf(DYN),
    }),
    "nothing": Environment({}),
    "unchecked": Environment({"x": DYN}, unchecked=True),
}  # fmt: skip
