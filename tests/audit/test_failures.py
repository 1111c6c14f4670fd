"""What happens when something stops: the process, the disk, a sink. Nothing allowed goes unrecorded, nothing is mixed up."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hexgate.audit import sinks as sinks_module
from hexgate.audit import strand as strand_module
from hexgate.audit.log import AuditLog
from hexgate.audit.process_lock import try_lock, unlock
from hexgate.audit.sinks import FunctionSink, StreamSink
from hexgate.audit.unavailable import AuditUnavailableError
from hexgate.audit.verify import verify_log
from tests.audit.logs import (
    ALL,
    DENIED,
    READS,
    START,
    Clock,
    events,
    policy,
    record,
    records,
    rotation,
    segments,
    write_log,
)

ROOT = Path(__file__).parent.parent.parent


def writer(name: str, directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.audit.writers", name, str(directory)], stdout=subprocess.PIPE, cwd=ROOT
    )


def test_killed_writers_leave_a_log_that_verifies(tmp_path: Path) -> None:
    """Four writers at a time, killed at random moments: every call that ran has its event."""
    log = tmp_path / "log"
    random.seed(7)
    ran: set[str] = set()
    for _ in range(3):
        writers = [writer("write_until_killed", log) for _ in range(4)]
        for process in writers:
            assert process.stdout is not None
            for _ in range(random.randrange(1, 120)):
                ran.add(process.stdout.readline().decode().strip())
            process.send_signal(signal.SIGKILL)
        for process in writers:
            rest, _ = process.communicate()
            ran.update(rest.decode().rpartition("\n")[0].split("\n"))
    ran.discard("")
    with AuditLog(log, rotation=rotation()) as last:
        record(last.recorder(policy()))
    found = Counter(event["call_id"] for event in events(log))
    assert ran <= found.keys() and len(ran) > 12
    assert [count for call, count in found.items() if count > 1 and call] == []
    verification = verify_log(log)
    assert [finding for finding in verification.findings if finding.kind.value != "torn"] == []
    assert len(list(log.iterdir())) <= 4 + 2, "a strand is taken again by the next process"


@pytest.mark.parametrize("keep", [0, 1, 40, -1], ids=["all of it", "one byte", "in the middle", "but the newline"])
@pytest.mark.parametrize("line", [0, 3], ids=["the first line", "the last line"])
def test_a_torn_end_is_repaired_and_recorded(tmp_path: Path, line: int, keep: int) -> None:
    log = tmp_path / "log"
    write_log(log, 3, every=100)
    (log / "00" / "000001.checkpoints").unlink()
    path = segments(log)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    torn = lines[line][:keep]
    path.write_bytes(b"".join(lines[:line]) + torn)
    for _ in range(2):
        with AuditLog(log, state=tmp_path / "state", rotation=rotation(), clock=Clock()) as again:
            record(again.recorder(policy()), 77)
    assert verify_log(log).sound
    found = [found for found in records(log) if found["type"] == "repaired"]
    if keep == 0:
        assert found == []
    else:
        assert [(entry["bytes"], entry["file"]) for entry in found] == [(len(torn), f"000001.torn-{line}")]
        assert (log / "00" / f"000001.torn-{line}").read_bytes() == torn
    assert [event["input"]["args"]["amount"] for event in events(log)] == [*range(line and 2), 77, 77]


def test_a_repair_that_was_not_recorded_is_recorded_later(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write_log(log, 3)
    (log / "00" / "000001.torn-4").write_bytes(b"half")
    write_again = AuditLog(log, state=tmp_path / "state", rotation=rotation(), clock=Clock())
    write_again.open()
    write_again.close()
    assert [found["type"] for found in records(log)] == ["segment", "decision", "decision", "decision", "repaired"]
    assert verify_log(log).repaired == 1


def test_a_full_disk_denies_and_recovers(tmp_path: Path) -> None:
    process = writer("write_on_a_full_disk", tmp_path)
    out, _ = process.communicate()
    first, second = out.decode().splitlines()
    recorded, refused, details = first.split(" ", 2)
    assert int(recorded) > 5 and int(refused) > 20
    assert set(json.loads(details.replace("'", '"'))) <= {
        "the audit log cannot be written: the disk took a part of the line only",
        "the audit log cannot be written: file too large",
    }
    assert second == "10 0 []"
    assert len(events(tmp_path)) == int(recorded) + 10
    verification = verify_log(tmp_path)
    assert verification.sound and verification.unrecorded == int(refused)


def test_a_forked_child_writes_a_strand_of_its_own(tmp_path: Path) -> None:
    process = writer("write_and_fork", tmp_path)
    out, _ = process.communicate(timeout=60)
    assert out.decode() == "[0, 0, 0, 0, 0]\n"
    verification = verify_log(tmp_path)
    assert verification.sound and verification.vouched == verification.records
    by_strand: dict[str, set[str]] = {}
    for path in segments(tmp_path):
        calls = {json.loads(line).get("call_id") for line in path.read_bytes().splitlines()} - {None}
        by_strand.setdefault(path.parent.name, set()).update(calls)
    assert by_strand["00"] == {"thread", "parent"}
    assert all(call.startswith("child-") for name, calls in by_strand.items() if name != "00" for call in calls)
    assert Counter(event["call_id"][:6] for event in events(tmp_path))["child-"] == 100


def test_a_lock_that_is_given_back_is_free_while_a_child_has_its_descriptor(tmp_path: Path) -> None:
    descriptor = try_lock(tmp_path / "lock")
    assert descriptor is not None and try_lock(tmp_path / "lock") is None
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go)
        os.read(ready, 1)  # until the parent closes its end
        os._exit(0)
    try:
        unlock(descriptor)
        again = try_lock(tmp_path / "lock")
        assert again is not None
        unlock(again)
    finally:
        os.close(go)
        os.waitpid(child, 0)
        os.close(ready)


def test_a_closed_log_gives_its_strand_back_while_a_child_has_its_descriptor(tmp_path: Path) -> None:
    write_log(tmp_path / "log", 1)
    log = AuditLog(tmp_path / "log", state=tmp_path / "state")
    log.open()
    held = [os.dup(descriptor) for descriptor in _descriptors_of(tmp_path / "log" / "00" / "lock")]
    assert held
    log.close()
    write_log(tmp_path / "log", 1)
    assert sorted(path.name for path in (tmp_path / "log").iterdir()) == ["00"]
    for descriptor in held:
        os.close(descriptor)


def _descriptors_of(path: Path) -> list[int]:
    """This process's descriptors of a file."""
    wanted = path.stat().st_ino
    found = []
    for number in range(256):
        try:
            if os.fstat(number).st_ino == wanted:
                found.append(number)
        except OSError:
            continue
    return found


