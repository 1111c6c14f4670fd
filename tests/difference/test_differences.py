"""What is found between two policies, row by row: two policies beside every difference that must be found."""

from __future__ import annotations

from itertools import product

import pytest

from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import Verdict
from hexgate.decision.engine import DecisionEngine
from hexgate.difference.change import Change, Effect
from hexgate.difference.compare import Budget, find_differences
from hexgate.difference.side import Side, names_in_policy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.runtime.wasm_engine import WasmEngine
from tests.policy.sets import check_text

HEAD = "version: 1\n"
PAY = HEAD + "roles:\n  clerk:\n    tools:\n      pay: "
LIMIT = "{mode: allow, constraints: ['args.amount <= 500']}\n"
BAGS = HEAD + """\
consts: {free: {regular: {economy: 1, business: 2}, gold: {economy: 2, business: N}}}
roles:
  clerk:
    tools:
      fly:
        mode: approval_required
        constraints:
          - args.paid == math.greatest(0, args.bags - size(args.people) * consts.free[user.attrs.status][args.cabin])
"""

BOUNDED = HEAD + """\
roles:
  clerk:
    tools:
      pay: {mode: allow, constraints: ['args.to.matches("^[A-Z]{4}$")', 'args.amount == 5']}
boundary:
  tools:
    pay:
      rules:
        - {mode: approval_required, constraints: [args.amount <= 100, now.getHours() < 6]}
        - {mode: allow, constraints: [now.getHours() >= 6, size(args.subject) <= N]}
"""

