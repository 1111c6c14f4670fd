"""`hexgate coverage` on modules of the user that are not what they should be: every error, whole, and nothing of it on standard output."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.main import run_command

POLICY = "version: 1\ntools: {look: {mode: allow}}\n"
NO_AGENT = "this is no agent of a framework that has an adapter: name an agent of `openai`, `langchain`, `google_adk`, `pydantic_ai`\n"
WRITE = "\n  help: write `MODULE:AGENT`, as in `shop.agents:support`\n"
IMPORT = "\n  help: run the command where the module can be imported\n"
SHOWS = "\n  help: `python -c 'import users_module'` shows where\n"

WRONG = [
    # the module's source, what is asked for, the error
    ("", "users_module", f"`users_module` names no agent{WRITE}"),
    ("", "users_module:", f"`users_module:` names no agent{WRITE}"),
    ("", ".users_module:agent", f"`.users_module:agent` names no agent{WRITE}"),
    ("", "shop/users_module.py:agent", f"`shop/users_module.py:agent` names no agent{WRITE}"),
    ("", "no_such_module:agent", f"there is no module `no_such_module`{IMPORT}"),
    ("import no_such_module", "users_module:agent", f"there is no module `no_such_module`{IMPORT}"),
    ("", "users_module:agent", "`users_module` has no `agent`\n  help: name a variable of the module that is an agent\n"),
    ("agent = None", "users_module:agent", NO_AGENT),
    ("from agents import Agent as agent", "users_module:agent", NO_AGENT),
    ("from agents import function_tool\n@function_tool\ndef agent(x: int) -> int:\n    return x", "users_module:agent", NO_AGENT),
    ("raise RuntimeError('no key\\x1b[31m\\nand more')", "users_module:agent", f"`users_module` fails when it is imported: no key\\x1b[31m{SHOWS}"),
    ("raise ModuleNotFoundError", "users_module:agent", f"`users_module` fails when it is imported: it does not say why{SHOWS}"),
    ("open('/no/such/file')", "users_module:agent", f"`users_module` fails when it is imported: [Errno 2] No such file or directory: '/no/such/file'{SHOWS}"),
    ("def (", "users_module:agent", f"`users_module` fails when it is imported: invalid syntax (users_module.py, line 1){SHOWS}"),
    (
        "import sys; sys.exit(0)", "users_module:agent",
        '`users_module` ends the process when it is imported\n  help: put what starts the program under `if __name__ == "__main__":`\n',
    ),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "users_module", raising=False)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


@pytest.mark.parametrize(("source", "name", "error"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_agent(folder: Path, capsys: pytest.CaptureFixture[str], source: str, name: str, error: str) -> None:
    (folder / "users_module.py").write_text(source)
    assert run_command(["coverage", name, "--policy", "policy.yaml"]) == ExitCode.USAGE
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"hexgate: error: {error}")


def test_what_a_module_prints_is_no_part_of_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "users_module.py").write_text("print('loading')\nfrom agents import Agent\nagent = Agent(name='front')\n")
    assert run_command(["coverage", "users_module:agent", "--policy", "policy.yaml", "--format", "json"]) == ExitCode.OK
    captured = capsys.readouterr()
    assert json.loads(captured.out)["tools"] == []
    assert captured.err == "loading\n"


KEYS = [
    # HEXGATE_KEY, exit status, the end of what is on standard error
    (
        None, ExitCode.USAGE,
        "hexgate: error: HEXGATE_KEY is not set\n  help: set it to `ed25519:<key>@<path or https URL of NAME.hexgate>`, or `dev:<policy path>` for"
        " development; or name policies or a bundle with `--policy`\n",
    ),
    (
        "dev:no_such.yaml", ExitCode.USAGE,
        "hexgate: error: there is no file or directory `no_such.yaml`\n  help: pass a directory of role files, or one policy file\n",
    ),
    (
        "dev:wrong.yaml", ExitCode.POLICY_INVALID,
        "hexgate: error: the policy `wrong.yaml` is invalid\n  help: nothing is decided with a policy that does not check\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("key", "status", "error"), KEYS, ids=range(len(KEYS)))
def test_a_policy_that_cannot_be_asked(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, key: str | None, status: ExitCode, error: str
) -> None:
    (folder / "users_module.py").write_text("agent = None")
    (folder / "wrong.yaml").write_text("version: 2\n")
    monkeypatch.delenv("HEXGATE_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("HEXGATE_KEY", key)
    assert run_command(["coverage", "users_module:agent"]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith(error)
