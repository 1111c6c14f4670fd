"""Processes that tests start: writers to be killed, writers on a full disk, a parent and its forked child."""

from __future__ import annotations

import os
import resource
import sys
import threading
from pathlib import Path

from hexgate.audit.log import AuditLog
from hexgate.audit.unavailable import AuditUnavailableError
from tests.audit.logs import DENIED, policy, record, rotation


def write_until_killed(directory: Path) -> None:
    """Records, and says on standard output what was recorded: that call ran."""
    log = AuditLog(directory, rotation=rotation(50, size=100_000))
    recorder = log.recorder(policy())
    number = 0
    while True:
        call = f"{os.getpid()}-{number}"
        record(recorder, number, call_id=call)
        os.write(1, call.encode() + b"\n")
        number += 1


def write_on_a_full_disk(directory: Path) -> None:
    """Files may have 9,000 bytes, then 20,000: prints how many calls were recorded, refused and recorded again."""
    log = AuditLog(directory, rotation=rotation())
    recorder = log.recorder(policy())
    log.open()
    counts = []
    for limit, decisions in ((9_000, 40), (20_000, 10)):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        recorded = 0
        details = set()
        for number in range(decisions):
            try:
                record(recorder, number, DENIED)
                recorded += 1
            except AuditUnavailableError as error:
                details.add(error.detail)
        counts.append(f"{recorded} {decisions - recorded} {sorted(details)}")
    log.close()
    sys.stdout.write("\n".join(counts) + "\n")


def write_and_fork(directory: Path) -> None:
    """A parent whose other thread holds the log's lock at the fork; parent and child go on recording."""
    log = AuditLog(directory, rotation=rotation(7))
    log.open()
    recorder = log.recorder(policy())
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            record(recorder, 1, call_id="thread")

    thread = threading.Thread(target=busy)
    thread.start()
    children = []
    for _ in range(5):
        child = os.fork()
        if child == 0:
            for number in range(20):
                record(recorder, number, call_id=f"child-{os.getpid()}")
            log.close()
            os._exit(0)
        children.append(child)
        record(recorder, 2, call_id="parent")
    statuses = [os.waitpid(child, 0)[1] for child in children]
    stop.set()
    thread.join()
    log.close()
    sys.stdout.write(f"{statuses}\n")


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
