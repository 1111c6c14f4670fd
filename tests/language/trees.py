"""Random syntax trees: everything that the grammar can make, by a seed, and as a strategy for hypothesis."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable

from hypothesis import strategies

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
from hexgate.limits import INT_MAX, INT_MIN, UINT_MAX
from hexgate.values import UInt, Value

NOWHERE = Span(0, 0)
OPERATORS = ("||", "&&", "==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%")
NAMES = ("a", "b", "args", "user", "_", "x1", "size", "has", "math", "inner", "trueish", "r", "b2", "R", "nullable", "e3")
FIELDS = (*NAMES, "if", "for", "a-b", "a b", "1", "e3", "in", "true", "null", "x.y", "x/y", "-", "Z_9")
METHODS = ("size", "all", "f", "if", "matches", "greatest", "_")
CHARACTERS = (*"aZ 09'\"\\`?{}$%/*\n\r\t\a\b\f\v\0\x1b\x7f\x80\u00ad\u200b\u2028éß日", "\ud7ff", "\ue000", "\uffff", "😀", "\U0010ffff")
INTEGERS = (0, 1, -1, 2, 10, 255, INT_MAX, INT_MIN, INT_MIN + 1, 10**18)
DOUBLES = (0.0, -0.0, 1.0, -1.0, 0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 1e16, 123456789.125, -2.5)


class TreeMaker:
    """Makes trees from a source of randomness, to a depth."""

    def __init__(self, source: random.Random) -> None:
        self._random = source

    def tree(self, depth: int) -> Expr:
        """A tree of at most this depth."""
        if depth <= 1 or self._random.random() < 0.15:
            return self._leaf()
        return self._random.choice(self._SHAPES)(self, depth - 1)

    def _leaf(self) -> Expr:
        if self._random.random() < 0.5:
            return Ident(self._random.choice(NAMES), NOWHERE, self._random.random() < 0.1)
        return Literal(self._value(), NOWHERE)

    def _value(self) -> Value:
        pick = self._random.choice
        match self._random.randrange(7):
            case 0:
                return pick((None, True, False))
            case 1:
                return pick((*INTEGERS, self._random.randint(INT_MIN, INT_MAX)))
            case 2:
                return UInt(pick((0, 1, UINT_MAX, self._random.randint(0, UINT_MAX))))
            case 3:
                return self._double()
            case 4:
                return bytes(self._random.choices(range(256), k=self._random.randrange(6)))
        return "".join(self._random.choices(CHARACTERS, k=self._random.randrange(8)))

    def _double(self) -> float:
        number: float = struct.unpack("<d", self._random.randbytes(8))[0]
        return number if math.isfinite(number) and self._random.random() < 0.5 else self._random.choice(DOUBLES)

    def _select(self, depth: int) -> Expr:
        field = self._random.choice(FIELDS)
        return Select(self.tree(depth), field, NOWHERE, NOWHERE, self._random.random() < 0.2)

    def _index(self, depth: int) -> Expr:
        return Index(self.tree(depth), self.tree(depth), NOWHERE, self._random.random() < 0.2)

    def _call(self, depth: int) -> Expr:
        target = self.tree(depth) if self._random.random() < 0.6 else None
        name = self._random.choice(NAMES if target is None else METHODS)
        return Call(name, NOWHERE, target, tuple(self.tree(depth) for _ in range(self._random.randrange(3))), NOWHERE)

    def _unary(self, depth: int) -> Expr:
        return Unary(self._random.choice("!-"), self.tree(depth), NOWHERE)

    def _binary(self, depth: int) -> Expr:
        operator = self._random.choice(OPERATORS)
        return Binary(operator, NOWHERE, self.tree(depth), self.tree(depth), NOWHERE)

    def _conditional(self, depth: int) -> Expr:
        return Conditional(self.tree(depth), self.tree(depth), self.tree(depth), NOWHERE)

    def _list(self, depth: int) -> Expr:
        count = self._random.randrange(4)
        return ListLiteral(tuple(Element(self.tree(depth), self._random.random() < 0.2) for _ in range(count)), NOWHERE)

    def _map(self, depth: int) -> Expr:
        count = self._random.randrange(3)
        return MapLiteral(
            tuple(Entry(self.tree(depth), self.tree(depth), self._random.random() < 0.2) for _ in range(count)), NOWHERE
        )

    _SHAPES: tuple[Callable[[TreeMaker, int], Expr], ...] = (
        _select, _index, _call, _unary, _unary, _binary, _binary, _binary, _conditional, _list, _map,
    )  # fmt: skip


def trees(depth: int = 6) -> strategies.SearchStrategy[Expr]:
    """Trees as a strategy; a failing one is named by its seed."""
    return strategies.integers(0, 2**32 - 1).map(lambda seed: TreeMaker(random.Random(seed)).tree(depth))
