"""What transcripts cannot show of the bundle commands: fresh keys, permissions, byte equality, states, and every bundle vector."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hexgate.atomic_file import create_file
from hexgate.bundle.keys import parse_public_key, read_signing_key, write_signing_key
from hexgate.bundle.refusal import Refusal
from hexgate.bundle.state import StateDirectory
from hexgate.bundle.trust_root import SUFFIX
from hexgate.runtime.source import open_source
from hexgate_cli.bundle_report import CHECKS
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.inputs import BUNDLE_SUFFIX
from tests.bundle_vectors import ACCEPTED, BundleVector, load_bundle_vectors
from tests.cli.test_schemas import validator
from tests.cli.test_transcripts import BUNDLE_VARIABLES
from tests.cli.transcripts import Answer, run_in_process
from tests.vectors.bundle.material import RELEASE, SECOND

ROOT = Path(__file__).parents[2]
POLICY = b"version: 1\naudit: {mask: [args.card]}\nroles:\n  r:\n    tools:\n      t:\n        mode: allow\n        constraints: [args.a <= 100]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with two keys and a policy, and no variable that says whom to trust."""
    for name in BUNDLE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "release.key").write_bytes(write_signing_key(RELEASE))
    (tmp_path / "second.key").write_bytes(write_signing_key(SECOND))
    (tmp_path / "p.yaml").write_bytes(POLICY)
    return tmp_path


def run(*arguments: str, stdin: str = "") -> Answer:
    return run_in_process(list(arguments), stdin)


@pytest.mark.parametrize("vector", load_bundle_vectors(), ids=lambda vector: vector.id)
def test_every_bundle_vector_through_the_command(vector: BundleVector, folder: Path) -> None:
    file = folder / f"{vector.name}.hexgate"
    file.write_bytes(vector.data)
    state: list[str] = []
    if vector.floor is not None:
        directory = folder / "state"
        StateDirectory(directory).write(vector.name, open_source(str(file), limit=1).location, vector.floor)
        state = ["--state", str(directory)]
    answer = run("verify", file.name, "--trust", vector.keys, "--now", str(vector.now), "--format", "json", *state)
    report = json.loads(answer.out)
    assert [error.message for error in validator("verify").iter_errors(report)] == []
    assert (report["refusal"] or ACCEPTED) == vector.expect
    assert answer.exit == (ExitCode.OK if vector.expect == ACCEPTED else ExitCode.UNTRUSTED)
    assert report["trusted"] == (vector.expect == ACCEPTED) == (report["bundle"] is not None)
    # Everything before the check that failed has passed.
    failed = [name for name, refusals in CHECKS.items() if vector.expect in {refusal.value for refusal in refusals}]
    made = list(CHECKS) if not failed else list(CHECKS)[: list(CHECKS).index(failed[0]) + 1]
    assert [check["check"] for check in report["checks"]] == made
    assert [check["check"] for check in report["checks"] if not check["passed"]] == failed


def test_every_refusal_belongs_to_one_check_in_the_order_of_verification() -> None:
    assert [refusal for refusals in CHECKS.values() for refusal in refusals] == [
        Refusal.TOO_LARGE, Refusal.MALFORMED, Refusal.PAYLOAD_TYPE, Refusal.SIGNATURES, Refusal.MALFORMED_STATEMENT,
        *list(Refusal)[list(Refusal).index(Refusal.MALFORMED_STATEMENT) + 1 :],
    ]  # fmt: skip


def test_a_new_key_signs_and_is_its_owners_alone(folder: Path) -> None:
    answer = run("keygen", "-o", "new.key")
    shown = dict(line.split(None, 1) if "key" not in line else ("key", line.split()[-1]) for line in answer.out.splitlines()[1:])
    pem = (folder / "new.key").read_bytes()
    key = read_signing_key(pem).public
    assert shown == {"key": key.text, "fingerprint": key.fingerprint}
    assert parse_public_key(shown["key"]) == key
    assert stat.S_IMODE((folder / "new.key").stat().st_mode) == 0o600
    assert run("sign", "p.yaml", "--key", "new.key", "-o", "p.hexgate").exit == 0
    assert run("verify", "p.hexgate", "--trust", key.text).exit == 0


