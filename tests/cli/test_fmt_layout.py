"""Canonical constraints inside policy text: one row each, and that nothing else changes."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hexgate.language.parse import parse
from hexgate.language.print import format_expression
from hexgate_cli.expression_layout import break_lines, has_comment
from hexgate_cli.policy_layout import format_policy_text

HEAD = "version: 1\ntools:\n  t:\n    mode: allow\n    constraints:\n"

SCALARS = [
    ("- args.a<=1", "- args.a <= 1"),
    ("-   args.a<=1", "-   args.a <= 1"),
    ("- args.a <= 1", "- args.a <= 1"),
    ("- args.a<=1   # why", "- args.a <= 1   # why"),
    ("- 'args.a<=1'", "- 'args.a <= 1'"),
    ('- "args.a<=1"', '- "args.a <= 1"'),
    ('- "args.a==\'x\'"', '- args.a == "x"'),
    ("- 'args.a==\"x\"'", "- 'args.a == \"x\"'"),
    ("- args.a=='x'", '- args.a == "x"'),
    ("- 'args.a==\"it''s\"'", "- args.a == \"it's\""),
    ('- "\\"x\\"==args.a"', "- '\"x\" == args.a'"),
    ("- (true)", "- 'true'"),
    ("- true", "- true"),
    ("- '{\"a\":1}==args'", "- '{\"a\": 1} == args'"),
    ("- '[1,2]==args.a'", "- '[1, 2] == args.a'"),
    ("- (args.a)", "- args.a"),
    ("- '!args.a  '", "- '!args.a'"),
    ("- args.a   &&\n        args.b", "- args.a && args.b"),
    ("- |\n        args.a&&args.b\n", "- |\n        args.a && args.b\n"),
    ("- >-  # folded\n        args.a\n        &&args.b\n\n      # after", "- >-  # folded\n        args.a && args.b\n\n      # after"),
    ("- |\n        args.a  // why\n        &&args.b", "- |\n        args.a  // why\n        &&args.b"),
    ("- args.a=='//'", '- args.a == "//"'),
    ("- 5", "- 5"),
    ("- [args.a<1]", "- [args.a<1]"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), SCALARS)
def test_a_constraint_in_a_block_list(before: str, after: str) -> None:
    for newline in ("\n", "\r\n"):
        text = f"{HEAD}      {before}\n      - last # kept\n".replace("\n", newline)
        expected = f"{HEAD}      {after}\n      - last # kept\n".replace("\n", newline)
        found = format_policy_text("x.yaml", text)
        assert found.findings == ()
        assert found.text == expected
        assert format_policy_text("x.yaml", found.text).text == found.text


FLOWS = [
    ("[args.a<1, 'b==\"x\"', \"c in [1,2]\"]", "[args.a < 1, 'b == \"x\"', \"c in [1, 2]\"]"),
    ("[a=='x' ]", '[a == "x" ]'),
    ("[(a), f(x)]", "[a, f(x)]"),
    ('["f(x,y)"]', '["f(x, y)"]'),
]


@pytest.mark.parametrize(("before", "after"), FLOWS)
def test_a_constraint_in_a_flow_list(before: str, after: str) -> None:
    text = f"tools:\n  t: {{mode: allow, constraints: {before}}}\n"
    assert format_policy_text("x.yaml", text).text == f"tools:\n  t: {{mode: allow, constraints: {after}}}\n"


ELSEWHERE = [
    "consts:\n  constraints:\n    - a==b\n",
    "tools:\n  t:\n    message: a==b\n    mode: allow\n",
    "constraints:\n  - a==b\n",
    "# only a comment\n",
    "",
    "- a==b\n",
]


@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_is_no_constraint_stays(text: str) -> None:
    assert format_policy_text("x.yaml", text).text == text


PLACES = [
    "tools:\n  t:\n    constraints: [{}]\n",
    "tools:\n  t:\n    rules:\n      - constraints:\n          - {}\n",
    "default_policy:\n  constraints:\n  - {}\n",
    "boundary:\n  tools:\n    t:\n      constraints: [{}]\n",
    "roles:\n  r:\n    tools:\n      t:\n        constraints: [{}]\n",
    "roles:\n  r:\n    default_policy:\n      rules: [{{constraints: [{}]}}]\n",
]


@pytest.mark.parametrize("template", PLACES)
def test_every_place_of_constraints_is_found(template: str) -> None:
    assert format_policy_text("x.yaml", template.format("a<1")).text == template.format("a < 1")


FINDINGS = [
    ("tools:\n  t:\n    constraints:\n      - args.a <=\n      - a  <1", ("HG101", 4, 16)),
    ("tools:\n  t:\n    constraints:\n      - 'a and b'", ("HG102", 4, 12)),
    ("tools: [", ("HG201", 1, 9)),
    ("a: 1\na: \x00", ("HG208", 2, 4)),
    ("a: &b 1", ("HG207", 1, 4)),
    ("a: 1\na: 2", ("HG203", 2, 1)),
    ("tools:\n  t:\n    constraints:\n      - >-\n        args.a <= 1\n        && nobody =", ("HG102", 6, 19)),
    ("tools:\n  t:\n    constraints:\n      - \"'\\u65e5' =\"", ("HG102", 4, 19)),
    ("tools:\n  t:\n    constraints:\n      - '''x'' ='", ("HG102", 4, 16)),
]


@pytest.mark.parametrize(("text", "finding"), FINDINGS)
def test_what_does_not_parse_is_reported_and_left_alone(text: str, finding: tuple[str, int, int]) -> None:
    found = format_policy_text("x.yaml", text)
    assert found.text == text
    (diagnostic,) = found.findings
    assert diagnostic.place is not None
    assert (diagnostic.code, diagnostic.place.line, diagnostic.place.column) == finding


LONG = (
    '- |\n        args.amount <= 500 && args.currency == "USD" && (args.a||args.b) && args.customer in ["aaaaaaaaaaaa",'
    '"bbbbbbbbbbbb",\n        "cccccccccccc", "dddddddddddd", "eeeeeeeeeeee", "ffff ffffffff"]\n'
)
BROKEN = (
    '- |\n        args.amount <= 500 &&\n        args.currency == "USD" &&\n        (args.a || args.b) &&\n'
    '        args.customer in ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc", "dddddddddddd",\n'
    '          "eeeeeeeeeeee", "ffff ffffffff"]\n'
)


def test_a_long_block_is_broken_at_its_outermost_operators() -> None:
    found = format_policy_text("x.yaml", f"{HEAD}      {LONG}")
    assert found.text == f"{HEAD}      {BROKEN}"
    assert format_policy_text("x.yaml", found.text).text == found.text


EXPRESSIONS = st.sampled_from([
    "args.a<=1", "args.b=='x y'", "!args.c", "(args.d)", "args.e in ['p','q  r']", "args.f.all(x,x>1)", "args.g?1:2",
    'args.h=="//"', "-(1)", "{'k':[1]}", "r'\\d'", "b'x'", "1.50", "args.i . j", "args['k l']",
])  # fmt: skip


@given(st.recursive(EXPRESSIONS, lambda inner: st.tuples(inner, st.sampled_from(["&&", "||", "=="]), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"), max_leaves=12), st.integers(10, 100))  # fmt: skip
def test_broken_lines_are_the_same_expression(text: str, width: int) -> None:
    canonical = format_expression(parse(text))
    broken = break_lines(canonical, width)
    assert format_expression(parse("\n".join(broken))) == canonical
    assert len(broken) == 1 or len(canonical) > width


@given(st.lists(EXPRESSIONS, min_size=1, max_size=5), st.sampled_from(["plain", "single", "double", "literal", "folded"]))
def test_any_style_keeps_the_meaning_and_settles_at_once(expressions: list[str], style: str) -> None:
    spell = {
        "plain": lambda e: yaml.safe_dump([e], default_flow_style=False, width=10_000)[2:].rstrip("\n"),
        "single": lambda e: "'" + e.replace("'", "''") + "'",
        "double": lambda e: '"' + e.replace("\\", "\\\\").replace('"', '\\"') + '"',
        "literal": lambda e: f"|\n          {e}",
        "folded": lambda e: f">-\n          {e}",
    }[style]
    text = HEAD + "".join(f"      - {spell(expression)}\n" for expression in expressions)
    found = format_policy_text("x.yaml", text)
    assert found.findings == ()
    read = yaml.safe_load(found.text)["tools"]["t"]["constraints"]
    assert [format_expression(parse(constraint)) for constraint in read] == [format_expression(parse(e)) for e in expressions]  # fmt: skip
    assert format_policy_text("x.yaml", found.text).text == found.text


COMMENTS = [
    ("a // b", True),
    ("a == '//'", False),
    ('a == "\\"//"', False),
    ("r'\\' // c", True),
    ("'''a'//b'''", False),
    ("a / b", False),
    ("x.`a//b`", False),
    ("b'//'", False),
]


@pytest.mark.parametrize(("text", "expected"), COMMENTS)
def test_comments_in_expressions_are_told_from_text(text: str, expected: bool) -> None:
    assert has_comment(text) is expected
