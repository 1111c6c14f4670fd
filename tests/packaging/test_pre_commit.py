"""The hooks under the real pre-commit, in a fresh repository that names a clone of this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HOOKS = ("hexgate-fmt", "hexgate-check", "hexgate-test", "hexgate-parity")
POLICY = "version: 1\ntools:\n  refund_order:\n    mode: allow\n    constraints:\n      - args.amount <= 500\n"
TESTS = "version: 1\ncases:\n  - {role: billing, tool: refund_order, args: {amount: 500}, expect: allow}\n"


class Repository:
    """A user's repository with the hooks installed; every program in it sees no configuration of this machine."""

    def __init__(self, folder: Path, hexgate: Path, cache: Path) -> None:
        self.folder = folder
        names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment = {**kept, **names, "GIT_CONFIG_GLOBAL": os.devnull, "PRE_COMMIT_HOME": str(cache), "PRE_COMMIT_COLOR": "never", "PIP_NO_COMPILE": "1"}
        # The hook calls pre-commit with this Python: the path need not have it.
        (folder / "policies").mkdir(parents=True)
        self.run("git", "init", "-q", "-b", "main")
        revision = self.run("git", "-C", str(hexgate), "rev-parse", "HEAD").stdout.strip()
        hooks: list[dict[str, object]] = [{"id": hook} for hook in HOOKS]
        hooks[-1]["args"] = ["policies", "--time", "1"]
        (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": hexgate.as_uri(), "rev": revision, "hooks": hooks}]}))
        assert self.run(sys.executable, "-m", "pre_commit", "install").returncode == 0

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False)

    def commit(self, policy: str, tests: str) -> tuple[bool, str]:
        """Whether a commit of these files goes through, and what was said."""
        (self.folder / "policies" / "billing.yaml").write_text(policy)
        (self.folder / "policies" / "billing_test.yaml").write_text(tests)
        self.run("git", "add", ".")
        done = self.run("git", "commit", "-m", "a change")
        return done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def hexgate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with this tree's tracked files in one commit."""
    folder = tmp_path_factory.mktemp("hexgate")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


def test_hooks_on_commits(hexgate: Path, tmp_path: Path) -> None:
    """One repository, one installation of the hooks, a row for each commit: it goes through, or is refused by one hook."""
    repository = Repository(tmp_path / "user", hexgate, tmp_path / "cache")
    rows: list[tuple[str, str, bool, str]] = [
        (POLICY, TESTS, True, "hexgate test-parity......................................................Passed"),
        (POLICY.replace("<= 500", "<=  400+100"), TESTS, False, "- files were modified by this hook"),
        (POLICY.replace("allow", "alow"), TESTS, False, "error[HG210]: `alow` is not a mode"),
        (POLICY.replace("500", "499"), TESTS, False, "verdict: expected allow, got deny"),
        (POLICY.replace("500", "600"), TESTS.replace("500", "600"), True, "hexgate test.............................................................Passed"),
    ]
    for policy, tests, goes_through, said in rows:
        passed, text = repository.commit(policy, tests)
        assert (passed, said in text) == (goes_through, True), text
    (repository.folder / "notes.txt").write_text("x")
    repository.run("git", "add", ".")
    assert "hexgate check........................................(no files to check)Skipped" in repository.run("git", "commit", "-m", "no policy").stderr


def test_the_hooks_are_those_that_the_document_names() -> None:
    defined = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    document = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert [hook["id"] for hook in defined] == list(HOOKS)
    assert all(f"- id: {hook}\n" in document for hook in HOOKS)