# name, old, new, differences as `effect change role tool`
ROWS: list[tuple[str, str, str, list[str]]] = [
    ("the same", PAY + LIMIT, PAY + LIMIT, []),
    ("a limit raised", PAY + LIMIT, PAY + LIMIT.replace("500", "501"), ["widening newly_allowed clerk pay"]),
    ("a limit lowered", PAY + LIMIT, PAY + LIMIT.replace("500", "499"), ["narrowing newly_denied clerk pay"]),
    ("an alternative of a pattern", PAY + "{mode: allow, constraints: ['args.cmd.matches(\"^(ls|cat)( |$)\")']}\n", PAY + "{mode: allow, constraints: ['args.cmd.matches(\"^(ls|cat|find)( |$)\")']}\n", ["widening newly_allowed clerk pay"]),
    ("a longer repetition", PAY + "{mode: allow, constraints: ['args.to.matches(\"^[a-z]{1,63}$\")']}\n", PAY + "{mode: allow, constraints: ['args.to.matches(\"^[a-z]{1,64}$\")']}\n", ["widening newly_allowed clerk pay"]),
    ("line breaks in a pattern", PAY + "{mode: allow, constraints: ['args.to.matches(\"^a.*b$\")']}\n", PAY + "{mode: allow, constraints: ['args.to.matches(\"(?s)^a.*b$\")']}\n", ["widening newly_allowed clerk pay"]),
    ("a denied tool left to a pattern", HEAD + "roles:\n  clerk:\n    tools:\n      http.post: {mode: deny}\n      http.*: {mode: allow, constraints: ['args.host == \"a.io\"']}\n",
     HEAD + "roles:\n  clerk:\n    tools:\n      http.*: {mode: allow, constraints: ['args.host == \"a.io\"']}\n", ["widening newly_allowed clerk http.post"]),
    ("a denied pattern left to another", HEAD + "roles:\n  clerk:\n    tools:\n      http.p*: {mode: deny}\n      http.*: {mode: allow, constraints: ['args.host == \"a.io\"']}\n",
     HEAD + "roles:\n  clerk:\n    tools:\n      http.*: {mode: allow, constraints: ['args.host == \"a.io\"']}\n", ["widening newly_allowed clerk http.p*"]),
    ("a denied tool left to the default", HEAD + "roles:\n  clerk:\n    default_policy: {mode: allow, constraints: ['args.host == \"a.io\"']}\n    tools: {post: {mode: deny}, get: {mode: deny}}\n",
     HEAD + "roles:\n  clerk:\n    default_policy: {mode: allow, constraints: ['args.host == \"a.io\"']}\n    tools: {get: {mode: deny}}\n", ["widening newly_allowed clerk post"]),
    ("a beginning and a size", PAY + "{mode: allow, constraints: ['args.to.startsWith(\"DE\") && size(args.to) == 22']}\n",
     PAY + "{mode: allow, constraints: ['args.to.startsWith(\"DE\") && size(args.to) >= 22']}\n", ["widening newly_allowed clerk pay"]),
    ("more parts of a path", PAY + "{mode: allow, constraints: ['args.to.split(\"/\").size() <= 4']}\n", PAY + "{mode: allow, constraints: ['args.to.split(\"/\").size() <= 5']}\n", ["widening newly_allowed clerk pay"]),
    ("an edge taken in", PAY + LIMIT.replace("<=", "<"), PAY + LIMIT, ["widening newly_allowed clerk pay"]),
    ("a constraint removed", PAY + LIMIT, PAY + "{mode: allow}\n", ["widening newly_allowed clerk pay"]),
    ("a constraint added", PAY + "{mode: allow}\n", PAY + LIMIT, ["narrowing newly_denied clerk pay"]),
    ("allow becomes approval", PAY + "{mode: allow}\n", PAY + "{mode: approval_required}\n", ["narrowing newly_held clerk pay"]),
    ("approval becomes allow", PAY + "{mode: approval_required}\n", PAY + "{mode: allow}\n", ["widening newly_allowed clerk pay"]),
    ("deny becomes approval", PAY + "{mode: deny}\n", PAY + "{mode: approval_required}\n", ["widening newly_held clerk pay"]),
    ("approval becomes deny", PAY + "{mode: approval_required}\n", PAY + "{mode: deny}\n", ["narrowing newly_denied clerk pay"]),
    ("other approvers", PAY + "{mode: approval_required, approvers: [a]}\n", PAY + "{mode: approval_required, approvers: [b]}\n", ["terms held_otherwise clerk pay"]),
    ("approvers in another order", PAY + "{mode: approval_required, approvers: [a, b]}\n", PAY + "{mode: approval_required, approvers: [b, a]}\n", []),
    ("longer to approve", PAY + "{mode: approval_required, expires_in: 1h}\n", PAY + "{mode: approval_required, expires_in: 2h}\n", ["terms held_otherwise clerk pay"]),
    ("another message", PAY + "{mode: deny, message: no}\n", PAY + "{mode: deny, message: never}\n", []),
    ("a tool added", PAY + LIMIT, PAY + LIMIT + "      read: {mode: allow}\n", ["widening newly_allowed clerk read"]),
    ("a tool removed", PAY + LIMIT + "      read: {mode: allow}\n", PAY + LIMIT, ["narrowing newly_denied clerk read"]),
    ("a role added", PAY + LIMIT, PAY + LIMIT + "  boss:\n    tools:\n      pay: {mode: allow}\n", ["widening newly_allowed boss pay"]),
    ("a role removed", PAY + LIMIT + "  boss:\n    tools:\n      pay: {mode: allow}\n", PAY + LIMIT, ["narrowing newly_denied boss pay"]),
    ("a role that cannot be held any more", HEAD + "roles:\n  a:\n    tools:\n      t: {mode: allow}\n", HEAD + "roles:\n  a:\n    abstract: true\n    tools:\n      t: {mode: allow}\n  b: {inherits: [a]}\n",
     ["widening newly_allowed b t", "narrowing newly_denied a t"]),
    ("an open default", PAY + LIMIT, PAY + LIMIT + "    default_policy: {mode: allow}\n", ["widening newly_allowed clerk (any other)"]),
    ("a pattern", PAY + LIMIT, PAY + LIMIT + "      get_*: {mode: allow}\n", ["widening newly_allowed clerk get_*"]),
    ("a wider pattern", PAY + LIMIT + "      get_*: {mode: allow}\n", PAY + LIMIT + "      g*: {mode: allow}\n", ["widening newly_allowed clerk g*"]),
    ("a boundary added", PAY + "{mode: allow}\n", PAY + "{mode: allow}\nboundary:\n  tools:\n    pay: " + LIMIT, ["narrowing newly_denied clerk pay"]),
    ("a boundary raised", PAY + "{mode: allow}\nboundary:\n  tools:\n    pay: " + LIMIT, PAY + "{mode: allow}\nboundary:\n  tools:\n    pay: " + LIMIT.replace("500", "900"), ["widening newly_allowed clerk pay"]),
    ("patterns of a boundary", PAY + "{mode: allow}\n    default_policy: {mode: allow}\nboundary:\n  default_policy: {mode: allow}\n  tools:\n    db.*: {mode: deny}\n    fs.*: {mode: deny}\n", PAY + "{mode: allow}\n    default_policy: {mode: allow}\n", ["widening newly_allowed clerk db.*", "widening newly_allowed clerk fs.*"]),
    ("a constant changed", HEAD + "consts: {limit: 10}\n" + PAY.removeprefix(HEAD) + LIMIT.replace("500", "consts.limit"), HEAD + "consts: {limit: 11}\n" + PAY.removeprefix(HEAD) + LIMIT.replace("500", "consts.limit"), ["widening newly_allowed clerk pay"]),
    ("an equal constant in place of a number", PAY + LIMIT, HEAD + "consts: {limit: 500}\n" + PAY.removeprefix(HEAD) + LIMIT.replace("500", "consts.limit"), []),
    ("a parent's change", HEAD + "roles:\n  p:\n    abstract: true\n    tools:\n      pay: " + LIMIT + "  c: {inherits: [p]}\n", HEAD + "roles:\n  p:\n    abstract: true\n    tools:\n      pay: " + LIMIT.replace("500", "900") + "  c: {inherits: [p]}\n", ["widening newly_allowed c pay"]),
    ("a pattern of texts widened", PAY + "{mode: allow, constraints: ['args.to.matches(\"^[a-z]+@x[.]com$\")']}\n", PAY + "{mode: allow, constraints: ['args.to.matches(\"^[a-z]+@x.com$\")']}\n", ["widening newly_allowed clerk pay"]),
    ("an anchor lost", PAY + "{mode: allow, constraints: ['args.to.matches(\"^[a-z]+@x[.]com$\")']}\n", PAY + "{mode: allow, constraints: ['args.to.matches(\"^[a-z]+@x[.]com\")']}\n", ["widening newly_allowed clerk pay"]),
    ("and becomes or", PAY + "{mode: allow, constraints: ['args.a > 1 && args.b > 1']}\n", PAY + "{mode: allow, constraints: ['args.a > 1 || args.b > 1']}\n", ["widening newly_allowed clerk pay"]),
    ("a list gets longer", PAY + "{mode: allow, constraints: ['args.c in [\"EUR\"]']}\n", PAY + "{mode: allow, constraints: ['args.c in [\"EUR\", \"USD\"]']}\n", ["widening newly_allowed clerk pay"]),
    ("all becomes exists", PAY + "{mode: allow, constraints: ['args.l.all(x, x < 3)']}\n", PAY + "{mode: allow, constraints: ['args.l.exists(x, x < 3)']}\n", ["widening newly_allowed clerk pay", "narrowing newly_denied clerk pay"]),
    ("absence allowed", PAY + LIMIT, PAY + "{mode: allow, constraints: ['!has(args.amount) || args.amount <= 500']}\n", ["widening newly_allowed clerk pay"]),
    ("a conjunction in two constraints", PAY + "{mode: allow, constraints: ['args.a > 1 && args.b > 1']}\n", PAY + "{mode: allow, constraints: [args.a > 1, args.b > 1]}\n", []),
    ("a comparison turned round", PAY + LIMIT, PAY + "{mode: allow, constraints: ['500 >= args.amount']}\n", []),
    ("a rule order that matters", PAY + "{rules: [{mode: deny, constraints: [args.a > 5]}, {mode: allow}]}\n", PAY + "{rules: [{mode: allow}, {mode: deny, constraints: [args.a > 5]}]}\n", ["widening newly_allowed clerk pay"]),
    ("office hours", PAY + "{mode: allow, constraints: ['now.getHours() < 17']}\n", PAY + "{mode: allow, constraints: ['now.getHours() < 18']}\n", ["widening newly_allowed clerk pay"]),
    ("somebody else's account", PAY + "{mode: allow, constraints: ['args.owner == user.id']}\n", PAY + "{mode: allow, constraints: ['args.owner != \"\"']}\n", ["widening newly_allowed clerk pay"]),
]  # fmt: skip

