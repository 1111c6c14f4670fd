"""Why a text does not parse, in the author's terms: other languages' spellings, quotes, brackets, missing operands."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hexgate.language.finding import ExpressionError, refuse
from hexgate.language.tree import Span

if TYPE_CHECKING:
    from hexgate.language.tokens import TextToken

_FOREIGN = {"and": "&&", "or": "||", "not": "!", "AND": "&&", "OR": "||", "NOT": "!", "is": "==", "IN": "in"}
_CLOSERS = {"LPAR": ")", "LSQB": "]", "LBRACE": "}"}
_OPENERS = {"RPAR": ("(", "LPAR"), "RSQB": ("[", "LSQB"), "RBRACE": ("{", "LBRACE")}
_OPERANDS = frozenset({"IDENT", "QUOTED", "INT", "UINT", "FLOAT", "STRING", "BYTES", "TRUE", "FALSE", "NULL"})
_ENDS = _OPERANDS | {"RPAR", "RSQB", "RBRACE"}
_BEGINS = (_OPERANDS | {"NOT", "LBRACE", "LPAR", "LSQB"}) - {"QUOTED"}
_NUMBERS = frozenset({"INT", "UINT", "FLOAT"})
_COALESCE = "write `has(a.b) ? a.b : c`"
_MACRO = "the variable of a macro is followed by a comma: `all(x, x > 1)`"
_ADJACENT = {
    # operators of other languages that are two tokens here: what to write
    "<>": "write `!=`", "=<": "write `<=`", "===": "write `==`", "!==": "write `!=`",
    "&&&": "write `&&`", "|||": "write `||`", "**": "`*` stands between two values", "++": "`+` stands between two values",
    "??": _COALESCE, "?:": _COALESCE, "->": _MACRO,
}  # fmt: skip
_SIGNS = {"≤": "<=", "≥": ">=", "≠": "!=", "≡": "==", "×": "*", "÷": "/", "−": "-", "∧": "&&", "∨": "||", "¬": "!", "∈": "in"}
"""Signs of mathematics, and the operators that they stand for."""

RESERVED = frozenset({
    "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
    "namespace", "return", "var", "void", "while",
})  # fmt: skip
"""Words that CEL keeps for later; they may be field names after a dot (CEL language definition, "Syntax")."""
_INFIX = frozenset({"OR", "AND", "RELATION", "IN", "MINUS", "SUM", "PRODUCT"})


def refuse_foreign_spelling(name: str, span: Span) -> None:
    """Refuses `not(x)` and the like, which parse as calls."""
    if name in _FOREIGN:
        raise _foreign(name, span)


def refuse_reserved(name: str, span: Span) -> None:
    """Refuses a reserved word in the place of a name."""
    if name in RESERVED:
        help_ = f'for a field of that name write `.{name}` or `["{name}"]` after the map that has it'
        if name == "const":
            help_ = "did you mean `consts`?"
        raise refuse("HG105", f"`{name}` is a reserved word of CEL", span, help_)


def _foreign(name: str, span: Span) -> ExpressionError:
    return refuse("HG102", f"`{name}` is not an operator of CEL", span, f"write `{_FOREIGN[name]}`")


def explain_character(text: str, position: int, tokens: list[TextToken]) -> ExpressionError:
    """The error for a character that begins no token; `tokens` are those before it."""
    here, following = text[position], text[position + 1 : position + 2]
    span = Span(position, position + 1)
    if here == "=":
        return _explain_equals(text, position, tokens)
    if here in "&|":
        start = tokens[-1].start if tokens and tokens[-1].end == position and tokens[-1].text == here * 2 else position
        written = text[start : position + 1]
        return refuse("HG102", f"`{written}` is not an operator of CEL", Span(start, position + 1), f"write `{here * 2}`")
    if here in "\"'":
        return _unclosed_string(text, position, position, _splits_string(tokens, position))
    if here in "rRbB":
        return _unclosed_string(text, position, min(p for q in "\"'" if (p := text.find(q, position)) >= 0), False)
    if here == "`":
        return refuse("HG101", "a back-quoted field is letters, digits, `_`, `-`, `.`, `/` and spaces, closed by a back quote", span, 'use an index for other names: `m["name"]`')
    if here in "“”„‟‘’‚‛«»":
        return refuse("HG101", f"`{here}` is not a quote of CEL", span, "use straight quotes: `\"` or `'`")
    if here == "\\":
        return refuse("HG101", "a backslash stands only inside a string", span, "put the text in quotes")
    if here in "#;" and not following.isalnum():
        help_ = "write `//` before a comment" if here == "#" else "write one expression, and join conditions with `&&`"
        return refuse("HG101", f"`{here}` cannot stand here", span, help_)
    if here in _SIGNS:
        return refuse("HG102", f"`{here}` is not an operator of CEL", span, f"write `{_SIGNS[here]}`")
    if here.isalpha() and tokens and tokens[-1].end == position and tokens[-1].kind in ("IDENT", "DOT"):
        return refuse("HG101", f"`{here}` (U+{ord(here):04X}) cannot stand in a name", span, 'names are ASCII: write `["..."]` for a field of another name')
    if not here.isprintable() or here.isspace():
        return refuse("HG101", f"U+{ord(here):04X} cannot stand here", span, "remove it, or put it in a string as an escape")
    if here.isalpha():
        # Some look like a letter of ASCII: the code point tells them apart.
        return refuse("HG101", f"`{here}` (U+{ord(here):04X}) cannot stand here", span, "names are ASCII; put text in quotes")
    return refuse("HG101", f"`{here}` cannot stand here", span, "put text in quotes")


def _explain_equals(text: str, position: int, tokens: list[TextToken]) -> ExpressionError:
    """A single `=`, or one that is part of another language's operator."""
    before = tokens[-1] if tokens else None
    start, end = position, position + 1
    if before is not None and before.end == position and before.kind in ("RELATION", "COLON"):
        start = before.start
    if text[end : end + 1] in (">", "<", "~"):
        end += 1
    written = text[start:end]
    if written == "=~":
        help_ = "write `x.matches(pattern)`"
    elif written == "=>":
        help_ = f"write `>=` to compare; {_MACRO}"
    elif before is not None and before.kind == "NOT" and start == position:
        help_ = "write `!=` for not equal"
    elif written == "=":
        help_ = "write `==` to compare"
    else:
        help_ = _ADJACENT.get(written) or f"write `{written[:-1] if written[0] in '<>' else '=='}`"
    return refuse("HG102", f"`{written}` is not an operator of CEL", Span(start, end), help_)


