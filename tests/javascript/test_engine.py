"""The JavaScript engine of parity runs: what it needs, what its failures say, and that it finds what it is there to find."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks.policies import REFUNDS, checked
from hexgate.compiler.compile import CompiledPolicy, compile_policy
from hexgate.decision.decision import Verdict
from hexgate.parity.engines import EngineUnavailableError
from hexgate.parity.javascript_engine import JavaScriptEngine, JavaScriptHost
from hexgate.parity.run import Budget, run_parity

HELP = "install Node 20 or later, or leave `js` out of `--engines`"


def _node(folder: Path, version: str) -> None:
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "the JavaScript engine needs Node, and there is no `node` on the path"),
        ("v18.19.1", "the JavaScript engine needs Node 20, and this is `v18.19.1`"),
        ("20.1.0", "the JavaScript engine needs Node 20, and this is `20.1.0`"),
        ("", "the JavaScript engine needs Node 20, and this is ``"),
    ],
)
def test_without_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, message: str) -> None:
    if version is not None:
        _node(tmp_path, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineUnavailableError) as caught:
        JavaScriptHost()
    assert (caught.value.message, caught.value.help) == (message, HELP)


def test_a_process_that_has_ended_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _node(tmp_path, "v20.0.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="the JavaScript host failed"):
        JavaScriptEngine(compile_policy(checked(REFUNDS)))


def test_a_question_that_it_cannot_answer() -> None:
    host = JavaScriptHost()
    with pytest.raises(RuntimeError, match="the JavaScript host failed: ModuleError: it is no WebAssembly module of version 1"):
        compiled = compile_policy(checked(REFUNDS))
        JavaScriptEngine(dataclasses.replace(compiled, wasm=b"no module"))
    assert host.ask({"op": "decide", "calls": []}) == {"decisions": []}
    host.close()


def _swapped(compiled: CompiledPolicy) -> CompiledPolicy:
    """The policy with a table in which every rule that allows asks for approval."""
    rules = tuple(
        dataclasses.replace(rule, mode=Verdict.APPROVAL_REQUIRED) if rule.mode is Verdict.ALLOW else rule for rule in compiled.table.rules
    )
    return dataclasses.replace(compiled, table=dataclasses.replace(compiled.table, rules=rules))


def test_a_parity_run_with_three_engines() -> None:
    report = run_parity(checked(REFUNDS), Budget(cases=3_000, seed=4), ("interpreter", "wasm", "js"))
    assert report.disagreement is None
    assert (report.cases, report.engines) == (3_000, ("interpreter", "wasm", "js"))


def test_a_parity_run_finds_what_differs_and_makes_it_small() -> None:
    policy = checked(REFUNDS)
    report = run_parity(policy, Budget(cases=3_000, seed=4), ("interpreter", "js"), compiled=_swapped(compile_policy(policy)))
    assert report.disagreement is not None
    decisions = report.disagreement.decisions
    assert {name: decision.verdict for name, decision in decisions.items()} == {
        "interpreter": Verdict.ALLOW, "js": Verdict.APPROVAL_REQUIRED,
    }  # fmt: skip
