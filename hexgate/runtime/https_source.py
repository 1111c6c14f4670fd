"""A bundle on a web server.

Everything that decides where the bundle comes from is in its address: no proxy, credential or cookie is taken from the environment,
a `.netrc` or a former answer, and TLS secrets go to no `SSLKEYLOGFILE`. Only the authorities that vouch for the server are
the machine's, by OpenSSL's own rules (`SSL_CERT_FILE`, `SSL_CERT_DIR`). What is fetched is trusted for its signatures
alone, so that whoever gets around TLS can withhold a bundle, not make one.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urldefrag, urljoin

import hexgate
from hexgate.runtime.https_exchange import (
    Address,
    Answer,
    Deadline,
    ExchangeError,
    Timeouts,
    get,
    parse_address,
)
from hexgate.runtime.source import Fetched, FetchResult, NotModified, SourceError, SourceFault, Validators

REDIRECTS = 3
"""Redirects that one attempt follows."""

_NOT_MODIFIED = 304
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_ABSENT = frozenset({404, 410})
_WITHHELD = frozenset({401, 403, 407, 451})

_HELP = {
    SourceFault.ADDRESS: "give an `https://` address without user name and fragment, with other characters percent-encoded",
    SourceFault.NOT_FOUND: "publish the signed bundle there, or correct the address",
    SourceFault.UNREADABLE: "let the server hand it out: a bundle is public, and no credentials are sent",
    SourceFault.TOO_LARGE: "look at what the server has under this address",
    SourceFault.UNREACHABLE: "check the address, the server and the network between",
    SourceFault.TLS: "give the server a certificate that this machine trusts; checking it cannot be turned off",
    SourceFault.TIMEOUT: "check the server and the network between",
    SourceFault.TRUNCATED: "check the server and what lies between",
    SourceFault.REDIRECT: "name the bundle's own address; redirects are followed within one host and with TLS only",
    SourceFault.STATUS: "look into the server's log",
    SourceFault.PROTOCOL: "check the server and what lies between",
}


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try, and how long to pause: a random time up to `first` seconds, doubled for each further pause up
    to `longest`, so that many processes do not come back at once."""

    attempts: int = 3
    first: float = 0.5
    longest: float = 8.0


class HttpsSource:
    """A bundle under an https URL. Every fetch opens a connection of its own, so that nothing is shared over threads and forks."""

    def __init__(
        self,
        url: str,
        *,
        limit: int,
        timeouts: Timeouts = Timeouts(),  # noqa: B008
        retry: Retry = Retry(),
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[], float] = random.random,
    ) -> None:
        """`limit` is in bytes; `context` replaces the machine's authorities; `clock` gives seconds and never goes back;
        `uniform` gives numbers from 0 to 1. Fetches nothing yet. Raises SourceError for an address that is none."""
        address = parse_address(url)
        if address is None:
            raise SourceError(SourceFault.ADDRESS, "the bundle's address is not an https URL", _HELP[SourceFault.ADDRESS])
        self._url = url
        self._address = address
        self._limit = limit
        self._timeouts = timeouts
        self._retry = retry
        self._context = context
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform

    @property
    def location(self) -> str:
        return self._url

    @property
    def shown(self) -> str:
        return self._address.shown

    def fetch(self, previous: Validators | None) -> FetchResult:
        """The bundle, or NotModified by the server's ETag or Last-Modified. Ends within `Timeouts.total`. Raises SourceError."""
        deadline = Deadline(self._timeouts, self._clock)
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._result(self._follow(previous, deadline), previous)
            except ExchangeError as error:
                pause = max(self._pause(attempt), error.retry_after)
                if not error.passing or attempt >= self._retry.attempts or pause >= deadline.left:
                    raise self._error(error, attempt) from error.__cause__
            self._sleep(pause)

    def _follow(self, previous: Validators | None, deadline: Deadline) -> Answer:
        """The answer at the end of the redirects."""
        if self._context is None:
            self._context = _make_context()
        headers = _headers(previous)
        address = self._address
        for _ in range(REDIRECTS + 1):
            answer = get(address, headers, context=self._context, deadline=deadline, limit=self._limit)
            if answer.status not in _REDIRECTS:
                return answer
            address = _redirected(address, answer.location)
        raise ExchangeError(SourceFault.REDIRECT, f"the server redirects more than {REDIRECTS} times")

    def _result(self, answer: Answer, previous: Validators | None) -> FetchResult:
        status = answer.status
        if status == 200:
            known = answer.etag is not None or answer.last_modified is not None
            return Fetched(answer.body, Validators(answer.etag, answer.last_modified) if known else None)
        if status == _NOT_MODIFIED:
            if previous is None or (previous.etag is None and previous.last_modified is None):
                raise ExchangeError(SourceFault.PROTOCOL, "the server says that it is unchanged (304) to one who has none")
            return NotModified()
        if status in _ABSENT:
            raise ExchangeError(SourceFault.NOT_FOUND, f"the server does not have it ({status})")
        if status in _WITHHELD:
            raise ExchangeError(SourceFault.UNREADABLE, f"the server does not hand it over ({status})")
        passing = status in _PASSING
        raise ExchangeError(
            SourceFault.STATUS, f"the server answers {status}", passing=passing, retry_after=answer.retry_after if passing else 0
        )

    def _pause(self, attempt: int) -> float:
        return self._uniform() * min(self._retry.longest, self._retry.first * 2.0 ** (attempt - 1))

    def _error(self, error: ExchangeError, attempts: int) -> SourceError:
        tries = f" ({attempts} attempts)" if attempts > 1 else ""
        return SourceError(error.kind, f"the bundle `{self.shown}` cannot be fetched: {error.finding}{tries}", _HELP[error.kind])


def _make_context() -> ssl.SSLContext:
    """Certificates and host names checked against the machine's authorities. Not ssl.create_default_context, which also writes the
    connection's secrets to the file that `SSLKEYLOGFILE` names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_default_certs()
    return context


def _headers(previous: Validators | None) -> dict[str, str]:
    headers = {
        "User-Agent": f"hexgate/{hexgate.__version__}",
        "Accept": "application/vnd.hexgate.bundle.v1+json, */*;q=0.1",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if previous is not None and previous.etag is not None:
        headers["If-None-Match"] = previous.etag
    if previous is not None and previous.last_modified is not None:
        headers["If-Modified-Since"] = previous.last_modified  # counts where there is no ETag (RFC 9110, 13.1.3)
    return headers


def _redirected(address: Address, location: str | None) -> Address:
    """Where a redirect leads (RFC 9110, 10.2.2), if it may be followed."""
    if location is None:
        raise ExchangeError(SourceFault.REDIRECT, "the server redirects to nowhere")
    try:
        target = urldefrag(urljoin(address.shown, location)).url
    except ValueError:  # brackets that hold no IPv6 address
        target = ""
    if target.lower().startswith("http://"):
        raise ExchangeError(SourceFault.REDIRECT, "the server redirects to an address without TLS")
    next_address = parse_address(target)
    if next_address is None:
        raise ExchangeError(SourceFault.REDIRECT, "the server redirects to something that is not an https URL")
    if (next_address.host, next_address.port) != (address.host, address.port):
        raise ExchangeError(SourceFault.REDIRECT, f"the server redirects to another host, `{next_address.authority}`")
    return next_address
