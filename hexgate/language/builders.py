"""What the grammar's rules build.

The grammar is run on terminals without their texts: its result is a builder, which makes the tree of any text with that
sequence of terminals. So the grammar's own engine runs once per shape of constraint, not once per constraint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import lark

from hexgate.language.literals import bytes_value, double_value, int_value, string_value, uint_value
from hexgate.language.precedence import TERMINAL_PRECEDENCE
from hexgate.language.syntax_errors import RESERVED, refuse_foreign_spelling, refuse_reserved
from hexgate.language.tree import (
    Binary,
    Call,
    Conditional,
    Element,
    Entry,
    Expr,
    Ident,
    Index,
    ListLiteral,
    Literal,
    MapLiteral,
    Select,
    Span,
    Unary,
)  # fmt: skip
from hexgate.limits import EXPRESSION_DEPTH

Build: TypeAlias = Callable[[list[str], list[Span]], Expr]
"""Makes a tree from the texts and the spans of the tokens."""

_new = tuple.__new__
_LITERALS: dict[str, Callable[[str, Span], Any]] = {
    "UINT": uint_value,
    "STRING": string_value,
    "BYTES": bytes_value,
    "TRUE": lambda _text, _span: True,
    "FALSE": lambda _text, _span: False,
    "NULL": lambda _text, _span: None,
}


class TooDeepError(Exception):
    """A tree would nest deeper than `EXPRESSION_DEPTH`. `at` is the index of the token where it begins to."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class Part(NamedTuple):
    """A part of a shape: its builder, its first and last token with the parentheses around it, the depth of its tree.

    `negated` builds the number with the minus sign before it, where the part is a plain number: `-1` is one literal.
    """

    build: Build
    first: int
    last: int
    depth: int = 1
    negated: Build | None = None


class _Item(NamedTuple):
    """An element of a list, an argument, or with `value` an entry of a map."""

    part: Part
    optional: bool = False
    value: Part | None = None


_Children: TypeAlias = Sequence[Any]


def _at(token: lark.Token) -> int:
    """The index of a token in its sequence."""
    return int(token.start_pos or 0)


def _depth_over(first: int, *parts: Part) -> int:
    depth = 1 + max((part.depth for part in parts), default=0)
    if depth > EXPRESSION_DEPTH:
        raise TooDeepError(first)
    return depth


