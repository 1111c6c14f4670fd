"""Where events go besides the file: standard output, a function of the host. OpenTelemetry has a module of its own."""

from __future__ import annotations

import os
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


class StreamSink:
    """Lines to a descriptor, by default standard output, as containers want them; checkpoints to another one, if given."""

    def __init__(self, descriptor: int = 1, *, checkpoints: int | None = None) -> None:
        self._descriptor = descriptor
        self._checkpoints = checkpoints

    def take(self, line: bytes) -> None:
        """Write the line whole. Raises AuditUnavailableError."""
        _write_whole(self._descriptor, line + b"\n")

    def anchor(self, note: bytes) -> None:
        if self._checkpoints is not None:
            _write_whole(self._checkpoints, note)

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


def _write_whole(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise AuditUnavailableError(f"a sink of the audit log cannot be written: {reason}") from None
