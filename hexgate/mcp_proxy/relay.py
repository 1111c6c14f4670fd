"""Carry messages between a client and a server until one of them ends, and end the other within bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Protocol

from hexgate.mcp_proxy.conversation import Conversation, Outcome
from hexgate.mcp_proxy.limits import CLOSING_SECONDS, NOTES, STALLED_SECONDS, TERMINATING_SECONDS
from hexgate.mcp_proxy.lines import Line

_TICK_SECONDS = 0.5
_FLUSH_SECONDS = 1.0


class ClientGoneError(Exception):
    """Nobody reads what is written to the client."""


class ServerGoneError(Exception):
    """Nobody reads what is written to the server."""


class ClientSide(Protocol):
    """The client's streams."""

    def lines(self) -> Iterator[Line]:
        """What the client writes, until it closes its output. Blocks."""

    def send(self, line: bytes) -> None:
        """Write a line. Raises ClientGoneError."""


class ServerSide(Protocol):
    """A server, running."""

    def lines(self) -> Iterator[Line]:
        """What the server writes, until its output ends. Blocks."""

    def send(self, line: bytes) -> None:
        """Write a line; blocks while the server takes none. Raises ServerGoneError."""

    def close_input(self) -> None:
        """Tell the server that nothing more comes."""

    def has_ended(self) -> bool:
        """Whether the server itself has ended, whoever still holds its output."""

    def wait(self, seconds: float) -> bool:
        """Whether the server ends within so many seconds."""

    def stop(self) -> None:
        """End the server and what it has started, within TERMINATING_SECONDS or soon after."""


class Ending(Enum):
    """How a conversation ended."""

    CLIENT_CLOSED = "the client has closed its output"
    CLIENT_GONE = "the client reads no more"
    SERVER_ENDED = "the server has ended"
    SERVER_STALLED = "the server takes no input"
    STOPPED = "the proxy was stopped"
    FAILED = "the proxy has failed"


class Relay:
    """One conversation, from its start to its end."""

    def __init__(self, conversation: Conversation, client: ClientSide, server: ServerSide, note: Callable[[str], None]) -> None:
        """`note` tells the operator of a message that is dropped."""
        self._conversation = conversation
        self._client = client
        self._server = server
        self._note = note
        self._notes = 0
        self._lock = threading.Lock()
        self._endings: SimpleQueue[Ending] = SimpleQueue()
        self._sending_since: float | None = None
        self.unanswered = 0
        """How many requests the server has left without an answer."""

    def stop(self) -> None:
        """End the conversation; may be called by a signal handler."""
        self._endings.put(Ending.STOPPED)

    def run(self) -> Ending:
        """Carry messages until an end, and see both sides off."""
        # Daemons: a read that never returns must not keep the process.
        to_server = threading.Thread(target=self._from_client, name="hexgate-mcp-client", daemon=True)
        to_client = threading.Thread(target=self._from_server, name="hexgate-mcp-server", daemon=True)
        to_server.start()
        to_client.start()
        ending = self._wait(to_client)
        if ending is Ending.CLIENT_CLOSED:
            ending = self._see_off(to_client)
        elif ending is Ending.SERVER_ENDED:
            self._server.wait(CLOSING_SECONDS)
        else:
            self._server.close_input()
            self._server.wait(TERMINATING_SECONDS)
        self._server.stop()
        to_client.join(_FLUSH_SECONDS)
        self._answer_the_rest(ending)
        return ending

    def _wait(self, to_client: threading.Thread) -> Ending:
        while True:
            with suppress(Empty):
                return self._endings.get(timeout=_TICK_SECONDS)
            since = self._sending_since
            if since is not None and time.monotonic() - since > STALLED_SECONDS:
                return Ending.SERVER_STALLED
            if self._server.has_ended():
                # Something that it started may hold its output open.
                to_client.join(_FLUSH_SECONDS)
                return Ending.SERVER_ENDED

    def _see_off(self, to_client: threading.Thread) -> Ending:
        """The client has closed: let the server finish what it was asked."""
        self._server.close_input()
        until = time.monotonic() + CLOSING_SECONDS
        while to_client.is_alive() and time.monotonic() < until:
            with suppress(Empty):
                if (ending := self._endings.get(timeout=_TICK_SECONDS / 5)) in (Ending.STOPPED, Ending.CLIENT_GONE):
                    return ending
        self._server.wait(max(0.0, until - time.monotonic()))
        return Ending.CLIENT_CLOSED

    def _answer_the_rest(self, ending: Ending) -> None:
        """Nobody waits for what does not come. In a thread of its own: the client may read nothing."""
        with self._lock:
            answers = self._conversation.end(ending.value)
        self.unanswered = len(answers)
        if ending is Ending.CLIENT_GONE or not answers:
            return

        def send() -> None:
            with suppress(ClientGoneError):
                for answer in answers:
                    self._client.send(answer)

        sender = threading.Thread(target=send, name="hexgate-mcp-end", daemon=True)
        sender.start()
        sender.join(_FLUSH_SECONDS)

    def _from_client(self) -> None:
        self._carry(self._client.lines(), self._conversation.from_client, Ending.CLIENT_CLOSED)

    def _from_server(self) -> None:
        self._carry(self._server.lines(), self._conversation.from_server, Ending.SERVER_ENDED)

    def _carry(self, lines: Iterator[Line], take: Callable[[Line], Outcome], at_end: Ending) -> None:
        ending = Ending.FAILED
        try:
            for line in lines:
                with self._lock:
                    outcome = take(line)
                self._write(outcome)
            ending = at_end
        except ClientGoneError:
            ending = Ending.CLIENT_GONE
        except ServerGoneError:
            ending = Ending.SERVER_ENDED
        finally:
            self._endings.put(ending)

    def _write(self, outcome: Outcome) -> None:
        for note in outcome.notes:
            self._notes += 1
            if self._notes <= NOTES:
                self._note(note if self._notes < NOTES else f"{note}; more of these are not told")
        for line in outcome.to_client:
            self._client.send(line)
        for line in outcome.to_server:
            self._sending_since = time.monotonic()
            self._server.send(line)
            self._sending_since = None
