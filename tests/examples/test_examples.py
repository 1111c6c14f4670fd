"""The examples say what they do: every call of every example, on both engines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from hexgate.decision.engine import DecisionEngine
from hexgate.decision.tool_patterns import matches_pattern
from hexgate.policy.checked import CheckedPolicy
from hexgate_cli.engines import Request, open_engines
from hexgate_cli.options import Engine
from hexgate_cli.policy_layout import format_policy_text
from hexgate_cli.recorded_calls import details_of
from tests.examples.checked_sets import check_set
from tests.examples.example_sets import EXAMPLES, Example, WrittenConstraint, find_examples, written_constraints

FOUND = find_examples()
FILES = sorted(EXAMPLES.glob("*/policies/*.yaml"))

LEAST_CALLS = {"refunds": 12}
"""How many calls an example has at least; 40 where it is not named."""

each_example = pytest.mark.parametrize("example", FOUND, ids=lambda example: example.name)
each_engine = pytest.mark.parametrize("engine", [Engine.INTERPRETER, Engine.WASM], ids=lambda engine: engine.value)


def decide(engine: DecisionEngine, request: Request) -> tuple[str, str, str | None, str | None]:
    """Verdict, reason, constraint and fault of a decision."""
    decision = engine.decide(
        request.tool, request.args, request.user, ctx=request.ctx, resource=request.resource, now=request.now
    )
    details = details_of(decision)
    return decision.verdict.value, details["reason"] or "", details["constraint"], details["fault"]


def open_one(policy: CheckedPolicy, engine: Engine) -> DecisionEngine:
    (decider,) = open_engines(policy, engine).values()
    return decider


def test_there_are_examples() -> None:
    assert [example.name for example in FOUND] == ["bank", "filesystem_github", "refunds", "support"]
    assert FILES


@each_example
def test_an_example_is_complete(example: Example) -> None:
    assert (example.folder / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert list(example.policies.glob("*.yaml"))
    assert len(example.calls()) >= LEAST_CALLS.get(example.name, 40)


@each_example
def test_policies_check_cleanly(example: Example) -> None:
    """No warning either, with the tools' schemas and without."""
    for tools in {None, example.tools}:
        _, findings = check_set(example.policies, tools)
        assert findings == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}/{file.name}")
def test_constraints_are_in_canonical_form(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert format_policy_text(file.name, text).text == text


@each_example
def test_every_call_says_what_it_expects(example: Example) -> None:
    lines = (example.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    required = {"role", "user", "tool", "args", "expect", "reason", "constraint", "note"}
    optional = {"attrs", "now", "ctx", "resource", "fault"}
    for number, line in enumerate(lines, start=1):
        keys = json.loads(line).keys()
        assert required <= keys <= required | optional, number
        assert json.loads(line)["note"], number
    assert len(set(lines)) == len(lines)


@each_engine
@each_example
def test_calls(example: Example, engine: Engine) -> None:
    policy, _ = check_set(example.policies, example.tools)
    decider = open_one(policy, engine)
    calls = example.calls()
    found = [(call.line, *decide(decider, call.request)) for call in calls]
    expected = []
    for call in calls:
        assert call.expectation is not None
        details = call.expectation.details
        verdict = call.expectation.verdict.value
        expected.append((call.line, verdict, details["reason"], details["constraint"], details.get("fault")))
    assert found == expected


@each_example
def test_every_constraint_decides_some_call(example: Example, tmp_path: Path) -> None:
    """Without it, some call would be answered otherwise: no constraint is there for show, and none is untested."""
    calls = [call.request for call in example.calls()]
    whole = open_one(check_set(example.policies, None)[0], Engine.INTERPRETER)
    answers = [decide(whole, request) for request in calls]
    changed = tmp_path / "policies"
    shutil.copytree(example.policies, changed)
    constraints = [found for file in sorted(example.policies.glob("*.yaml")) for found in written_constraints(file)]
    assert constraints
    idle = [found for found in constraints if not _matters(found, changed, calls, answers)]
    assert [(found.file.name, found.tool, found.text) for found in idle] == []


def _matters(constraint: WrittenConstraint, changed: Path, calls: Sequence[Request], answers: Sequence[object]) -> bool:
    """Whether some call of the constraint's tool is answered otherwise when the constraint is `true`."""
    file = changed / constraint.file.name
    text = constraint.file.read_text(encoding="utf-8")
    file.write_text(f"{text[: constraint.start]}true{text[constraint.end :]}", encoding="utf-8")
    engine = open_one(check_set(changed, None)[0], Engine.INTERPRETER)
    file.write_text(text, encoding="utf-8")
    return any(
        decide(engine, request) != answer
        for request, answer in zip(calls, answers, strict=True)
        if matches_pattern(constraint.tool, request.tool)
    )
