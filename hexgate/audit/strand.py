"""One writer's part of a log: segments of lines, each the leaf of a tree that signed checkpoints vouch for.

A strand has one writer at a time, by a lock that ends with the process. Threads of that process share it.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from hexgate.atomic_file import sync_directory
from hexgate.audit.checkpoint import Checkpoint, CheckpointMalformedError, LogSigner, read_checkpoint
from hexgate.audit.event import EventMalformedError, encode_json, format_timestamp, parse_timestamp, read_record
from hexgate.audit.merkle import Frontier
from hexgate.audit.process_lock import unlock
from hexgate.audit.segment import (
    FIRST_PREVIOUS,
    Scanned,
    checkpoints_path,
    scan_segment,
    segment_numbers,
    segment_path,
    split_checkpoints,
)
from hexgate.audit.unavailable import AuditUnavailableError, UnrecordedDenials

SEGMENT_BYTES = 32 * 2**20
"""Size at which a new segment begins."""
CHECKPOINT_RECORDS = 1_024
CHECKPOINT_SECONDS = 60
"""A checkpoint is due after so many records, or so long after the last one."""
WAIT_SECONDS = 5.0
"""Longest wait for other threads' writes and syncs."""

_DAY = 86_400
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a new segment and a new checkpoint begin."""

    segment_bytes: int = SEGMENT_BYTES
    daily: bool = True
    checkpoint_records: int = CHECKPOINT_RECORDS
    checkpoint_seconds: int = CHECKPOINT_SECONDS


def _failure(doing: str, error: OSError) -> AuditUnavailableError:
    reason = (error.strerror or "unknown reason").lower()
    return AuditUnavailableError(f"the audit log cannot be {doing}: {reason}")


class Strand:
    """An open strand. Not to be used in a forked child: `abandon` it there."""

    def __init__(
        self, directory: Path, lock: int, signer: LogSigner, rotation: Rotation, clock: Callable[[], int],
        anchor: Callable[[bytes], None],
    ) -> None:  # fmt: skip
        """Opens the last segment and repairs its end. `lock` is the descriptor that holds the strand's lock; `anchor` takes
        every checkpoint, to send it elsewhere. Raises AuditUnavailableError."""
        self.directory = directory
        self._lock_descriptor = lock
        self._signer = signer
        self._rotation = rotation
        self._clock = clock
        self._anchor = anchor
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._descriptor = -1
        self._written = self._synced = 0
        self._broken: str | None = None
        opened = False
        try:
            self._open()
            opened = True
        except OSError as error:
            raise _failure("opened", error) from None
        finally:
            if not opened:
                self.give_back()

    # Opening -----------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        numbers = segment_numbers(self.directory)
        before = scan_segment(segment_path(self.directory, numbers[-2])) if len(numbers) > 1 else Scanned()
        if not numbers:
            self._begin(1, secrets.token_hex(8), 0, FIRST_PREVIOUS, None)
            return
        path = segment_path(self.directory, numbers[-1])
        found = scan_segment(path)
        if found.torn:
            _keep_torn(path, found)
        if not found.last:
            self._begin_again(numbers[-1], before)
        else:
            first, last = _header(found.first), _record(found.last)
            self._resume(path, numbers[-1], first["log"], last["seq"] + 1, found)
            self._day = _day_of(first)
            self._plan_next(self._clock())
        self._record_repair(path)

    def _begin_again(self, number: int, before: Scanned) -> None:
        """A segment whose first line was never finished."""
        if not before.last:
            self._begin(number, secrets.token_hex(8), 0, FIRST_PREVIOUS, None)
            return
        previous = {"size": before.frontier.size, "root": before.frontier.root().hex()}
        log_id = _header(before.first)["log"]
        self._begin(number, log_id, _record(before.last)["seq"] + 1, before.previous, previous)

    def _begin(self, number: int, log_id: str, seq: int, previous: str, before: dict[str, Any] | None) -> None:
        """Begin a segment: its first line says whose it is, and what the segment before it ended with."""
        path = segment_path(self.directory, number)
        self._resume(path, number, log_id, seq, Scanned())
        self._previous = previous
        sync_directory(self.directory)
        header = {"log": log_id, "segment": number, "key": self._signer.verifier(self._name).text, "previous": before}
        self._write(self._own_record("segment", header))

    def _resume(self, path: Path, number: int, log_id: str, seq: int, found: Scanned) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = os.open(path, _APPEND, 0o600)
        self._path = path
        self._number = number
        self._id = log_id
        self._name = f"hexgate-audit/{log_id}"
        self._seq = seq
        self._bytes = found.complete
        self._previous = found.previous
        self._frontier: Frontier = found.frontier
        now = self._clock()
        self._day = now // 10**9 // _DAY
        # Lines of earlier processes after the last checkpoint: the next one vouches for them too.
        self._vouched = self._written - max(0, found.frontier.size - _last_checkpoint(checkpoints_path(path)))
        self._plan_next(now)

    def _record_repair(self, path: Path) -> None:
        """Record a repair, also one that an earlier process did not live to record: its file names the line it stands at."""
        size = self._frontier.size
        found = [path.with_suffix(f".torn-{at}") for at in ((0, 1) if size == 1 else (size,))]
        torn = next((file for file in found if file.exists()), None)
        if torn is None:
            return
        data = torn.read_bytes()
        fields = {"file": torn.name, "bytes": len(data), "sha256": sha256(data).hexdigest()}
        self._write(self._own_record("repaired", fields))

    # Writing -----------------------------------------------------------------------------------------------------

    def _own_record(self, type_: str, fields: dict[str, Any]) -> str:
        document = {"type": type_, "timestamp": format_timestamp(self._clock()), **fields}
        return encode_json(document)[1:]

    def append(self, rest: str, denials: UnrecordedDenials) -> tuple[tuple[bytes, ...], int, int]:
        """Write one line; `rest` is its JSON after the members that the strand adds. What was written, and the count to `sync` to.

        Where denials before it could not be written, a line of its own says so first, and the last number is how many it counts. Raises
        AuditUnavailableError; then the line is not in the log, unless the checkpoint after it failed.
        """
        if not self._lock.acquire(True, WAIT_SECONDS):
            raise AuditUnavailableError(f"the audit log has not taken an event for {WAIT_SECONDS:g} seconds")
        try:
            if self._broken is not None:
                raise AuditUnavailableError(self._broken)
            now = self._clock()
            late = not self._planned <= now < self._due
            if late or self._bytes >= self._rotation.segment_bytes:
                self._rotate_if_due(now)
            unrecorded = denials.count
            lines: tuple[bytes, ...] = ()
            if unrecorded:
                lines = (self._write(self._own_record("unrecorded", {"denials": unrecorded})),)
                denials.add(-unrecorded)
            lines += (self._write(rest),)
            written = self._written
            if late or written - self._vouched >= self._rotation.checkpoint_records:
                self._vouch(now)
            return lines, written, unrecorded
        except OSError as error:
            raise _failure("written", error) from None
        finally:
            self._lock.release()

    def _write(self, rest: str) -> bytes:
        seq = self._seq
        line = f'{{"seq":{seq},"prev":"{self._previous}","decision_id":"{self._id}-{seq}",{rest}'.encode("ascii")
        size = len(line) + 1
        try:
            written = os.write(self._descriptor, line + b"\n")
        except OSError:
            self._take_back()
            raise
        if written != size:
            self._take_back()
            raise AuditUnavailableError("the audit log cannot be written: the disk took a part of the line only")
        leaf = sha256(b"\0" + line).digest()
        self._frontier.append(leaf)
        self._previous = leaf[:8].hex()
        self._bytes += size
        self._seq = seq + 1
        self._written += 1
        return line

    def _take_back(self) -> None:
        """Remove what was written of a line that is not whole."""
        try:
            os.ftruncate(self._descriptor, self._bytes)
        except OSError:
            self._broken = "the audit log ends in a torn line; it is repaired when it is opened again"

    def _rotate_if_due(self, now: int) -> None:
        full = self._bytes >= self._rotation.segment_bytes
        if not full and not (self._rotation.daily and now // 10**9 // _DAY != self._day):
            return
        if self._vouched < self._written:
            self._vouch(now)
        before = {"size": self._frontier.size, "root": self._frontier.root().hex()}
        before_seq = self._seq
        try:
            self._begin(self._number + 1, self._id, self._seq, self._previous, before)
        finally:
            # Until the first line is there, opening the strand again begins the segment again. Not said before it fails: other threads look
            # at it without the lock, and would open the strand again under this one.
            if self._seq == before_seq:
                self._broken = "the audit log could not begin a new segment"

    def _vouch(self, now: int) -> None:
        """Sync the segment, sign its tree, and keep the checkpoint beside it."""
        self._sync_descriptor(self._descriptor)
        self._synced = self._written
        checkpoint = Checkpoint(f"{self._name}/{self._number}", self._frontier.size, self._frontier.root())
        note = self._signer.sign(checkpoint, self._name)
        descriptor = os.open(checkpoints_path(self._path), _APPEND, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            if os.write(descriptor, note + b"\n") != len(note) + 1:
                os.ftruncate(descriptor, end)
                raise AuditUnavailableError("the audit log cannot be written: the disk took a part of a checkpoint only")
            self._sync_descriptor(descriptor)
        finally:
            os.close(descriptor)
        self._vouched = self._written
        self._plan_next(now)
        self._anchor(note)

    def _plan_next(self, now: int) -> None:
        """When to look at the clock's consequences again: at the next checkpoint by time, at the end of the day, or when the clock is
        moved back, since what was planned by a clock that was ahead would come late by as much."""
        self._planned = now
        self._due = now + self._rotation.checkpoint_seconds * 10**9
        if self._rotation.daily:
            self._due = min(self._due, (self._day + 1) * _DAY * 10**9)

    def _sync_descriptor(self, descriptor: int) -> None:
        try:
            sync_data(descriptor)
        except OSError as error:
            # After a failed sync nobody knows what is on disk (fsync(2)): only opening the log again tells.
            self._broken = _failure("synced", error).detail
            raise AuditUnavailableError(self._broken) from None

    def sync(self, written: int) -> None:
        """Wait until so many lines are synced. Of several threads that wait, one syncs for all. Raises AuditUnavailableError."""
        deadline = time.monotonic() + WAIT_SECONDS
        if not self._sync_lock.acquire(True, WAIT_SECONDS):
            raise AuditUnavailableError(f"the disk has not taken an event for {WAIT_SECONDS:g} seconds")
        try:
            if self._synced >= written:
                return
            if not self._lock.acquire(True, max(0.0, deadline - time.monotonic())):
                raise AuditUnavailableError(f"the disk has not taken an event for {WAIT_SECONDS:g} seconds")
            try:
                if self._broken is not None:
                    raise AuditUnavailableError(self._broken)
                reached = self._written
                # A copy: another thread may begin a new segment meanwhile, and close the old one's descriptor.
                descriptor = os.dup(self._descriptor)
            finally:
                self._lock.release()
            try:
                self._sync_descriptor(descriptor)
            finally:
                os.close(descriptor)
            self._synced = max(self._synced, reached)
        except OSError as error:
            raise _failure("synced", error) from None
        finally:
            self._sync_lock.release()

    @property
    def broken(self) -> bool:
        """Whether only opening the strand again helps."""
        return self._broken is not None

    def close(self) -> None:
        """Write the last checkpoint and give the strand back. Raises AuditUnavailableError."""
        with self._lock:
            try:
                if self._broken is None and self._descriptor >= 0 and self._vouched < self._written:
                    self._vouch(self._clock())
            except OSError as error:
                raise _failure("written", error) from None
            finally:
                self._broken = self._broken or "the audit log is closed"
                self._give_back()

    def give_back(self) -> None:
        """Close the strand as it is, for whoever takes it next, once no other thread writes to it: a descriptor that is closed under a
        write may be another file's by then."""
        with self._lock:
            self._give_back()

    def _give_back(self) -> None:
        lock, self._lock_descriptor = self._lock_descriptor, -1
        if lock >= 0:
            unlock(lock)
        self.abandon()

    def abandon(self) -> None:
        """Close the descriptors and nothing else: the strand, and its lock, are the parent process's."""
        for descriptor in (self._descriptor, self._lock_descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._lock_descriptor = -1


def _keep_torn(path: Path, found: Scanned) -> None:
    """Move the bytes after the last complete line to a file of their own. At every moment either file has them."""
    torn = path.with_suffix(f".torn-{found.frontier.size}")
    with path.open("r+b") as segment:
        segment.seek(found.complete)
        data = segment.read()
        with torn.open("ab") as file:  # the record of an earlier repair may itself be torn
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(path.parent)
        segment.truncate(found.complete)
        os.fsync(segment.fileno())


def _last_checkpoint(path: Path) -> int:
    """How many lines the last checkpoint of a segment vouches for; one that is cut off is removed."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return 0
    notes, end = split_checkpoints(data)
    if end < len(data):
        os.truncate(path, end)
    try:
        return read_checkpoint(notes[-1]).size if notes else 0
    except CheckpointMalformedError:
        return 0


def _day_of(header: dict[str, Any]) -> int:
    """The day on which a segment was begun, since the epoch. One that does not say ends with the first line."""
    try:
        return parse_timestamp(header["timestamp"]) // 10**9 // _DAY
    except (KeyError, TypeError, ValueError):
        return -1


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = read_record(line)
    except EventMalformedError:
        record = {}
    if type(record.get("seq")) is not int:
        raise AuditUnavailableError("the audit log's last segment is no log; run `hexgate audit verify`, and move it elsewhere")
    return record


def _header(line: bytes) -> dict[str, Any]:
    record = _record(line)
    if record["type"] != "segment" or type(record.get("log")) is not str:
        raise AuditUnavailableError("the audit log's last segment is no log; run `hexgate audit verify`, and move it elsewhere")
    return record
