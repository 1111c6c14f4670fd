"""The grammar and the modules that know its terminals by name."""

from __future__ import annotations

import pytest

from hexgate.language import builders, parse, syntax_errors
from hexgate.language.precedence import PRECEDENCE, TERMINAL_PRECEDENCE
from hexgate.language.syntax_errors import RESERVED
from hexgate.language.tokens import Scanner

TERMINALS = {terminal.name for terminal in parse._grammar().terminals}


def scan(text: str) -> tuple[str, ...]:
    return parse._scanner().scan(text).kinds


@pytest.mark.parametrize("operator", PRECEDENCE)
def test_an_operator_binds_as_its_terminal_does(operator: str) -> None:
    (kind,) = scan(operator)
    assert TERMINAL_PRECEDENCE[kind] == PRECEDENCE[operator]


@pytest.mark.parametrize(
    "names",
    [
        TERMINAL_PRECEDENCE, builders._LITERALS, parse._OPENING, parse._CLOSING, syntax_errors._OPERANDS,
        syntax_errors._ENDS, syntax_errors._BEGINS, syntax_errors._INFIX, syntax_errors._CLOSERS, syntax_errors._OPENERS,
        syntax_errors._NUMBERS,
    ],
)  # fmt: skip
def test_terminals_that_are_named_exist(names: set[str]) -> None:
    assert set(names) <= TERMINALS


def test_every_rule_has_its_builder() -> None:
    built = {rule.alias or rule.origin.name for rule in parse._grammar().rules if not rule.options.expand1 or rule.alias}
    built = {name for name in built if not name.startswith("_")}
    assert built
    assert {name for name in built if not hasattr(builders.Builders, name)} == set()


def test_reserved_words_are_names_to_the_scanner() -> None:
    assert {kind for word in RESERVED for kind in scan(word)} == {"IDENT"}


TOKENS = [
    ("true false null in", ("TRUE", "FALSE", "NULL", "IN")),
    ("trues infalse nullx xin", ("IDENT",) * 4),
    ("a.b.?c", ("IDENT", "DOT", "IDENT", "OPT_DOT", "IDENT")),
    ("1.5 .5 1 1u 0x1 1e3 1.e3", ("FLOAT", "FLOAT", "INT", "UINT", "INT", "FLOAT", "INT", "DOT", "IDENT")),
    ("r b rb bar", ("IDENT",) * 4),
    ("r'a' b'a' rb'a' Br'a' 'a'", ("STRING", "BYTES", "BYTES", "BYTES", "STRING")),
    ("rr'a'", ("IDENT", "STRING")),
    ("<=>= < = >", ("RELATION", "RELATION", "RELATION")),
    ("!a!=b", ("NOT", "IDENT", "RELATION", "IDENT")),
    ("a//b\nc // d", ("IDENT", "IDENT")),
    ("''''''", ("STRING",)),
    ("'' ''", ("STRING", "STRING")),
    ("'''a''b'''", ("STRING",)),
    (" \t\r\n\f", ()),
    ("", ()),
]


@pytest.mark.parametrize(("text", "kinds"), TOKENS)
def test_the_scanner_splits(text: str, kinds: tuple[str, ...]) -> None:
    assert scan(text)[: len(kinds)] == kinds
    assert len(scan(text)) == len(kinds)


def test_a_token_is_where_its_text_is() -> None:
    text = "  args . `b c`<=0x1f //"
    for token in parse._scanner().scan(text).rows():
        assert text[token.start : token.end] == token.text


def test_the_rest_begins_where_nothing_does() -> None:
    tokens = parse._scanner().scan("a == § b")
    assert (tokens.kinds, tokens.rest) == (("IDENT", "RELATION"), 5)


def test_scanning_takes_time_in_proportion() -> None:
    """Long runs that end badly: no backtracking from each of their places."""
    for text in (" " * 8000 + "§", "//" * 4000, "'" + "\\'" * 4000, "1" * 8000 + "§", '"""' + '""' * 3000, "`" + "a" * 8000):
        parse._scanner().scan(text)


def test_shapes_are_remembered_within_bounds() -> None:
    assert parse._shape.cache_info().maxsize == parse.SHAPES
    assert isinstance(parse._scanner(), Scanner)
