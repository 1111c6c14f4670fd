"""The interpreter's own interface, and how it reads the roots of a request."""

from __future__ import annotations

from typing import Any

import pytest

from hexgate.decision.decision import User
from hexgate.decision.reads import EVERYTHING, Reads
from hexgate.faults import EvaluationFault, Fault
from hexgate.language.check import check
from hexgate.language.environment import Environment
from hexgate.language.freeze import RequestMap
from hexgate.language.interpret import Evaluator, interpret, prepare
from hexgate.language.request_variables import RequestVariables
from hexgate.language.types import DYN
from hexgate.limits import EXPRESSION_DEPTH
from hexgate.values import Timestamp

NOTHING = Reads()
ROOTS = ("args", "user", "tool", "ctx", "resource", "now")


def _prepared(text: str) -> Evaluator:
    return prepare(check(text, Environment(dict.fromkeys(ROOTS, DYN), unchecked=True)))


def _fault(run: Any, *arguments: Any) -> Fault:
    with pytest.raises(EvaluationFault) as caught:
        run(*arguments)
    return caught.value.fault


class Untouchable(dict[str, object]):
    """A dictionary of another type: frozen, it is the unsupported value."""


def test_interpret_gives_the_value() -> None:
    assert interpret(check("1 + 2", Environment({})), {}) == 3


def test_interpret_raises_the_fault() -> None:
    assert _fault(interpret, check("1 / 0", Environment({})), {}) is Fault.DIVIDE_BY_ZERO


@pytest.mark.parametrize(
    ("text", "args", "answer"),
    [
        ("args.x <= 500", {"x": 500}, True),
        ("args.x <= 500", {"x": 501}, False),
        ("args.x <= 500", {"x": 2**63}, False),
        ("args.x >= 500", {"x": 2**64 - 1}, True),
        ("args.x >= 500", {"x": 2**64}, Fault.UNSUPPORTED_VALUE),
        ("args.x != 500", {"x": -(2**63) - 1}, Fault.UNSUPPORTED_VALUE),
        ("args.x >= 500", {"x": 500.5}, True),
        ("args.x >= 500", {"x": True}, Fault.NO_SUCH_OVERLOAD),
        ("args.x == 1", {"x": True}, False),
        ("args.x < 1.5", {"x": 1.25}, True),
        ("args.x < 1.5", {"x": 1}, True),
        ("args.x < 1.5", {"x": float("nan")}, Fault.UNSUPPORTED_VALUE),
        ("args.x < 1.5", {"x": float("-inf")}, Fault.UNSUPPORTED_VALUE),
        ('args.x == "USD"', {"x": "USD"}, True),
        ('args.x == "USD"', {"x": "é"}, False),
        ('args.x != "USD"', {"x": "\ud800"}, Fault.UNSUPPORTED_VALUE),
        ('args.x < "b"', {"x": "a"}, True),
        ('args.x < "b"', {"x": 1}, Fault.NO_SUCH_OVERLOAD),
        ('args.x == "USD"', {}, Fault.NO_SUCH_KEY),
        ('args.x == "USD"', None, Fault.NO_SUCH_KEY),
        ('args.x == "USD"', ["USD"], Fault.UNSUPPORTED_VALUE),
        ('args.x == "USD"', Untouchable(x="USD"), Fault.UNSUPPORTED_VALUE),
        ("args.x", {"x": True}, True),
        ("args.x", {"x": 1}, Fault.NOT_A_BOOL),
        ("args.x && true", {"x": "true"}, Fault.NO_SUCH_OVERLOAD),
    ],
)
def test_a_constraint_over_a_request_holds_or_not_or_is_a_fault(text: str, args: object, answer: bool | Fault) -> None:
    evaluator, variables = _prepared(text), {"args": RequestMap(args)}
    if isinstance(answer, Fault):
        assert _fault(evaluator.holds, variables) is answer
    else:
        assert evaluator.holds(variables) is answer


def test_budgets_are_those_of_one_evaluation() -> None:
    evaluator = _prepared("lists.range(6000).size() == 6000")
    assert evaluator.holds({})
    assert evaluator.holds({})


@pytest.mark.parametrize(
    "text",
    [
        "-" * (EXPRESSION_DEPTH - 2) + "(1)",
        "[" * (EXPRESSION_DEPTH - 2) + "]" * (EXPRESSION_DEPTH - 2),
        " || ".join(["false"] * (EXPRESSION_DEPTH - 2)) + " || true",
        "[1].all(a, " * 40 + "true" + ")" * 40,
        "[[1]].map(a, " * 40 + "a" + ")" * 40,
        "cel.bind(a, 1, " * 40 + "a == 1" + ")" * 40,
    ],
    ids=["signs", "lists", "or", "all", "map", "bind"],
)
def test_the_deepest_expressions_have_an_answer(text: str) -> None:
    evaluator = _prepared(text)
    try:
        evaluator.evaluate({})
    except EvaluationFault as error:
        assert error.fault is Fault.NO_SUCH_OVERLOAD