class Builders(lark.Transformer[lark.Token, Part]):
    """For each rule of the grammar, the part of a shape that it stands for. Children are parts, items, or tokens."""

    def ident(self, children: _Children) -> Part:
        at = _at(children[0])

        def build(texts: list[str], spans: list[Span]) -> Expr:
            name = texts[at]
            if name in RESERVED:
                refuse_reserved(name, spans[at])
            return Ident(name, spans[at])

        return Part(build, at, at)

    def root_ident(self, children: _Children) -> Part:
        dot, at = _at(children[0]), _at(children[1])

        def build(texts: list[str], spans: list[Span]) -> Expr:
            name = texts[at]
            if name in RESERVED:
                refuse_reserved(name, spans[at])
            return Ident(name, Span(spans[dot][0], spans[at][1]), True)

        return Part(build, dot, at)

    def literal(self, children: _Children) -> Part:
        at, value = _at(children[0]), _LITERALS[children[0].type]
        return Part(lambda texts, spans: Literal(value(texts[at], spans[at]), spans[at]), at, at)

    def int_literal(self, children: _Children) -> Part:
        at = _at(children[0])

        def negated(texts: list[str], spans: list[Span]) -> Expr:
            span = Span(spans[at - 1][0], spans[at][1])
            return Literal(int_value(texts[at], span, negative=True), span)

        return Part(lambda texts, spans: Literal(int_value(texts[at], spans[at]), spans[at]), at, at, 1, negated)

    def double_literal(self, children: _Children) -> Part:
        at = _at(children[0])

        def negated(texts: list[str], spans: list[Span]) -> Expr:
            span = Span(spans[at - 1][0], spans[at][1])
            return Literal(-double_value(texts[at], span), span)

        return Part(lambda texts, spans: Literal(double_value(texts[at], spans[at]), spans[at]), at, at, 1, negated)

    def group(self, children: _Children) -> Part:
        inner: Part = children[1]
        return Part(inner.build, _at(children[0]), _at(children[2]), inner.depth)

    def negation(self, children: _Children) -> Part:
        return _signed("!", [_at(sign) for sign in children[:-1]], children[-1])

    def minus(self, children: _Children) -> Part:
        signs, operand = [_at(sign) for sign in children[:-1]], children[-1]
        if operand.negated is not None:
            operand = Part(operand.negated, signs.pop(), operand.last)
        return _signed("-", signs, operand)

    def operator(self, children: _Children) -> Any:
        return children[0]

    def chain(self, children: _Children) -> Part:
        """Precedence climbing with an explicit stack."""
        output: list[Part] = [children[0]]
        waiting: list[lark.Token] = []
        for sign, operand in zip(children[1::2], children[2::2], strict=True):
            level = TERMINAL_PRECEDENCE[sign.type]
            while waiting and TERMINAL_PRECEDENCE[waiting[-1].type] >= level:
                _reduce(output, waiting)
            waiting.append(sign)
            output.append(operand)
        while waiting:
            _reduce(output, waiting)
        return output[0]

    def conditional(self, children: _Children) -> Part:
        test, then, otherwise = children[0], children[2], children[4]
        first, last = test.first, otherwise.last
        make_test, make_then, make_otherwise = test.build, then.build, otherwise.build

        def build(texts: list[str], spans: list[Span]) -> Expr:
            parts = make_test(texts, spans), make_then(texts, spans), make_otherwise(texts, spans)
            return Conditional(*parts, _new(Span, (spans[first][0], spans[last][1])))

        return Part(build, first, last, _depth_over(first, test, then, otherwise))

    def select(self, children: _Children, optional: bool = False) -> Part:
        (operand, first, _, depth, _), at = children[0], _at(children[2])
        quoted = children[2].type == "QUOTED"

        def build(texts: list[str], spans: list[Span]) -> Expr:
            name = texts[at][1:-1] if quoted else texts[at]
            field = spans[at]
            return Select(operand(texts, spans), name, field, _new(Span, (spans[first][0], field[1])), optional)

        return Part(build, first, at, _deeper(depth, at))

    def optional_select(self, children: _Children) -> Part:
        return self.select(children, True)

    def index(self, children: _Children, optional: bool = False) -> Part:
        target, inner, last = children[0], children[-2], _at(children[-1])
        first, make_target, make_inner = target.first, target.build, inner.build

        def build(texts: list[str], spans: list[Span]) -> Expr:
            span = _new(Span, (spans[first][0], spans[last][1]))
            return Index(make_target(texts, spans), make_inner(texts, spans), span, optional)

        return Part(build, first, last, _depth_over(last, target, inner))

    def optional_index(self, children: _Children) -> Part:
        return self.index(children, True)

    def method(self, children: _Children) -> Part:
        target, at, arguments, last = children[0], _at(children[2]), children[4], _at(children[5])
        first, make_target, makes = target.first, target.build, [item.part.build for item in arguments]

        def build(texts: list[str], spans: list[Span]) -> Expr:
            made = make_target(texts, spans)
            span = _new(Span, (spans[first][0], spans[last][1]))
            return Call(texts[at], spans[at], made, tuple([make(texts, spans) for make in makes]), span)

        return Part(build, first, last, _depth_over(at, target, *(item.part for item in arguments)))

    def call(self, children: _Children) -> Part:
        return _call(children[0], children[0], children[2], children[3])

    def root_call(self, children: _Children) -> Part:
        return _call(children[0], children[1], children[3], children[4])

    def list_literal(self, children: _Children) -> Part:
        first, items, last = _at(children[0]), children[1], _at(children[2])
        makes = [(item.part.build, item.optional) for item in items]

        def build(texts: list[str], spans: list[Span]) -> Expr:
            elements = tuple([Element(make(texts, spans), optional) for make, optional in makes])
            return ListLiteral(elements, _new(Span, (spans[first][0], spans[last][1])))

        return Part(build, first, last, _depth_over(first, *(item.part for item in items)))

    def map_literal(self, children: _Children) -> Part:
        first, items, last = _at(children[0]), children[1], _at(children[2])
        makes = [(item.part.build, item.value.build, item.optional) for item in items]

        def build(texts: list[str], spans: list[Span]) -> Expr:
            entries = [Entry(key(texts, spans), value(texts, spans), optional) for key, value, optional in makes]
            return MapLiteral(tuple(entries), _new(Span, (spans[first][0], spans[last][1])))

        return Part(build, first, last, _depth_over(first, *(part for item in items for part in (item.part, item.value))))

    def arguments(self, children: _Children) -> Any:
        return [_Item(child) for child in children if isinstance(child, Part)]

    def element(self, children: _Children) -> Any:
        return _Item(children[0])

    def optional_element(self, children: _Children) -> Any:
        return _Item(children[1], True)

    def entry(self, children: _Children) -> Any:
        return _Item(children[0], False, children[2])

    def optional_entry(self, children: _Children) -> Any:
        return _Item(children[1], True, children[3])

    def elements(self, children: _Children) -> Any:
        return [child for child in children if isinstance(child, _Item)]

    def entries(self, children: _Children) -> Any:
        return [child for child in children if isinstance(child, _Item)]


def _deeper(depth: int, at: int) -> int:
    if depth >= EXPRESSION_DEPTH:
        raise TooDeepError(at)
    return depth + 1


def _call(start: lark.Token, name: lark.Token, items: list[_Item], end: lark.Token) -> Part:
    first, at, last = _at(start), _at(name), _at(end)
    makes = [item.part.build for item in items]

    def build(texts: list[str], spans: list[Span]) -> Expr:
        name, span = texts[at], spans[at]
        refuse_reserved(name, span)
        refuse_foreign_spelling(name, span)
        arguments = tuple([make(texts, spans) for make in makes])
        return Call(name, span, None, arguments, _new(Span, (spans[first][0], spans[last][1])))

    return Part(build, first, last, _depth_over(first, *(item.part for item in items)))


def _signed(sign: str, signs: list[int], operand: Part) -> Part:
    depth, last, inner = operand.depth, operand.last, operand.build
    if not signs:
        return operand
    if depth + len(signs) > EXPRESSION_DEPTH:
        raise TooDeepError(signs[0])

    def build(texts: list[str], spans: list[Span]) -> Expr:
        node = inner(texts, spans)
        for at in reversed(signs):
            node = Unary(sign, node, Span(spans[at][0], spans[last][1]))
        return node

    return Part(build, signs[0], last, depth + len(signs))


def _reduce(output: list[Part], waiting: list[lark.Token]) -> None:
    """Replaces the last two parts by their binary operation."""
    at, right, left = _at(waiting.pop()), output.pop(), output.pop()
    first, last, make_left, make_right = left.first, right.last, left.build, right.build

    def build(texts: list[str], spans: list[Span]) -> Expr:
        operands = make_left(texts, spans), make_right(texts, spans)
        return Binary(texts[at], spans[at], *operands, _new(Span, (spans[first][0], spans[last][1])))

    output.append(Part(build, first, last, _depth_over(at, left, right)))
