"""What one block of a token says: facts, and checks of the few forms that are evaluated (docs/identity.md I3).

Read from the signed bytes and not from the library's printed form, in which a quote inside a string is not escaped. The schema is
that of the Biscuit specification, version 3 (`schema.proto`, message Block and below).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.wire import BYTES, NUMBER, REPEATED, Fields, WireError, signed

_BLOCK = {
    1: REPEATED, 2: BYTES, 3: NUMBER, 4: REPEATED, 5: REPEATED, 6: REPEATED, 7: REPEATED,
    8: REPEATED,
}  # fmt: skip
_FACT = {1: BYTES}
_RULE = {1: BYTES, 2: REPEATED, 3: REPEATED, 4: REPEATED}
_CHECK = {1: REPEATED, 2: NUMBER}
_PREDICATE = {1: NUMBER, 2: REPEATED}
_TERM = {
    1: NUMBER, 2: NUMBER, 3: NUMBER, 4: NUMBER, 5: BYTES, 6: NUMBER, 7: BYTES, 8: BYTES,
    9: BYTES, 10: BYTES,
}  # fmt: skip
_SEQUENCE = {1: REPEATED}
_OPERATION = {1: BYTES, 2: BYTES, 3: BYTES, 4: BYTES}
_KIND = {1: NUMBER, 2: NUMBER}

DEFAULT_SYMBOLS = (
    "read", "write", "resource", "operation", "right", "time", "role", "owner", "tenant", "namespace", "user", "team", "service",
    "admin", "email", "group", "member", "ip_address", "client", "client_ip", "domain", "path", "version", "cluster", "node",
    "hostname", "nonce", "query",
)  # fmt: skip
"""Symbols that every token has, by number."""

FIRST_SYMBOL = 1_024
"""Number of the first symbol that a token brings itself."""

BLOCK_PARTS = 256
"""Facts, predicates and expressions of all blocks of a token together."""

_NEGATION, _PARENTHESES = 0, 1


class Operator(Enum):
    """The comparisons that are evaluated, by their numbers in the schema."""

    LESS = 0
    GREATER = 1
    LESS_OR_EQUAL = 2
    GREATER_OR_EQUAL = 3
    STRICTLY_EQUAL = 4
    CONTAINS = 5
    STARTS_WITH = 6
    ENDS_WITH = 7
    STRICTLY_NOT_EQUAL = 20
    EQUAL = 21
    NOT_EQUAL = 22


class Kind(Enum):
    """What must hold of a check's queries."""

    IF = 0
    ALL = 1
    REJECT = 2


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that a query binds."""

    name: str


@dataclass(frozen=True, slots=True)
class Date:
    """An instant in seconds since the epoch."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A term that nothing here can use: a map, a nested set."""


Scalar: TypeAlias = "int | str | bool | bytes | Date | None"
Term: TypeAlias = "Scalar | Variable | Unread | tuple[Scalar, ...]"
"""A tuple is a set or an array."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """`name(term, ...)`; a fact where it has no variables."""

    name: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`, or its negation."""

    left: Term
    operator: Operator
    right: Term
    negated: bool


@dataclass(frozen=True, slots=True)
class Query:
    """Predicates that must be found, and comparisons that must hold of what they bind. `None` stands for an expression of another
    form; `scoped` queries choose whom to trust."""

    predicates: tuple[Predicate, ...]
    comparisons: tuple[Comparison | None, ...]
    scoped: bool


@dataclass(frozen=True, slots=True)
class Check:
    """Queries of which one must hold (or, to reject, none)."""

    kind: Kind
    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A block's content. `derives` says that it has rules, or chooses whom to trust."""

    facts: tuple[Predicate, ...]
    checks: tuple[Check, ...]
    derives: bool


def read_blocks(blocks: Sequence[bytes]) -> tuple[Block, ...]:
    """The content of a token's blocks, which share their symbols. Raises WireError, and TokenRefusedError for too much of it."""
    reader = _Reader()
    return tuple([reader.block(data) for data in blocks])


def read_symbols(blocks: Sequence[bytes]) -> list[str]:
    """The symbols that a token's blocks bring, in order. Raises what `read_blocks` raises."""
    reader = _Reader()
    for data in blocks:
        reader.block(data)
    return reader.symbols