def test_a_nested_value_is_compared_and_formatted() -> None:
    nested: Any = 1
    for _ in range(31):
        nested = [nested]
    variables = {"args": RequestMap({"x": nested, "y": nested})}
    assert _prepared("args.x == args.y").holds(variables)
    assert _prepared('"%s".format([args.x])').evaluate(variables) == "[" * 31 + "1" + "]" * 31
    assert _prepared("args.x.flatten(100)").evaluate(variables) == (1,)


def _variables(args: object = None, attrs: Any = None, reads: Reads = NOTHING, **others: object) -> RequestVariables:
    user = User("alice", "billing", {} if attrs is None else attrs)
    return RequestVariables(reads, "refund", user, args, others.get("ctx"), others.get("resource"), 5)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("user.id", "alice"),
        ("user.role", "billing"),
        ('user["id"]', "alice"),
        ("user.attrs.team", "a"),
        ('user.attrs["team"]', "a"),
        ('"team" in user.attrs', True),
        ('"other" in user.attrs', False),
        ("has(user.attrs)", True),
        ("has(user.attrs.team)", True),
        ("has(user.attrs.other)", False),
        ("has(user.other)", False),
        ("user.attrs.nested.level", 3),
        ("user.attrs", {"team": "a", "nested": {"level": 3}}),
        ('user["attrs"].size()', 2),
        ("user.attrs.size()", 2),
        ("user.attrs.map(k, k)", ("team", "nested")),
        ('user.attrs == {"nested": {"level": 3u}, "team": "a"}', True),
        ("user", {"id": "alice", "role": "billing", "attrs": {"team": "a", "nested": {"level": 3}}}),
        ("user.map(k, k)", ("id", "role", "attrs")),
        ("cel.bind(u, user, u.attrs.team)", "a"),
        ("[user][0].attrs.team", "a"),
        ("(true ? user : user).attrs.team", "a"),
        ("user.transformList(k, v, v)[2].team", "a"),
        ("type(user.attrs)", None),
        ("tool", "refund"),
        ("now", Timestamp(5)),
        ("ctx.ip", "::1"),
        ("resource.order.total", 9),
        ("args.size()", 0),
    ],
)
def test_the_roots_of_a_request(text: str, value: object) -> None:
    variables = _variables(
        None, {"team": "a", "nested": {"level": 3}}, ctx={"ip": "::1"}, resource={"order": {"total": 9}}
    )
    answer = _prepared(text).evaluate(variables)
    assert answer == value or value is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("user.other", Fault.NO_SUCH_KEY),
        ("user.attrs.other", Fault.NO_SUCH_KEY),
        ("user.id.x", Fault.NO_SUCH_OVERLOAD),
        ("ctx.ip", Fault.NO_SUCH_KEY),
    ],
)
def test_faults_of_the_roots(text: str, fault: Fault) -> None:
    assert _fault(_prepared(text).evaluate, _variables()) is fault


def test_attributes_that_are_no_dictionary_are_unsupported() -> None:
    variables = _variables(attrs=Untouchable(team="a"))
    for text in ("user.attrs", "user.attrs.team", "has(user.attrs.team)", '"team" in user.attrs', 'user.attrs["team"]'):
        assert _fault(_prepared(text).evaluate, variables) is Fault.UNSUPPORTED_VALUE
    assert _prepared("has(user.attrs)").holds(variables)
    assert _prepared('user.id == "alice"').holds(variables)


def test_an_unknown_root_is_an_undeclared_reference() -> None:
    evaluator = prepare(check("elsewhere.x == 1", Environment({"elsewhere": DYN})))
    assert _fault(evaluator.holds, _variables()) is Fault.UNDECLARED_REFERENCE


def test_members_are_read_beside_a_bad_key_where_only_members_are_read() -> None:
    args = {"amount": 5, 7: "bad"}
    assert _prepared("args.amount == 5").holds(_variables(args, reads=Reads(args=frozenset({"amount"}))))


@pytest.mark.parametrize("root", ["args", "ctx", "resource", "user.attrs"])
def test_a_root_that_a_rule_reads_whole_is_one_value_for_all(root: str) -> None:
    reads = Reads(args=EVERYTHING, attrs=EVERYTHING, ctx=EVERYTHING, resource=EVERYTHING)
    for bad, expected in (({"amount": 5}, True), ({"amount": 5, 7: "bad"}, Fault.UNSUPPORTED_VALUE)):
        variables = _variables(bad, bad, reads, ctx=bad, resource=bad)
        evaluator = _prepared(f"{root}.amount == 5")
        if expected is True:
            assert evaluator.holds(variables)
        else:
            assert _fault(evaluator.holds, variables) is expected


def test_what_no_constraint_reads_is_not_looked_at() -> None:
    variables = _variables({"amount": 5, "huge": [[0]] * 1_000_000}, ctx=object(), resource=object())
    assert _prepared("args.amount == 5 && has(args.huge)").holds(variables)
    root = variables["args"]
    assert root._frozen == {"amount": 5}
    assert set(variables) == {"args"}
