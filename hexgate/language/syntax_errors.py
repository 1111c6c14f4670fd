"""Why a text does not parse, in the author's terms: other languages' spellings, quotes, brackets, missing operands."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from hexgate.language.finding import ExpressionError, refuse
from hexgate.language.tree import Span

if TYPE_CHECKING:
    from hexgate.language.parse import TextToken

_WORDS = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!", "is": "=="}
_CLOSERS = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}
_OPENERS = {"RPAR": ("(", "LPAR"), "RSQB": ("[", "LSQB"), "RBRACE": ("{", "LBRACE")}


def refuse_foreign_spelling(name: str, span: Span) -> None:
    """Refuses `not(x)` and the like, which parse as calls."""
    if name in _WORDS:
        raise _foreign(name, span)


def _foreign(name: str, span: Span) -> ExpressionError:
    return refuse("HG102", f"`{name}` is not an operator of CEL", span, f"write `{_WORDS[name]}`")


def explain_character(text: str, position: int, tokens: list[TextToken]) -> ExpressionError:
    """The error for a character that begins no token."""
    here = text[position]
    span = Span(position, position + 1)
    following = text[position + 1 : position + 2]
    if here == "=" and following != "=":
        return refuse("HG102", "`=` is not an operator of CEL", span, "write `==` to compare")
    if here in "&|":
        return refuse("HG102", f"`{here}` is not an operator of CEL", span, f"write `{here * 2}`")
    if here in "\"'" or (here in "rRbB" and following in ('"', "'")):
        return refuse("HG101", "the string is not closed", Span(position, len(text)), "add the closing quote, or use triple quotes for text with line breaks")
    if here == "`":
        return refuse("HG101", "a back-quoted field is letters, digits, `_`, `-`, `.`, `/` and spaces, closed by a back quote", span, "use an index for other names: `m[\"name\"]`")
    if here in "“”„‟‘’‚‛«»":
        return refuse("HG101", f"`{here}` is not a quote of CEL", span, "use straight quotes: `\"` or `'`")
    if here == "\\":
        return refuse("HG101", "a backslash stands only inside a string", span, "put the text in quotes")
    if not here.isprintable() or here.isspace():
        return refuse("HG101", f"U+{ord(here):04X} cannot stand here", span, "remove it, or put it in a string as an escape")
    return refuse("HG101", f"`{here}` cannot stand here", span, "put text in quotes")


def explain_token(text: str, tokens: list[TextToken], at: int, expected: Collection[str]) -> ExpressionError:
    """The error for a token that does not fit; `at` is its index, `len(tokens)` for the end of the text."""
    bracket = _unbalanced(tokens)
    if at >= len(tokens):
        return _explain_end(text, tokens, bracket)
    token = tokens[at]
    before = tokens[at - 1] if at else None
    span = Span(token.start, token.end)
    for word in (token, before):
        if word is not None and word.kind == "IDENT" and word.text in _WORDS:
            return _foreign(word.text, Span(word.start, word.end))
    if before is not None and before.text in ("==", "!=") and text[token.start - 1 : token.start + 1] == "==":
        return refuse("HG102", f"`{before.text}=` is not an operator of CEL", Span(before.start, token.end), f"write `{before.text}`")
    if before is not None and before.kind == "RELATION" and token.kind == "RELATION":
        joined = text[before.start : token.end]
        return refuse("HG102", f"`{joined}` is not an operator of CEL", Span(before.start, token.end), "write `!=` for not equal" if joined == "<>" else "use one comparison")
    if token.kind in _OPENERS and (bracket is None or bracket is token):
        return refuse("HG101", f"`{token.text}` closes nothing", span, f"remove it, or add `{_OPENERS[token.kind][0]}` before it")
    if before is not None and _ends_operand(before) and _begins_operand(token):
        return _explain_adjacent(before, token)
    if before is not None and not _ends_operand(before):
        return refuse("HG101", f"an operand is missing before `{token.text}`", span, f"`{before.text}` takes a value on its right")
    if before is None:
        return refuse("HG101", f"`{token.text}` cannot begin an expression", span, "begin with a value, for example `args.amount`")
    return refuse("HG101", f"`{token.text}` cannot stand here", span, "end the expression before it, or join the parts with an operator")


def _explain_adjacent(before: TextToken, token: TextToken) -> ExpressionError:
    span = Span(token.start, token.end)
    if before.kind == "IDENT" and token.kind == "STRING":
        return refuse("HG101", f"an operator is missing between `{before.text}` and the string", span, "for example `==`")
    return refuse(
        "HG101", f"an operator is missing before `{token.text}`", span,
        "join conditions with `&&` or `||`, compare with `==`, and put text in quotes",
    )  # fmt: skip


def _explain_end(text: str, tokens: list[TextToken], bracket: TextToken | None) -> ExpressionError:
    if not tokens:
        return refuse("HG101", "the expression is empty", Span(0, max(1, len(text))), "write a condition, for example `args.amount <= 500`")
    last = tokens[-1]
    if bracket is not None and bracket.kind in _CLOSERS:
        return refuse("HG101", f"`{bracket.text}` is never closed", Span(bracket.start, bracket.end), f"add `{_CLOSERS[bracket.kind]}`")
    if last.kind == "IDENT" and last.text in _WORDS:
        return _foreign(last.text, Span(last.start, last.end))
    return refuse("HG101", f"the expression ends after `{last.text}`", Span(last.start, last.end), f"`{last.text}` takes a value on its right")


def _unbalanced(tokens: list[TextToken]) -> TextToken | None:
    """The first bracket without its partner: a closer that closes nothing, or the innermost opener left open."""
    opened: list[TextToken] = []
    for token in tokens:
        if token.kind in _CLOSERS:
            opened.append(token)
        elif token.kind in _OPENERS:
            if not opened or opened[-1].kind != _OPENERS[token.kind][1]:
                return token
            opened.pop()
    return opened[-1] if opened else None


def _ends_operand(token: TextToken) -> bool:
    return token.kind in ("IDENT", "QUOTED", "INT", "UINT", "FLOAT", "STRING", "BYTES", "TRUE", "FALSE", "NULL", "RPAR", "RSQB", "RBRACE")


def _begins_operand(token: TextToken) -> bool:
    return token.kind in ("IDENT", "INT", "UINT", "FLOAT", "STRING", "BYTES", "TRUE", "FALSE", "NULL", "NOT", "LBRACE")
