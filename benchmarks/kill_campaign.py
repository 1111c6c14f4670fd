"""Kill writers of an audit log at random moments: `python -m benchmarks.kill_campaign [--kills N] [--writers N]`.

Every call that ran must have its event, once, and the log must verify. A writer says on a pipe that a call ran after its event was
recorded; the pipe outlives it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hexgate.audit.log import AuditLog
from hexgate.audit.recorder import AuditPolicy
from hexgate.audit.strand import Rotation
from hexgate.audit.verify import verify_log
from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.decision.reads import Reads

ROTATION = Rotation(100_000, False, 50, 10**6)
ALICE = User("alice", "billing")
ALLOWED = Decision(Verdict.ALLOW, Reason.RULE, "billing", "refund")
LONGEST_SECONDS = 0.15
"""How long a writer lives, at most."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What was done and found. `missing` are calls that ran without an event, `twice` those with two."""

    kills: int
    calls: int
    missing: int
    twice: int
    repaired: int
    findings: tuple[str, ...]


def run(kills: int, writers: int, folder: Path, seed: int) -> Campaign:
    """Keep so many writers at work, and kill one after the other."""
    chance = random.Random(seed)
    out, into = os.pipe()
    os.set_blocking(out, False)
    ran = bytearray()
    living = [_start(folder, out, into) for _ in range(writers)]
    for _ in range(kills):
        end = time.monotonic() + chance.uniform(0, LONGEST_SECONDS)
        while (left := end - time.monotonic()) > 0:
            _read(out, ran, left)
        victim = living.pop(chance.randrange(len(living)))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        living.append(_start(folder, out, into))
    for victim in living:
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
    os.close(into)
    while _read(out, ran, 1.0):
        pass
    os.close(out)
    return _judge(folder, kills + writers, {call.decode() for call in bytes(ran).split(b"\n")[:-1]})


def _read(out: int, ran: bytearray, seconds: float) -> bool:
    """Read what writers say; whether there may be more."""
    select.select([out], [], [], seconds)
    try:
        piece = os.read(out, 1 << 20)
    except BlockingIOError:
        return True
    ran += piece
    return bool(piece)


def _start(folder: Path, out: int, into: int) -> int:
    """A writer, forked: its process id."""
    child = os.fork()
    if child:
        return child
    try:
        os.close(out)
        recorder = AuditLog(folder, rotation=ROTATION).recorder(AuditPolicy(lambda tool: Reads(args=frozenset({"amount"}))))
        number = 0
        while True:
            call = f"{os.getpid()}-{number}"
            recorder.record(ALLOWED, user=ALICE, args={"amount": number}, now=time.time_ns(), call_id=call)
            os.write(into, call.encode() + b"\n")
            number += 1
    finally:
        os._exit(1)


def _judge(folder: Path, kills: int, ran: set[str]) -> Campaign:
    # Opening each strand once more repairs what was torn last.
    logs = [AuditLog(folder, rotation=ROTATION) for _ in folder.iterdir()]
    for log in logs:
        log.open()
    for log in logs:
        log.close()
    events: Counter[str] = Counter()
    for path in folder.rglob("*.ndjson"):
        for line in path.read_bytes().splitlines():
            call = json.loads(line).get("call_id")
            if call is not None:
                events[call] += 1
    found = verify_log(folder)
    findings = tuple(f"{finding.segment}: {finding.sentence}" for finding in found.findings)
    return Campaign(kills, len(ran), len(ran - events.keys()), sum(count > 1 for count in events.values()), found.repaired, findings)


def main() -> int:
    """Prints the report; the exit status is 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = run(asked.kills, asked.writers, Path(folder) / "log", asked.seed)
    sys.stdout.write(
        f"{done.kills} kills, {done.calls:,} calls ran: {done.missing} without an event, {done.twice} with two, "
        f"{done.repaired} torn ends repaired, {len(done.findings)} findings\n"
    )
    for finding in done.findings:
        sys.stdout.write(f"  {finding}\n")
    return 1 if done.missing or done.twice or done.findings else 0


if __name__ == "__main__":
    sys.exit(main())
