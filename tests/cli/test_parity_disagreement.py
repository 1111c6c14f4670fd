"""How `test-parity` tells of engines that differ: with a module in which `<=` means `<`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

import hexgate.parity.run
from hexgate.compiler.assemble import assemble
from hexgate.compiler.compile import CompiledPolicy, compile_policy
from hexgate.policy.checked import CheckedPolicy
from hexgate_cli.main import run_command
from tests.cli.test_schemas import validator

POLICY = """version: 1
roles:
  billing:
    tools:
      refund_order:
        mode: allow
        constraints:
          - args.amount <= 500
"""
LESS_OR_EQUAL, LESS = "(i32.le_s (local.get $order) (i32.const 0))", "(i32.lt_s (local.get $order) (i32.const 0))"


def _compile_wrongly(policy: CheckedPolicy) -> CompiledPolicy:
    compiled = compile_policy(policy)
    assert LESS_OR_EQUAL in compiled.wat
    return dataclasses.replace(compiled, wasm=assemble(compiled.wat.replace(LESS_OR_EQUAL, LESS)))


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hexgate.parity.run, "compile_policy", _compile_wrongly)
    Path("p.yaml").write_text(POLICY, encoding="utf-8")
    return "p.yaml"


def test_people_see_the_smallest_call_both_decisions_and_the_line(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test-parity", policy]) == 1
    out = capsys.readouterr().out
    assert out.startswith("interpreter and wasm disagree after ")
    shown = out[out.index("the smallest call that differs") :].splitlines()
    assert shown[0].startswith("the smallest call that differs (call ") and shown[0].endswith(", seed 1)")
    assert shown[1:] == [
        '  tool         "refund_order"',
        '  args         {"amount": 500}',
        '  user         {"id": "alice", "role": "billing", "attrs": {}}',
        "  now          1700000000000000000",
        "  interpreter  allow, rule: refund_order of role billing  p.yaml:6:15",
        "  wasm         deny, constraint_failed: args.amount <= 500  p.yaml:8:13",
        "    8 |           - args.amount <= 500",
        "      |             ^^^^^^^^^^^^^^^^^^",
        "  this is a fault of Hexgate, not of the policy: please report it with these lines",
    ]


def test_programs_get_the_same(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test-parity", policy, "--format", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert [error.message for error in validator("parity").iter_errors(answer)] == []
    found = answer["disagreement"]
    assert found["call"]["args"] == {"amount": 500}
    assert found["place"] == {"file": "p.yaml", "line": 8, "column": 13, "length": 18}
    assert {name: decision["verdict"] for name, decision in found["decisions"].items()} == {"interpreter": "allow", "wasm": "deny"}


def test_a_test_report_has_one_failure(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test-parity", policy, "--format", "junit"]) == 1
    suite = Xml.fromstring(capsys.readouterr().out)
    assert (suite.tag, suite.get("failures")) == ("testsuite", "1")
    failed = [case for case in suite.iter("testcase") if case.find("failure") is not None]
    assert [(case.get("classname"), case.get("name")) for case in failed] == [("billing", "refund_order")]


def test_a_seed_and_a_number_of_calls_reproduce_it(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["test-parity", policy, "--format", "json", "--seed", "7", "--cases", "5000"])
    first = json.loads(capsys.readouterr().out)["disagreement"]
    run_command(["test-parity", policy, "--format", "json", "--seed", "7", "--cases", "5000"])
    assert json.loads(capsys.readouterr().out)["disagreement"] == first