def _splits_string(tokens: list[TextToken], position: int) -> bool:
    """Whether a quote follows a string and a word without a space: `'it's'`."""
    if len(tokens) < 2 or tokens[-1].end != position or tokens[-2].end != tokens[-1].start:
        return False
    return tokens[-2].kind == "STRING" and tokens[-1].kind == "IDENT"


def _unclosed_string(text: str, start: int, quote: int, splits: bool) -> ExpressionError:
    """A string without its closing quote. A quote or a backslash inside may be why."""
    width = 3 if text[quote : quote + 3] in ('"""', "'''") else 1
    line = text[start:].split("\n", 1)[0]
    closing = text[quote : quote + width]
    if splits:
        help_ = f"write `\\{closing}` for a quote inside the string"
    elif width == 3:
        help_ = f"add `{closing}` where it ends"
    elif line.rstrip().endswith(f"\\{closing}"):
        help_ = f"`\\{closing}` is a quote inside the string: write `\\\\` for a backslash, then the closing quote"
    elif len(line) < len(text) - start:
        help_ = "add the closing quote, or use triple quotes for text with line breaks"
    else:
        help_ = f"add the closing `{closing}`"
    return refuse("HG101", "the string is not closed", Span(start, start + max(1, len(line))), help_)


def explain_token(text: str, tokens: list[TextToken], at: int) -> ExpressionError:
    """The error for a token that does not fit; `at` is its index, `len(tokens)` for the end of the text."""
    bracket = _unbalanced(tokens)
    if at >= len(tokens):
        return _explain_end(text, tokens, bracket)
    token = tokens[at]
    before = tokens[at - 1] if at else None
    foreign = _explain_foreign(text, tokens, at)
    if foreign is not None:
        return foreign
    if before is None:
        return _explain_start(token)
    if token.kind in _OPENERS and (bracket is None or bracket is token):
        return _explain_closer(tokens, at)
    if before.kind in _ENDS:
        return _explain_after_operand(text, tokens, at)
    return _explain_missing(before, token)


