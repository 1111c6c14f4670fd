"""The examples of docs/policy-tests.md are true, every example's own tests pass, and the starter's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hexgate_cli.main import run_command

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/*/policies"))


def test_the_python_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "policy-tests.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    exec(program, names)
    tests = [value for name, value in names.items() if name.startswith("test_") and callable(value)]
    assert len(tests) == 2
    for test in tests:
        test()


def test_the_yaml_of_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (document,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "policy-tests.md").read_text(encoding="utf-8"), re.DOTALL)
    refund = "rules: [{mode: allow, constraints: [args.amount <= %d]}, {mode: approval_required, message: refunds above 500 need a supervisor}]"
    roles = f"  billing:\n    inherits: [read_only]\n    tools:\n      refund_order:\n        {refund % 500}\n"
    roles += f"  supervisor:\n    inherits: [read_only]\n    tools:\n      refund_order:\n        {refund % 5000}\n"
    (tmp_path / "billing.yaml").write_text("version: 1\nroles:\n  read_only:\n    tools:\n      get_order: {mode: allow}\n      search_*: {mode: allow}\n" + roles)
    (tmp_path / "billing_test.yaml").write_text(document, encoding="utf-8")
    assert run_command(["test", str(tmp_path)]) == 0
    assert "10 passed, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_tests_of_an_example(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every rule of it holds in some test."""
    tools = example / "tools.json"
    options = ["--tools", str(tools)] if tools.exists() else []
    code = run_command(["test", str(example / "policies"), *options])
    out = capsys.readouterr().out
    assert code == 0, out
    held, of = re.findall(r"(\d+) of (\d+) rules held", out)[0]
    assert held == of, out


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 4
