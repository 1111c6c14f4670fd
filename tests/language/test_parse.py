"""From text to tree: a table, limits, spans."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hexgate.language.finding import ExpressionError, Finding
from hexgate.language.parse import parse
from hexgate.language.tree import Binary, Call, Literal, Select, Span
from hexgate.limits import EXPRESSION_CHARACTERS, EXPRESSION_DEPTH
from tests.language.s_expression import s_expression

FILE = Path(__file__).parent / "cases" / "parse.txt"
ARROW = "  =>  "


def read_rows() -> list[tuple[str, str]]:
    """Sources (`␤` for a line feed) and trees."""
    rows = [line.split(ARROW) for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert rows
    return [(source.replace("␤", "\n"), tree) for source, tree in rows]


def _bless() -> None:
    lines = []
    for line in FILE.read_text(encoding="utf-8").splitlines():
        source = line.split(ARROW)[0]
        tree = "" if line.startswith("#") else ARROW + s_expression(parse(source.replace("␤", "\n")))
        lines.append(source + tree)
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if os.environ.get("HEXGATE_BLESS") == "1":
    _bless()


@pytest.mark.parametrize(("source", "tree"), read_rows())
def test_the_text_has_the_tree(source: str, tree: str) -> None:
    assert s_expression(parse(source)) == tree


def finding(text: str) -> Finding:
    """The one finding of a text that does not parse."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    (found,) = caught.value.findings
    return found


SPANS = [
    # text, the parts that the spans of the tree's root cover
    ("args.amount <= 500", "args.amount <= 500"),
    ("  a  ", "a"),
    ("(a)", "a"),
    ("(a + b) * c", "(a + b) * c"),
    ("a * (b + c)", "a * (b + c)"),
    ("(a).b", "(a).b"),
    ("(a)[(b)]", "(a)[(b)]"),
    ("(a).f((b))", "(a).f((b))"),
    ("!(a)", "!(a)"),
    ("- -1", "- -1"),
    ("- 1", "- 1"),
    ("(a) ? (b) : (c)", "(a) ? (b) : (c)"),
    ("a && b // c", "a && b"),
    (".a", ".a"),
    (".f(a)", ".f(a)"),
    ("[ a ]", "[ a ]"),
    ("{ a: b }", "{ a: b }"),
]


@pytest.mark.parametrize(("text", "covered"), SPANS)
def test_a_span_covers_the_text_of_its_node(text: str, covered: str) -> None:
    start, end = parse(text).span
    assert text[start:end] == covered


def test_spans_of_parts() -> None:
    tree = parse("a.`b c` == x.f(1)")
    assert isinstance(tree, Binary)
    assert isinstance(tree.left, Select)
    assert isinstance(tree.right, Call)
    assert (tree.operator_span, tree.left.field_span, tree.right.name_span) == (Span(8, 10), Span(2, 7), Span(13, 14))


def test_the_longest_text_parses() -> None:
    text = '"' + "a" * (EXPRESSION_CHARACTERS - 2) + '"'
    assert parse(text) == Literal("a" * (EXPRESSION_CHARACTERS - 2), Span(0, EXPRESSION_CHARACTERS))
    found = finding(text + " ")
    assert (found.code, found.message, found.span) == ("HG104", "the expression has 8193 characters, more than 8192", Span(0, 1))


DEEP = {
    "parentheses": ("(" * 96 + "a" + ")" * 96, "(" * 97 + "a" + ")" * 97),
    "lists": ("[" * 95 + "a" + "]" * 95, "[" * 96 + "a" + "]" * 96),
    "maps": ("{1:" * 95 + "a" + "}" * 95, "{1:" * 96 + "a" + "}" * 96),
    "calls": ("f(" * 95 + "a" + ")" * 95, "f(" * 96 + "a" + ")" * 96),
    "methods": ("a" + ".f()" * 95, "a" + ".f()" * 96),
    "fields": ("a" + ".b" * 95, "a" + ".b" * 96),
    "indexes": ("a" + "[0]" * 95, "a" + "[0]" * 96),
    "nested indexes": ("a[" * 95 + "0" + "]" * 95, "a[" * 96 + "0" + "]" * 96),
    "negations": ("!" * 95 + "a", "!" * 96 + "a"),
    "signs": ("-" * 95 + "a", "-" * 96 + "a"),
    "conjunctions": (" && ".join(["a"] * 96), " && ".join(["a"] * 97)),
    "sums": ("+".join(["1"] * 96), "+".join(["1"] * 97)),
    "sums of products": ("+".join(["1*2"] * 95), "+".join(["1*2"] * 96)),
    "conditionals": ("a?b:" * 95 + "c", "a?b:" * 96 + "c"),
    "sums in sums": ("(" * 10 + "1" + "+1+1+1+1+1)" * 10, "(" * 20 + "1" + "+1+1+1+1+1)" * 20),
}


@pytest.mark.parametrize("shape", DEEP)
def test_depth_has_a_limit(shape: str) -> None:
    legal, too_deep = DEEP[shape]
    parse(legal)
    found = finding(too_deep)
    assert (found.code, found.message) == ("HG104", f"the expression nests deeper than {EXPRESSION_DEPTH} levels")


@pytest.mark.parametrize("opening", ["(", "[", "{", "f(", "a[", "!", "-", "a?", "{1:", "a.", "1+", "a?b:", "a.f("])
@pytest.mark.parametrize("count", [1000, 100_000])
def test_endless_nesting_is_a_finding(opening: str, count: int) -> None:
    assert finding(opening * count).code in ("HG101", "HG102", "HG104")


def test_long_flat_texts_are_not_deep() -> None:
    parse("[" + ",".join(["1"] * 4000) + "]")
    parse("f(" + ",".join(["1"] * 4000) + ")")
    parse("{" + ",".join(f"{n}:1" for n in range(1000)) + "}")
    parse("a " + " " * 8000)
    parse("a //" + " /" * 4000)


def test_a_lone_surrogate_is_a_finding() -> None:
    for text in ('"\ud800"', "a == '\udfff'", "b'\ud800'", "\ud800"):
        found = finding(text)
        assert (found.code, found.help) == ("HG101", "remove it")
        assert found.message.endswith("is no Unicode scalar value")


def test_numbers_of_thousands_of_digits() -> None:
    assert parse("0" * 8000 + "1") == Literal(1, Span(0, 8001))
    for digits in ("9" * 8000, "0x" + "f" * 8000, "9" * 8000 + "u", "9" * 8000 + ".0"):
        found = finding(digits)
        assert found.code == "HG103"
        assert len(found.message) < 100
