"""One GET over TLS with bounds on time and size: an answer, or a fault with its reason.

On top of http.client, which bounds neither: it waits the socket's timeout for every byte anew, and reads what it is sent.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from hexgate.runtime.source import SourceFault

if TYPE_CHECKING:
    from typing_extensions import Buffer

URL_CHARACTERS = 2_048
"""Length of an address."""

HTTPS_PORT = 443
"""The port of an https URL that names none (RFC 9110, 4.2.2)."""

_PIECE = 1 << 16
_ANNOUNCEMENTS = 16
"""Most interim answers before the one that is meant."""
_FRAMING_BYTES = 1 << 20
_OK = 200
_UNTRUSTED_AUTHORITY = frozenset({2, 7, 18, 19, 20, 21})
_EXPIRED, _NOT_YET_VALID, _OTHER_HOST = frozenset({10}), frozenset({9}), frozenset({62, 64})
"""Codes of X509_verify_cert (OpenSSL, X509_STORE_CTX_get_error)."""

_PCHAR = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})"
_URL = re.compile(
    rf"https://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{{1,5}}))?"
    rf"(?P<path>/{_PCHAR}*)?(?P<query>\?(?:{_PCHAR}|\?)*)?",
    re.IGNORECASE | re.ASCII,  # without ASCII, `K` would also be the Kelvin sign, and `s` the long one
)
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]{0,512}"')
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


class ExchangeError(Exception):
    """No answer to use. `finding` is a clause for the operator; `passing` says that trying again may help, after at least
    `retry_after` seconds."""

    def __init__(self, kind: SourceFault, finding: str, *, passing: bool = False, retry_after: int = 0) -> None:
        super().__init__(finding)
        self.kind = kind
        self.finding = finding
        self.passing = passing
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Address:
    """An https URL (RFC 3986) without user information and fragment. `host` is lower case and without brackets."""

    host: str
    port: int
    path: str
    query: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """For logs: without the query, which may be a credential."""
        return f"https://{self.authority}{self.path}"


def parse_address(url: str) -> Address | None:
    """The parts of an https URL; None for anything else: another scheme, a user name, a fragment, characters to escape."""
    match = _URL.fullmatch(url) if len(url) <= URL_CHARACTERS else None
    if match is None:
        return None
    port = int(match["port"] or HTTPS_PORT)
    if not 1 <= port <= 65_535:
        return None
    return Address(match["host"].strip("[]").lower(), port, match["path"] or "/", match["query"] or "")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: `connect` for each address of a name and for TLS, `read` without a byte, `total` for a whole fetch with its
    redirects, pauses and attempts. Looking a name up is the system's work and takes its own time (resolv.conf(5))."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 30.0


class Deadline:
    """The time that a fetch has left."""

    def __init__(self, timeouts: Timeouts, clock: Callable[[], float]) -> None:
        """Starts now; `clock` gives seconds and never goes back."""
        self.timeouts = timeouts
        self._clock = clock
        self._end = clock() + timeouts.total

    @property
    def left(self) -> float:
        return self._end - self._clock()

    def allow(self, seconds: float) -> float:
        """At most that many seconds, and no more than are left. Raises TimeoutError when none is."""
        left = self.left
        if left <= 0:
            raise TimeoutError
        return min(seconds, left)

    def fault(self, finding: str) -> ExchangeError:
        """What to raise for a TimeoutError that `finding` explains, unless all of the time is over."""
        if self.left <= 0:
            return ExchangeError(SourceFault.TIMEOUT, f"it took longer than {self.timeouts.total:g} s in all")
        return ExchangeError(SourceFault.TIMEOUT, finding, passing=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `body` is that of a 200 and else empty; `etag` and `last_modified` are well-formed or None."""

    status: int
    etag: str | None
    last_modified: str | None
    location: str | None
    retry_after: int
    body: bytes