# the same, where what differs is a request of which two or three parts are not as usual
TOGETHER: list[tuple[str, str, str, list[str]]] = [
    ("an hour on one day of the week", PAY + "{mode: allow, constraints: ['now.getDayOfWeek() >= 1 && now.getDayOfWeek() <= 4', 'now.getHours() >= 9 && now.getHours() < 17']}\n",
     PAY + "{mode: allow, constraints: ['now.getDayOfWeek() >= 2 && now.getDayOfWeek() <= 4', 'now.getHours() >= 9 && now.getHours() < 17']}\n", ["narrowing newly_denied clerk pay"]),
    ("an allowance by class and status", BAGS.replace("N", "3"), BAGS.replace("N", "4"), ["widening newly_held clerk fly"]),
    ("a day that is just over", PAY + "{mode: allow, constraints: ['timestamp(args.date + \"T00:00:00Z\") > now - duration(\"24h\")']}\n",
     PAY + "{mode: allow, constraints: ['timestamp(args.date + \"T00:00:00Z\") >= now - duration(\"24h\")']}\n", ["widening newly_allowed clerk pay"]),
    ("a longer list of what must each be right", PAY + "{mode: allow, constraints: ['size(args.l) <= 20', 'args.l.all(p, p.matches(\"^/srv/[a-z]+$\"))']}\n",
     PAY + "{mode: allow, constraints: ['size(args.l) <= 21', 'args.l.all(p, p.matches(\"^/srv/[a-z]+$\"))']}\n", ["widening newly_allowed clerk pay"]),
    ("a later rule of the boundary", BOUNDED.replace("N", "140"), BOUNDED.replace("N", "139"), ["narrowing newly_denied clerk pay"]),
]  # fmt: skip


