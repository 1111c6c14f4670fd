"""Bytes to lines: newline-delimited messages (MCP 2025-11-25, "Transports", stdio), within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from hexgate.mcp_proxy.limits import EDGE_BYTES, MESSAGE_BYTES


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that is longer than a message may be: how it began and how it ended."""

    head: bytes
    tail: bytes


Line: TypeAlias = bytes | TooLong


class LineReader:
    """Takes bytes as they come, gives whole lines without their line break. A line that is too long is not kept."""

    __slots__ = ("_head", "_limit", "_parts", "_size", "_tail")

    def __init__(self, limit: int = MESSAGE_BYTES) -> None:
        """`limit` is the length of a line in bytes."""
        self._limit = limit
        self._start()

    def _start(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._head = self._tail = b""

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that end in the data, which follows what was fed before."""
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._add(part)
            if (line := self._take()) is not None:
                yield line
        self._add(rest)

    def end(self) -> Iterator[Line]:
        """What stands after the last line break, once no more bytes come."""
        if (line := self._take()) is not None:
            yield line

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._limit:
            self._parts.append(part)
            return
        if self._parts:
            kept = b"".join(self._parts)
            self._head, self._tail = kept[:EDGE_BYTES], kept[-EDGE_BYTES:]
            self._parts = []
        self._head = (self._head + part[:EDGE_BYTES])[:EDGE_BYTES]
        self._tail = (self._tail + part[-EDGE_BYTES:])[-EDGE_BYTES:]

    def _take(self) -> Line | None:
        """The line that has ended; None for one without anything in it."""
        line: Line = TooLong(self._head, self._tail) if self._size > self._limit else b"".join(self._parts).removesuffix(b"\r")
        self._start()
        return line or None