def _explain_foreign(text: str, tokens: list[TextToken], at: int) -> ExpressionError | None:
    """The error where the author wrote an operator or a statement of another language."""
    token, before = tokens[at], tokens[at - 1] if at else None
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if tokens[0].text in RESERVED:
        help_ = "write `test ? a : b`" if tokens[0].text == "if" else "write a single expression, for example `args.amount <= 500`"
        return refuse("HG105", f"`{tokens[0].text}` is a reserved word of CEL", tokens[0].span, help_)
    if token.text == "not" and following is not None and following.kind == "IN":
        return _not_in(token, following)
    if token.text == "is" and following is not None and following.text == "not":
        return refuse("HG102", "`is not` is not an operator of CEL", Span(token.start, following.end), "write `!=`")
    for word in (token, before):
        if word is not None and word.kind == "IDENT" and word.text in _FOREIGN:
            return _foreign(word.text, word.span)
    if before is not None and token.start == before.end:
        joined = text[before.start : token.end]
        if joined in _ADJACENT:
            return refuse("HG102", f"`{joined}` is not an operator of CEL", Span(before.start, token.end), _ADJACENT[joined])
    return None


def _not_in(first: TextToken, second: TextToken) -> ExpressionError:
    written = first.text + (" " if first.end < second.start else "") + second.text
    return refuse("HG102", f"`{written}` is not an operator of CEL", Span(first.start, second.end), "write `!(a in b)`")


def _explain_start(token: TextToken) -> ExpressionError:
    if token.kind in _OPENERS:
        return _closes_nothing(token)
    wrong = _explain_no_value(token)
    if wrong is not None:
        return wrong
    return refuse("HG101", f"`{token.text}` cannot begin an expression", token.span, "begin with a value, for example `args.amount`")


def _explain_no_value(token: TextToken) -> ExpressionError | None:
    """What is wrong with a token that the author means as a value."""
    if token.kind == "QUOTED":
        return refuse("HG101", "back quotes stand only around a field's name after a dot", token.span, "put text in double quotes")
    if token.text == "/":
        return refuse("HG101", "`/` cannot begin a value", token.span, "put text in quotes, and write `//` before a comment")
    if token.text == "+":
        return refuse("HG101", "`+` cannot begin a value", token.span, "leave it out: numbers have no plus sign")
    return None


def _closes_nothing(token: TextToken) -> ExpressionError:
    opener = _OPENERS[token.kind][0]
    return refuse("HG101", f"`{token.text}` closes nothing", token.span, f"remove it, or add `{opener}` before it")


