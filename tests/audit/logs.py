"""Logs to test with: a decision, a clock that ticks a second per look, and ways to write and to read lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hexgate.audit.log import AuditLog
from hexgate.audit.masking import Masking
from hexgate.audit.recorder import AuditPolicy, Recorder
from hexgate.audit.strand import Rotation
from hexgate.decision.decision import (
    BundleReference,
    ConstraintReference,
    Decision,
    Reason,
    RuleReference,
    User,
    Verdict,
)
from hexgate.decision.reads import EVERYTHING, Reads
from hexgate.place import Place

START = 1_764_000_000_000_000_000
CONSTRAINT = ConstraintReference("args.amount <= 500", Place("policies/billing.yaml", 9, 9, 18))
RULE = RuleReference("billing", "refund_order", 0, Verdict.ALLOW, Place("policies/billing.yaml", 6, 3, 12), (CONSTRAINT,))
BUNDLE = BundleReference("policy", 7, "ab" * 32)
ALLOWED = Decision(Verdict.ALLOW, Reason.RULE, "billing", "refund_order", RULE, None, None, BUNDLE)
DENIED = Decision(Verdict.DENY, Reason.CONSTRAINT_FAILED, "billing", "refund_order", RULE, CONSTRAINT, None, BUNDLE)
ALICE = User("alice", "billing")
READS = Reads(args=frozenset({"amount", "currency"}))
ALL = Reads(EVERYTHING, EVERYTHING, EVERYTHING, EVERYTHING, True)


class Clock:
    """A second passes whenever somebody looks."""

    def __init__(self, start: int = START) -> None:
        self.now = start

    def __call__(self) -> int:
        self.now += 10**9
        return self.now


def policy(reads: Reads = READS, *, mask: tuple[str, ...] = (), hash: tuple[str, ...] = (), durable: bool = False) -> AuditPolicy:  # noqa: A002
    """What a policy says about its events."""
    return AuditPolicy(lambda tool: reads, Masking.parse(mask, hash), durable)


def rotation(records: int = 1_000, *, size: int = 2**20) -> Rotation:
    """Checkpoints after so many records only."""
    return Rotation(size, False, records, 10**6)


def record(recorder: Recorder, number: int = 0, decision: Decision = ALLOWED, **more: Any) -> None:
    """Record one call."""
    given = {"user": ALICE, "args": {"amount": number, "currency": "EUR"}, "now": START + number, **more}
    recorder.record(decision, **given)


def write_log(directory: Path, count: int, *, every: int = 10, size: int = 2**20) -> AuditLog:
    """A closed log of so many decisions."""
    with AuditLog(directory, state=directory.parent / "state", rotation=rotation(every, size=size), clock=Clock()) as log:
        recorder = log.recorder(policy())
        for number in range(count):
            record(recorder, number)
    return log


def segments(directory: Path) -> list[Path]:
    """A log's segment files."""
    return sorted(directory.rglob("*.ndjson"))


def records(directory: Path) -> Iterator[dict[str, Any]]:
    """All lines of a log, parsed."""
    for path in segments(directory):
        for line in path.read_bytes().splitlines():
            yield json.loads(line)


def events(directory: Path) -> list[dict[str, Any]]:
    """The decisions of a log."""
    return [found for found in records(directory) if found["type"] == "decision"]
