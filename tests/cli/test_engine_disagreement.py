"""Two engines that differ: the command fails loudly and shows both answers.

The engines of the project never differ, so one of these is a stand-in that denies everything.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import hexgate_cli.commands.decide
import hexgate_cli.commands.replay
import hexgate_cli.expressions
from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.decision.engine import DecisionEngine
from hexgate_cli.engines import open_engines
from hexgate_cli.expressions import Answer
from hexgate_cli.main import run_command
from hexgate_cli.options import Engine

POLICY = "version: 1\nroles:\n  r:\n    tools:\n      t:\n        mode: allow\n"


class DenyingEngine:
    def decide(self, tool: str, args: Any, user: User | None, **_: Any) -> Decision:
        return Decision(Verdict.DENY, Reason.ENGINE_FAULT, user.role if user else None, tool)


def open_differing(policy: Any, engine: Engine) -> dict[str, DecisionEngine]:
    return {**open_engines(policy, Engine.INTERPRETER), "wasm": DenyingEngine()}


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hexgate_cli.commands.decide, "open_engines", open_differing)
    monkeypatch.setattr(hexgate_cli.commands.replay, "open_engines", open_differing)
    Path("p.yaml").write_text(POLICY, encoding="utf-8")
    Path("calls.jsonl").write_text('{"tool": "t", "role": "r", "expect": "allow"}\n', encoding="utf-8")
    return "p.yaml"


def without_columns(text: str) -> str:
    """The text without what depends on which word of a rule stands for it."""
    return re.sub(r"\| +\^+", "| ^", re.sub(r"(p\.yaml:\d+):\d+", r"\1", text))


def test_decide_shows_both_answers_and_fails(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["decide", policy, "--role", "r", "--tool", "t"]) == 1
    assert without_columns(capsys.readouterr().out) == (
        "the engines disagree: this is a fault of Hexgate; please report it with the policy and the call\n"
        "\n"
        "ALLOW  t for role r\n"
        "  a rule allows: it has no constraints\n"
        "\n"
        " --> p.yaml:6\n"
        "  |\n"
        "6 |         mode: allow\n"
        "  | ^ this rule\n"
        "\n"
        "  rule      t of role r, mode allow (p.yaml:6)\n"
        "  reason    rule\n"
        "  decided   by the interpreter engine\n"
        "\n"
        "DENY  t for role r\n"
        "  the engine failed, which denies\n"
        "\n"
        "  reason    engine_fault\n"
        "  decided   by the wasm engine\n"
    )


def test_decide_has_no_verdict_in_json(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["decide", policy, "--role", "r", "--tool", "t", "--format", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["disagreement"]
    assert {name: decision["verdict"] for name, decision in answer["disagreement"].items()} == {
        "interpreter": "allow",
        "wasm": "deny",
    }


def test_replay_lists_the_calls_and_fails(policy: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["replay", policy, "calls.jsonl"]) == 1
    assert without_columns(capsys.readouterr().out).endswith(
        "\n\nengines disagree: 1\n"
        "  calls.jsonl:1  t for role r\n"
        "    expected     allow\n"
        "    interpreter  allow, rule: t of role r  p.yaml:6\n"
        "    wasm         deny, engine_fault\n"
    )


def test_eval_shows_both_answers_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hexgate_cli.expressions, "_run", lambda *_: Answer(1.0))
    assert run_command(["eval", "1"]) == 1
    assert capsys.readouterr().out == (
        "the engines disagree: this is a fault of Hexgate; please report it with the expression\n"
        "  interpreter  1  int\n"
        "  wasm         1.0  double\n"
    )
    assert run_command(["eval", "1", "--format", "json"]) == 1
    assert list(json.loads(capsys.readouterr().out)["disagreement"]) == ["interpreter", "wasm"]
