"""What the documents say is held against the code."""

from __future__ import annotations

import importlib.util
import re
import shlex
import threading
from pathlib import Path
from typing import Any

import pytest

from hexgate.faults import Fault
from hexgate.limits import ALLOCATION_BUDGET, ITERATION_BUDGET, REQUEST_DEPTH
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.main import run_command

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("docs", "examples", "benchmarks")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(document for folder in FOLDERS for document in (ROOT / folder).rglob("*.md"))])


def test_the_page_of_functions_is_what_the_table_says() -> None:
    spec = importlib.util.spec_from_file_location("functions_page", ROOT / "docs" / "functions.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "functions.md").read_text(encoding="utf-8") == module.render(), "run `python docs/functions.py`"


def test_the_language_page_names_every_fault_and_limit() -> None:
    text = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    for fault in Fault:
        assert f"`{fault.code}`" in text, fault.code
    assert f"{ITERATION_BUDGET:,} steps" in text
    assert f"{ALLOCATION_BUDGET:,} bytes" in text
    assert f"deeper than {REQUEST_DEPTH}" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_files_that_exist(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_paths_that_are_named_exist(document: Path) -> None:
    named = re.findall(r"`((?:hexgate|hexgate_cli|tests|docs|benchmarks|runtime_wasm|grammar|schemas|examples)/[\w./-]+\.\w+)`", document.read_text(encoding="utf-8"))
    for path in named:
        assert (ROOT / path).exists(), f"{document.name} names {path}"


def test_no_document_speaks_of_machine_paths() -> None:
    assert DOCUMENTS
    for document in DOCUMENTS:
        assert not re.search(r"/(work|root|home|tmp)/", document.read_text(encoding="utf-8")), document.name


README = (ROOT / "README.md").read_text(encoding="utf-8")


def _python_with(text: str) -> str:
    """The one Python example of the README that has a text."""
    (block,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if text in block)
    return str(block)


def _require_prints(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An example prints the comments at its end."""
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)
    if "gate" in names:
        names["gate"].close()
        for thread in threading.enumerate():
            if thread.name == "hexgate-refresh":
                thread.join(10)
    expected = re.findall(r"^# (.*)$", block, re.MULTILINE)
    assert expected
    assert capsys.readouterr().out.splitlines() == expected


def _run_commands_with(text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of the README's one console block with a text: each succeeds or decides, and what is shown of its answer is how
    the answer begins. `export $(COMMAND)` sets what the command prints."""
    (commands,) = (block for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) if text in block)
    for step in commands.removeprefix("$ ").split("\n$ "):
        command, _, shown = step.strip().partition("\n")
        exported = re.fullmatch(r"export \$\((.*)\)", command)
        program, *arguments = shlex.split(exported[1] if exported else command)
        assert program == "hexgate"
        assert run_command(arguments) in (ExitCode.OK, ExitCode.APPROVAL_REQUIRED), command
        out = capsys.readouterr().out
        if exported:
            monkeypatch.setenv(*out.strip().split("=", 1))
        assert out.startswith(shown.removesuffix("…").rstrip()), command


def test_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As a new user goes through it: the first policy, the engine, the bundle, the gate."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("HEXGATE_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    _run_commands_with("hexgate init", capsys, monkeypatch)
    _run_commands_with("hexgate sign", capsys, monkeypatch)
    _require_prints(_python_with("Gate.from_env"), capsys)
    monkeypatch.chdir(ROOT)
    _require_prints(_python_with("WasmEngine"), capsys)
