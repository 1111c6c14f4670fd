"""An HTTPS server on loopback that answers each connection by a script, however wrong."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence

Script = Callable[["Connection"], None]
"""Writes an answer to a connection whose request has been read."""

PULSE = 0.02
"""Seconds between the bytes of a drip."""


class Connection:
    """One connection, with `request` read to its empty line. A script may fail: then the client has gone."""

    def __init__(self, tls: socket.socket, request: str) -> None:
        self.tls = tls
        self.request = request

    def send(self, data: bytes) -> None:
        self.tls.sendall(data)

    def wait_for_client(self) -> None:
        """Send nothing until the client hangs up."""
        while self.tls.recv(1024):
            pass

    def drip(self, data: bytes) -> None:
        """Send byte by byte with a pulse between, again and again until the client hangs up."""
        while True:
            for index in range(len(data)):
                self.tls.sendall(data[index : index + 1])
                time.sleep(PULSE)

    def reset(self) -> None:
        """End the connection with an RST, once the client has had time to read: an RST discards what it has not."""
        select.select([self.tls], [], [], 5 * PULSE)
        self.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class MisbehavingServer:
    """Answers the first connection by the first script, and so on; the last script also answers all that follow.
    A context of None: no TLS, and the script has the bare connection before anything is read."""

    def __init__(self, scripts: Sequence[Script], context: ssl.SSLContext | None) -> None:
        self.requests: list[str] = []
        self._scripts = list(scripts)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in tuple(self._threads):
            thread.join(timeout=5)
            assert not thread.is_alive()

    def _listen(self) -> None:
        count = 0
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(count, len(self._scripts) - 1)]
            count += 1
            thread = threading.Thread(target=self._answer, args=(plain, script))
            self._threads.append(thread)
            thread.start()

    def _answer(self, plain: socket.socket, script: Script) -> None:
        plain.settimeout(5)
        connection: socket.socket = plain
        with contextlib.suppress(OSError):
            if self._context is None:
                script(Connection(plain, ""))
            else:
                connection = self._context.wrap_socket(plain, server_side=True)
                request = b""
                while b"\r\n\r\n" not in request:
                    piece = connection.recv(65_536)
                    if not piece:
                        break
                    request += piece
                self.requests.append(request.decode("latin-1"))
                script(Connection(connection, request.decode("latin-1")))
        connection.close()


@contextlib.contextmanager
def serving(scripts: Sequence[Script], context: ssl.SSLContext | None) -> Iterator[MisbehavingServer]:
    server = MisbehavingServer(scripts, context)
    try:
        yield server
    finally:
        server.close()


def answer(status: str = "200 OK", body: bytes = b"", *fields: str, length: str | None = "right") -> bytes:
    """An answer's bytes. `length` is what Content-Length says, None for no such field."""
    lines = [f"HTTP/1.1 {status}", *fields]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == 'right' else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def sends(data: bytes) -> Script:
    """Sends that and closes."""
    return lambda connection: connection.send(data)


def sends_and_stalls(data: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.send(data)
        connection.wait_for_client()

    return script


def sends_and_drips(data: bytes, drip: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.send(data)
        connection.drip(drip)

    return script


def sends_without_end(data: bytes, more: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.send(data)
        while True:
            connection.send(more)

    return script


def sends_and_resets(data: bytes) -> Script:
    def script(connection: Connection) -> None:
        connection.send(data)
        connection.reset()

    return script
