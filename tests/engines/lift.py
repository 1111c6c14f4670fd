"""Move an expression's literals into variables, so that nothing can be decided when it is compiled."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from hexgate.language.parse import parse
from hexgate.language.patterns import is_offset
from hexgate.language.print import format_expression
from hexgate.language.tree import Call, Ident, Literal
from hexgate.values import Value


def lift(text: str) -> tuple[str, dict[str, Value]]:
    """The expression with a variable for each literal, and the variables. What the checker needs as a constant stays:
    patterns, names of time zones."""
    lifted: dict[str, Value] = {}
    return format_expression(_lift(parse(text), lifted)), lifted


def _lift(node: Any, lifted: dict[str, Value]) -> Any:
    if isinstance(node, Literal):
        name = f"lifted{len(lifted)}"
        lifted[name] = node.value
        return Ident(name, node.span)
    if type(node) is tuple:
        return tuple(_lift(part, lifted) for part in node)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    changed = {field.name: _lift(getattr(node, field.name), lifted) for field in fields(node)}
    if isinstance(node, Call) and node.arguments and _stays(node.name, node.arguments[-1]):
        changed["arguments"] = (*changed["arguments"][:-1], node.arguments[-1])
    return replace(node, **changed)


def _stays(function: str, last: object) -> bool:
    """Whether the last argument of a call must stay a constant."""
    if function == "matches" or not isinstance(last, Literal):
        return function == "matches"
    return function.startswith("get") and type(last.value) is str and not is_offset(last.value)
