"""Who calls and which gate decides, as the command finds it out before a server is started: every refusal, whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.signed_policies import KEY, signed_policy
from hexgate.bundle.keys import generate_key
from hexgate.bundle.statement import IdentitySettings, TokenRootKey
from hexgate.identity.mint import Grant, mint
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.main import run_command
from hexgate_cli.server_inputs import url_in

ROOT = generate_key()
FOREVER = 4_000_000_000
POLICY = {"billing.yaml": b"version: 1\ntools: {refund: {mode: allow}}\n"}
OPEN, STRICT = IdentitySettings(False, (TokenRootKey(1, ROOT.public),)), IdentitySettings(True, (TokenRootKey(1, ROOT.public),))
GOOD = mint(Grant("alice", "billing", FOREVER), ROOT, 1)
STREAMS = (ExitCode.USAGE, "standard input and output are no streams", "let the client start this command")
"""The end of what can be asked for in a test without a client: everything else was in order."""


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs the command on a bundle with an identity; gives its exit status, error and help."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def run(identity: IdentitySettings | None, *options: str, token: str | None = None) -> tuple[int, str, str]:
        path = tmp_path / "policy.hexgate"
        path.write_bytes(signed_policy(POLICY, 1, issued_at=1_700_000_000, not_after=FOREVER, identity=identity))
        monkeypatch.setenv("HEXGATE_KEY", f"{KEY.public.text}@{path}")
        if token is not None:
            (tmp_path / "token").write_text(token)
            options = ("--token", str(tmp_path / "token"), *options)
        status = run_command(["mcp-proxy", *options, "--", "no-such-program"])
        captured = capsys.readouterr()
        assert captured.out == "", "standard output is the client's"
        error, _, help_ = captured.err.replace(str(tmp_path), "").partition("\n  help: ")
        return status, error.removeprefix("hexgate: error: "), help_.rstrip("\n")

    return run


CALLERS: list[tuple[IdentitySettings | None, tuple[str, ...], str | None, tuple[int, str, str]]] = [
    # the bundle's identity, options, token, what is said
    (None, ("--role", "billing"), None, STREAMS),
    (None, ("--role", "billing", "--user", "alice", "--attrs", '{"a":1}'), None, STREAMS),
    (None, ("--role", "billing", "--user", ""), None, (ExitCode.USAGE, "--user is no id", "an id is a text of 1 to 256 bytes")),
    (None, ("--role", "billing", "--user", "ä" * 129), None, (ExitCode.USAGE, "--user is no id", "an id is a text of 1 to 256 bytes")),
    (OPEN, ("--role", "billing"), None, STREAMS),
    (STRICT, (), GOOD, STREAMS),
    (STRICT, ("--role", "billing"), GOOD, STREAMS),
    (STRICT, ("--role", "billing"), None, (ExitCode.UNTRUSTED, "the bundle asks for a token", "pass `--token FILE`: `hexgate token mint` makes one")),
    (
        None, (), GOOD,
        (
            ExitCode.UNTRUSTED, "no token counts: the policy comes without keys that sign tokens",
            "sign the policies with `--settings` whose `identity` names them, or name a role: `--role ROLE`",
        ),
    ),
    (
        STRICT, (), mint(Grant("alice", "billing", 1_700_000_001), ROOT, 1),
        (ExitCode.UNTRUSTED, "the token is refused (expired): the token is expired", "`hexgate token verify` says more"),
    ),
    (
        STRICT, ("--role", "admin"), GOOD,
        (
            ExitCode.UNTRUSTED, "the token is refused (role_not_granted): the token does not grant the role that is asked for",
            "`hexgate token verify` says more",
        ),
    ),
    (None, ("--role", "admin"), None, (ExitCode.USAGE, "the policy has no role `admin`", "roles: `billing`")),
    (STRICT, (), " ", (ExitCode.USAGE, "`/token` has no token", "`hexgate token mint` makes one")),
]  # fmt: skip


@pytest.mark.parametrize(("identity", "options", "token", "said"), CALLERS, ids=range(len(CALLERS)))
def test_callers(
    proxy: Callable[..., tuple[int, str, str]],
    identity: IdentitySettings | None,
    options: tuple[str, ...],
    token: str | None,
    said: tuple[int, str, str],
) -> None:
    assert proxy(identity, *options, token=token) == said


def test_a_log_that_cannot_be_written_is_found_at_the_start(proxy: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, error, help_ = proxy(None, "--role", "billing", "--log", str(tmp_path / "file"))
    assert status == ExitCode.FAILURE
    assert error.startswith("decisions cannot be recorded, and so nothing would be allowed: ")
    assert help_ == "name another log: `--log DIR`"


def test_a_store_that_cannot_be_used_is_found_at_the_start(proxy: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    (tmp_path / "state" / "hexgate" / "approvals.sqlite").mkdir(parents=True)
    said = (ExitCode.FAILURE, "`approvals.sqlite` is no file", "name another one")
    assert proxy(None, "--role", "billing", "--approvals") == said


def test_a_bundle_of_one_version_and_other_content_is_refused(proxy: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    assert proxy(None, "--role", "billing") == STREAMS
    (tmp_path / "policy.hexgate").unlink()
    status, error, _ = proxy(OPEN, "--role", "billing")
    assert (status, error.partition(":")[0]) == (ExitCode.UNTRUSTED, "the bundle is refused (same_version_other_content)")


URLS = [
    # the server, its URL
    (["https://example.org/mcp"], "https://example.org/mcp"),
    (["HTTPS://example.org"], "HTTPS://example.org"),
    (["http://127.0.0.1:80/mcp"], "http://127.0.0.1:80/mcp"),
    (["http://[::1]/mcp"], "http://[::1]/mcp"),
    (["http://localhost/mcp"], "http://localhost/mcp"),
    (["python", "https://example.org/mcp"], None),
    (["./https:"], None),
]


@pytest.mark.parametrize(("server", "url"), URLS)
def test_urls(server: list[str], url: str | None) -> None:
    assert url_in(server) == url
