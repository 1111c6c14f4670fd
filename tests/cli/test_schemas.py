"""The schemas of the JSON outputs: sound themselves, true of every JSON answer in the scenarios, one with the code."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from hexgate.decision.decision import Reason, Verdict
from hexgate.faults import Fault
from hexgate_cli.role_matrix import Access
from tests.cli.transcripts import SCENARIOS, parse_scenario

SCHEMAS = Path(__file__).parents[2] / "schemas"
NAMES = ("approval", "approvals", "audit-event", "audit-replay", "audit-statistics", "audit-verification", "bundle", "call", "decision", "diagnostics", "diff", "eval", "explain", "inspect", "parity", "policy-test-report", "replay", "verify")
LOADED: dict[str, dict[str, Any]] = {
    name: json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")) for name in NAMES
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in LOADED.values()
)
SCHEMA_OF_COMMAND = {
    "approvals list": "approvals", "approvals show": "approval", "approvals approve": "approval", "approvals deny": "approval",
    "audit stats": "audit-statistics", "audit verify": "audit-verification", "audit replay": "audit-replay",
    "check": "diagnostics", "decide": "decision", "diff": "diff", "eval": "eval", "explain": "explain", "replay": "replay", "test": "policy-test-report", "test-parity": "parity", "verify": "verify",
}  # fmt: skip
GROUPS = ("approvals", "audit", "token")


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(LOADED[name], registry=REGISTRY)


def answers() -> Iterator[tuple[str, str, str]]:
    """Scenario, command and text of every JSON answer of the scenarios."""
    for path in sorted(SCENARIOS.glob("*.txt")):
        for step in parse_scenario(path.read_text(encoding="utf-8"))[1]:
            words = shlex.split(step.given.argument) if step.given.kind == "run" else []
            out = "".join(section.text for section in step.expected if section.kind == "out")
            if out and "--batch" in words:
                yield from ((path.stem, words[0], line) for line in out.splitlines())
            elif out and "--format" in words and words[words.index("--format") + 1] == "json":
                yield path.stem, " ".join(words[:2]) if words[0] in GROUPS else words[0], out


ANSWERS = list(answers())


def test_every_command_with_json_output_is_in_a_scenario() -> None:
    assert {command for _, command, _ in ANSWERS} == set(SCHEMA_OF_COMMAND)


@pytest.mark.parametrize(("command", "text"), [(c, t) for _, c, t in ANSWERS], ids=[f"{s}-{c}" for s, c, _ in ANSWERS])
def test_json_answers_fit_their_schema(command: str, text: str) -> None:
    unmasked = text.replace('"…"', f'"{"0" * 64}"')  # a digest, in transcripts
    errors = [error.message for error in validator(SCHEMA_OF_COMMAND[command]).iter_errors(json.loads(unmasked))]
    assert errors == []


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(LOADED[name])
    assert LOADED[name]["$id"] == f"urn:hexgate:schema:{name}"


def test_recorded_calls_of_the_scenarios_fit_their_schema() -> None:
    lines = [
        line
        for step in parse_scenario((SCENARIOS / "replay.txt").read_text(encoding="utf-8"))[1]
        if step.given.kind == "file" and step.given.argument.endswith(".jsonl")
        for line in step.given.text.splitlines()
        if line
    ]
    assert len(lines) >= 6
    for line in lines:
        assert [error.message for error in validator("call").iter_errors(json.loads(line))] == []


def test_closed_sets_are_those_of_the_code() -> None:
    defs = LOADED["decision"]["$defs"]
    assert defs["verdict"]["enum"] == [verdict.value for verdict in Verdict]
    assert defs["reason"]["enum"] == [reason.value for reason in Reason]
    assert defs["fault"]["enum"] == [fault.code for fault in Fault]
    holders = LOADED["explain"]["properties"]["matrix"]["anyOf"][0]["items"]["properties"]["access"]
    assert holders["additionalProperties"]["enum"] == [access.value for access in Access]


WRONG = [
    ("decision", {"verdict": "allow"}),
    ("decision", {"disagreement": {}}),
    ("eval", {"value": 1}),
    ("eval", {"fault": "no_such_fault"}),
    ("diagnostics", {"diagnostics": []}),
    ("call", {"args": {}}),
    ("call", {"tool": "t", "reason": "rule"}),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_schemas_refuse_what_is_wrong(name: str, value: object) -> None:
    assert list(validator(name).iter_errors(value))
