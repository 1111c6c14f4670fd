"""What a tool's rules read of a request: one constraint a line, and the joins over roles."""

from __future__ import annotations

import pytest

from hexgate.decision.reads import EVERYTHING, Reads
from hexgate.policy.check import check
from hexgate.policy.link import link
from hexgate.policy.parse import parse

ALL = EVERYTHING


def names(*members: str) -> frozenset[str]:
    return frozenset(members)


CASES = [
    ("true", Reads()),
    ("tool == 'a'", Reads()),
    ("user.id == 'a' && user.role == 'b'", Reads()),
    ("has(user.attrs)", Reads()),
    ("args.a == 1", Reads(args=names("a"))),
    ("args.a.b.c == 1", Reads(args=names("a"))),
    ("args['a'] == 1", Reads(args=names("a"))),
    ('args["a b"] == 1', Reads(args=names("a b"))),
    ("has(args.a)", Reads(args=names("a"))),
    ("has(args.a.b)", Reads(args=names("a"))),
    ("'a' in args", Reads(args=names("a"))),
    ("'a' in args.b", Reads(args=names("b"))),
    ("args.a in args.b", Reads(args=names("a", "b"))),
    ("consts.k in args", Reads(args=names("constant"))),
    ("args[consts.k] == 1", Reads(args=names("constant"))),
    ("args[args.k] == 1", Reads(args=ALL)),
    ("args.k in args", Reads(args=ALL)),
    ("size(args) == 1", Reads(args=ALL)),
    ("args == {}", Reads(args=ALL)),
    ("args.all(k, k != 'x')", Reads(args=ALL)),
    ("args.xs.all(x, x == args.y)", Reads(args=names("xs", "y"))),
    ("args.xs.exists(args, args.y == 1)", Reads(args=names("xs"))),
    ("cel.bind(a, args, a.x == 1)", Reads(args=ALL)),
    ("cel.bind(a, args.y, a.x == 1)", Reads(args=names("y"))),
    ("[args.a, 1].size() == 1", Reads(args=names("a"))),
    ("{'a': args.a, args.b: 1}.size() == 1", Reads(args=names("a", "b"))),
    ("args.a ? args.b : args.c", Reads(args=names("a", "b", "c"))),
    ("args.a.matches('^x')", Reads(args=names("a"))),
    ("1 in args.a || args.b", Reads(args=names("a", "b"))),
    ("dyn(args)[1] == 2", Reads(args=ALL)),
    ("user.attrs.team == 'x'", Reads(attrs=names("team"))),
    ("user.attrs['team'] == 'x'", Reads(attrs=names("team"))),
    ("'team' in user.attrs", Reads(attrs=names("team"))),
    ("has(user.attrs.team)", Reads(attrs=names("team"))),
    ("user['attrs'].team == 'x'", Reads(attrs=ALL)),
    ("size(user.attrs) == 0", Reads(attrs=ALL)),
    ("size(user) == 3", Reads(attrs=ALL)),
    ("user.attrs[args.k] == 1", Reads(args=names("k"), attrs=ALL)),
    ("ctx.ip == 'x' && resource.order.total > 5", Reads(ctx=names("ip"), resource=names("order"))),
    ("ctx.size() == 0", Reads(ctx=ALL)),
    ("'x' in resource", Reads(resource=names("x"))),
    ("resource == ctx", Reads(ctx=ALL, resource=ALL)),
    ("now > timestamp('2024-01-01T00:00:00Z')", Reads(now=True)),
    ("now.getHours() < 6 || args.a", Reads(args=names("a"), now=True)),
]  # fmt: skip


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.mark.parametrize(("constraint", "expected"), CASES, ids=[row[0] for row in CASES])
def test_reads_of_a_constraint(constraint: str, expected: Reads) -> None:
    text = f"version: 1\nconsts:\n  k: constant\ntools:\n  t:\n    mode: allow\n    constraints:\n      - {quoted(constraint)}\n"
    policy = check(link(parse({"r.yaml": text.encode()})))
    assert policy.roles["r"].exact["t"].reads == expected
    assert policy.reads_for("t") == expected
    assert policy.reads_for("u") == Reads()


def rule(text: str) -> str:
    return f"    mode: allow\n    constraints:\n      - {text}\n"


def test_reads_of_a_tool_are_those_of_all_roles_and_the_boundary() -> None:
    files = {
        "a": "tools:\n  t:\n" + rule("args.a") + "  get_*:\n" + rule("args.g"),
        "b": "tools:\n  get_x:\n" + rule("args.x") + "  '*':\n" + rule("args.s") + "default_policy:\n" + rule("args.never").replace("    ", "  "),
        "c": "default_policy:\n" + rule("args.d").replace("    ", "  "),
        "unheld": "abstract: true\ntools:\n  t:\n" + rule("args.u"),
        "boundary": "tools:\n  t:\n" + rule("ctx.b") + "  put_*:\n" + rule("resource.p"),
    }
    policy = check(link(parse({f"{name}.yaml": f"version: 1\n{text}".encode() for name, text in files.items()})))
    assert policy.reads_for("t") == Reads(args=names("a", "s", "d"), ctx=names("b"))
    assert policy.reads_for("get_x") == Reads(args=names("g", "x", "d"))
    assert dict(policy.pattern_reads) == {
        "get_*": Reads(args=names("g")), "*": Reads(args=names("s")), "put_*": Reads(resource=names("p")),
    }  # fmt: skip
    assert policy.default_reads == Reads(args=names("never", "d"))
    assert policy.reads_for("put_y") == Reads(args=names("s", "d", "never"), resource=names("p"))
    assert policy.reads_for("zzz") == Reads(args=names("s", "d", "never"))
