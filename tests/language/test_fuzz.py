"""Whatever the text, the front end answers with a tree or with findings."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from hexgate.language.check import check_with_warnings
from hexgate.language.finding import ExpressionError
from hexgate.language.print import format_expression
from hexgate.language.tree import Expr
from hexgate.limits import EXPRESSION_CHARACTERS
from tests.language.environments import ENVIRONMENTS
from tests.language.reports import LINE_FEED
from tests.language.trees import trees

CASES = Path(__file__).parent / "cases"
PIECES = (
    *"abx019.,:;?!()[]{}<>=&|+-*/%\"'\\`@#$^~ \n\tέ日\u00a0\ufeff\0", "&&", "||", "==", "!=", "<=", " in ", ".?", "[?", "args",
    "user", "consts", "true", "null", "if", "and", "not ", "has(", ".all(x, ", ".map(", "cel.bind(", "matches(", '"""', "r'",
    "b\"", "\\u00", "\\xff", "0x", "1e", "9223372036854775808", "1u", "// ", "{'a': ", "\ud800",
)  # fmt: skip


def seeds() -> list[str]:
    """The sources of all case files."""
    texts = []
    for path in sorted(CASES.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "==", "  ")):
                texts.append(line.removeprefix("> ").split("  =>  ")[0].replace(LINE_FEED, "\n"))
    assert len(texts) > 500
    return texts


SEEDS = seeds()


def answers(text: str, environment: str) -> None:
    """Raises where the checker raises anything but its error, or a finding is out of place."""
    try:
        findings = check_with_warnings(text, ENVIRONMENTS[environment])[1]
    except ExpressionError as error:
        findings = error.findings
        assert findings
    for finding in findings:
        assert 0 <= finding.span.start < finding.span.end <= max(1, len(text)), (text, finding)
    assert all(a.span <= b.span for a, b in pairwise(findings))


def mutate(text: str, source: random.Random) -> str:
    """The text with a few pieces inserted, removed, replaced or repeated."""
    for _ in range(source.randrange(1, 4)):
        start = source.randrange(len(text) + 1)
        end = min(len(text), start + source.randrange(4))
        match source.randrange(4):
            case 0:
                text = text[:start] + source.choice(PIECES) + text[start:]
            case 1:
                text = text[:start] + text[end:]
            case 2:
                text = text[:start] + source.choice(PIECES) + text[end:]
            case _:
                other = source.choice(SEEDS)
                text = text[:start] + other[: source.randrange(len(other) + 1)] + text[start:]
    return text


@settings(max_examples=3000, deadline=None)
@given(strategies.integers(0, 2**32 - 1))
def test_a_mutated_expression_is_answered(seed: int) -> None:
    source = random.Random(seed)
    answers(mutate(source.choice(SEEDS), source), source.choice(list(ENVIRONMENTS)))


@settings(max_examples=500, deadline=None)
@given(strategies.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    answers(text, "policy")


@settings(max_examples=500, deadline=None)
@given(trees(5), strategies.sampled_from(sorted(ENVIRONMENTS)))
def test_any_tree_is_answered(tree: Expr, environment: str) -> None:
    text = format_expression(tree)
    if len(text) <= EXPRESSION_CHARACTERS:
        answers(text, environment)


NESTED = {
    "has": ("has(" * 47, "args.note", ".note)" * 47),
    "has of conditionals": ("has((", "", ""),
    "macros": ("[1].all(x, " * 40, "x > 0", ")" * 40),
    "macros on macros": ("[1]", ".map(x, x + 1)" * 90, ""),
    "ranges": ("", "args.items", ".filter(e, has(e.note))" * 90),
    "binds": ("cel.bind(a, args, " * 40, "a.note == 'x'", ")" * 40),
    "bound values": ("cel.bind(a, " * 40, "1", ", a + a)" * 40),
    "conditionals": ("(has(args.note) ? args : " * 40, "args", ")" * 40 + ".note == 'x'"),
    "conjunctions": ("", "has(args.note) && args.note == 'a'", " && args.note == 'a'" * 40),
    "guards": ("!(has(args.note) && " * 40, "args.note == 'a'", ")" * 40),
}


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("environment", ["policy", "order", "unchecked"])
def test_nesting_takes_no_more_than_its_length(name: str, environment: str) -> None:
    """Each part is checked once: what doubles with depth would not come back."""
    answers("".join(NESTED[name]), environment)


def test_has_in_the_operand_of_has() -> None:
    text = "args"
    for _ in range(30):
        text = f"(has({text}.note) ? args : args)"
    answers(f"has({text}.note)", "order")


DEEPEST = {
    "macros": "[1].all(x, " * 47 + "x > 0" + ")" * 47,
    "macros on macros": "[1]" + ".map(x, x)" * 94,
    "macros in maps": "{1: [1].map(x, " * 31 + "x" + ")}" * 31,
    "binds": "cel.bind(x, 1, " * 94 + "x" + ")" * 94,
    "conjunctions": " && ".join(["true"] * 96),
    "negations": "!" * 95 + "true",
    "sums": "+".join(["1"] * 96),
    "conditionals": "true ? 1 : " * 95 + "2",
    "lists": "[" * 95 + "1" + "]" * 95,
    "indexes": "[" * 48 + "1" + "]" * 48 + "[0]" * 47,
    "calls": "dyn(" * 95 + "1" + ")" * 95,
    "methods": "'a'" + ".trim()" * 95,
}


@pytest.mark.parametrize("name", DEEPEST)
def test_the_deepest_expressions_leave_room_on_the_stack(name: str) -> None:
    """Under callers that are 400 frames deep already, of Python's 1,000."""

    def under(frames: int) -> str:
        if frames:
            return under(frames - 1)
        expression = check_with_warnings(DEEPEST[name], ENVIRONMENTS["nothing"])[0]
        return format_expression(expression.tree)

    assert under(400)
