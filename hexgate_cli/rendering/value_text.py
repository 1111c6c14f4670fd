"""Values of the language as text: in its own spelling, and as JSON."""

from __future__ import annotations

import base64
import math

from hexgate.language.operations_time import format_duration, format_timestamp
from hexgate.language.print import format_value
from hexgate.strict_json import Json
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Unsupported, Value, value_of_key

_TYPE_NAMES: dict[type, str] = {
    type(None): "null", bool: "bool", int: "int", UInt: "uint", float: "double", str: "string", bytes: "bytes",
    tuple: "list", dict: "map", Timestamp: "timestamp", Duration: "duration", TypeValue: "type",
    Unsupported: "unsupported",
}  # fmt: skip


def name_type(value: Value) -> str:
    """The name of a value's type."""
    return _TYPE_NAMES[type(value)]


def format_any_value(value: Value) -> str:
    """An expression that yields the value: exact, types included. An unsupported value, which has none, is `…`."""
    match value:
        case Unsupported():
            return "…"
        case float() if not math.isfinite(value):
            return f'double("{"NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}")'
        case Timestamp():
            return f'timestamp("{format_timestamp(value)}")'
        case Duration():
            return f'duration("{format_duration(value)}")'
        case TypeValue(name=name):
            return name
        case tuple():
            return "[" + ", ".join(map(format_any_value, value)) + "]"
        case dict():
            members = (f"{format_any_value(value_of_key(k))}: {format_any_value(v)}" for k, v in value.items())
            return "{" + ", ".join(members) + "}"
        case _:
            return format_value(value)


def value_to_json(value: Value) -> Json:
    """The value as plain JSON (`schemas/eval.schema.json`). Types that JSON lacks become text: bytes in base64 (RFC 4648), times in
    RFC 3339, durations in seconds with `s`, types by name, non-finite doubles by name; a map with a key that is no string becomes
    a list of pairs."""
    match value:
        case None | bool() | str():
            return value
        case float():
            return value if math.isfinite(value) else {True: "NaN"}.get(math.isnan(value), "Infinity" if value > 0 else "-Infinity")
        case int():
            return int(value)
        case bytes():
            return base64.b64encode(value).decode()
        case Timestamp():
            return format_timestamp(value)
        case Duration():
            return format_duration(value)
        case TypeValue(name=name):
            return name
        case tuple():
            return [value_to_json(element) for element in value]
        case dict():
            if all(type(key) is str for key in value):
                return {str(key): value_to_json(member) for key, member in value.items()}
            return [[value_to_json(value_of_key(key)), value_to_json(member)] for key, member in value.items()]
        case _:
            return None
