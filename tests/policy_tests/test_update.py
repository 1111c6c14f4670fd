"""`--update`: after it every expectation holds, and nothing else of the file has changed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.policy.interpret import InterpreterEngine
from hexgate.policy_tests.parse import parse_suite
from hexgate.policy_tests.run import CaseResult, run_case
from hexgate.policy_tests.update import apply_edits, plan_update, scalar_text
from tests.policy.sets import check_text

MESSAGES = ("no", "not now: ask a \"lead\"", "é\\ \t#", "null", "yes", "a_b")
POLICY = check_text(
    "version: 1\nroles:\n  clerk:\n    tools:\n"
    + "".join(f"      t{number}: {{mode: deny, message: {scalar_text(text)}}}\n" for number, text in enumerate(MESSAGES))
    + "      pay:\n        rules:\n          - {mode: allow, constraints: [args.n <= 5]}\n          - {mode: approval_required, constraints: ['args.n < 9']}\n",
    "p.yaml",
)
ENGINES: Mapping[str, InterpreterEngine] = {"interpreter": InterpreterEngine(POLICY)}


def results_of(text: str) -> list[CaseResult]:
    suite, found = parse_suite("t_test.yaml", text.encode(), POLICY)
    assert found == ()
    return [run_case(case, ENGINES) for case in suite.cases]


@settings(max_examples=150, deadline=None)
@given(
    cases=st.lists(
        st.tuples(
            st.sampled_from([*(f"t{number}" for number in range(len(MESSAGES))), "pay"]),
            st.integers(0, 12),
            st.sampled_from(["allow", "deny", "approval_required"]),
            st.sampled_from(["", "rule", "constraint_failed", "evaluation_error"]),
            st.sampled_from(["", "null", "no", '"a # b"', "'it''s'"]),
            st.sampled_from(["", "null", "args.n <= 5", '"args.n < 9"']),
        ),
        min_size=1, max_size=6,
    ),
    is_flow=st.booleans(), line_break=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_after_an_update_all_hold_and_the_rest_stays(cases: list[tuple[str, int, str, str, str, str]], is_flow: bool, line_break: str) -> None:
    lines = ["version: 1   # one", "cases:"]
    for tool, n, verdict, reason, message, constraint in cases:
        expected = {"verdict": verdict, "reason": reason, "message": message, "constraint": constraint}
        written = {name: value for name, value in expected.items() if value}
        lines += ["", f"  - role: clerk  # {tool}", f"    tool: {tool}", f"    args: {{n: {n}}}", "    expect:"]
        if is_flow:
            lines[-1] += " {" + ", ".join(f"{name}: {value}" for name, value in written.items()) + "}   # expected"
        else:
            lines += [f"      {name}: {value}  # {name}" for name, value in written.items()]
    text = line_break.join(lines) + line_break
    edits, stuck = plan_update(text, results_of(text))
    assert stuck == ()
    after = apply_edits(text, edits)
    assert all(result.passed for result in results_of(after))
    assert plan_update(after, results_of(after)) == ((), ())
    assert re.findall(r"#[^\n]*", after)[0] == re.findall(r"#[^\n]*", text)[0]
    assert [line.split(":")[0] for line in after.split("\n")] == [line.split(":")[0] for line in text.split("\n")]


@pytest.mark.parametrize("text", [*MESSAGES, "", " ", "\n", "a\nb", "~", "1", "x: y", "{", "\u2028", "\U0001f600", "\x00"])
def test_a_text_is_read_as_it_was(text: str) -> None:
    import yaml

    assert yaml.safe_load(f"[{scalar_text(text)}, 1]") == [text, 1]


def test_nothing_is_written_as_null() -> None:
    assert scalar_text(None) == "null"