def _explain_closer(tokens: list[TextToken], at: int) -> ExpressionError:
    """A closing bracket that does not fit: another one is open, none is, or a value is missing before it."""
    token, before = tokens[at], tokens[at - 1]
    opened = _unbalanced(tokens[:at])
    if opened is None or opened.kind not in _CLOSERS:
        return _closes_nothing(token)
    if _CLOSERS[opened.kind] != token.text:
        return refuse("HG101", f"`{token.text}` does not close `{opened.text}`", token.span, f"close `{opened.text}` with `{_CLOSERS[opened.kind]}` first")
    if before.kind == "COMMA":
        return refuse("HG101", "a call has no comma after its last argument", before.span, "remove the comma")
    if before is opened and token.kind == "RSQB":
        return refuse("HG101", "the index is empty", Span(before.start, token.end), "put a position or a key between the brackets")
    if before is opened:
        return refuse("HG101", "the parentheses are empty", Span(before.start, token.end), "put a value between them, or remove them")
    if before.kind in _ENDS:
        return refuse("HG101", f"`{token.text}` comes too early", token.span, "a map takes `key: value`, and `? :` takes two values")
    return _explain_missing(before, token)


def _explain_missing(before: TextToken, token: TextToken) -> ExpressionError:
    """No operand between two tokens."""
    if before.kind in ("DOT", "OPT_DOT"):
        field = token.text.strip("\"'")
        help_ = f'write `["{field}"]` in place of `{before.text}{token.text}`' if token.kind in ("STRING", "INT", "IN", "TRUE", "FALSE", "NULL") else "write a field's name after it"
        return refuse("HG101", f"`{token.text}` is not a field's name", token.span, help_)
    if before.kind == "NOT" and token.kind in ("IN", "RELATION"):
        help_ = "write `!(a in b)`" if token.kind == "IN" else "write `!=` for not equal"
        return refuse("HG101", f"`!` cannot stand before `{token.text}`", before.span, help_)
    if before.kind in ("NOT", "MINUS") and token.kind in ("NOT", "MINUS"):
        return refuse("HG101", f"`{before.text}` cannot stand right before `{token.text}`", before.span, "put the inner one in parentheses")
    wrong = _explain_no_value(token)
    if wrong is not None:
        return wrong
    side = "takes a value on its right" if before.kind in _INFIX or before.kind in ("NOT", "QUESTION", "COLON") else "is followed by a value"
    return refuse("HG101", f"an operand is missing before `{token.text}`", token.span, f"`{before.text}` {side}")


def _explain_after_operand(text: str, tokens: list[TextToken], at: int) -> ExpressionError:
    """A token after a complete value."""
    token, before = tokens[at], tokens[at - 1]
    if token.kind == "LBRACE" and before.kind == "IDENT":
        return refuse("HG121", f"`{before.text}{{...}}` builds a protobuf message, which the profile leaves out", before.span, "write a map: `{\"field\": value}`")
    if token.kind == "NOT" and at + 1 < len(tokens) and tokens[at + 1].kind == "IN":
        return _not_in(token, tokens[at + 1])
    if token.kind == "FLOAT" and token.text[0] == "." and token.start == before.end and before.kind not in _NUMBERS:
        return refuse("HG101", f"`{token.text}` is not a field's name", token.span, f"write `[{token.text[1:]}]` for an element of a list")
    if token.kind in _BEGINS:
        return _explain_adjacent(tokens, at)
    if token.kind == "COMMA":
        return _explain_comma(tokens, at)
    if token.kind == "COLON":
        opened = _unbalanced(tokens[:at])
        sliced = opened is not None and opened.kind == "LSQB"
        if text[token.start : token.start + 3] == "://":
            return refuse("HG101", "`:` cannot stand here", token.span, "put text in quotes")
        help_ = "take a part with `slice(1, 2)` or `substring(1, 2)`" if sliced else "compare with `==`"
        return refuse("HG101", "`:` stands only in `{key: value}` and in `test ? a : b`", token.span, help_)
    if token.kind == "QUESTION":
        return refuse("HG101", "a conditional inside of another needs parentheses", token.span, "write `a ? (b ? c : d) : e`")
    return refuse("HG101", f"`{token.text}` cannot stand here", token.span, "end the expression before it, or join the parts with an operator")


