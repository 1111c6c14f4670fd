"""What a YAML parser could not read, in our words: one sentence and a way forward, the same for both parsers."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from hexgate.diagnostics import Diagnostic
from hexgate.place import Place

_QUOTE = "put a text that contains `: ` or ` #`, or begins with a sign that YAML uses, in quotes"
_ALIGN = (
    "align the line with its neighbours; put a text that begins with a quote or bracket and goes on after it in quotes "
    "as a whole"
)
_ESCAPE = "write a backslash twice, or use single quotes, where it stands for itself"


class _Meaning(NamedTuple):
    """What it means that a parser's problem contains one of some words."""

    words: tuple[str, ...]
    message: str
    help: str


_MEANINGS = (
    _Meaning(("<stream end>",), "the file ends before a bracket or brace is closed", "close it"),
    _Meaning(
        ("mapping values are not allowed",),
        "a `:` stands where no key can be", f"{_QUOTE}, and check the indentation",
    ),
    _Meaning(("mapping keys are not allowed",), "a `?` stands where no key can be", _QUOTE),
    _Meaning(
        ("sequence entries are not allowed",),
        "a `-` stands where no list can be", f"begin the list on a line of its own; {_QUOTE}",
    ),
    _Meaning(
        ("could not find expected ':'",),
        "a key has no `:` after it", "write `key: value`, and check the indentation",
    ),
    _Meaning(
        ("',' or ']'",),
        "a list in brackets has no `,` or `]` here", "close the bracket; put an expression in a list in quotes",
    ),
    _Meaning(
        ("',' or '}'",),
        "a map in braces has no `,` or `}` here", "close the brace; put an expression in a map in quotes",
    ),
    _Meaning(("unexpected end of stream",), "a quoted text does not end", "close the quote"),
    _Meaning(("unknown escape character",), "an unknown escape stands in a double-quoted text", _ESCAPE),
    _Meaning(
        ("hexdecimal", "hexadecimal", "Unicode character escape"),
        "a malformed escape stands in a double-quoted text", _ESCAPE,
    ),
    _Meaning(
        ("document separator", "document indicator"),
        "a document marker stands inside a text", "indent the line, or close the quote before it",
    ),
    _Meaning(
        ("indentation indicator",),
        "the header of a block text is malformed", "write `|` or `>`, and the text on the next lines",
    ),
    _Meaning(
        ("comment or a line break", "comment or line break"),
        "something follows the header of a block text", f"begin the text on the next line; {_QUOTE}",
    ),
    _Meaning(
        ("<block end>", "expected key", "'-' indicator"),
        "the line does not go with the lines before it", _ALIGN,
    ),
    _Meaning(("<document start>",), "something follows the end of the document", "check the indentation"),
    _Meaning(("node content",), "a value is missing or begins with a sign that YAML uses", _QUOTE),
    _Meaning(
        ("alphabetic or numeric",),
        "a `&`, `*` or `!` is read as YAML's own", "put the text in quotes as a whole",
    ),
    _Meaning(
        ("tag", "URI"), "tags are not used in policies", "put a text that begins with `!` in quotes as a whole",
    ),
    _Meaning(
        ("directive", "version"), "directives are not used in policies", "remove the line that begins with `%`",
    ),
)  # fmt: skip
"""The first that fits counts."""

_NEGATED = re.compile(r"[ ]*(?:-[ ]+|[^ :#]+:[ ]+)*(!)")
"""A line whose value begins with `!`, which YAML reads as a tag and CEL as a negation."""


def explain_syntax(file: str, text: str, error: yaml.MarkedYAMLError) -> Diagnostic:
    """The diagnostic for what a parser refused."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    place = Place(file, line + 1, column + 1)
    lines = text.splitlines()
    if line < len(lines) and (negated := _NEGATED.match(lines[line])) is not None:
        sign = Place(file, line + 1, negated.start(1) + 1)
        return Diagnostic("HG207", "the leading `!` is a tag to YAML", sign, "put the whole text in quotes: `'!...'`")
    problem = " ".join(str(error.problem or error.context or "it cannot be read").split())
    if "cannot start any token" in problem:
        found = lines[line][column : column + 1]
        return Diagnostic("HG201", f"`{found}` cannot begin a text that has no quotes", place, "put the text in quotes")
    for where in (problem, str(error.context or "")):
        for meaning in _MEANINGS:
            if any(words in where for words in meaning.words):
                return Diagnostic("HG201", meaning.message, place, meaning.help)
    return Diagnostic("HG201", f"the file is not YAML: {problem}", place, _QUOTE)
