"""A syntax tree as one line, without its spans: `(<= (. args amount) 500)`."""

from __future__ import annotations

import json

from hexgate.language.tree import (
    Binary,
    Call,
    Conditional,
    Expr,
    Ident,
    Index,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    Unary,
)  # fmt: skip
from hexgate.values import UInt, Value


def s_expression(node: Expr) -> str:
    """The tree as a line of text; different trees have different texts."""
    match node:
        case Literal(value):
            return _value(value)
        case Ident(name, _, leading_dot):
            return f".{name}" if leading_dot else name
        case Select(operand, field, _, _, optional):
            return f"({'.?' if optional else '.'} {s_expression(operand)} {field})"
        case Index(operand, index, _, optional):
            return f"({'[?]' if optional else '[]'} {s_expression(operand)} {s_expression(index)})"
        case Call(name, _, None, arguments):
            return "(" + " ".join([f"{name}()", *map(s_expression, arguments)]) + ")"
        case Call(name, _, target, arguments):
            return "(" + " ".join([f".{name}()", *map(s_expression, (target, *arguments))]) + ")"  # type: ignore[arg-type]
        case Unary(operator, operand):
            return f"({operator} {s_expression(operand)})"
        case Binary(operator, _, left, right):
            return f"({operator} {s_expression(left)} {s_expression(right)})"
        case Conditional(test, then, otherwise):
            return f"(? {s_expression(test)} {s_expression(then)} {s_expression(otherwise)})"
        case ListLiteral(elements):
            return "[" + " ".join(("?" if e.optional else "") + s_expression(e.value) for e in elements) + "]"
        case MapLiteral(entries):
            pairs = (f"{'?' if e.optional else ''}{s_expression(e.key)}: {s_expression(e.value)}" for e in entries)
            return "{" + ", ".join(pairs) + "}"


def _value(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case UInt():
            return f"{int(value)}u"
        case float():
            return repr(value)
        case str():
            return json.dumps(value)
        case bytes():
            return "b" + json.dumps(value.decode("latin-1"))
    return str(value)
