"""Where events go besides the file: standard output, a function of the host. OpenTelemetry has a module of its own."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from typing import Protocol

from hexgate.audit.unavailable import AuditUnavailableError


class Sink(Protocol):
    """Takes every event after the file has it, in the thread that decides. What `take` raises denies the call."""

    def take(self, line: bytes) -> None:
        """Take the exact line of an event, without a newline."""

    def anchor(self, note: bytes) -> None:
        """Take a signed checkpoint, to keep it where the log's host cannot change it."""

    def close(self) -> None:
        """Nothing comes any more."""


SINK_SECONDS = 5.0
"""How long an event waits for a descriptor that takes nothing."""

PIECE_BYTES = 4_096
"""What a pipe that is ready takes without blocking (PIPE_BUF on Linux; POSIX asks for 512)."""


class StreamSink:
    """Lines to a descriptor, by default standard output, as containers want them; checkpoints to another one, if given. A reader that
    does not read is waited for within `SINK_SECONDS`; then the call is denied."""

    def __init__(self, descriptor: int = 1, *, checkpoints: int | None = None) -> None:
        self._lines = _Stream(descriptor)
        self._checkpoints = None if checkpoints is None else _Stream(checkpoints)

    def take(self, line: bytes) -> None:
        """Write the line whole. Raises AuditUnavailableError."""
        self._lines.write(line + b"\n")

    def anchor(self, note: bytes) -> None:
        if self._checkpoints is not None:
            self._checkpoints.write(note)

    def close(self) -> None:
        pass


class FunctionSink:
    """Lines to a function, and checkpoints to another one, if given. What they raise denies the call."""

    def __init__(self, take: Callable[[bytes], object], *, anchor: Callable[[bytes], object] | None = None) -> None:
        self._take = take
        self._anchor = anchor

    def take(self, line: bytes) -> None:
        self._take(line)

    def anchor(self, note: bytes) -> None:
        if self._anchor is not None:
            self._anchor(note)

    def close(self) -> None:
        pass


class _Stream:
    """A descriptor that is written to by one thread at a time. What was cut off by a failure is ended before the next text."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._torn = False

    def write(self, data: bytes) -> None:
        if self._process != os.getpid():
            # Forked: a thread of the parent may hold the lock, and is not here to release it.
            self._lock, self._process = threading.Lock(), os.getpid()
        deadline = time.monotonic() + SINK_SECONDS
        if not self._lock.acquire(True, SINK_SECONDS):
            raise _late()
        try:
            self._write(b"\n" + data if self._torn else data, deadline)
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise AuditUnavailableError(f"a sink of the audit log cannot be written: {reason}") from None
        finally:
            self._lock.release()

    def _write(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            if not _is_ready(self._descriptor, deadline - time.monotonic()):
                raise _late()
            taken = os.write(self._descriptor, rest[:PIECE_BYTES])
            rest = rest[taken:]
            self._torn = bool(rest)


def _late() -> AuditUnavailableError:
    return AuditUnavailableError(f"a sink of the audit log has not taken an event for {SINK_SECONDS:g} seconds")


def _is_ready(descriptor: int, seconds: float) -> bool:
    """Whether a write does not block, or fails at once, within a time. Where the system cannot tell (Windows), it is tried."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(max(0.0, seconds) * 1_000))
