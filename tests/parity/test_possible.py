"""Which outcomes are proved impossible: the constraints before the last, the last, and what it can still come to."""

from __future__ import annotations

import pytest

from hexgate.parity.possible import Outcome, possible_outcomes
from hexgate.policy.check import check
from hexgate.policy.link import link
from hexgate.policy.parse import parse

T, F, E = Outcome.TRUE, Outcome.FALSE, Outcome.ERROR
CASES: list[tuple[list[str], set[Outcome]]] = [
    (["args.a > 1"], {T, F, E}),
    (["args.a > 1", "args.a < 5"], {T, F}),
    (["args.a > 1", 'args.a == "x"'], {T, F}),
    (["args.a > 1", "args.b < 5"], {T, F, E}),
    (["args.s.matches('x')", "args.s.startsWith('y')"], {T, F}),
    (["args.s.matches('x')", "size(args.s) < 5"], {T, F}),
    (["args.s.size() > 1", "args.s.startsWith('y')"], {T, F, E}),
    (["has(args.a)"], {T, F, E}),
    (["args.b > 1", "has(args.a)"], {T, F}),
    (["args.l.all(x, x > 1)", "has(args.a)"], {T, F}),
    (["args.a > 1 || args.b > 1", "args.a > 0"], {T, F, E}),
    (["args.a > 1 && args.b > 1", "args.a > 0 || args.b > 0"], {T, F}),
    (["!(args.a > 1)", "args.a > 0"], {T, F}),
    (["!(args.a > 1 || args.b > 1)", "args.a > 0"], {T, F, E}),
    (['user.role == "x"'], {T, F}),
    (['user.attrs.x == "x"'], {T, F, E}),
    (["now.getHours('UTC') > 3"], {T, F}),
    (["now.getHours(args.zone) > 3"], {T, F, E}),
    (["tool.contains('x') ? user.id == 'a' : user.id == 'b'"], {T, F}),
    (["args.flag"], {T, F, E}),
    (["args.flag", "args.flag"], {T, F}),
    (["args.a / args.b > 1", "args.a / args.b > 2"], {T, F, E}),
]  # fmt: skip


@pytest.mark.parametrize(("constraints", "outcomes"), CASES, ids=[" , ".join(c) for c, _ in CASES])
def test_outcomes(constraints: list[str], outcomes: set[Outcome]) -> None:
    quoted = ", ".join("'" + text.replace("'", "''") + "'" for text in constraints)
    text = f"version: 1\nroles:\n  r:\n    tools:\n      t: {{mode: allow, constraints: [{quoted}]}}\n"
    entry = check(link(parse({"p.yaml": text.encode()}))).roles["r"].exact["t"]
    assert set(possible_outcomes(entry.rules[0])[-1]) == outcomes
