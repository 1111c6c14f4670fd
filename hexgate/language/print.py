"""Print a syntax tree as its canonical text: as few parentheses as needed, double quotes, single spaces.

`parse(format_expression(tree))` is the same tree but for spans.
"""

from __future__ import annotations

from hexgate.language.precedence import MEMBER, PRECEDENCE, UNARY
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
from hexgate.values import UInt, Value, value_of_key

_ESCAPES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip
_KEYWORDS = frozenset({"in", "true", "false", "null"})


def format_expression(expression: Expr) -> str:
    """The canonical text of a tree."""
    return _format(expression, 0)


def _format(node: Expr, around: int) -> str:
    """The text of a node that stands where operators bind as tightly as `around`."""
    match node:
        case Literal(value):
            text = format_value(value)
            return f"({text})" if around >= MEMBER and text[0] == "-" else text
        case Ident(name, _, leading_dot):
            return f".{name}" if leading_dot else name
        case Select(operand, field, _, _, optional):
            return f"{_format(operand, MEMBER)}{'.?' if optional else '.'}{_field(field)}"
        case Index(operand, index, _, optional):
            return f"{_format(operand, MEMBER)}[{'?' if optional else ''}{_format(index, 0)}]"
        case Call(name, _, target, arguments):
            inner = ", ".join(_format(argument, 0) for argument in arguments)
            return f"{_format(target, MEMBER)}.{name}({inner})" if target is not None else f"{name}({inner})"
        case Unary(operator, operand):
            return _parenthesized(_unary(operator, operand), around > UNARY)
        case Binary(operator, _, left, right):
            level = PRECEDENCE[operator]
            text = f"{_format(left, level)} {operator} {_format(right, level + 1)}"
            return _parenthesized(text, around > level)
        case Conditional(test, then, otherwise):
            text = f"{_format(test, 1)} ? {_format(then, 1)} : {_format(otherwise, 0)}"
            return _parenthesized(text, around > 0)
        case ListLiteral(elements):
            return "[" + ", ".join(("?" if e.optional else "") + _format(e.value, 0) for e in elements) + "]"
        case MapLiteral(entries):
            inner = ", ".join(
                f"{'?' if e.optional else ''}{_format(e.key, 0)}: {_format(e.value, 0)}" for e in entries
            )
            return "{" + inner + "}"


def _unary(operator: str, operand: Expr) -> str:
    """A sign and its operand: signs of one kind may stand together, a minus never touches a number."""
    same = type(operand) is Unary and operand.operator == operator
    if operator == "-" and type(operand) is Literal and type(operand.value) in (int, float):
        return f"-({format_value(operand.value)})"
    return operator + (_format(operand, UNARY) if same else _format(operand, MEMBER))


def _parenthesized(text: str, needed: bool) -> str:
    return f"({text})" if needed else text


def _field(name: str) -> str:
    plain = name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit() and name not in _KEYWORDS
    return name if plain else f"`{name}`"


def format_value(value: Value) -> str:
    """The literal of a constant value. Lists and maps too, as `consts` may hold them."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case UInt():
            return f"{int(value)}u"
        case int():
            return str(value)
        case float():
            return _double(value)
        case str():
            return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else _escaped(c)) for c in value) + '"'
        case bytes():
            return 'b"' + "".join(_byte(b) for b in value) + '"'
        case tuple():
            return "[" + ", ".join(map(format_value, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{format_value(value_of_key(k))}: {format_value(v)}" for k, v in value.items()) + "}"
    raise TypeError("a value without a literal")


def _double(value: float) -> str:
    text = repr(value)
    return text if any(mark in text for mark in ".en") else text + ".0"


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _byte(byte: int) -> str:
    character = chr(byte)
    return _ESCAPES.get(character) or (character if 32 <= byte < 127 else f"\\x{byte:02x}")