def test_threads_share_a_tree(tmp_path: Path) -> None:
    with AuditLog(tmp_path, rotation=rotation(13, size=30_000)) as log:
        recorder = log.recorder(policy())

        def work(thread: int) -> None:
            for number in range(100):
                record(recorder, number, call_id=f"{thread}-{number}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({event["call_id"] for event in events(tmp_path)}) == 800
    verification = verify_log(tmp_path)
    assert verification.sound and verification.segments > 5 and verification.vouched == verification.records


def test_durable_events_are_synced_before_they_return(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(strand_module, "sync_data", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    log = AuditLog(tmp_path, rotation=rotation())
    recorder = log.recorder(policy(durable=True))
    for number in range(3):
        record(recorder, number)
        assert synced[-1] == segments(tmp_path)[0].stat().st_size
    assert len(synced) == 3


def test_waiting_threads_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs: list[int] = []
    first, go_on = threading.Event(), threading.Event()

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        first.set()
        assert go_on.wait(10)

    monkeypatch.setattr(strand_module, "sync_data", slow)
    log = AuditLog(tmp_path, rotation=rotation())
    log.open()
    recorder = log.recorder(policy(durable=True))
    threads = [threading.Thread(target=record, args=(recorder, number)) for number in range(9)]
    threads[0].start()
    assert first.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(events(tmp_path)) < 9:
        pass
    go_on.set()
    for thread in threads:
        thread.join()
    assert len(syncs) == 2


def _fail(number: int) -> Any:
    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_failed_sync_denies_until_the_log_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(tmp_path, rotation=rotation())
    recorder = log.recorder(policy(durable=True))
    record(recorder)
    monkeypatch.setattr(strand_module, "sync_data", _fail(errno.EIO))
    with pytest.raises(AuditUnavailableError, match=r"^the audit log cannot be synced: input/output error$"):
        record(recorder, 1)
    monkeypatch.undo()
    record(recorder, 2)
    log.close()
    assert verify_log(tmp_path).sound


def test_a_slow_disk_is_waited_for_within_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strand_module, "WAIT_SECONDS", 0.05)
    held, go_on = threading.Event(), threading.Event()
    log = AuditLog(tmp_path, rotation=rotation())
    recorder = log.recorder(policy(durable=True))
    log.open()

    def stuck(descriptor: int) -> None:
        held.set()
        assert go_on.wait(10)

    monkeypatch.setattr(strand_module, "sync_data", stuck)
    thread = threading.Thread(target=record, args=(recorder,))
    thread.start()
    assert held.wait(10)
    with pytest.raises(AuditUnavailableError, match=r"^the disk has not taken an event for 0\.05 seconds$"):
        record(recorder, 1)
    go_on.set()
    thread.join()


def test_denials_that_could_not_be_recorded_are_counted_and_recorded(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"")
    log = AuditLog(tmp_path / "log", state=tmp_path / "state")
    recorder = log.recorder(policy())
    for decision in (DENIED, DENIED):
        with pytest.raises(AuditUnavailableError, match=r"^the audit log cannot be opened: file exists$"):
            record(recorder, decision=decision)
    with pytest.raises(AuditUnavailableError, match=r"^the audit log cannot be opened: file exists$"):
        record(recorder)
    assert log.unrecorded_denials == 2
    (tmp_path / "log").unlink()
    record(recorder)
    assert log.unrecorded_denials == 0
    assert [found.get("denials") for found in records(tmp_path / "log")] == [None, 2, None]


SINKS = {
    "raises": (FunctionSink(_fail(errno.EPIPE)), "the event could not be recorded"),
    "closed": (StreamSink(987), "a sink of the audit log cannot be written: bad file descriptor"),
}


@pytest.mark.parametrize("name", SINKS)
def test_a_sink_that_fails_denies(name: str, tmp_path: Path) -> None:
    sink, sentence = SINKS[name]
    recorder = AuditLog(tmp_path, sinks=[sink]).recorder(policy())
    with pytest.raises(AuditUnavailableError, match=f"^{sentence}$"):
        record(recorder)
    assert len(events(tmp_path)) == 1, "the file has it: a record too many, never one too few"


def test_a_sink_that_takes_nothing_denies_within_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks_module, "SINK_SECONDS", 0.05)
    out, into = os.pipe()
    recorder = AuditLog(tmp_path, sinks=[StreamSink(into)]).recorder(policy(ALL))
    recorded = 0
    with pytest.raises(AuditUnavailableError, match=r"^a sink of the audit log has not taken an event for 0.05 seconds$"):
        while True:
            record(recorder, recorded, args={"note": "x" * 1_900, "more": "y" * 1_900, "third": "z" * 1_900})
            recorded += 1
    assert recorded > 5
    taken = b""
    while len(taken) < 40_000:
        taken += os.read(out, 65_536)
    record(recorder, recorded + 1)
    os.close(into)
    while piece := os.read(out, 65_536):
        taken += piece
    os.close(out)
    lines = taken.split(b"\n")
    assert json.loads(lines[-2])["input"]["args"] == {"amount": recorded + 1, "currency": "EUR"}
    whole = [line for line in lines[:-1] if line.endswith(b"}")]
    assert len(whole) == recorded + 1 and all(json.loads(line) for line in whole)


def test_a_directory_that_cannot_be_written_denies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only directory or file system; the tests may run as root, whom permissions do not stop."""

    def refuse(path: object, flags: int, *more: object) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, *more)  # type: ignore[arg-type]

    opened = os.open
    log = AuditLog(tmp_path / "log", state=tmp_path / "state")
    recorder = log.recorder(policy())
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refuse)
        with pytest.raises(AuditUnavailableError, match=r"^the audit log cannot be opened: read-only file system$"):
            record(recorder)
    record(recorder)
    assert len(events(tmp_path / "log")) == 1


def test_every_sink_has_every_line_and_every_checkpoint(tmp_path: Path) -> None:
    lines: list[bytes] = []
    notes: list[bytes] = []
    out, into = os.pipe()
    sinks = [FunctionSink(lines.append, anchor=notes.append), StreamSink(into)]
    with AuditLog(tmp_path / "log", sinks=sinks, rotation=rotation(2)) as log:
        recorder = log.recorder(policy())
        for number in range(5):
            record(recorder, number)
    os.close(into)
    with os.fdopen(out, "rb") as stream:
        assert stream.read().splitlines() == lines
    assert lines == [line for line in segments(tmp_path)[0].read_bytes().splitlines() if b'"type":"decision"' in line]
    assert verify_log(tmp_path / "log", anchors=notes).anchors == len(notes) == 3


@pytest.mark.parametrize("directory", [True, False], ids=["with a file", "sinks only"])
def test_a_sink_is_told_of_denials_that_were_not_recorded(directory: bool, tmp_path: Path) -> None:
    """Also where the sink that failed is all there is: what it did not take is said until it is taken."""
    taken: list[dict[str, Any]] = []
    failing = [True]

    def take(line: bytes) -> None:
        if failing[0]:
            raise OSError(errno.EPIPE, "")
        taken.append(json.loads(line))

    with AuditLog(tmp_path / "log" if directory else None, sinks=[FunctionSink(take)]) as log:
        recorder = log.recorder(policy())
        for number in range(3):
            with pytest.raises(AuditUnavailableError):
                record(recorder, number, DENIED)
        failing[0] = False
        record(recorder, 4)
        record(recorder, 5)
        assert log.unrecorded_denials == 0
    assert [(line["type"], line.get("denials")) for line in taken] == [
        ("unrecorded", 1 if directory else 3), ("decision", None), ("decision", None)
    ]  # fmt: skip
    assert [line["seq"] for line in taken] == list(range(taken[0]["seq"], taken[0]["seq"] + 3))


STATES: dict[str, tuple[bytes, int, str]] = {
    "readable by others": (b"0" * 64, 0o644, "`audit.key` can be read by others than its owner; give it the permissions 0600"),
    "cut off": (b"0" * 63, 0o600, "`audit.key` does not hold 32 bytes in hex"),
    "no text": (b"\xff" * 64, 0o600, "`audit.key` does not hold 32 bytes in hex"),
}


@pytest.mark.parametrize("name", STATES)
def test_keys_that_are_not_used(name: str, tmp_path: Path) -> None:
    content, mode, sentence = STATES[name]
    (tmp_path / "audit.key").write_bytes(content)
    (tmp_path / "audit.key").chmod(mode)
    with pytest.raises(AuditUnavailableError, match=f"^the audit log cannot be opened: {sentence}$"):
        AuditLog(tmp_path / "log", state=tmp_path).open()


def test_the_key_and_the_salt_are_their_owner_s_only(tmp_path: Path) -> None:
    AuditLog(tmp_path / "log", state=tmp_path / "state").open()
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
    assert modes == {"audit.key": 0o600, "audit.salt": 0o600}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "log").rglob("*"))


def test_a_closed_log_denies(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", 1)
    with pytest.raises(AuditUnavailableError, match=r"^the audit log is closed$"):
        record(log.recorder(policy()))


def test_a_new_day_begins_a_segment(tmp_path: Path) -> None:
    clock = Clock()
    with AuditLog(tmp_path, rotation=strand_module.Rotation(), clock=clock) as log:
        recorder = log.recorder(policy())
        for _ in range(3):
            record(recorder)
            clock.now += 86_400 * 10**9
    assert len(segments(tmp_path)) == 3 and verify_log(tmp_path).sound


def test_processes_of_a_day_share_a_segment_and_those_of_the_next_begin_one(tmp_path: Path) -> None:
    """A day is that of the segment, not of the process: those that live for an hour have days too."""
    clock = Clock()
    for hours in (0, 1, 25, 26):
        clock.now = START + hours * 3_600 * 10**9
        with AuditLog(tmp_path, rotation=strand_module.Rotation(), clock=clock) as log:
            record(log.recorder(policy()))
    found = [path.read_bytes().count(b'"type":"decision"') for path in segments(tmp_path)]
    verification = verify_log(tmp_path)
    assert found == [2, 2] and verification.sound and verification.vouched == verification.records == 6


def test_lines_that_a_killed_process_left_are_vouched_for_by_the_next(tmp_path: Path) -> None:
    """Also where it writes nothing, or begins a new segment at once."""
    for hours in (1, 25):
        directory, clock = tmp_path / str(hours), Clock()
        log = AuditLog(directory, rotation=strand_module.Rotation(), clock=clock)
        record(log.recorder(policy()))
        strand = log._strand
        assert isinstance(strand, strand_module.Strand)
        strand.give_back()
        clock.now += hours * 3_600 * 10**9
        with AuditLog(directory, rotation=strand_module.Rotation(), clock=clock) as again:
            if hours > 24:
                record(again.recorder(policy()))
            else:
                again.open()
        found = verify_log(directory)
        assert found.sound and found.vouched == found.records == (4 if hours > 24 else 2)


def test_a_clock_that_was_ahead_does_not_put_checkpoints_off(tmp_path: Path) -> None:
    clock = Clock(START + 400 * 86_400 * 10**9)
    notes: list[bytes] = []
    with AuditLog(tmp_path, sinks=[FunctionSink(lambda line: None, anchor=notes.append)], rotation=strand_module.Rotation(), clock=clock) as log:
        recorder = log.recorder(policy())
        record(recorder)
        clock.now = START
        record(recorder)
        assert len(notes) == 2, "one for the segment that ends, one since it is late"
        record(recorder)
        assert len(notes) == 2
        clock.now += 61 * 10**9
        record(recorder)
        assert len(notes) == 3
    assert len(segments(tmp_path)) == 2 and verify_log(tmp_path).sound


def test_a_directory_that_holds_something_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "00").mkdir()
    (tmp_path / "00" / "000001.ndjson").write_bytes(b"{}\n")
    sentence = "the audit log's last segment is no log; run `hexgate audit verify`, and move it elsewhere"
    with pytest.raises(AuditUnavailableError, match=f"^{sentence}$"):
        AuditLog(tmp_path).open()


def test_policies_have_recorders_of_their_own(tmp_path: Path) -> None:
    with AuditLog(tmp_path, rotation=rotation()) as log:
        record(log.recorder(policy(READS)))
        record(log.recorder(policy(READS, mask=("args.amount",))))
    assert [event["input"]["args"]["amount"] for event in events(tmp_path)] == [0, "[masked]"]


def test_a_process_that_just_ends_leaves_a_checkpoint(tmp_path: Path) -> None:
    code = (
        "import sys; from tests.audit.logs import *; from pathlib import Path\n"
        "log = AuditLog(Path(sys.argv[1]), rotation=rotation()); record(log.recorder(policy()))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, cwd=ROOT)
    assert verify_log(tmp_path).vouched == 2
