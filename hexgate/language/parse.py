"""Parse the text of an expression to a syntax tree.

The grammar is `grammar/cel.lark`. Policies hold many constraints of few shapes (`name.name <= number`), so the grammar
is run once per sequence of terminals; see `builders`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import Any, cast

import lark
from lark.lexer import Lexer

from hexgate.language.builders import Builders, Part, TooDeepError
from hexgate.language.finding import ExpressionError, refuse
from hexgate.language.syntax_errors import explain_character, explain_token
from hexgate.language.tokens import Scanner, Tokens
from hexgate.language.tree import Expr, Span
from hexgate.limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH

SHAPES = 4096
"""How many shapes of text are remembered, the least recently used going first."""


def parse(text: str) -> Expr:
    """The syntax tree of an expression. Raises ExpressionError with one finding."""
    if len(text) > EXPRESSION_CHARACTERS:
        raise refuse(
            "HG104",
            f"the expression has {len(text)} characters, more than {EXPRESSION_CHARACTERS}",
            Span(0, 1),
            "split it into several constraints, or move a long list to `consts`",
        )
    if not text.isascii():
        _refuse_surrogates(text)
    tokens = _scanner().scan(text)
    if tokens.rest is not None:
        raise explain_character(text, tokens.rest, tokens.rows())
    try:
        part = _shape(tokens.kinds)
    except lark.UnexpectedToken as error:
        raise explain_token(text, tokens.rows(), _position(error, tokens)) from None
    except TooDeepError as error:
        raise _too_deep(tokens.spans[error.at]) from None
    return part.build(tokens.texts, tokens.spans)


def comments_of(text: str) -> list[Span]:
    """Where the comments of an expression are that parses."""
    return _scanner().comments(text)


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"U+{ord(text[error.start]):04X} is no Unicode scalar value"
        raise refuse("HG101", message, Span(error.start, error.start + 1), "remove it") from None


def _position(error: lark.UnexpectedToken, tokens: Tokens) -> int:
    position = error.token.start_pos
    return len(tokens.kinds) if position is None or error.token.type == "$END" else int(position)


def _too_deep(span: Span) -> ExpressionError:
    return refuse(
        "HG104",
        f"the expression nests deeper than {EXPRESSION_DEPTH} levels",
        span,
        "split it into several constraints, or use `in` with a list instead of a chain of `||`",
    )


class _TokenKinds(Lexer):
    """Hands the grammar a sequence of terminals; a token's position is its index."""

    def __init__(self, _conf: object) -> None:
        pass

    def lex(self, data: Any) -> Iterator[lark.Token]:  # type: ignore[override]
        for index, kind in enumerate(data.text if hasattr(data, "text") else data):
            yield lark.Token(kind, kind, start_pos=index)


@cache
def _grammar() -> lark.Lark:
    text = resources.files("hexgate.grammar").joinpath("cel.lark").read_text(encoding="utf-8")
    return lark.Lark(text, parser="lalr", lexer=_TokenKinds, transformer=Builders(), maybe_placeholders=False)


@cache
def _scanner() -> Scanner:
    grammar = _grammar()
    return Scanner(grammar.terminals, grammar.ignore_tokens)


@lru_cache(maxsize=SHAPES)
def _shape(kinds: tuple[str, ...]) -> Part:
    """The builder of a sequence of terminals. Raises lark.UnexpectedToken, TooDeepError."""
    depth = 0
    for at, kind in enumerate(kinds):
        depth += 1 if kind in _OPENING else -1 if kind in _CLOSING else 0
        if depth > EXPRESSION_DEPTH:
            raise TooDeepError(at)
    # With its transformer the parser yields a part where Lark's types promise a tree, and it takes what its lexer does.
    return cast(Part, _grammar().parse(cast(str, kinds)))


_OPENING = frozenset({"LPAR", "LSQB", "LBRACE"})
_CLOSING = frozenset({"RPAR", "RSQB", "RBRACE"})
