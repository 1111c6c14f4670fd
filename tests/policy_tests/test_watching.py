"""Waiting for changes: what is looked at, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexgate_cli import watching
from hexgate_cli.commands import test as command
from hexgate_cli.watching import watch_files


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0)


def changes(folder: Path, *edits: tuple[str, str]) -> list[str]:
    """After which of these writes the files count as changed, each write made while the last change is worked on."""
    seen: list[str] = []
    pending = list(edits)
    for _ in watch_files(lambda: [folder], looks=3):
        if pending:
            name, text = pending.pop(0)
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
            seen.append(name)
    return seen


def test_policies_tests_and_schemas_count(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("1")
    assert changes(tmp_path, ("a.yaml", "22"), ("b_test.yml", "1"), ("sub/tools.json", "1"), ("c.YAML", "")) == ["a.yaml", "b_test.yml", "sub/tools.json", "c.YAML"]


@pytest.mark.parametrize("name", ["notes.txt", ".git/x.yaml", ".a.yaml.swp", ".hidden.yaml"])
def test_what_does_not_count(tmp_path: Path, name: str) -> None:
    assert changes(tmp_path, (name, "1"), ("a.yaml", "1")) == [name]


def test_a_file_that_goes_away_counts(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("1")
    seen = 0
    for _ in watch_files(lambda: [tmp_path], looks=3):
        seen += 1
        if seen == 1:
            (tmp_path / "a.yaml").unlink()
    assert seen == 2


def test_a_broken_policy_is_shown_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    policy, texts = tmp_path / "p.yaml", ["version: 1\nroles: {r: {tools: {t: {mode: alow}}}}\n", "version: 1\nroles: {r: {tools: {t: {mode: allow}}}}\n"]
    (tmp_path / "p_test.yaml").write_text("version: 1\ncases: [{role: r, tool: t, expect: allow}]\n")

    def rounds(_: object) -> object:
        for text in texts:
            policy.write_text(text)
            yield

    monkeypatch.setattr(command, "watch_files", rounds)
    assert command.command(str(tmp_path), watch=True) == 0
    captured = capsys.readouterr()
    assert "`alow` is not a mode" in captured.err
    assert captured.out.endswith("1 passed, 0 failed; decided by interpreter and wasm\n\nwaiting for a change; Ctrl-C ends\n")
    assert captured.out.count("waiting for a change") == 2


@pytest.mark.parametrize(("named", "changed"), [("../policies", "policies/p.yaml"), ("../policies/p.yaml", "policies/p.yaml"), ("../policies/p.yaml", "policies/base.yaml")])
def test_a_policy_that_stands_elsewhere_counts(tmp_path: Path, named: str, changed: str) -> None:
    for folder in ("tests", "policies"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tests" / "p_test.yaml").write_text(f"version: 1\npolicy: {named}\ncases: [{{role: r, tool: t, expect: allow}}]\n")
    (tmp_path / "policies" / "p.yaml").write_text("version: 1\n")
    rounds = 0
    for _ in watch_files(lambda: command._watched(str(tmp_path / "tests"), None), looks=3):
        rounds += 1
        if rounds == 1:
            (tmp_path / changed).write_text("version: 1\ntools: {t: {mode: allow}}\n")
    assert rounds == 2
