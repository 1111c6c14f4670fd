"""Parity runs: budgets, coverage that never contradicts what is proved impossible, shrinking, reproducibility."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexgate.decision.decision import User
from hexgate.parity.call import Call
from hexgate.parity.derive import Derivation
from hexgate.parity.near_times import NOW
from hexgate.parity.pattern_witnesses import settle, witnesses
from hexgate.parity.possible import Outcome
from hexgate.parity.run import BATCH, Budget, run_parity
from hexgate.parity.shrink import shrink
from hexgate.policy.check import check
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.link import link
from hexgate.policy.load import read_files
from hexgate.policy.parse import parse
from hexgate.regex import compile_pattern

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/policies"))
SMALL = b"version: 1\nroles:\n  r:\n    tools:\n      t: {mode: allow, constraints: [args.a * 7 <= 500, args.a + args.b > 3]}\n"


def _small() -> CheckedPolicy:
    return check(link(parse({"p.yaml": SMALL})))


@pytest.mark.parametrize("directory", EXAMPLES, ids=lambda path: path.parent.name)
def test_engines_agree_on_the_examples(directory: Path) -> None:
    """A part of what `hexgate test-parity` compares; the small examples are compared whole."""
    report = run_parity(check(link(parse(read_files(directory)))), Budget(cases=25_000))
    assert report.disagreement is None and report.cases == 25_000
    assert report.coverage is not None
    for found in report.coverage.constraints:
        seen = {outcome for outcome in Outcome if found.count(outcome)}
        assert seen <= found.possible, found.reference.text
    seen_branches, missed, _ = report.coverage.branches
    assert missed <= seen_branches // 8 or not report.is_complete


@pytest.mark.parametrize("cases", [1, BATCH - 1, BATCH, BATCH + 1, 5_000])
def test_a_number_of_calls_is_kept(cases: int) -> None:
    report = run_parity(_small(), Budget(cases=cases))
    assert report.cases == cases == sum(report.reasons.values())


def test_time_ends_a_run() -> None:
    report = run_parity(_small(), Budget(seconds=0.2))
    assert report.cases > 0 and report.seconds < 5


def test_a_policy_without_constraints_runs() -> None:
    policy = check(link(parse({"p.yaml": b"version: 1\nroles:\n  r:\n    default_policy: {mode: deny}\n"})))
    assert run_parity(policy, Budget(cases=1_000)).cases == 1_000


def test_the_edge_of_arithmetic_is_found() -> None:
    values = {call.args["a"] for call in Derivation(_small()).calls() if type(call.args) is dict and type(call.args.get("a")) is int}
    assert {71, 72} <= values


@pytest.mark.parametrize("pattern", ["^[A-Z]{2}[0-9]{2,4}$", "(?i)secret|key$", "^(a|b)*c?$", "^[^/]+@corp[.]com$"])
def test_witnesses_match_and_just_fail(pattern: str) -> None:
    automaton = compile_pattern(pattern)
    answers = [automaton.search(text.encode()) for text in witnesses(pattern)]
    assert sum(answers) >= 3 and answers.count(False) >= 3


@pytest.mark.parametrize(
    "pattern, wanted",
    [
        ("^(ls|cat|grep|find)( |$)", {"ls", "cat", "grep", "find"}),
        ("^(feature|fix|release)/[a-z0-9-]+$", {"feature/0", "fix/0", "release/0"}),
        ("@(acme|beta|evil)[.]com$", {"@acme.com", "@beta.com", "@evil.com"}),
        ("^[a-z]{1,63}$", {"a", "a" * 63}),
        ("^a.*b$", {"ab", "a\nb"}),
    ],
)
def test_witnesses_take_every_way_through_a_pattern(pattern: str, wanted: set[str]) -> None:
    assert wanted <= {text.rstrip(" ") for text in witnesses(pattern)}


def test_several_patterns_are_settled_at_once() -> None:
    text = settle((("[a-z]", True), ("[A-Z]", True), ("[0-9]", True), ("00", False)))
    assert text is not None and len(text) == 3
    assert settle((("^a$", True), ("b", True))) is None


def test_shrinking_keeps_what_matters() -> None:
    call = Call("t", {"a": 512, "b": ["x", {"c": "hello"}], "d": None}, User("bob", "r", {"x": 1}), {"y": 2}, [3], 5)

    def differs(smaller: Call) -> bool:
        return type(smaller.args) is dict and type(smaller.args.get("a")) is int and smaller.args["a"] > 500

    assert shrink(call, differs) == Call("t", {"a": 501}, User("alice", "r"), None, None, NOW)
