"""The client's side over stdio: this process's own standard input and output."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator

from hexgate.mcp_proxy.lines import Line, LineReader
from hexgate.mcp_proxy.relay import ClientGoneError

CHUNK_BYTES = 65_536


class OwnStreams:
    """Reads and writes descriptors without Python's buffers: their locks would be held by a thread that waits for the client when the
    process ends."""

    def __init__(self, source: int, sink: int) -> None:
        """Descriptors of open streams."""
        self._source = source
        self._sink = sink
        self._lock = threading.Lock()

    def lines(self) -> Iterator[Line]:
        """As the protocol says."""
        return read_lines(self._source)

    def send(self, line: bytes) -> None:
        """As the protocol says."""
        try:
            with self._lock:
                write_line(self._sink, line)
        except OSError as error:
            raise ClientGoneError from error


def read_lines(descriptor: int) -> Iterator[Line]:
    """The lines of a stream until it ends; one that can be read no more has ended."""
    reader = LineReader()
    while True:
        try:
            data = os.read(descriptor, CHUNK_BYTES)
        except BlockingIOError:
            # Whoever shares the stream has made it non-blocking, as Node.js does.
            select.select([descriptor], [], [])
            continue
        except OSError:
            data = b""
        if not data:
            yield from reader.end()
            return
        yield from reader.feed(data)


def write_line(descriptor: int, line: bytes) -> None:
    """Write a line and its line break. Raises OSError."""
    rest = memoryview(line + b"\n")
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
