"""The values of constants and the durations of approvals, out of YAML scalars."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hexgate.limits import INT_MAX, INT_MIN
from hexgate.policy.plain_scalars import Kind, kind_of
from hexgate.policy.reading import Reader, shorten
from hexgate.policy.yaml_tree import Mapping, Node, Scalar, Sequence
from hexgate.values import Key, Value

EXPIRY_SECONDS = 30 * 86_400
"""How long an approval may be open, at most."""

_DIGITS = frozenset("0123456789")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class ConstantValue:
    """A value that was read; None in its place means that it was reported."""

    value: Value


def constant_value(reader: Reader, node: Node) -> ConstantValue | None:
    """The value of a constant: bool, int, double, string, a list or a map of those (docs/language.md P4)."""
    match node:
        case Scalar():
            return _scalar(reader, node) if node.plain else ConstantValue(node.source.text)
        case Sequence(items):
            found = [constant_value(reader, item) for item in items]
            return ConstantValue(tuple(item.value for item in found if item)) if all(found) else None
        case Mapping(entries):
            members: dict[Key, Value] = {}
            for key, member in entries:
                value = constant_value(reader, member)
                if value is not None:
                    members[key.text] = value.value
            return ConstantValue(members) if len(members) == len(entries) else None


def _scalar(reader: Reader, node: Scalar) -> ConstantValue | None:
    """The value of a plain scalar, where readers of YAML 1.1 and 1.2 agree what it is."""
    text = node.source.text
    match kind_of(text):
        case Kind.TEXT:
            return ConstantValue(text)
        case Kind.BOOL:
            return ConstantValue(text.lower() == "true")
        case Kind.INT:
            return _integer(reader, node)
        case Kind.FLOAT:
            return _double(reader, node)
        case Kind.NULL:
            help_ = 'leave the constant out, or write `""` for an empty text'
            reader.report("HG212", "null is not a constant's value", node.place, help_)
        case Kind.DISPUTED:
            forms = "`true` or `false` for a bool, plain decimal digits for a number"
            help_ = f"write `{_quoted(text)}` for a text, {forms}"
            reader.report("HG212", f"readers of YAML disagree what `{shorten(text)}` is", node.place, help_)
    return None


def _quoted(text: str) -> str:
    return f'"{shorten(text)}"'


def _integer(reader: Reader, node: Scalar) -> ConstantValue | None:
    text = node.source.text
    if len(text) <= 20 and INT_MIN <= int(text) <= INT_MAX:
        return ConstantValue(int(text))
    help_ = "use a smaller number, or put a text in quotes"
    reader.report("HG212", f"`{shorten(text)}` is no int of 64 bits", node.place, help_)
    return None


def _double(reader: Reader, node: Scalar) -> ConstantValue | None:
    text = node.source.text
    value = float(text)
    if math.isfinite(value):
        return ConstantValue(value)
    reader.report("HG212", f"`{shorten(text)}` is too large for a double", node.place, "use a smaller number")
    return None


def duration_seconds(text: str) -> int | None:
    """The seconds of `1h30m`, `15m`, `90s`, `2d`: whole numbers with units, larger ones first, from 1 second to
    `EXPIRY_SECONDS`. None for anything else."""
    total, rest, before = 0, text, float("inf")
    while rest:
        end = 0
        while end < len(rest) and rest[end] in _DIGITS:
            end += 1
        unit = _UNITS.get(rest[end : end + 1])
        if not 1 <= end <= 7 or unit is None or unit >= before:
            return None
        total, rest, before = total + int(rest[:end]) * unit, rest[end + 1 :], unit
    return total if 0 < total <= EXPIRY_SECONDS else None
