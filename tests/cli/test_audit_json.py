"""What the audit commands write for programs."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from hexgate.audit.checkpoint import read_checkpoint
from hexgate.audit.event import read_record
from hexgate.audit.merkle import leaf_hash, verify_inclusion
from hexgate_cli.main import run_command
from tests.cli.transcripts import SCENARIOS, parse_scenario


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of the scenario `audit_replay`, with its policies, in the working directory."""
    for step in parse_scenario((SCENARIOS / "audit_replay.txt").read_text(encoding="utf-8"))[1]:
        if step.given.kind == "file":
            path = tmp_path / step.given.argument
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.given.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "log"


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    assert run_command(["audit", *arguments, "--format", "json"]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_tail_writes_the_exact_lines(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "tail", "log", "--no-follow", "-n", "100")
    assert out == (log / "00" / "000001.ndjson").read_text(encoding="ascii")


def test_show_proves(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "show", "log", "call-2", "--proof"))
    proof = found["proof"]
    line = proof["line"].encode()
    assert found["event"] == read_record(line) and found["event"]["call_id"] == "call-2"
    checkpoint = read_checkpoint(proof["checkpoint"].encode())
    hashes = [base64.b64decode(text) for text in proof["hashes"]]
    assert verify_inclusion(leaf_hash(line), proof["index"], checkpoint.size, hashes, checkpoint.root)


def test_stats(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "stats", "log", "--top", "1"))
    assert found["verdicts"] == {"allow": 4, "approval_required": 1, "deny": 3}
    assert found["roles"] == [{"role": "billing", "allow": 4, "approval_required": 1, "deny": 3}]
    assert found["denied_by"] == [
        {"reason": "constraint_failed", "constraint": "args.amount <= 5000", "place": "p.yaml:11:27", "count": 1}
    ]
    assert found["latency_ns"]["longest"] == 2300 and abs(found["latency_ns"]["p50"] - 1500) < 20


def test_verify(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "verify", "log"))
    assert (found["sound"], found["records"], found["vouched"], found["findings"]) == (True, 9, 9, [])
    path = log / "00" / "000001.ndjson"
    path.write_bytes(path.read_bytes().replace(b"bob", b"rob"))
    found = json.loads(run(capsys, "verify", "log", status=1))
    assert not found["sound"] and {finding["kind"] for finding in found["findings"]} == {"changed", "checkpoint_mismatch"}


def test_replay(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(run(capsys, "replay", "log", "--policy", "new.yaml", status=1))
    assert (found["decisions"], found["same"], found["same_verdict"], found["changed"]) == (8, 4, 1, 1)
    assert found["undecidable"] == [{"reason": "args/card is masked", "count": 1}, {"reason": "args/note is not recorded", "count": 1}]
    assert found["changes"] == [{"tool": "refund_order", "role": "billing", "was": "allow", "would": "approval_required", "count": 1}]
    (difference,) = found["differences"]
    assert (difference["was"]["verdict"], difference["would"]["verdict"]) == ("allow", "approval_required")
