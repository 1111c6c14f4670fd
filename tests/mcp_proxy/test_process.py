"""The command as a process: exit status, standard error, signals, the log, and approvals from elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.signed_policies import KEY, signed_policy
from hexgate.approvals.evidence import by_key
from hexgate.approvals.store import ApprovalStore
from hexgate.audit.log import AuditLog
from hexgate.audit.read import lines_of
from hexgate.audit.verify import verify_log
from hexgate.bundle.keys import signing_key_of
from hexgate.runtime.held_calls import open_steps
from hexgate_cli.exit_codes import ExitCode
from tests.mcp_proxy.harness import SECONDS, call, rpc
from tests.mcp_proxy.test_relay import ECHO

FINANCE = signing_key_of(b"f" * 32)
POLICY = f"""\
version: 1
tools:
  ok: {{mode: allow, constraints: [args.amount <= 500]}}
  wire: {{mode: approval_required, approvers: ["{FINANCE.public.text}"], message: ask finance}}
"""
ISSUED = {"issued_at": 1_700_000_000, "not_after": 4_000_000_000}


class Process:
    """A proxy, and this test as its client."""

    def __init__(self, folder: Path, *command: str, options: tuple[str, ...] = ()) -> None:
        self.folder = folder
        (folder / "policy.hexgate").write_bytes(signed_policy({"billing.yaml": POLICY.encode()}, 1, **ISSUED))
        environment = {
            **os.environ,
            "HEXGATE_KEY": f"{KEY.public.text}@{folder / 'policy.hexgate'}",
            "XDG_STATE_HOME": str(folder / "state"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hexgate_cli", "mcp-proxy", "--role", "billing", "--user", "alice", *options, "--", *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        )  # fmt: skip

    def ask(self, text: str) -> Any:
        """Send a message and read one."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> tuple[int, str]:
        """Close the client's output, and wait: the exit status and what is on standard error."""
        _, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, err.decode()

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.folder / "state" / "hexgate"


@contextmanager
def running(folder: Path, *command: str, options: tuple[str, ...] = ()) -> Iterator[Process]:
    """A proxy in front of a command, killed with the block if it still runs."""
    made = Process(folder, *command, options=options)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def python(program: str) -> tuple[str, ...]:
    """A server."""
    return (sys.executable, "-S", "-c", program)


def test_a_conversation_is_decided_and_recorded(tmp_path: Path) -> None:
    with running(tmp_path, *python("import sys; print('ready', file=sys.stderr)" + ECHO)) as proxy:
        assert proxy.ask(call(1, "ok", amount=500))["result"]["saw"]["params"]["arguments"] == {"amount": 500}
        assert proxy.ask(call(2, "ok", amount=501))["result"] == {
            "content": [{"type": "text", "text": "this call is not permitted (constraint_failed)"}],
            "isError": True,
            "_meta": {"hexgate/code": "constraint_failed"},
        }
        assert proxy.ask(rpc(id=3, method="resources/read", params={"uri": "file:///a"}))["error"] == {
            "code": -32010, "message": "this call is not permitted (unknown_tool)", "data": {"hexgate/code": "unknown_tool"},
        }  # fmt: skip
        assert proxy.ask(call(4, "wire"))["result"]["_meta"]["hexgate/code"] == "approver_required"
        status, err = proxy.end()
    assert (status, err) == (ExitCode.OK, "ready\n")
    decisions = [event for event in map(json.loads, lines_of(proxy.state / "audit")) if event["type"] == "decision"]
    assert [(event["user"], event["call_id"], event["result"]["tool"], event["result"]["verdict"]) for event in decisions] == [
        ("alice", "1", "ok", "allow"), ("alice", "2", "ok", "deny"), ("alice", "3", "resource.read", "deny"), ("alice", "4", "wire", "approval_required"),
    ]  # fmt: skip
    assert len({event["run_id"] for event in decisions}) == 1
    assert not verify_log(proxy.state / "audit").findings


