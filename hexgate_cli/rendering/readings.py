"""What a constraint read of a request, to show beside it: `args.amount is 900`.

The paths come from the checked tree, the values from the request as it was handed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hexgate.language.checked import Constant, Has, Invoke, Node, Select, Variable, operands_of
from hexgate.policy.checked import CheckedConstraint
from hexgate_cli.rendering.value_text import format_any_value
from hexgate_cli.terminal import escape_text, shorten

VALUE_COLUMNS = 60
"""Longest text of a value that is shown."""

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Reading:
    """A path as the author wrote it, and the value there as text: JSON, or `absent`."""

    path: str
    value: str

    def __str__(self) -> str:
        return f"{self.path} is {self.value}"


def readings_of(constraint: CheckedConstraint, roots: Mapping[str, Any]) -> list[Reading]:
    """What a constraint reads, in the order of its text, each path once. `roots` are the request's, by name."""
    text = constraint.expression.text
    found: dict[str, Reading] = {}
    for node in _paths(constraint.expression.root):
        written = text[node.span.start : node.span.end]
        if isinstance(node, Constant):
            if written.startswith("consts."):
                found[written] = Reading(escape_text(written), _show_constant(node))
            continue
        keys = _keys(node)
        path = _format_path(keys)
        found.setdefault(path, Reading(path, _show(_look_up(roots, keys))))
    return list(found.values())


def constants_of(constraint: CheckedConstraint) -> list[Reading]:
    """The named constants of a constraint with their values, in the order of its text, each once."""
    return [reading for reading in readings_of(constraint, {}) if reading.path.startswith("consts.")]


def _show_constant(node: Constant) -> str:
    return shorten(escape_text(format_any_value(node.value)), VALUE_COLUMNS)


def _paths(node: Node) -> Iterator[Node]:
    """The largest nodes that are a path from a root, and constants that had a name."""
    if _keys(node) or isinstance(node, Constant):
        yield node
        return
    for operand in operands_of(node):
        yield from _paths(operand)


def _keys(node: Node) -> list[str | int]:
    """Root and keys of a path such as `args.items[0].price`; empty for what is none."""
    match node:
        case Variable(name=name):
            return [name]
        case Select(operand=operand, field=field) | Has(operand=operand, field=field):
            inner = _keys(operand)
            return [*inner, field] if inner else []
        case Invoke(function="index", operands=(operand, Constant(value=key))) if type(key) in (str, int):
            inner = _keys(operand)
            return [*inner, key] if inner else []  # type: ignore[list-item]
        case _:
            return []


def _format_path(keys: list[str | int]) -> str:
    text = str(keys[0])
    for key in keys[1:]:
        if isinstance(key, str) and key.isidentifier() and key.isascii():
            text += f".{key}"
        else:
            text += f"[{format_any_value(key)}]"
    return escape_text(text)


def _look_up(roots: Mapping[str, Any], keys: list[str | int]) -> object:
    value: object = roots
    for key in keys:
        match value, key:
            case dict(), str() if key in value:
                value = value[key]
            case list(), int() if 0 <= key < len(value):
                value = value[key]
            case _:
                return _ABSENT
    return value


def _show(value: object) -> str:
    if value is _ABSENT:
        return "absent"
    return shorten(escape_text(json.dumps(value, ensure_ascii=False)), VALUE_COLUMNS)
