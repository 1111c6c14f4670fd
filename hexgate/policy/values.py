"""The values of constants and the durations of approvals, out of YAML scalars."""

from __future__ import annotations

from dataclasses import dataclass

from hexgate.limits import INT_MAX, INT_MIN
from hexgate.policy.reading import Reader
from hexgate.policy.yaml_tree import Node, Scalar, Sequence, plain_value
from hexgate.values import Value

EXPIRY_SECONDS = 30 * 86_400
"""How long an approval may be open, at most."""

_DIGITS = frozenset("0123456789")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class ConstantValue:
    """A value that was read; None in its place means that it was reported."""

    value: Value


def constant_value(reader: Reader, node: Node) -> ConstantValue | None:
    """The value of a constant: bool, int, double, string, a list or a map of those (P4)."""
    if isinstance(node, Scalar):
        return _scalar(reader, node)
    if isinstance(node, Sequence):
        items = [constant_value(reader, item) for item in node.items]
        return ConstantValue(tuple(item.value for item in items if item)) if all(items) else None
    members = {key.text: constant_value(reader, member) for key, member in node.entries}
    if not all(members.values()):
        return None
    return ConstantValue({key: member.value for key, member in members.items() if member})


def _scalar(reader: Reader, node: Scalar) -> ConstantValue | None:
    text = node.source.text
    if not node.plain:
        return ConstantValue(text)
    if text in ("true", "false"):
        return ConstantValue(text == "true")
    digits = text[1:] if text[:1] in ("-", "+") else text
    if digits and _DIGITS.issuperset(digits):
        return _integer(reader, node, text, digits)
    found = plain_value(text)
    if isinstance(found, str):
        return ConstantValue(text)
    if isinstance(found, float) and _is_decimal(digits):
        value = float(text)
        if abs(value) != float("inf"):
            return ConstantValue(value)
    what = "null" if found is None else f"`{text}`"
    reader.report("HG212", f"{what} is not a constant's value", node.place, 'a value is `true`, `false`, a decimal number or a text; put a text in quotes: `"..."`')
    return None


def _integer(reader: Reader, node: Scalar, text: str, digits: str) -> ConstantValue | None:
    if len(digits) > 1 and digits[0] == "0":
        reader.report("HG212", f"`{text}` begins with a zero", node.place, 'write the number without it, or put a text in quotes: `"..."`')
        return None
    if len(digits) > 19 or not INT_MIN <= int(text) <= INT_MAX:
        reader.report("HG212", f"`{text[:40]}` does not fit an int of 64 bits", node.place, "use a smaller number, or a text")
        return None
    return ConstantValue(int(text))


def _is_decimal(text: str) -> bool:
    """A decimal number as YAML 1.2 and JSON both have it."""
    mantissa, _, exponent = text.lower().partition("e")
    whole, point, fraction = mantissa.partition(".")
    if "e" in text.lower() and not _DIGITS.issuperset(exponent.lstrip("+-") or "x"):
        return False
    return bool(whole) and _DIGITS.issuperset(whole) and (not point or (bool(fraction) and _DIGITS.issuperset(fraction)))


def duration_seconds(text: str) -> int | None:
    """The seconds of `1h30m`, `15m`, `90s`, `2d`: whole numbers with units, larger ones first. None for anything else."""
    total, rest, before = 0, text, float("inf")
    while rest:
        end = 0
        while end < len(rest) and rest[end] in _DIGITS:
            end += 1
        unit = _UNITS.get(rest[end : end + 1])
        if not 1 <= end <= 6 or unit is None or unit >= before:
            return None
        total, rest, before = total + int(rest[:end]) * unit, rest[end + 1 :], unit
    return total if 0 < total <= EXPIRY_SECONDS else None


