"""Parse the text of an expression to a syntax tree.

The grammar is `grammar/cel.lark`. Policies hold many constraints of few shapes (`name.name <= number`), so the grammar is run once per
sequence of token types: its result is a builder, which makes the tree of any text with that sequence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple, TypeAlias, cast

import lark
from lark.lexer import Lexer

from hexgate.language.finding import refuse
from hexgate.language.literals import bytes_value, double_value, int_value, string_value, uint_value
from hexgate.language.syntax_errors import explain_character, explain_token, refuse_foreign_spelling
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
from hexgate.limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH

PRECEDENCE = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
"""How tightly an infix operator binds; the grammar leaves chains flat. All associate to the left."""

RESERVED = frozenset(
    ["as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"]
)
"""Words that CEL keeps for later; they may be field names after a dot."""


class TextToken(NamedTuple):
    """A token: the terminal's name, its text, and where it is."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


_Tokens: TypeAlias = list[TextToken]
_Build: TypeAlias = Callable[[_Tokens], Any]
_Children: TypeAlias = list[Any]


def parse(text: str) -> Expr:
    """The syntax tree of an expression. Raises ExpressionError with one finding."""
    if len(text) > EXPRESSION_CHARACTERS:
        raise refuse(
            "HG104",
            f"the expression has {len(text)} characters, more than {EXPRESSION_CHARACTERS}",
            Span(0, 1),
            "split it into several constraints, or move a long list to `consts`",
        )
    tokens = _tokens(text)
    _refuse_depth(tokens)
    try:
        build = _builder(tuple(token.kind for token in tokens))
    except lark.UnexpectedToken as error:
        raise explain_token(text, tokens, _position(error, tokens), error.accepts or error.expected) from None
    expression: Expr = build(tokens)
    return expression


def _position(error: lark.UnexpectedToken, tokens: _Tokens) -> int:
    position = error.token.start_pos
    return len(tokens) if position is None or error.token.type == "$END" else int(position)


