"""An approval is used once, whoever tries at the same time (docs/approvals.md Q4.2)."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

from hexgate.approvals.evidence import by_key
from hexgate.approvals.refusal import ApprovalRefusedError
from hexgate.approvals.steps import Terms
from hexgate.approvals.store import ApprovalStore
from hexgate.audit.log import AuditLog
from hexgate.audit.read import lines_of
from hexgate.audit.verify import verify_log
from hexgate.runtime.held_calls import open_steps
from tests.approvals.held import FINANCE, NOW
from tests.approvals.racers import CALL

ROOT = Path(__file__).parent.parent.parent


def approved(folder: Path, count: int) -> list[str]:
    """Approved requests for one call, each made after the one before was approved and set aside."""
    ids = []
    with AuditLog(folder / "audit") as log:
        steps = open_steps(ApprovalStore(folder / "approvals.sqlite"), log)
        for number in range(count):
            made = steps.request(CALL, Terms(), NOW - count + number).request
            steps.approve(made.id, by_key(FINANCE, made), None, NOW)
            ids.append(made.id)
            _set_aside(folder, made.id)
    return ids


def _set_aside(folder: Path, id_: str) -> None:
    """Hide a request from its call, so that another one is made."""
    with closing(sqlite3.connect(folder / "approvals.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE requests SET call = 'aside' WHERE id = ?", (id_,))


def consumed(folder: Path) -> list[str]:
    records = map(json.loads, lines_of(folder / "audit"))
    return [record["request"] for record in records if record["type"] == "approval" and record["step"] == "consumed"]


def test_two_processes_with_sixteen_threads_use_each_approval_once(tmp_path: Path) -> None:
    ids = approved(tmp_path, 6)
    racers = [
        subprocess.Popen([sys.executable, "-m", "tests.approvals.racers", str(tmp_path), "16", *ids], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == b"ready\n"
    ran = [id_ for racer in racers for id_ in racer.communicate(b"go\n")[0].decode().split()]
    assert sorted(ran) == sorted(ids) == sorted(consumed(tmp_path))
    assert not verify_log(tmp_path / "audit").findings


def test_threads_race_with_an_open_request(tmp_path: Path) -> None:
    """Of sixteen threads that ask, one request is made."""
    log = AuditLog(tmp_path / "audit")
    steps = open_steps(ApprovalStore(tmp_path / "approvals.sqlite"), log)
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(steps.request(CALL, Terms(), NOW).request.id)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 16 and len(set(made)) == 1
    log.close()


def test_a_forked_child_and_its_parent_use_an_approval_once(tmp_path: Path) -> None:
    (id_,) = approved(tmp_path, 1)
    log = AuditLog(tmp_path / "audit")
    steps = open_steps(ApprovalStore(tmp_path / "approvals.sqlite"), log)
    child = os.fork()
    try:
        steps.consume(id_, CALL, Terms(), NOW)
        used = 1
    except ApprovalRefusedError:
        used = 0
    if child == 0:
        log.close()
        os._exit(used)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    log.close()
    assert used + status == 1
