"""A server over stdio: a child process, in a session of its own so that all it starts ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from hexgate.mcp_proxy.limits import TERMINATING_SECONDS
from hexgate.mcp_proxy.lines import Line
from hexgate.mcp_proxy.own_streams import read_lines, write_line
from hexgate.mcp_proxy.relay import ServerGoneError

_POLL_SECONDS = 0.02


class ChildProcess:
    """The running server. Its standard error is ours."""

    def __init__(self, command: Sequence[str]) -> None:
        """Starts it: a program and its arguments. Raises OSError and ValueError."""
        # A session of its own: an interrupt at the terminal is for the proxy, which ends the server in order.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        self._lock = threading.Lock()

    def lines(self) -> Iterator[Line]:
        """As the protocol says."""
        return read_lines(_descriptor(self._process.stdout))

    def send(self, line: bytes) -> None:
        """As the protocol says."""
        try:
            with self._lock:
                write_line(_descriptor(self._process.stdin), line)
        except (OSError, ValueError) as error:
            raise ServerGoneError from error

    def close_input(self) -> None:
        """As the protocol says; nothing is closed under a thread that is writing."""
        if self._lock.acquire(timeout=0.1):
            try:
                if self._process.stdin is not None:
                    with suppress(OSError):
                        self._process.stdin.close()
            finally:
                self._lock.release()

    def has_ended(self) -> bool:
        """As the protocol says."""
        return self._process.poll() is not None

    def wait(self, seconds: float) -> bool:
        """As the protocol says."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """As the protocol says. Its group is there as long as one of the processes in it."""
        if sys.platform == "win32":
            self._process.terminate()
            self.wait(TERMINATING_SECONDS)
            return
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._wait_for_group(TERMINATING_SECONDS)
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.wait(TERMINATING_SECONDS)

    def _wait_for_group(self, seconds: float) -> None:
        """Until all of it has ended: the server may be a shell that goes at once, and what it has started needs its time."""
        until = time.monotonic() + seconds
        self.wait(seconds)
        while time.monotonic() < until:
            try:
                os.killpg(self._process.pid, 0)
            except OSError:
                return
            time.sleep(_POLL_SECONDS)

    @property
    def status(self) -> int | None:
        """The exit status; negative for a signal; None while it runs."""
        return self._process.returncode


def _descriptor(stream: object) -> int:
    number = getattr(stream, "fileno", None)
    if number is None:
        raise ValueError("the stream is closed")
    return int(number())
