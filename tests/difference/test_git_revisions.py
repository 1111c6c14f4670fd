"""Policies of git revisions: what is read, and what is refused. Each test has a repository of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hexgate.policy.load import read_files
from hexgate_cli.failures import CommandError
from hexgate_cli.git_revisions import read_revision, split_revision
from hexgate_cli.main import run_command

BASE = b"version: 1\nabstract: true\ntools:\n  pay: {mode: allow, constraints: [args.amount <= 500]}\n"
CLERK = b"version: 1\ninherits: [base]\n"


def git(*arguments: str) -> str:
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    environment = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, env=environment).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits: a limit of 500, tagged `v1`, then one of 700; a link and a test beside the policies."""
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "-b", "main")
    policies = tmp_path / "policies"
    policies.mkdir()
    for name, data in {"base.yaml": BASE, "clerk.yaml": CLERK, "clerk_test.yaml": b"cases: []\n", "notes.txt": b"x"}.items():
        (policies / name).write_bytes(data)
    git("add", ".")
    git("commit", "-qm", "first")
    git("tag", "v1")
    (policies / "base.yaml").write_bytes(BASE.replace(b"500", b"700"))
    git("commit", "-qam", "second")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("HEAD:policies", ("HEAD", "policies")), ("HEAD~1:", ("HEAD~1", "")), ("v1:a:b", ("v1", "a:b")), ("policies", None), ("", None),
        ("main@{2026-01-01 10:00}:p", ("main@{2026-01-01 10:00}", "p")), (":policies", ("", "policies")), ("HEAD^{/fix: it}:p", ("HEAD^{/fix: it}", "p")),
    ],
)  # fmt: skip
def test_revision_and_path(text: str, parts: tuple[str, str] | None) -> None:
    assert split_revision(text) == parts


@pytest.mark.parametrize("revision", ["HEAD", "main", "HEAD^0", "main@{0}"])
@pytest.mark.parametrize("path", ["policies", "policies/", "./policies", "policies/../policies", "policies/clerk.yaml"])
def test_a_revision_is_read_as_the_disk_is(repository: Path, revision: str, path: str) -> None:
    assert read_revision(revision, path) == {os.path.normpath(name): data for name, data in read_files(Path(path)).items()}


def test_earlier_content(repository: Path) -> None:
    assert read_revision("v1", "policies") == {"policies/base.yaml": BASE, "policies/clerk.yaml": CLERK}
    assert read_revision("HEAD~1", "policies") == read_revision("v1", "policies")


def test_from_a_folder_inside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "policies")
    assert read_revision("v1", ".") == read_revision("v1", "policies") == read_revision("v1", "../policies")


REFUSED = [
    ("nowhere", "policies", "git knows no revision `nowhere` here"),
    ("HEAD~9", "policies", "git knows no revision `HEAD~9` here"),
    ("", "policies", "`:policies` names no revision"),
    ("--output=x", "policies", "`--output=x:policies` names no revision"),
    ("-p", "policies", "`-p:policies` names no revision"),
    ("HEAD\n", "policies", "`HEAD\n:policies` names no revision"),
    ("HEAD", "nowhere", "there is no file or directory `HEAD:nowhere`"),
    ("HEAD", "../policies/..", "`HEAD:../policies/..` is outside the repository"),
    ("HEAD", "/etc", "`HEAD:/etc` is outside the repository"),
    ("HEAD", "", "there is no policy file in `HEAD:`"),
    ("HEAD", "policies\0", "`HEAD:policies\0` is no path"),
    ("HEAD:policies", "", "git knows no revision `HEAD:policies` here"),
]


@pytest.mark.parametrize(("revision", "path", "message"), REFUSED, ids=[f"{row[0]}:{row[1]}".replace("\0", "NUL") for row in REFUSED])
def test_what_is_refused(repository: Path, revision: str, path: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        read_revision(revision, path)
    assert caught.value.message == message
    assert sorted(entry.name for entry in repository.iterdir()) == [".git", "policies"]


def test_links_and_directories_are_not_followed(repository: Path) -> None:
    (repository / "policies" / "link.yaml").symlink_to("/etc/passwd")
    git("add", ".")
    git("commit", "-qm", "a link")
    with pytest.raises(CommandError, match=r"`policies/link[.]yaml` is not a file in that revision"):
        read_revision("HEAD", "policies")


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(CommandError, match="this is no git repository, and a revision was named"):
        read_revision("HEAD", "policies")


def test_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="there is no `git` to read a revision with"):
        read_revision("HEAD", "policies")


def test_attributes_of_the_repository_run_nothing(repository: Path) -> None:
    """A filter that the repository's configuration names is not run when a blob is read."""
    git("config", "filter.evil.smudge", f"touch {repository / 'ran'}")
    (repository / ".gitattributes").write_text("*.yaml filter=evil\n")
    git("add", ".gitattributes")
    git("commit", "-qm", "attributes")
    assert len(read_revision("HEAD", "policies")) == 2
    assert not (repository / "ran").exists()


def test_content_that_a_partial_clone_lacks_is_not_fetched(repository: Path) -> None:
    """A remote may be a program that the repository's configuration names."""
    digest = git("rev-parse", "HEAD:policies/base.yaml")
    (repository / ".git" / "objects" / digest[:2] / digest[2:]).unlink()
    for name, value in {
        "core.repositoryFormatVersion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true",
        "remote.origin.url": f"ext::touch {repository / 'ran'}", "protocol.ext.allow": "always",
    }.items():  # fmt: skip
        git("config", name, value)
    with pytest.raises(CommandError) as caught:
        read_revision("HEAD", "policies")
    assert caught.value.message == "the repository does not have the content of `policies/base.yaml` in that revision"
    assert not (repository / "ran").exists()


def test_a_repository_of_another_user(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(CommandError) as caught:
        read_revision("HEAD", "policies")
    assert caught.value.message == "git does not read this repository, which belongs to another user"


def test_the_command_on_a_revision(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["diff", "HEAD~1:policies", "policies", "--fail-on", "widening", "--cases", "2000"]) == 1
    out = capsys.readouterr().out
    assert "1 difference: 1 let more through, 0 let less through\n  old  HEAD~1:policies\n  new  policies\n" in out
    assert "old       deny, constraint_failed: args.amount <= 500  policies/base.yaml:4:" in out
    assert "4 |   pay: {mode: allow, constraints: [args.amount <= 500]}" in out
