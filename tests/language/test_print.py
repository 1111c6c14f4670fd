"""From tree to canonical text, and back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from hexgate.language.parse import parse
from hexgate.language.print import format_expression, format_value
from hexgate.language.tree import Expr, Span
from hexgate.limits import EXPRESSION_CHARACTERS
from hexgate.values import BoolKey, Key, UInt, Value
from tests.language.s_expression import s_expression
from tests.language.trees import NOWHERE, trees

CASES = Path(__file__).parent / "cases"


def read_lines(name: str) -> list[str]:
    lines = [line for line in (CASES / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines
    return lines


def without_spans(node: Any) -> Any:
    """The tree with every span replaced by one and the same."""
    if isinstance(node, Span):
        return NOWHERE
    if type(node) is tuple:
        return tuple(map(without_spans, node))
    if not is_dataclass(node) or isinstance(node, type):
        return node
    return replace(node, **{field.name: without_spans(getattr(node, field.name)) for field in fields(node)})


@pytest.mark.parametrize("text", read_lines("print.txt"))
def test_a_canonical_text_prints_as_itself(text: str) -> None:
    assert format_expression(parse(text)) == text


@pytest.mark.parametrize(("text", "canonical"), [line.split("  =>  ") for line in read_lines("printed.txt")])
def test_a_text_prints_canonically(text: str, canonical: str) -> None:
    assert format_expression(parse(text)) == canonical
    assert format_expression(parse(canonical)) == canonical


@settings(max_examples=1500, deadline=None)
@given(trees())
def test_what_is_printed_parses_to_the_same_tree(tree: Expr) -> None:
    text = format_expression(tree)
    if len(text) > EXPRESSION_CHARACTERS:
        return
    parsed = parse(text)
    assert s_expression(parsed) == s_expression(tree), text
    assert without_spans(parsed) == without_spans(tree)
    assert format_expression(parsed) == text


@settings(max_examples=500, deadline=None)
@given(trees(4))
def test_spans_nest(tree: Expr) -> None:
    """The text of every node parses to that node."""
    text = format_expression(tree)
    if len(text) <= EXPRESSION_CHARACTERS:
        check_spans(parse(text), text)


def check_spans(node: Any, text: str) -> None:
    if hasattr(node, "span"):
        start, end = node.span
        assert without_spans(parse(text[start:end])) == without_spans(node), text
    for field in fields(node):
        value = getattr(node, field.name)
        for part in value if type(value) is tuple else (value,):
            if is_dataclass(part):
                check_spans(part, text)


CONSTANTS: list[tuple[Value, str]] = [
    ((1, UInt(2), "a"), '[1, 2u, "a"]'),
    ((), "[]"),
    ({"a": (1.5, None)}, '{"a": [1.5, null]}'),
    ({BoolKey.TRUE: b"x", 1: False}, '{true: b"x", 1: false}'),
    ({}, "{}"),
]


@pytest.mark.parametrize(("value", "text"), CONSTANTS)
def test_constants_print_as_literals(value: tuple[Value, ...] | dict[Key, Value], text: str) -> None:
    assert format_value(value) == text
    parse(text)
