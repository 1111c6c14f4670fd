"""The syntax tree: what `parse` makes of a constraint's text, macros not yet expanded.

Spans are half-open ranges of code points in the expression's own text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, Union

from hexgate.values import Value


class Span(NamedTuple):
    """A half-open range of code points of the expression's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal:
    """null, bool, int, uint, double, string or bytes. `-1` is one literal, as CEL's grammar says."""

    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Ident:
    """A name. `leading_dot` is the root form `.name`."""

    name: str
    span: Span
    leading_dot: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `operand.?field` where `optional`. A field in back quotes has its plain name here."""

    operand: Expr
    field: str
    field_span: Span
    span: Span
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """`operand[index]`, or `operand[?index]` where `optional`."""

    operand: Expr
    index: Expr
    span: Span
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`, or `target.name(arguments)`; macros look the same until `check` expands them."""

    name: str
    name_span: Span
    target: Expr | None
    arguments: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`!operand` or `-operand`."""

    operator: str
    operand: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """An infix operator: `|| && == != < <= > >= in + - * / %`. `operator_span` covers the sign itself."""

    operator: str
    operator_span: Span
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`test ? then : otherwise`."""

    test: Expr
    then: Expr
    otherwise: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a list literal; `?value` where `optional`."""

    value: Expr
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ListLiteral:
    elements: tuple[Element, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a map literal; `?key: value` where `optional`."""

    key: Expr
    value: Expr
    optional: bool = False


@dataclass(frozen=True, slots=True)
class MapLiteral:
    entries: tuple[Entry, ...]
    span: Span


Expr: TypeAlias = Union[
    Literal, Ident, Select, Index, Call, Unary, Binary, Conditional, ListLiteral, MapLiteral
]  # fmt: skip