def test_a_held_call_runs_after_somebody_else_approved_it(tmp_path: Path) -> None:
    with running(tmp_path, *python(ECHO), options=("--approvals",)) as proxy:
        held = proxy.ask(call(1, "wire", amount=9))["result"]
        request = held["_meta"]["hexgate/request"]
        assert held["content"][0]["text"] == f"ask finance; once request {request} is approved, the same call runs"
        with AuditLog(proxy.state / "audit") as log:
            steps = open_steps(ApprovalStore(proxy.state / "approvals.sqlite"), log)
            found = steps.get(request).request
            steps.approve(found.id, by_key(FINANCE, found), None, found.created)
        assert proxy.ask(call(2, "wire", amount=10))["result"]["isError"] is True
        assert proxy.ask(call(3, "wire", amount=9))["result"]["saw"]["params"]["name"] == "wire"
        assert proxy.ask(call(4, "wire", amount=9))["result"]["isError"] is True
        assert proxy.end()[0] == ExitCode.OK


def test_a_server_that_ends_is_told_of(tmp_path: Path) -> None:
    with running(tmp_path, *python("import sys; sys.stdin.readline(); print('sorry', file=sys.stderr); sys.exit(3)")) as proxy:
        assert proxy.ask(rpc(id=1, method="ping"))["error"]["message"] == "the server has ended"
        assert proxy.end() == (
            ExitCode.FAILURE,
            "sorry\nhexgate: error: the server has ended with exit status 3\n  help: look at what the server writes to standard error\n",
        )


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with running(tmp_path, "no-such-program", "--flag") as proxy:
        assert proxy.end() == (
            ExitCode.USAGE,
            "hexgate: error: there is no program `no-such-program`\n  help: write the server's command after `--`, as in a shell\n",
        )


@pytest.mark.parametrize(
    ("url", "certificates", "status", "error"),
    [
        (
            "https://example.org/\x01", None, ExitCode.USAGE,
            "hexgate: error: the URL is none of a server\n  help: write `https://HOST/PATH`, with escapes for what is no ASCII\n",
        ),
        (
            "https://example.org/", "/no/such/file", ExitCode.FAILURE,
            "hexgate: error: the certificates to trust cannot be read: no such file or directory\n  help: look at what SSL_CERT_FILE and SSL_CERT_DIR name\n",
        ),
    ],
)  # fmt: skip
def test_a_server_at_a_url_that_cannot_be_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, certificates: str | None, status: ExitCode, error: str
) -> None:
    if certificates is not None:
        monkeypatch.setenv("SSL_CERT_FILE", certificates)
    with running(tmp_path, url) as proxy:
        assert proxy.end() == (status, error)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_server_too(tmp_path: Path, number: signal.Signals) -> None:
    program = "import os, sys\nprint('{\"jsonrpc\":\"2.0\",\"method\":\"%d\"}' % os.getpid(), flush=True)\nsys.stdin.read()"
    with running(tmp_path, *python(program)) as proxy:
        assert proxy.process.stdout is not None
        server = int(json.loads(proxy.process.stdout.readline())["method"])
        proxy.process.send_signal(number)
        assert proxy.process.wait(SECONDS) == ExitCode.INTERRUPTED
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)
        assert proxy.end() == (ExitCode.INTERRUPTED, "hexgate: error: interrupted\n")


def test_a_client_that_reads_no_more(tmp_path: Path) -> None:
    with running(tmp_path, *python(ECHO)) as proxy:
        proxy.ask(rpc(id=1, method="ping"))
        assert proxy.process.stdin is not None and proxy.process.stdout is not None
        proxy.process.stdout.close()
        proxy.process.stdin.write(rpc(id=2, method="ping").encode() + b"\n")
        proxy.process.stdin.flush()
        assert proxy.process.wait(SECONDS) == ExitCode.BROKEN_PIPE