def _explain_adjacent(tokens: list[TextToken], at: int) -> ExpressionError:
    """Two values side by side: a missing operator, or text without quotes."""
    token, before = tokens[at], tokens[at - 1]
    if before.kind in _NUMBERS and token.start == before.end and token.kind not in ("LPAR", "LSQB", "LBRACE", "NOT"):
        help_ = "write a number without letters and `_`, or put it in quotes"
        return refuse("HG103", f"`{before.text}{token.text}` is not a number", Span(before.start, token.end), help_)
    if before.kind == "IDENT" and token.kind == "STRING":
        if token.start == before.end:
            return refuse("HG101", f"`{before.text}` cannot stand before a string", before.span, "a string may begin with `r` or `b`")
        return refuse("HG101", f"an operator is missing between `{before.text}` and the string", token.span, "for example `==`")
    words = tokens[at - 2].kind in _INFIX if at >= 2 else False
    if before.kind == "IDENT" and token.kind == "IDENT" and words:
        return refuse("HG101", f"an operator is missing before `{token.text}`", token.span, f'put text in quotes: `"{before.text} {token.text}"`')
    opened = _unbalanced(tokens[:at])
    help_ = "join conditions with `&&` or `||`, compare with `==`, and put text in quotes"
    if opened is not None and opened.kind == "LBRACE":
        help_ = "put `:` between a key and its value, and `,` between entries"
    elif opened is not None and (opened.kind == "LSQB" or _calls(tokens, opened)):
        help_ = "put `,` between elements and between arguments, and text in quotes"
    return refuse("HG101", f"an operator is missing before `{token.text}`", token.span, help_)


def _calls(tokens: list[TextToken], opened: TextToken) -> bool:
    """Whether a parenthesis opens the arguments of a call."""
    at = tokens.index(opened)
    return at > 0 and tokens[at - 1].kind == "IDENT"


def _explain_comma(tokens: list[TextToken], at: int) -> ExpressionError:
    """A comma that separates nothing. After `in (` it is a list in the wrong brackets."""
    if at + 1 < len(tokens) and tokens[at - 1].kind == tokens[at + 1].kind == "INT" and tokens[at + 1].start == tokens[at].end:
        span = Span(tokens[at - 1].start, tokens[at + 1].end)
        return refuse("HG103", f"`{tokens[at - 1].text},{tokens[at + 1].text}` is not a number", span, "write a number without separators")
    opened = _unbalanced(tokens[:at])
    before = tokens[tokens.index(opened) - 1] if opened is not None and tokens[0] is not opened else None
    if before is not None and opened is not None and before.kind == "IN":
        return refuse("HG101", "a list stands in square brackets", opened.span, "write `in [\"a\", \"b\"]`")
    return refuse("HG101", "`,` separates arguments, elements and entries only", tokens[at].span, "join conditions with `&&`")


def _explain_end(text: str, tokens: list[TextToken], bracket: TextToken | None) -> ExpressionError:
    if not tokens:
        return refuse("HG101", "the expression is empty", Span(0, max(1, len(text))), "write a condition, for example `args.amount <= 500`")
    last = tokens[-1]
    if bracket is not None and bracket.kind in _CLOSERS:
        return refuse("HG101", f"`{bracket.text}` is never closed", bracket.span, f"add `{_CLOSERS[bracket.kind]}`")
    if last.kind == "IDENT" and last.text in _FOREIGN:
        return _foreign(last.text, last.span)
    for question, dot in pairwise(tokens):
        if question.kind == "QUESTION" and dot.kind == "DOT" and question.end == dot.start:
            return refuse("HG102", "`?.` is not an operator of CEL", Span(question.start, dot.end), "guard the field: `has(a.b) && ...`")
    if last.kind in ("DOT", "OPT_DOT"):
        return refuse("HG101", f"the expression ends after `{last.text}`", last.span, "a field's name follows it")
    if last.kind in _ENDS:
        return refuse("HG101", "the conditional has no `:`", last.span, "write `test ? a : b`")
    return refuse("HG101", f"the expression ends after `{last.text}`", last.span, f"`{last.text}` takes a value on its right")


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
