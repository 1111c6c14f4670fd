"""A proxy in this process, between a client that is the test and a server that is a small program."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hexgate.mcp_proxy.answers import Ruling
from hexgate.mcp_proxy.child_process import ChildProcess
from hexgate.mcp_proxy.conversation import Conversation, Sight
from hexgate.mcp_proxy.lines import LineReader
from hexgate.mcp_proxy.meaning import Call
from hexgate.mcp_proxy.own_streams import OwnStreams
from hexgate.mcp_proxy.relay import Ending, Relay, ServerSide

SECONDS = 60.0
"""For anything that a test waits for."""


class ByName:
    """Allows what is called `ok…`, holds `ask…`, and shows what depends on more as `some…`."""

    def __init__(self) -> None:
        self.ruled: list[tuple[Call, str, bool]] = []

    def rule(self, call: Call, *, call_id: str, can_hold: bool) -> Ruling:
        """As the protocol says."""
        self.ruled.append((call, call_id, can_hold))
        name = self._name(call.tool, call.arguments)
        if name.startswith("ask"):
            return Ruling(False, "ask", "approval_required", "r1" if can_hold else None)
        return Ruling(True) if name.startswith("ok") else Ruling(False, "no", "unknown_tool")

    def sight(self, tool: str, arguments: dict[str, Any] | None, missing: str | None = None) -> Sight:
        """As the protocol says."""
        name = self._name(tool, arguments or {})
        if name.startswith("some"):
            return Sight.DEPENDS
        return Sight.ALWAYS if name.startswith(("ok", "ask")) else Sight.NEVER

    @staticmethod
    def _name(tool: str, arguments: dict[str, Any]) -> str:
        return str(arguments.get("name") or arguments.get("uri") or arguments.get("method") or tool)


def rpc(**members: Any) -> str:
    """A message's text."""
    return json.dumps({"jsonrpc": "2.0", **members}, separators=(",", ":"))


def call(id_: int, tool: str, **arguments: Any) -> str:
    """A call's text."""
    return rpc(id=id_, method="tools/call", params={"name": tool, "arguments": arguments})


class Proxied:
    """The client's end of a running proxy."""

    def __init__(self, server: ServerSide) -> None:
        source, self._input = os.pipe()
        self._output, sink = os.pipe()
        self.theirs = (source, sink)
        self.judge = ByName()
        self.notes: list[str] = []
        self.relay = Relay(Conversation(self.judge), OwnStreams(source, sink), server, self.notes.append)
        self.ending: Ending | None = None
        self._lines = self._read()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.ending = self.relay.run()

    def _read(self) -> Iterator[bytes]:
        reader = LineReader(2**30)
        while data := os.read(self._output, 65_536):
            for line in reader.feed(data):
                assert isinstance(line, bytes)
                yield line

    def send(self, *texts: str) -> None:
        """Write messages."""
        for text in texts:
            rest = memoryview(text.encode() + b"\n")
            while rest:
                rest = rest[os.write(self._input, rest) :]

    def receive(self) -> Any:
        """The next message to the client."""
        return json.loads(next(self._lines))

    def close(self) -> None:
        """Say that nothing more comes."""
        os.close(self._input)
        self._input = -1

    def leave(self) -> None:
        """Read no more."""
        os.close(self._output)
        self._output = -1

    def end(self) -> Ending | None:
        """How the conversation ended."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the proxy does not end"
        return self.ending

    def dispose(self) -> None:
        """Leave nothing behind."""
        self.relay.stop()
        self._thread.join(SECONDS)
        for descriptor in (self._input, self._output):
            if descriptor >= 0:
                os.close(descriptor)


class ProxiedChild(Proxied):
    """The same, with the process that is the server."""

    def __init__(self, program: str) -> None:
        """`program` is the server's Python code."""
        self.child = ChildProcess([sys.executable, "-S", "-c", program])
        super().__init__(self.child)


@contextmanager
def proxied(program: str) -> Iterator[ProxiedChild]:
    """A proxy in front of a server, ended with the block."""
    made = ProxiedChild(program)
    try:
        yield made
    finally:
        made.dispose()


@contextmanager
def proxied_server(server: ServerSide) -> Iterator[Proxied]:
    """A proxy in front of a server that is there, ended with the block."""
    made = Proxied(server)
    try:
        yield made
    finally:
        made.dispose()