def test_a_new_key_with_a_passphrase(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXGATE_SIGNING_PASSPHRASE", "correct horse")
    assert run("keygen", "-o", "new.key", "--passphrase").exit == 0
    assert (folder / "new.key").read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert run("sign", "p.yaml", "--key", "new.key", "-o", "p.hexgate").exit == 0
    monkeypatch.setenv("HEXGATE_SIGNING_PASSPHRASE", "")
    answer = run("keygen", "-o", "other.key", "--passphrase")
    assert (answer.exit, answer.err.splitlines()[0]) == (2, "hexgate: error: the passphrase is empty")
    assert not (folder / "other.key").exists()


def test_a_passphrase_is_asked_for_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass

    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    typed = iter(["one", "one", "one", "one", "two"])
    monkeypatch.setattr(getpass, "getpass", lambda *_: next(typed))
    monkeypatch.setattr("tests.cli.transcripts.io.TextIOWrapper", Terminal)
    assert run("keygen", "-o", "new.key", "--passphrase").exit == 0
    assert run("key", "show", "new.key").exit == 0
    answer = run("keygen", "-o", "other.key", "--passphrase")
    assert (answer.exit, answer.err.splitlines()[0]) == (2, "hexgate: error: the two passphrases differ")


@pytest.mark.parametrize("there", ["file", "directory", "link", "dangling link"])
def test_a_key_never_replaces_anything(there: str, folder: Path) -> None:
    target = folder / "there"
    if there == "file":
        target.write_bytes(b"precious")
    elif there == "directory":
        target.mkdir()
    else:
        target.symlink_to(folder / ("release.key" if there == "link" else "nowhere"))
    before = sorted(path.name for path in folder.iterdir())
    answer = run("keygen", "-o", "there")
    assert answer.exit == 2
    assert answer.err.startswith("hexgate: error: `there` is there already\n")
    assert sorted(path.name for path in folder.iterdir()) == before
    assert there != "file" or target.read_bytes() == b"precious"


def test_two_writers_of_one_new_file_do_not_both_win(folder: Path) -> None:
    create_file(folder / "x", b"first", mode=0o600)
    with pytest.raises(FileExistsError):
        create_file(folder / "x", b"second", mode=0o600)
    assert (folder / "x").read_bytes() == b"first"


def test_a_file_system_without_links_still_never_replaces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    create_file(folder / "x", b"first", mode=0o600)
    with pytest.raises(FileExistsError):
        create_file(folder / "x", b"second", mode=0o600)
    assert (folder / "x").read_bytes() == b"first"
    assert stat.S_IMODE((folder / "x").stat().st_mode) == 0o600
    (folder / "dangling").symlink_to(folder / "nowhere")
    with pytest.raises(FileExistsError):
        create_file(folder / "dangling", b"second", mode=0o600)
    assert not [path for path in folder.iterdir() if path.suffix == ".partial"]


def test_the_key_of_the_environment_signs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXGATE_SIGNING_KEY", write_signing_key(RELEASE).decode())
    assert run("sign", "p.yaml", "-o", "p.hexgate").exit == 0
    assert run("verify", "p.hexgate", "--trust", RELEASE.public.text).exit == 0
    assert run("key", "show").out == f"{RELEASE.public.text}  {RELEASE.public.fingerprint}\n"
    # A key that is named wins.
    assert run("sign", "p.yaml", "--key", "second.key", "-o", "p.hexgate").exit == 0
    assert run("verify", "p.hexgate", "--trust", RELEASE.public.text).exit == 6


def test_the_same_sources_give_the_same_bytes_wherever_they_lie(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = set()
    for place in ("a", "b/deeper/down"):
        there = folder / place / "policies"
        there.mkdir(parents=True)
        (there / "p.yaml").write_bytes(POLICY)
        (there / "q.yaml").write_bytes(b"version: 1\ntools:\n  u:\n    mode: allow\n")
        (there / "p.yaml").unlink()
        for path in (str(there), os.path.relpath(there, folder)):
            out = folder / "out.hexgate"
            assert run("sign", path, "--key", "release.key", "-o", str(out), "--issued", "1795430400").exit == 0
            made.add(out.read_bytes())
    assert len(made) == 1
    assert str(folder).encode() not in made.pop()


def test_what_policies_keep_out_of_logs_is_signed(folder: Path) -> None:
    run("sign", "p.yaml", "--key", "release.key", "-o", "p.hexgate")
    summary = json.loads(run("inspect", "p.hexgate", "--format", "json").out)
    assert [error.message for error in validator("inspect").iter_errors(summary)] == []
    assert summary["statement"]["predicate"]["audit"] == {"mode": "written", "mask": ["args.card"], "hash": []}


TOOLS = {"t": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}
OTHER = "the bundle was made with other tool schemas; pass these: `--tools FILE`"


def test_sources_are_compared_with_their_schemas(folder: Path) -> None:
    (folder / "tools.json").write_text(json.dumps(TOOLS), encoding="utf-8")
    run("sign", "p.yaml", "--key", "release.key", "-o", "p.hexgate", "--tools", "tools.json")
    arguments = ("verify", "p.hexgate", "--trust", RELEASE.public.text, "--format", "json", "--against", "p.yaml")
    assert _last_check(run(*arguments, "--tools", "tools.json")) == (
        0, "the policies compile to this module and this table, byte for byte",
    )  # fmt: skip
    assert _last_check(run(*arguments)) == (6, OTHER)
    (folder / "p.yaml").write_bytes(POLICY.replace(b"100", b"101"))
    assert _last_check(run(*arguments, "--tools", "tools.json")) == (
        6, "the bundle was made from other policies; compare with the ones that were signed",
    )  # fmt: skip


def test_a_module_that_is_not_what_its_sources_compile_to(folder: Path) -> None:
    """Signed honestly over the digest of these sources, with the module of others."""
    from hexgate.bundle.sign import candidate, sign_bundle
    from hexgate_cli.bundle_contents import contents_of_policies

    (folder / "wide.yaml").write_bytes(POLICY.replace(b"100", b"999"))
    wide = contents_of_policies("wide.yaml")
    data = candidate(
        wide.wasm, wide.table_json, name="p", version=1, issued_at=1, not_after=2**32, sources={"p.yaml": POLICY}, vectors=wide.vectors
    )
    (folder / "p.hexgate").write_bytes(sign_bundle(data, [RELEASE]))
    answer = run("verify", "p.hexgate", "--trust", RELEASE.public.text, "--against", "p.yaml", "--format", "json")
    code, detail = _last_check(answer)
    assert code == 6
    assert detail.startswith("the policies compile to another module than the signed one")
    report = json.loads(answer.out)
    assert (report["trusted"], report["refusal"], report["bundle"]) == (False, None, None)


def _last_check(answer: Answer) -> tuple[int, str]:
    last: dict[str, Any] = json.loads(answer.out)["checks"][-1]
    assert last["check"] == "sources"
    return answer.exit, last["detail"]


def test_a_state_that_cannot_be_read_is_no_reason_to_accept(folder: Path) -> None:
    run("sign", "p.yaml", "--key", "release.key", "-o", "p.hexgate")
    directory = StateDirectory(folder / "state")
    location = open_source("p.hexgate", limit=1).location
    from hexgate.bundle.trust import Floor

    directory.write("p", location, Floor(1, "ab" * 32, 1))
    directory.file("p", location).write_bytes(b"{")
    answer = run("verify", "p.hexgate", "--trust", RELEASE.public.text, "--state", "state")
    assert answer.exit == 1
    assert answer.out == ""


_SIGN_FOREVER = """
import sys
from hexgate_cli.main import run_command
number = 0
while True:
    number += 1
    run_command(["sign", "p.yaml", "--key", "release.key", "-o", "p.hexgate", "--version", str(number)])
"""


def test_a_killed_signer_leaves_the_old_bundle_or_the_new_one(folder: Path) -> None:
    run("sign", "p.yaml", "--key", "release.key", "-o", "p.hexgate", "--version", "1")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", _SIGN_FOREVER], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout is not None
        for _ in range(12):
            process.stdout.readline()
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        process.stdout.close()
        assert run("verify", "p.hexgate", "--trust", RELEASE.public.text).exit == 0


def test_of_an_endless_file_only_the_start_is_read(folder: Path) -> None:
    answer = run("verify", "/dev/zero", "--trust", RELEASE.public.text, "--name", "p")
    assert answer.exit == 6
    assert "not trusted: too_large" in answer.out


def test_one_suffix() -> None:
    assert BUNDLE_SUFFIX == SUFFIX


def test_inspecting_runs_and_compiles_nothing(folder: Path) -> None:
    run("sign", "p.yaml", "--key", "release.key", "-o", "p.hexgate")
    code = (
        "import sys; from hexgate_cli.main import run_command; code = run_command(['inspect', 'p.hexgate']);"
        "print(code, sorted({'lark', 'yaml', 'rich', 'jsonschema', 'hexgate.runtime.sandbox', 'wasmtime', 'hexgate.compiler.compile'}"
        " & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=folder, timeout=60)
    assert done.stderr.decode() == "0 []\n"
