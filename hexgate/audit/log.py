"""The audit log of a process: opened on first use, safe from threads, begun anew in a forked child.

A directory is shared by processes: each writes a strand of its own, `00`, `01`, and so on, the lowest that no other
process holds. So no line of one process ever stands between those of another, and nobody waits for anybody.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from hexgate.audit.event import encode_json, format_timestamp
from hexgate.audit.process_lock import try_lock
from hexgate.audit.segment import FIRST_PREVIOUS
from hexgate.audit.sinks import Sink
from hexgate.audit.unavailable import AuditUnavailableError, UnrecordedDenials

if TYPE_CHECKING:
    from hexgate.audit.recorder import AuditPolicy, Recorder
    from hexgate.audit.strand import Rotation

STRANDS = 256
"""How many processes may write to one directory at a time."""


class _Written(Protocol):
    def append(self, rest: str, denials: UnrecordedDenials) -> tuple[tuple[bytes, ...], int, int]: ...
    def sync(self, written: int) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...
    def give_back(self) -> None: ...
    @property
    def broken(self) -> bool: ...


class Keyed:
    """HMAC-SHA256 (RFC 2104) under a log's salt, in hex."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, salt: bytes) -> None:
        block = salt.ljust(64, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def __call__(self, data: bytes) -> str:
        inner = self._inner.copy()
        inner.update(data)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()


class AuditLog:
    """Events in a directory, and in every sink. With None for the directory, in the sinks only: then nothing is signed, and
    keyed hashes are comparable within the process only."""

    def __init__(
        self,
        directory: str | Path | None,
        *,
        state: str | Path | None = None,
        sinks: Sequence[Sink] = (),
        rotation: Rotation | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Touches no file yet. `state` is where the log's own key and salt live, by default the directory itself; `clock`
        gives nanoseconds since the epoch."""
        if directory is None and not sinks:
            raise ValueError("a log without a directory needs a sink")
        self._directory = None if directory is None else Path(directory)
        self._state = self._directory if state is None else Path(state)
        self._sinks = tuple(sinks)
        self._rotation = rotation
        self._clock = clock
        self._strand: _Written | None = None
        self._keyed: Keyed | None = None
        self._opening = threading.Lock()
        self._closed = False
        self._denials = UnrecordedDenials()
        _logs.add(self)

    def recorder(self, policy: AuditPolicy) -> Recorder:
        """What records the decisions of one policy. Make one for each snapshot of a bundle."""
        from hexgate.audit.recorder import Recorder

        return Recorder(self, policy)

    def open(self) -> None:
        """Open the log now rather than at its first event. Raises AuditUnavailableError."""
        self._open_strand()

    def keyed(self) -> Keyed:
        """The keyed hash of this log. Raises AuditUnavailableError."""
        keyed = self._keyed
        while keyed is None:
            self._open_strand()
            keyed = self._keyed
        return keyed

    def write(self, rest: str, *, durable: bool) -> None:
        """Write one event to the file and to every sink; `rest` is its line after what the strand adds. Raises
        AuditUnavailableError, and whatever a sink raises."""
        strand = self._strand
        if strand is None or strand.broken:
            strand = self._open_strand()
        lines, written, unrecorded = strand.append(rest, self._denials)
        if durable:
            strand.sync(written)
        if self._sinks:
            self._hand_on(lines, unrecorded)

    def _hand_on(self, lines: tuple[bytes, ...], unrecorded: int) -> None:
        """Give lines to every sink. Without a file a count of denials that not every sink has taken is nowhere: it is said again."""
        taken = False
        try:
            for sink in self._sinks:
                for line in lines:
                    sink.take(line)
            taken = True
        finally:
            if not taken and unrecorded and self._directory is None:
                self._denials.add(unrecorded)

    @property
    def unrecorded_denials(self) -> int:
        """Denials that no event was written for and that no record counts yet."""
        return self._denials.count

    def count_denial(self) -> None:
        """Count a denial whose event was not written: the next event that is says so first."""
        self._denials.add(1)

    def _open_strand(self) -> _Written:
        with self._opening:
            if self._closed:
                raise AuditUnavailableError("the audit log is closed")
            if self._strand is not None and not self._strand.broken:
                return self._strand
            if self._strand is not None:
                self._strand.give_back()
                self._strand = None
            if self._directory is None:
                self._keyed = Keyed(secrets.token_bytes(32))
                self._strand = _Unfiled(self._clock)
            else:
                self._strand = self._take_strand(self._directory)
            return self._strand

    def _take_strand(self, directory: Path) -> _Written:
        from hexgate.audit.checkpoint import open_signer
        from hexgate.audit.strand import Rotation, Strand

        try:
            signer = open_signer(self._state or directory)
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in range(STRANDS):
                strand = directory / f"{number:02d}"
                strand.mkdir(mode=0o700, exist_ok=True)
                lock = try_lock(strand / "lock")
                if lock is not None:
                    self._keyed = Keyed(signer.salt)
                    return Strand(strand, lock, signer, self._rotation or Rotation(), self._clock, self._anchor)
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise AuditUnavailableError(f"the audit log cannot be opened: {reason}") from None
        except ValueError as error:
            raise AuditUnavailableError(f"the audit log cannot be opened: {error}") from None
        raise AuditUnavailableError(f"more than {STRANDS} processes write to the audit log")

    def _anchor(self, note: bytes) -> None:
        for sink in self._sinks:
            sink.anchor(note)

    def close(self) -> None:
        """Write the last checkpoint and close the sinks, once; the end of the process does so too. Raises
        AuditUnavailableError."""
        with self._opening:
            if self._closed:
                return
            strand, self._strand, self._closed = self._strand, None, True
        try:
            if strand is not None:
                strand.close()
        finally:
            for sink in self._sinks:
                sink.close()

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _begin_anew_in_child(self) -> None:
        """A forked child writes a strand of its own; the parent's descriptors are closed, its lock stays the parent's."""
        self._opening = threading.Lock()
        strand, self._strand = self._strand, None
        self._denials = UnrecordedDenials()
        if strand is not None:
            strand.abandon()


class _Unfiled:
    """What stands for a strand where there is no directory: lines for the sinks only, numbered and chained."""

    broken = False

    def __init__(self, clock: Callable[[], int]) -> None:
        self._id = secrets.token_hex(8)
        self._seq = 0
        self._previous = FIRST_PREVIOUS
        self._lock = threading.Lock()
        self._clock = clock

    def append(self, rest: str, denials: UnrecordedDenials) -> tuple[tuple[bytes, ...], int, int]:
        with self._lock:
            unrecorded = denials.count
            lines: tuple[bytes, ...] = ()
            if unrecorded:
                denials.add(-unrecorded)
                stamp = format_timestamp(self._clock())
                lines = (self._line(encode_json({"type": "unrecorded", "timestamp": stamp, "denials": unrecorded})[1:]),)
            return (*lines, self._line(rest)), self._seq, unrecorded

    def _line(self, rest: str) -> bytes:
        line = f'{{"seq":{self._seq},"prev":"{self._previous}","decision_id":"{self._id}-{self._seq}",{rest}'.encode("ascii")
        self._previous = sha256(b"\0" + line).hexdigest()[:16]
        self._seq += 1
        return line

    def sync(self, written: int) -> None:
        pass

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass

    def give_back(self) -> None:
        pass


_logs: weakref.WeakSet[AuditLog] = weakref.WeakSet()


def _begin_anew() -> None:
    for log in list(_logs):
        log._begin_anew_in_child()


def _close_all() -> None:
    """The last checkpoints of a process that ends without closing its logs. Whoever wants to know whether it was written
    calls `close`."""
    for log in list(_logs):
        with contextlib.suppress(AuditUnavailableError):
            log.close()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