class _Reader:
    """Reads blocks in their order, each with the symbols of those before it. Every method raises WireError."""

    __slots__ = ("_parts", "_terms", "symbols")

    def __init__(self) -> None:
        self.symbols: list[str] = []
        self._parts = 0
        # A term has one meaning from the block on in which it is first read: symbols are only added.
        self._terms: dict[bytes, Term] = {}

    def _count(self, parts: int) -> None:
        """Raises TokenRefusedError: what nobody would evaluate is not read either."""
        self._parts += parts
        if self._parts > BLOCK_PARTS:
            raise TokenRefusedError(TokenRefusal.TOO_LARGE, f"the blocks of a token have at most {BLOCK_PARTS} parts")

    def block(self, data: bytes) -> Block:
        fields = Fields(data, _BLOCK)
        try:
            self.symbols += [symbol.decode() for symbol in fields.all(1)]
        except UnicodeDecodeError:
            raise WireError from None
        self._count(len(fields.all(4)))
        facts = tuple(self._predicate(Fields(fact, _FACT).data(1)) for fact in fields.all(4))
        checks = tuple(self._check(check) for check in fields.all(6))
        return Block(facts, checks, any(number in fields for number in (5, 7, 8)))

    def _symbol(self, number: int) -> str:
        if number < len(DEFAULT_SYMBOLS):
            return DEFAULT_SYMBOLS[number]
        if not 0 <= number - FIRST_SYMBOL < len(self.symbols):
            raise WireError
        return self.symbols[number - FIRST_SYMBOL]

    def _predicate(self, data: bytes) -> Predicate:
        fields = Fields(data, _PREDICATE)
        return Predicate(self._symbol(fields.number(1)), tuple(self._term(term) for term in fields.all(2)))

    def _check(self, data: bytes) -> Check:
        fields = Fields(data, _CHECK)
        kind = fields.number(2, 0)
        if kind > 2:
            raise WireError
        return Check(Kind(kind), tuple(self._query(query) for query in fields.all(1)))

    def _query(self, data: bytes) -> Query:
        fields = Fields(data, _RULE)
        self._count(len(fields.all(2)) + len(fields.all(3)) + 1)
        predicates = tuple(self._predicate(predicate) for predicate in fields.all(2))
        return Query(predicates, tuple(self._comparison(expression) for expression in fields.all(3)), 4 in fields)

    def _comparison(self, data: bytes) -> Comparison | None:
        """Two values and an operator, in parentheses or not, negated or not (the operations are in postfix order)."""
        operations = [Fields(operation, _OPERATION).one() for operation in Fields(data, _SEQUENCE).all(1)]
        if [number for number, _ in operations[:3]] != [1, 1, 3]:
            return None
        unary = []
        for number, operation in operations[3:]:
            if number != 2:
                return None
            unary.append(Fields(operation, _KIND).number(1))
        if unary not in ([], [_NEGATION], [_PARENTHESES], [_PARENTHESES, _NEGATION]):
            return None
        kind = Fields(operations[2][1], _KIND).number(1)
        if kind not in _OPERATORS:
            return None
        left, right = self._term(operations[0][1]), self._term(operations[1][1])
        return Comparison(left, Operator(kind), right, _NEGATION in unary)

    def _term(self, data: bytes) -> Term:
        known = self._terms.get(data, self)
        if not isinstance(known, _Reader):
            return known
        number, value = Fields(data, _TERM).one()
        term = self._terms[data] = self._sequence(value) if number in (7, 9) else self._scalar(number, value)
        return term

    def _sequence(self, data: bytes) -> Term:
        elements = [Fields(element, _TERM).one() for element in Fields(data, _SEQUENCE).all(1)]
        if any(number in (1, 7, 9, 10) for number, _ in elements):
            return Unread()
        return tuple(self._scalar(number, value) for number, value in elements)  # type: ignore[misc]

    def _scalar(self, number: int, value: int | bytes) -> Term:
        if isinstance(value, bytes):
            return value if number == 5 else None if number == 8 else Unread()
        match number:
            case 1:
                # A variable is numbered within 32 bits, by the same table of symbols.
                return Variable(self._symbol(value))
            case 2:
                return signed(value)
            case 3:
                return self._symbol(value)
            case 4:
                return Date(value)
        if value > 1:
            raise WireError
        return value == 1


_OPERATORS = frozenset(operator.value for operator in Operator)
