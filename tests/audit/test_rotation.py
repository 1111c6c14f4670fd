"""Threads that write while segments begin."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from hexgate.audit.log import AuditLog
from hexgate.audit.strand import Rotation
from hexgate.audit.unavailable import AuditUnavailableError

THREADS, EVENTS = 8, 200


def test_a_new_segment_is_no_broken_log_to_other_threads(tmp_path: Path) -> None:
    """No event is refused, and none is written to a descriptor that another thread has closed."""
    log = AuditLog(tmp_path / "log", rotation=Rotation(segment_bytes=2_000))
    failures: list[str] = []

    def write() -> None:
        for _ in range(EVENTS):
            try:
                log.write('"type":"decision","timestamp":"2026-01-01T00:00:00Z"}', durable=False)
            except (AuditUnavailableError, OSError) as error:
                failures.append(str(error))

    threads = [threading.Thread(target=write) for _ in range(THREADS)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.000_01)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    log.close()
    lines = [line for file in sorted((tmp_path / "log").glob("*/*.ndjson")) for line in file.read_bytes().splitlines()]
    assert failures == []
    assert sum(b'"type":"decision"' in line for line in lines) == THREADS * EVENTS
    assert {file.parent.name for file in (tmp_path / "log").glob("*/*.ndjson")} == {"00"}