def side_of(text: str, is_compiled_here: bool = True) -> Side:
    policy = check_text(text, "p.yaml")
    compiled = compile_policy(policy)
    engines: dict[str, DecisionEngine] = {"interpreter": InterpreterEngine(policy), "wasm": WasmEngine(compiled.wasm, compiled.table)}
    return Side(policy, engines, names_in_policy(policy), is_compiled_here)


@pytest.mark.parametrize(("name", "old", "new", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_found(name: str, old: str, new: str, expected: list[str]) -> None:
    report = find_differences(side_of(old), side_of(new), Budget(cases=4_000))
    found = [f"{one.effect.value} {one.change.value} {one.role} {one.tool}" for one in report.differences]
    assert found == expected
    assert report.disagreement is None


@pytest.mark.parametrize(("name", "old", "new", "expected"), TOGETHER, ids=[row[0] for row in TOGETHER])
def test_what_is_found_where_several_things_come_together(name: str, old: str, new: str, expected: list[str]) -> None:
    found = find_differences(side_of(old), side_of(new)).differences
    assert [f"{one.effect.value} {one.change.value} {one.role} {one.tool}" for one in found] == expected


@pytest.mark.parametrize(("name", "old", "new", "expected"), ROWS[:8], ids=[row[0] for row in ROWS[:8]])
def test_the_other_way_round_everything_is_the_opposite(name: str, old: str, new: str, expected: list[str]) -> None:
    there = find_differences(side_of(old), side_of(new), Budget(cases=2_000)).differences
    back = find_differences(side_of(new), side_of(old), Budget(cases=2_000)).differences
    opposite = {Effect.WIDENING: Effect.NARROWING, Effect.NARROWING: Effect.WIDENING, Effect.TERMS: Effect.TERMS}
    assert sorted(str((one.role, one.tool, opposite[one.effect])) for one in there) == sorted(str((one.role, one.tool, one.effect)) for one in back)


def test_a_module_that_came_from_elsewhere_is_asked_although_its_policy_is_the_same() -> None:
    text = ROWS[0][1]
    here, from_a_bundle = side_of(text), side_of(text, is_compiled_here=False)
    cases = [find_differences(*sides).cases for sides in ((here, here), (here, from_a_bundle), (from_a_bundle, here))]
    assert cases[0] < 1_000 < 20_000 < cases[1] == cases[2]


def test_every_witness_shows_what_is_said_of_it() -> None:
    old, new = side_of(ROWS[1][1]), side_of(ROWS[1][2])
    (found,) = find_differences(old, new, Budget(cases=2_000)).differences
    assert found.call.args == {"amount": 501}
    for side, verdict in ((old, Verdict.DENY), (new, Verdict.ALLOW)):
        assert {decision.verdict for decision in side.decide(found.call).values()} == {verdict}
    assert (found.effect, found.change) == (Effect.WIDENING, Change.NEWLY_ALLOWED)


def test_a_seed_and_a_number_of_calls_make_a_run() -> None:
    sides = side_of(ROWS[-1][1]), side_of(ROWS[-1][2])
    first, second = (find_differences(*sides, Budget(cases=3_000, seed=5)) for _ in range(2))
    assert (first.cases, first.differences) == (second.cases, second.differences)


def test_rows_cover_every_effect_and_change() -> None:
    seen = {tuple(line.split()[:2]) for row in ROWS for line in row[3]}
    possible = {(effect.value, change.value) for effect, change in product(Effect, Change)}
    impossible = {(e.value, c.value) for e, c in product(Effect, Change) if (c is Change.HELD_OTHERWISE) != (e is Effect.TERMS)}
    impossible |= {("widening", "newly_denied"), ("narrowing", "newly_allowed")}
    assert seen == possible - impossible