def get(
    address: Address, headers: Mapping[str, str], *, context: ssl.SSLContext, deadline: Deadline, limit: int
) -> Answer:
    """Ask once, over a connection of its own. `limit` is the greatest length of the body in bytes. Raises ExchangeError."""
    wire = _Wire(_open(address, context, deadline), deadline, limit)
    try:
        connection = _Connection(address.host, address.port)
        connection.sock = cast(socket.socket, wire)
        connection.putrequest("GET", address.path + address.query, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = _final(connection.getresponse(), wire)
        body = _body(response, wire, limit) if response.status == _OK else b""
        return _answer(response, body)
    except TimeoutError:
        raise deadline.fault(f"nothing came for {deadline.timeouts.read:g} s") from None
    except OSError:  # among them http.client.RemoteDisconnected
        raise _broken_off() from None
    except (http.client.HTTPException, ValueError):  # ValueError: a negative chunk size
        raise ExchangeError(SourceFault.PROTOCOL, "the answer is not HTTP/1.1") from None
    finally:
        wire.hang_up()


def _final(response: http.client.HTTPResponse, wire: _Wire) -> http.client.HTTPResponse:
    """The answer after those that only announce it (RFC 9110, 15.2), of which http.client passes 100 by itself. A 101 ends HTTP, and
    was not asked for."""
    while response.status // 100 == 1 and response.status != http.HTTPStatus.SWITCHING_PROTOCOLS:
        wire.announced.append(response)
        if len(wire.announced) > _ANNOUNCEMENTS:
            raise ExchangeError(SourceFault.TOO_LARGE, "the answer does not end")
        response = http.client.HTTPResponse(cast(socket.socket, wire), method="GET")
        response.begin()
    return response


class _Connection(http.client.HTTPConnection):
    """Speaks over the socket that it is given; a lost one is not opened again."""

    default_port = HTTPS_PORT
    auto_open = 0


class _Wire:
    """What http.client needs of a socket, with the deadline applied to every system call."""

    def __init__(self, tls: ssl.SSLSocket, deadline: Deadline, limit: int) -> None:
        self._tls = tls
        self._deadline = deadline
        # Framing is counted too, so that no trick with it, such as a negative chunk size, gets more memory.
        self._raw = _Incoming(tls, deadline, 2 * limit + _FRAMING_BYTES)
        self.incoming = io.BufferedReader(self._raw, _PIECE)
        self.announced: list[http.client.HTTPResponse] = []
        """Kept, since http.client closes `incoming` for an answer that nobody has any more."""

    def sendall(self, data: bytes) -> None:
        self._tls.settimeout(self._deadline.allow(self._deadline.timeouts.read))
        self._tls.sendall(data)

    def makefile(self, mode: str) -> object:
        return self.incoming

    def has_more(self) -> bool:
        """Whether bytes have arrived that nobody has read; waits for none."""
        self._raw.waits = False
        try:
            return bool(self.incoming.peek(1))
        except OSError:  # the connection broke after the last byte, which is no concern any more
            return False

    def close(self) -> None:
        """http.client says this once the header is read, when a socket would stay open for the body's sake."""

    def hang_up(self) -> None:
        self._tls.close()


class _Incoming(io.RawIOBase):
    def __init__(self, tls: ssl.SSLSocket, deadline: Deadline, most: int) -> None:
        self._tls = tls
        self._deadline = deadline
        self._left = most
        self.waits = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int | None:
        self._tls.settimeout(self._deadline.allow(self._deadline.timeouts.read) if self.waits else 0)
        try:
            count = self._tls.recv_into(cast(memoryview, buffer))
        except ssl.SSLWantReadError:
            return None
        self._left -= count
        if self._left < 0:
            raise ExchangeError(SourceFault.TOO_LARGE, "the answer does not end")
        return count


def _open(address: Address, context: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
    try:
        with _connect(address, deadline) as plain:  # wrap_socket takes the connection out of it
            plain.settimeout(deadline.allow(deadline.timeouts.connect))
            return context.wrap_socket(plain, server_hostname=address.host)  # the timeout bounds the whole handshake
    except TimeoutError:
        raise deadline.fault(f"no connection came about within {deadline.timeouts.connect:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise ExchangeError(SourceFault.TLS, f"the server's certificate {_certificate_fault(error)}") from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, BrokenPipeError):
        raise _broken_off() from None
    except ssl.SSLError as error:
        raise ExchangeError(SourceFault.TLS, "the server does not speak TLS 1.2 or later") from error
    except ConnectionRefusedError:
        raise ExchangeError(SourceFault.UNREACHABLE, "the server refused the connection", passing=True) from None
    except (socket.gaierror, UnicodeError):  # UnicodeError: a label longer than 63 characters
        raise ExchangeError(SourceFault.UNREACHABLE, f"the name `{address.host}` has no address", passing=True) from None
    except OSError as error:
        reason = (error.strerror or "no reason is given").lower()
        raise ExchangeError(SourceFault.UNREACHABLE, f"no connection came about: {reason}", passing=True) from None


def _connect(address: Address, deadline: Deadline) -> socket.socket:
    """A connection to the first address of the name that takes one. Raises OSError: the last address's reason."""
    last: OSError = OSError()
    for family, kind, protocol, _, where in socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(deadline.allow(deadline.timeouts.connect))
            plain.connect(where)
        except OSError as error:
            plain.close()
            last = error
        else:
            return plain
    raise last


def _certificate_fault(error: ssl.SSLCertVerificationError) -> str:
    code = error.verify_code
    if code in _UNTRUSTED_AUTHORITY:
        return "is from an authority that this machine does not trust"
    if code in _EXPIRED:
        return "has expired"
    if code in _NOT_YET_VALID:
        return "is not valid yet"
    if code in _OTHER_HOST:
        return "is for another host"
    return f"does not hold (OpenSSL verification code {code})"


def _body(response: http.client.HTTPResponse, wire: _Wire, limit: int) -> bytes:
    """The body of a 200. Framing that two readers could understand differently is refused (RFC 9112, 6.3 and 11.2)."""
    if (response.headers.get("Content-Encoding") or "identity").strip().lower() != "identity":
        raise ExchangeError(SourceFault.PROTOCOL, "the answer is encoded, which was not asked for")
    lengths = response.headers.get_all("Content-Length") or []
    encodings = response.headers.get_all("Transfer-Encoding") or []
    if len(lengths) + len(encodings) != 1:
        finding = "the answer has more than one length" if lengths or encodings else "the answer has no length"
        raise ExchangeError(SourceFault.PROTOCOL, finding)
    if encodings:
        if not response.chunked:
            raise ExchangeError(SourceFault.PROTOCOL, "the answer has a transfer coding other than `chunked`")
        return _read(response.read, None, limit)
    announced = lengths[0].strip()
    if not re.fullmatch(r"[0-9]{1,15}", announced):
        raise ExchangeError(SourceFault.PROTOCOL, "the length of the answer is no number")
    body = _read(wire.incoming.read, int(announced), limit)
    if wire.has_more():
        raise ExchangeError(SourceFault.PROTOCOL, "the answer is longer than it announced")
    return body


def _read(read: Callable[[int], bytes], length: int | None, limit: int) -> bytes:
    """Exactly `length` bytes, or all of them; more than `limit` are an error, and so is an earlier end."""
    if length is not None and length > limit:
        raise _too_large(limit)
    body = bytearray()
    while length is None or len(body) < length:
        try:
            piece = read(_PIECE if length is None else min(_PIECE, length - len(body)))
        except TimeoutError:
            raise
        except (OSError, http.client.IncompleteRead):
            raise _truncated() from None
        if not piece:
            break
        body += piece
        if len(body) > limit:
            raise _too_large(limit)
    if length is not None and len(body) < length:
        raise _truncated()
    return bytes(body)


def _too_large(limit: int) -> ExchangeError:
    return ExchangeError(SourceFault.TOO_LARGE, f"it has more than {limit:,} bytes")


def _truncated() -> ExchangeError:
    return ExchangeError(SourceFault.TRUNCATED, "the answer ended early", passing=True)


def _broken_off() -> ExchangeError:
    return ExchangeError(SourceFault.UNREACHABLE, "the server broke the connection off", passing=True)


def _answer(response: http.client.HTTPResponse, body: bytes) -> Answer:
    etag = (response.headers.get("ETag") or "").strip()
    modified = (response.headers.get("Last-Modified") or "").strip()
    date = (response.headers.get("Date") or "").strip()
    after = (response.headers.get("Retry-After") or "").strip()
    return Answer(
        status=response.status,
        etag=etag if _ETAG.fullmatch(etag) else None,
        # A date of one second's granularity tells two contents apart only once that second is over (RFC 9110, 8.8.2.2).
        last_modified=modified if _HTTP_DATE.fullmatch(modified) and _HTTP_DATE.fullmatch(date) and date != modified else None,
        location=response.headers.get("Location"),
        retry_after=int(after) if re.fullmatch(r"[0-9]{1,6}", after) else 0,
        body=body,
    )