@cache
def _scanner() -> tuple[re.Pattern[str], dict[str, str]]:
    """One pattern of all terminals of the grammar, and the names of those that are words."""
    terminals = _grammar().terminals
    words = {t.pattern.value: t.name for t in terminals if t.pattern.type == "str" and t.pattern.value.isalpha()}
    rest = [t for t in terminals if t.name not in words.values()]
    rest.sort(key=lambda t: (-t.priority, -len(t.pattern.value)))
    return re.compile("|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in rest)), words


def _tokens(text: str) -> _Tokens:
    scanner, words = _scanner()
    tokens: _Tokens = []
    position, length = 0, len(text)
    match_at = scanner.match
    while position < length:
        match = match_at(text, position)
        if match is None:
            raise explain_character(text, position, tokens)
        end = match.end()
        kind = match.lastgroup or ""
        if kind == "IDENT":
            word = match.group()
            tokens.append(TextToken(words.get(word, kind), word, position, end))
        elif kind != "WHITE_SPACE" and kind != "COMMENT":
            tokens.append(TextToken(kind, text[position:end], position, end))
        position = end
    return tokens


def _refuse_depth(tokens: _Tokens) -> None:
    """Refuses what would nest deeper than `EXPRESSION_DEPTH`, before any recursion."""
    depth = run = 0
    for token in tokens:
        kind = token.kind
        if kind in ("LPAR", "LSQB", "LBRACE"):
            depth += 1
        elif kind in ("RPAR", "RSQB", "RBRACE"):
            depth -= 1
        run = run + 1 if kind in ("NOT", "MINUS", "QUESTION") else run if kind != "COMMA" else 0
        if depth > EXPRESSION_DEPTH:
            raise _too_deep(token.span)


def _too_deep(span: Span) -> Exception:
    return refuse(
        "HG104",
        f"the expression nests deeper than {EXPRESSION_DEPTH} levels",
        span,
        "split it into several constraints, or use `in` with a list instead of a chain of `||`",
    )


class _TokenKinds(Lexer):
    """Hands the grammar a sequence of token kinds; a token's position is its index."""

    def __init__(self, _conf: object) -> None:
        pass

    def lex(self, data: Any) -> Iterator[lark.Token]:  # type: ignore[override]
        for index, kind in enumerate(data.text if hasattr(data, "text") else data):
            yield lark.Token(kind, kind, start_pos=index)


@cache
def _grammar() -> lark.Lark:
    text = resources.files("hexgate.grammar").joinpath("cel.lark").read_text(encoding="utf-8")
    return lark.Lark(text, parser="lalr", lexer=_TokenKinds, transformer=_Builders(), maybe_placeholders=False)


@lru_cache(maxsize=4096)
def _builder(kinds: tuple[str, ...]) -> _Build:
    # With its transformer the parser yields a builder where Lark's types promise a tree.
    return cast(_Build, _grammar().parse(cast(str, kinds)))


def _at(token: lark.Token) -> int:
    """The index of a token in its sequence."""
    return int(token.start_pos or 0)


def _list_of(children: _Children) -> tuple[_Build, ...]:
    return tuple(child for child in children if not isinstance(child, lark.Token))


def _arguments(builds: tuple[_Build, ...], tokens: _Tokens) -> tuple[Expr, ...]:
    return tuple(build(tokens) for build in builds)


class _Builders(lark.Transformer[lark.Token, _Build]):
    """For each rule of the grammar, the builder of its node. Children are builders, or tokens by index."""

    def ident(self, children: _Children) -> _Build:
        at = _at(children[0])
        return lambda tokens: Ident(_identifier(tokens[at]), tokens[at].span)

    def root_ident(self, children: _Children) -> _Build:
        dot, at = _at(children[0]), _at(children[1])
        return lambda tokens: Ident(_identifier(tokens[at]), Span(tokens[dot].start, tokens[at].end), True)

    def int(self, children: _Children) -> _Build:
        return _IntLiteral(_at(children[0]))

    def uint(self, children: _Children) -> _Build:
        at = _at(children[0])
        return lambda tokens: Literal(uint_value(tokens[at].text, tokens[at].span), tokens[at].span)

    def double(self, children: _Children) -> _Build:
        at = _at(children[0])
        return lambda tokens: Literal(double_value(tokens[at].text, tokens[at].span), tokens[at].span)

    def string(self, children: _Children) -> _Build:
        at = _at(children[0])
        return lambda tokens: Literal(string_value(tokens[at].text, tokens[at].span), tokens[at].span)

    def bytes(self, children: _Children) -> _Build:
        at = _at(children[0])
        return lambda tokens: Literal(bytes_value(tokens[at].text, tokens[at].span), tokens[at].span)

    def true(self, children: _Children) -> _Build:
        at = _at(children[0])
        return lambda tokens: Literal(True, tokens[at].span)

    def false(self, children: _Children) -> _Build:
        at = _at(children[0])
        return lambda tokens: Literal(False, tokens[at].span)

    def null(self, children: _Children) -> _Build:
        at = _at(children[0])
        return lambda tokens: Literal(None, tokens[at].span)

    def group(self, children: _Children) -> _Build:
        build: _Build = children[1]
        return build

    def negation(self, children: _Children) -> _Build:
        signs, operand = [_at(sign) for sign in children[:-1]], children[-1]
        return lambda tokens: _unary("!", signs, operand(tokens), tokens)

    def minus(self, children: _Children) -> _Build:
        signs, operand = [_at(sign) for sign in children[:-1]], children[-1]
        if type(operand) is _IntLiteral:
            return lambda tokens: _unary("-", signs[:-1], operand.negative(tokens), tokens)
        return lambda tokens: _minus(signs, operand(tokens), tokens)

    def chain(self, children: _Children) -> _Build:
        operands = tuple(children[::2])
        signs = tuple(children[1::2])
        return lambda tokens: _climb([build(tokens) for build in operands], [tokens[at] for at in signs])

    def operator(self, children: _Children) -> Any:
        return _at(children[0])

    def conditional(self, children: _Children) -> _Build:
        test, then, otherwise = children[0], children[2], children[4]

        def build(tokens: _Tokens) -> Conditional:
            parts = test(tokens), then(tokens), otherwise(tokens)
            return Conditional(*parts, Span(parts[0].span.start, parts[2].span.end))

        return build

    def select(self, children: _Children, optional: bool = False) -> _Build:
        operand, at = children[0], _at(children[2])

        def build(tokens: _Tokens) -> Select:
            inner, field = operand(tokens), tokens[at]
            name = field.text[1:-1] if field.kind == "QUOTED" else field.text
            return Select(inner, name, field.span, Span(inner.span.start, field.end), optional)

        return build

    def optional_select(self, children: _Children) -> _Build:
        return self.select(children, True)

    def method(self, children: _Children) -> _Build:
        operand, at, arguments, end = children[0], _at(children[2]), children[4], _at(children[5])

        def build(tokens: _Tokens) -> Call:
            target, name = operand(tokens), tokens[at]
            span = Span(target.span.start, tokens[end].end)
            return Call(name.text, name.span, target, _arguments(arguments, tokens), span)

        return build

    def index(self, children: _Children) -> _Build:
        operand, inner, end = children[0], children[2], _at(children[3])

        def build(tokens: _Tokens) -> Index:
            target = operand(tokens)
            return Index(target, inner(tokens), Span(target.span.start, tokens[end].end))

        return build

    def optional_index(self, children: _Children) -> _Build:
        operand, inner, end = children[0], children[3], _at(children[4])

        def build(tokens: _Tokens) -> Index:
            target = operand(tokens)
            return Index(target, inner(tokens), Span(target.span.start, tokens[end].end), True)

        return build

    def call(self, children: _Children) -> _Build:
        return _call(_at(children[0]), _at(children[0]), children[2], _at(children[3]))

    def root_call(self, children: _Children) -> _Build:
        return _call(_at(children[0]), _at(children[1]), children[3], _at(children[4]))

    def list(self, children: _Children) -> _Build:
        start, elements, end = _at(children[0]), children[1], _at(children[2])

        def build(tokens: _Tokens) -> ListLiteral:
            made = tuple(e if type(e) is Element else Element(e) for e in (build(tokens) for build in elements))
            return ListLiteral(made, Span(tokens[start].start, tokens[end].end))

        return build

    def map(self, children: _Children) -> _Build:
        start, entries, end = _at(children[0]), children[1], _at(children[2])
        return lambda tokens: MapLiteral(
            tuple(build(tokens) for build in entries), Span(tokens[start].start, tokens[end].end)
        )

    def arguments(self, children: _Children) -> Any:
        return _list_of(children)

    def elements(self, children: _Children) -> Any:
        return _list_of(children)

    def entries(self, children: _Children) -> Any:
        return _list_of(children)

    def optional_element(self, children: _Children) -> _Build:
        build = children[1]
        return lambda tokens: Element(build(tokens), True)

    def entry(self, children: _Children) -> _Build:
        key, value = children[0], children[2]
        return lambda tokens: Entry(key(tokens), value(tokens))

    def optional_entry(self, children: _Children) -> _Build:
        key, value = children[1], children[3]
        return lambda tokens: Entry(key(tokens), value(tokens), True)


class _IntLiteral:
    """Builds an int, with the minus sign before it where there is one: -2^63 has no positive counterpart."""

    __slots__ = ("_at",)

    def __init__(self, at: int) -> None:
        self._at = at

    def __call__(self, tokens: _Tokens) -> Literal:
        token = tokens[self._at]
        return Literal(int_value(token.text, token.span), token.span)

    def negative(self, tokens: _Tokens) -> Literal:
        token = tokens[self._at]
        span = Span(tokens[self._at - 1].start, token.end)
        return Literal(int_value(token.text, span, negative=True), span)


def _call(start: int, name_at: int, arguments: tuple[_Build, ...], end: int) -> _Build:
    def build(tokens: _Tokens) -> Call:
        name = tokens[name_at]
        refuse_foreign_spelling(name.text, name.span)
        span = Span(tokens[start].start, tokens[end].end)
        return Call(name.text, name.span, None, _arguments(arguments, tokens), span)

    return build


def _identifier(token: TextToken) -> str:
    if token.text in RESERVED:
        raise refuse(
            "HG105", f"`{token.text}` is a reserved word of CEL", token.span, f'for a field of that name write `["{token.text}"]` or `.{token.text}`'
        )
    return token.text


def _unary(sign: str, signs: list[int], operand: Expr, tokens: _Tokens) -> Expr:
    if len(signs) > EXPRESSION_DEPTH:
        raise _too_deep(tokens[signs[0]].span)
    for at in reversed(signs):
        operand = Unary(sign, operand, Span(tokens[at].start, operand.span.end))
    return operand


def _minus(signs: list[int], operand: Expr, tokens: _Tokens) -> Expr:
    """Negation; a minus sign right before a double is the double's own (CEL grammar, FLOAT_LIT)."""
    number = tokens[signs[-1] + 1]
    if type(operand) is Literal and number.kind == "FLOAT" and operand.span == number.span:
        operand = Literal(-operand.value, Span(tokens[signs[-1]].start, number.end))  # type: ignore[operator]
        signs = signs[:-1]
    return _unary("-", signs, operand, tokens)


def _climb(operands: list[Expr], signs: list[TextToken]) -> Expr:
    """The tree of a flat chain, by precedence climbing with an explicit stack."""
    output = [operands[0]]
    waiting: list[TextToken] = []
    for sign, operand in zip(signs, operands[1:], strict=True):
        while waiting and PRECEDENCE[waiting[-1].text] >= PRECEDENCE[sign.text]:
            _reduce(output, waiting)
        waiting.append(sign)
        output.append(operand)
    while waiting:
        _reduce(output, waiting)
    if len(signs) > EXPRESSION_DEPTH:
        raise _too_deep(signs[EXPRESSION_DEPTH].span)
    return output[0]


def _reduce(output: list[Expr], waiting: list[TextToken]) -> None:
    sign = waiting.pop()
    right = output.pop()
    left = output.pop()
    output.append(Binary(sign.text, sign.span, left, right, Span(left.span.start, right.span.end)))
