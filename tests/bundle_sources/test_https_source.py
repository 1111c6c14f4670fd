"""Fetching over HTTPS from a server that does everything wrong: what is fetched, or the whole error, in bounded time."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hexgate.runtime.https_exchange import Timeouts
from hexgate.runtime.https_source import HttpsSource, Retry
from hexgate.runtime.source import Fetched, NotModified, SourceError, SourceFault, Validators
from tests.bundle_sources.certificates import DAY, Authority, make_authority
from tests.bundle_sources.misbehaving_server import (
    MisbehavingServer,
    Script,
    answer,
    sends,
    sends_and_drips,
    sends_and_resets,
    sends_and_stalls,
    sends_without_end,
    serving,
)

LIMIT = 100_000
BODY = b'{"mediaType":"application/vnd.hexgate.bundle.v1+json"}\n'
OK = sends(answer("200 OK", BODY))
TIMEOUTS = Timeouts(connect=5, read=0.4, total=10)
MOST_SECONDS = 4.0
SERVER = "check the server and what lies between"
NETWORK = "check the address, the server and the network between"
SLOW = "check the server and the network between"
LINKS = "name the bundle's own address; redirects are followed within one host and with TLS only"
PUBLISH = "publish the signed bundle there, or correct the address"
OPEN = "let the server hand it out: a bundle is public, and no credentials are sent"
SIZE = "look at what the server has under this address"
CERTIFICATE = "give the server a certificate that this machine trusts; checking it cannot be turned off"
LOG = "look into the server's log"


def chunked(*chunks: bytes) -> bytes:
    head = answer("200 OK", b"", "Transfer-Encoding: chunked", length=None)
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def redirect(location: str | None, status: str = "302 Found") -> Script:
    return sends(answer(status, b"", *([] if location is None else [f"Location: {location}"])))


GOOD: list[tuple[str, list[Script], bytes]] = [
    ("plain", [OK], BODY),
    ("empty", [sends(answer())], b""),
    ("exactly the limit", [sends(answer("200 OK", bytes(LIMIT)))], bytes(LIMIT)),
    ("chunked", [sends(chunked(BODY[:10], BODY[10:], b""))], BODY),
    ("said to be identity", [sends(answer("200 OK", BODY, "Content-Encoding: identity"))], BODY),
    ("stays connected", [sends_and_stalls(answer("200 OK", BODY))], BODY),
    ("resets after all of it", [sends_and_resets(answer("200 OK", BODY))], BODY),
    ("early hints first", [sends(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + answer("200 OK", BODY))], BODY),
    ("continue first", [sends(b"HTTP/1.1 100 Continue\r\n\r\n" + answer("200 OK", BODY))], BODY),
    ("wrong content", [sends(answer("200 OK", b"<html>", "Content-Type: text/html"))], b"<html>"),
    ("500 then ok", [sends(answer("500 Oops")), OK], BODY),
    ("503, 429 then ok", [sends(answer("503 Busy")), sends(answer("429 Slow down")), OK], BODY),
    ("cut off then ok", [sends(answer("200 OK", BODY, length="99")), OK], BODY),
    ("reset then ok", [sends_and_resets(b""), OK], BODY),
    ("stall then ok", [sends_and_stalls(b"HTTP"), OK], BODY),
    ("relative redirect", [redirect("/other.hexgate"), OK], BODY),
    ("absolute redirect", [redirect("https://LOCALHOST:{port}/other.hexgate#there", "308 Permanent Redirect"), OK], BODY),
    ("three redirects", [redirect("a"), redirect("b", "301 Moved"), redirect("c", "307 Temporary"), OK], BODY),
]

BAD: list[tuple[str, list[Script], SourceFault, str, str]] = [
    ("truncated", [sends(answer("200 OK", BODY, length="99"))], SourceFault.TRUNCATED, "the answer ended early (3 attempts)", SERVER),
    ("reset in the body", [sends_and_resets(answer("200 OK", BODY, length="99"))], SourceFault.TRUNCATED,
     "the answer ended early (3 attempts)", SERVER),
    ("longer than it says", [sends(answer("200 OK", BODY, length="9"))], SourceFault.PROTOCOL, "the answer is longer than it announced", SERVER),
    ("two lengths", [sends(answer("200 OK", BODY, f"Content-Length: {len(BODY)}"))], SourceFault.PROTOCOL, "the answer has more than one length", SERVER),
    ("length and chunked", [sends(answer("200 OK", BODY, "Transfer-Encoding: chunked"))], SourceFault.PROTOCOL,
     "the answer has more than one length", SERVER),
    ("no length", [sends(answer("200 OK", BODY, length=None))], SourceFault.PROTOCOL, "the answer has no length", SERVER),
    ("length is a word", [sends(answer("200 OK", BODY, length="many"))], SourceFault.PROTOCOL, "the length of the answer is no number", SERVER),
    ("length is negative", [sends(answer("200 OK", BODY, length="-1"))], SourceFault.PROTOCOL, "the length of the answer is no number", SERVER),
    ("length is a list", [sends(answer("200 OK", BODY, length="9, 9"))], SourceFault.PROTOCOL, "the length of the answer is no number", SERVER),
    ("other coding", [sends(answer("200 OK", BODY, "Transfer-Encoding: gzip, chunked", length=None))], SourceFault.PROTOCOL,
     "the answer has a transfer coding other than `chunked`", SERVER),
    ("compressed", [sends(answer("200 OK", BODY, "Content-Encoding: gzip"))], SourceFault.PROTOCOL, "the answer is encoded, which was not asked for", SERVER),
    ("chunks cut off", [sends(chunked(BODY))], SourceFault.TRUNCATED, "the answer ended early (3 attempts)", SERVER),
    ("chunk size is a word", [sends(chunked() + b"many\r\n")], SourceFault.TRUNCATED, "the answer ended early (3 attempts)", SERVER),
    ("announces too much", [sends(answer("200 OK", BODY, length="100001"))], SourceFault.TOO_LARGE, "it has more than 100,000 bytes", SIZE),
    ("endless chunks", [sends_without_end(chunked(), b"2000\r\n" + bytes(8192) + b"\r\n")], SourceFault.TOO_LARGE, "it has more than 100,000 bytes", SIZE),
    ("negative chunk", [sends(chunked() + b"-5\r\nabc")], SourceFault.PROTOCOL, "the answer is not HTTP/1.1", SERVER),
    ("chunk without end", [sends_without_end(chunked() + b"-1\r\n", bytes(8192))], SourceFault.TOO_LARGE, "the answer does not end", SIZE),
    ("endless trailer", [sends_without_end(chunked() + b"0\r\n", b"a: b\r\n" * 1000)], SourceFault.TOO_LARGE, "the answer does not end", SIZE),
    ("endless fields", [sends_without_end(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n")], SourceFault.PROTOCOL, "the answer is not HTTP/1.1", SERVER),
    ("endless field", [sends_without_end(b"HTTP/1.1 200 OK\r\na: ", b"b" * 8192)], SourceFault.PROTOCOL, "the answer is not HTTP/1.1", SERVER),
    ("endless early hints", [sends_without_end(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500)], SourceFault.TOO_LARGE, "the answer does not end", SIZE),
    ("endless interim answers", [sends_without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500)], SourceFault.TOO_LARGE, "the answer does not end", SIZE),
    ("not HTTP", [sends(b"220 mail.example ESMTP\r\n")], SourceFault.PROTOCOL, "the answer is not HTTP/1.1", SERVER),
    ("no answer", [sends(b"")], SourceFault.UNREACHABLE, "the server broke the connection off (3 attempts)", NETWORK),
    ("reset at once", [sends_and_resets(b"")], SourceFault.UNREACHABLE, "the server broke the connection off (3 attempts)", NETWORK),
    ("304 to one who has none", [sends(answer("304 Not Modified"))], SourceFault.PROTOCOL,
     "the server says that it is unchanged (304) to one who has none", SERVER),
    ("redirect to http", [redirect("http://localhost:{port}/b.hexgate")], SourceFault.REDIRECT, "the server redirects to an address without TLS", LINKS),
    ("redirect to another host", [redirect("https://evil.example/b.hexgate")], SourceFault.REDIRECT,
     "the server redirects to another host, `evil.example`", LINKS),
    ("redirect to a host without scheme", [redirect("//evil.example/b.hexgate")], SourceFault.REDIRECT,
     "the server redirects to another host, `evil.example`", LINKS),
    ("redirect to another port", [redirect("https://localhost:1/b.hexgate")], SourceFault.REDIRECT,
     "the server redirects to another host, `localhost:1`", LINKS),
    ("redirect to a user's address", [redirect("https://localhost:{port}@evil.example/")], SourceFault.REDIRECT,
     "the server redirects to something that is not an https URL", LINKS),
    ("redirect to a file", [redirect("file:///etc/passwd")], SourceFault.REDIRECT, "the server redirects to something that is not an https URL", LINKS),
    ("redirect to brackets", [redirect("https://[")], SourceFault.REDIRECT, "the server redirects to something that is not an https URL", LINKS),
    ("redirect to control characters", [redirect("https://\x1b[31m/")], SourceFault.REDIRECT,
     "the server redirects to something that is not an https URL", LINKS),
    ("redirect to nowhere", [redirect(None)], SourceFault.REDIRECT, "the server redirects to nowhere", LINKS),
    ("redirect loop", [redirect("/b.hexgate")], SourceFault.REDIRECT, "the server redirects more than 3 times", LINKS),
    ("500 for ever", [sends(answer("500 Oops"))], SourceFault.STATUS, "the server answers 500 (3 attempts)", LOG),
    ("503 for a day", [sends(answer("503 Busy", b"", "Retry-After: 86400"))], SourceFault.STATUS, "the server answers 503", LOG),
    ("404", [sends(answer("404 Not Found", BODY))], SourceFault.NOT_FOUND, "the server does not have it (404)", PUBLISH),
    ("403", [sends(answer("403 \x1b[31m", BODY))], SourceFault.UNREADABLE, "the server does not hand it over (403)", OPEN),
    ("204", [sends(answer("204 No Content"))], SourceFault.STATUS, "the server answers 204", LOG),
    ("206", [sends(answer("206 Partial Content", BODY))], SourceFault.STATUS, "the server answers 206", LOG),
    ("418", [sends(answer("418 Teapot"))], SourceFault.STATUS, "the server answers 418", LOG),
]  # fmt: skip

STALL = Timeouts(connect=0.25, read=0.25, total=5)
DRIP = Timeouts(connect=5, read=5, total=0.5)
SLOWNESS: list[tuple[str, Script, Timeouts, str]] = [
    ("stalls at once", sends_and_stalls(b""), STALL, "nothing came for 0.25 s"),
    ("stalls in the header", sends_and_stalls(b"HTTP/1.1 200 OK\r\nContent-"), STALL, "nothing came for 0.25 s"),
    ("stalls in the body", sends_and_stalls(answer("200 OK", BODY, length="99")), STALL, "nothing came for 0.25 s"),
    ("stalls in a chunk", sends_and_stalls(chunked() + b"9\r\nx"), STALL, "nothing came for 0.25 s"),
    ("stalls past the end", sends_and_stalls(answer("200 OK", BODY, length="99")), DRIP, "it took longer than 0.5 s in all"),
    ("drips the header", sends_and_drips(b"", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 99), DRIP, "it took longer than 0.5 s in all"),
    ("drips the body", sends_and_drips(answer("200 OK", length="9999"), b"x"), DRIP, "it took longer than 0.5 s in all"),
    ("drips chunks", sends_and_drips(chunked(), b"1\r\nx\r\n"), DRIP, "it took longer than 0.5 s in all"),
]  # fmt: skip


@dataclass
class Pauses:
    """Sleeps without sleeping."""

    taken: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "Tests")


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server("localhost")


def source_of(server: MisbehavingServer, context: ssl.SSLContext, **options: object) -> HttpsSource:
    settings: dict[str, object] = {"timeouts": TIMEOUTS, "sleep": Pauses().sleep, "uniform": lambda: 0.001}
    return HttpsSource(f"https://localhost:{server.port}/b.hexgate", limit=LIMIT, context=context, **(settings | options))  # type: ignore[arg-type]


def with_port(script: Script) -> Script:
    """Fills the port in, which is known only once the server listens."""

    def filled(connection: object) -> None:
        send = connection.send  # type: ignore[attr-defined]
        port = connection.tls.getsockname()[1]  # type: ignore[attr-defined]
        connection.send = lambda data: send(data.replace(b"{port}", b"%d" % port))  # type: ignore[attr-defined]
        script(connection)  # type: ignore[arg-type]

    return filled


@pytest.mark.parametrize(("scripts", "expected"), [row[1:] for row in GOOD], ids=[row[0] for row in GOOD])
def test_a_bundle_arrives(authority: Authority, tls: ssl.SSLContext, scripts: list[Script], expected: bytes) -> None:
    with serving([with_port(script) for script in scripts], tls) as server:
        assert source_of(server, authority.client()).fetch(None) == Fetched(expected, None)


@pytest.mark.parametrize(("scripts", "kind", "finding", "help_"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_a_server_does_wrong_is_said_in_bounded_time(
    authority: Authority, tls: ssl.SSLContext, scripts: list[Script], kind: SourceFault, finding: str, help_: str
) -> None:
    started = time.monotonic()
    with serving([with_port(script) for script in scripts], tls) as server:
        with pytest.raises(SourceError) as caught:
            source_of(server, authority.client()).fetch(None)
        elapsed = time.monotonic() - started
        assert str(caught.value) == f"the bundle `https://localhost:{server.port}/b.hexgate` cannot be fetched: {finding}; {help_}"
    assert caught.value.kind is kind
    assert elapsed < MOST_SECONDS


@pytest.mark.parametrize(("script", "timeouts", "finding"), [row[1:] for row in SLOWNESS], ids=[row[0] for row in SLOWNESS])
def test_a_slow_server_is_left_in_time(
    authority: Authority, tls: ssl.SSLContext, script: Script, timeouts: Timeouts, finding: str
) -> None:
    started = time.monotonic()
    with serving([script], tls) as server:
        with pytest.raises(SourceError) as caught:
            source_of(server, authority.client(), timeouts=timeouts, retry=Retry(attempts=1)).fetch(None)
        elapsed = time.monotonic() - started
        assert str(caught.value) == f"the bundle `https://localhost:{server.port}/b.hexgate` cannot be fetched: {finding}; {SLOW}"
    assert caught.value.kind is SourceFault.TIMEOUT
    assert elapsed < MOST_SECONDS


def test_every_fault_of_https_has_a_row_or_a_test_below() -> None:
    below = {SourceFault.ADDRESS, SourceFault.TLS, SourceFault.TIMEOUT}
    of_files = {SourceFault.NOT_A_FILE, SourceFault.CHANGING}
    assert {row[2] for row in BAD} | below | of_files == set(SourceFault)


FORM = [
    # fields of the 200, what the next request asks with
    ('ETag: "a1"', Validators(etag='"a1"'), {"If-None-Match": '"a1"'}),
    ('ETag: W/"\xe9"', Validators(etag='W/"\xe9"'), {"If-None-Match": 'W/"\xe9"'}),
    ("ETag: a1", None, {}),
    ('ETag: "a\r\n b"', None, {}),
    ('ETag: "' + "a" * 513 + '"', None, {}),
    ("Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT\r\nDate: Mon, 23 Nov 2026 10:00:01 GMT",
     Validators(last_modified="Mon, 23 Nov 2026 10:00:00 GMT"), {"If-Modified-Since": "Mon, 23 Nov 2026 10:00:00 GMT"}),
    ("Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT", None, {}),
    ("Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT", None, {}),
    ("Last-Modified: yesterday\r\nDate: Mon, 23 Nov 2026 10:00:01 GMT", None, {}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "validators", "asked"), FORM)
def test_the_next_request_is_conditional(
    authority: Authority, tls: ssl.SSLContext, fields: str, validators: Validators | None, asked: dict[str, str]
) -> None:
    with serving([sends(answer("200 OK", BODY, fields))], tls) as server:
        source = source_of(server, authority.client())
        fetched = source.fetch(None)
        assert fetched == Fetched(BODY, validators)
        source.fetch(validators)
        assert server.requests == [_request(server.port, {}), _request(server.port, asked)]


def _request(port: int, more: dict[str, str]) -> str:
    fields = {
        "Host": f"localhost:{port}",
        "User-Agent": "hexgate/0.1.0",
        "Accept": "application/vnd.hexgate.bundle.v1+json, */*;q=0.1",
        "Accept-Encoding": "identity",
        "Connection": "close",
    } | more
    return "GET /b.hexgate HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"


def test_unchanged_for_ever_stays_unchanged(authority: Authority, tls: ssl.SSLContext) -> None:
    with serving([sends(answer("304 Not Modified", b"", 'ETag: "b"', length=None))], tls) as server:
        source = source_of(server, authority.client())
        assert {source.fetch(Validators(etag='"a"')) for _ in range(20)} == {NotModified()}
        with pytest.raises(SourceError) as caught:
            source.fetch(Validators())
        assert caught.value.kind is SourceFault.PROTOCOL


def test_another_bundle_and_an_old_one_are_brought_as_they_are(authority: Authority, tls: ssl.SSLContext) -> None:
    with serving([sends(answer("200 OK", body, 'ETag: "same"')) for body in (b"new", b"another", b"old")], tls) as server:
        source = source_of(server, authority.client())
        fetched = [source.fetch(Validators(etag='"same"')) for _ in range(3)]
    assert fetched == [Fetched(body, Validators(etag='"same"')) for body in (b"new", b"another", b"old")]


def test_pauses_double_up_to_the_longest_and_are_drawn_at_random(authority: Authority, tls: ssl.SSLContext) -> None:
    pauses = Pauses()
    draws = iter([1.0, 0.5, 1.0, 1.0, 0.0])
    with serving([sends(answer("502 Bad Gateway"))], tls) as server:
        source = source_of(
            server, authority.client(), timeouts=Timeouts(5, 5, 60), retry=Retry(6, 0.5, 3.0),
            sleep=pauses.sleep, uniform=lambda: next(draws, 1.0),
        )  # fmt: skip
        with pytest.raises(SourceError):
            source.fetch(None)
        assert len(server.requests) == 6
    assert pauses.taken == [0.5, 0.5, 2.0, 3.0, 0.0]


def test_the_server_may_ask_for_a_longer_pause_within_the_time_left(authority: Authority, tls: ssl.SSLContext) -> None:
    pauses = Pauses()
    with serving([sends(answer("503 Busy", b"", "Retry-After: 7")), OK], tls) as server:
        source = source_of(server, authority.client(), timeouts=Timeouts(5, 5, 60), sleep=pauses.sleep)
        assert source.fetch(None) == Fetched(BODY, None)
    assert pauses.taken == [7]


def test_pauses_count_as_time(authority: Authority, tls: ssl.SSLContext) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with serving([sends(answer("500 Oops"))], tls) as server:
        source = source_of(
            server, authority.client(), timeouts=Timeouts(5, 5, 10), retry=Retry(100, 4.0, 4.0),
            clock=lambda: now[0], sleep=sleep, uniform=lambda: 1.0,
        )  # fmt: skip
        with pytest.raises(SourceError) as caught:
            source.fetch(None)
        assert caught.value.sentence.endswith("cannot be fetched: the server answers 500 (3 attempts)")
    assert now == [8.0]


CERTIFICATES = [
    ("untrusted authority", "Others", "localhost", -1, 1, "is from an authority that this machine does not trust"),
    ("authority of the same name", "Tests", "localhost", -1, 1, "is from an authority that this machine does not trust"),
    ("expired", "", "localhost", -3, -2, "has expired"),
    ("not yet valid", "", "localhost", 2, 3, "is not valid yet"),
    ("other name", "", "evil.example", -1, 1, "is for another host"),
    ("an address for a name", "", "127.0.0.1", -1, 1, "is for another host"),
]


@pytest.mark.parametrize("row", CERTIFICATES, ids=[row[0] for row in CERTIFICATES])
def test_certificates_are_checked(authority: Authority, tmp_path: Path, row: tuple[str, str, str, int, int, str]) -> None:
    _, issuer, host, start, end, finding = row
    signer = make_authority(tmp_path, issuer) if issuer else authority
    with serving([OK], signer.server(f"bad {row[0]}", host, start * DAY, end * DAY)) as server:
        with pytest.raises(SourceError) as caught:
            source_of(server, authority.client()).fetch(None)
        assert str(caught.value) == (
            f"the bundle `https://localhost:{server.port}/b.hexgate` cannot be fetched: the server's certificate {finding}; {CERTIFICATE}"
        )
        assert server.requests == []
    assert caught.value.kind is SourceFault.TLS


BARE = [
    ("no TLS", sends(answer("200 OK", BODY)), TIMEOUTS, SourceFault.TLS, "the server does not speak TLS 1.2 or later", CERTIFICATE),
    ("handshake stalls", sends_and_stalls(b""), STALL, SourceFault.TIMEOUT, "no connection came about within 0.25 s", SLOW),
    ("handshake drips", sends_and_drips(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x03"), STALL, SourceFault.TIMEOUT,
     "no connection came about within 0.25 s", SLOW),
    ("closes before the handshake", sends_and_resets(b""), TIMEOUTS, SourceFault.UNREACHABLE, "the server broke the connection off", NETWORK),
]  # fmt: skip


@pytest.mark.parametrize("row", BARE, ids=[row[0] for row in BARE])
def test_what_is_no_tls_is_refused(authority: Authority, row: tuple[str, Script, Timeouts, SourceFault, str, str]) -> None:
    _, script, timeouts, kind, finding, help_ = row
    with serving([script], None) as server:
        with pytest.raises(SourceError) as caught:
            source_of(server, authority.client(), timeouts=timeouts, retry=Retry(attempts=1)).fetch(None)
        assert str(caught.value) == f"the bundle `https://localhost:{server.port}/b.hexgate` cannot be fetched: {finding}; {help_}"
    assert caught.value.kind is kind


def test_nobody_listens(authority: Authority, tls: ssl.SSLContext) -> None:
    with serving([OK], tls) as server:
        source = source_of(server, authority.client())
    with pytest.raises(SourceError) as caught:
        source.fetch(None)
    assert str(caught.value) == f"the bundle `{source.shown}` cannot be fetched: the server refused the connection (3 attempts); {NETWORK}"


def test_a_network_that_leads_nowhere(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    monkeypatch.setattr(socket.socket, "connect", refuse)
    source = HttpsSource("https://127.0.0.1:1/b.hexgate", limit=LIMIT, context=authority.client(), retry=Retry(attempts=1))
    with pytest.raises(SourceError) as caught:
        source.fetch(None)
    assert str(caught.value) == (
        f"the bundle `https://127.0.0.1:1/b.hexgate` cannot be fetched: no connection came about: network is unreachable; {NETWORK}"
    )


def test_a_name_without_address() -> None:
    host = "a" * 64 + ".example"
    source = HttpsSource(f"https://{host}/b.hexgate", limit=LIMIT, retry=Retry(attempts=1))
    with pytest.raises(SourceError) as caught:
        source.fetch(None)
    assert str(caught.value) == f"the bundle `https://{host}/b.hexgate` cannot be fetched: the name `{host}` has no address; {NETWORK}"


ADDRESSES = [
    # URL, shown without its query, or None for one that is refused
    ("https://example.com/a/b.hexgate", "https://example.com/a/b.hexgate"),
    ("HTTPS://Example.COM:443/b.hexgate", "https://example.com/b.hexgate"),
    ("https://example.com:8443/b.hexgate?sig=s3cret", "https://example.com:8443/b.hexgate"),
    ("https://[::1]:8443/b.hexgate", "https://[::1]:8443/b.hexgate"),
    ("https://example.com", "https://example.com/"),
    ("https://example.com/%C3%A9.hexgate", "https://example.com/%C3%A9.hexgate"),
    ("http://example.com/b.hexgate", None),
    ("https:///b.hexgate", None),
    ("https://user:word@example.com/b.hexgate", None),
    ("https://example.com/b.hexgate#part", None),
    ("https://example.com:0/b.hexgate", None),
    ("https://example.com:65536/b.hexgate", None),
    ("https://example.com:/b.hexgate", None),
    ("https://example.com/b hexgate", None),
    ("https://example.com/b.hexgate\r\nX: y", None),
    ("https://example.com/b.hexgate\n", None),
    ("https://example.com/\xe9.hexgate", None),
    ("https://ex\u0430mple.com/b.hexgate", None),
    ("https://\u212a.example.com/b.hexgate", None),
    ("https://example.com/\u212a.hexgate", None),
    ("http\u017f://example.com/b.hexgate", None),
    ("https://example.com/%zz", None),
    ("https://example.com/" + "a" * 2_048, None),
]


@pytest.mark.parametrize(("url", "shown"), ADDRESSES)
def test_addresses_are_read_strictly(url: str, shown: str | None) -> None:
    if shown is not None:
        source = HttpsSource(url, limit=LIMIT)
        assert (source.shown, source.location) == (shown, url)
        return
    with pytest.raises(SourceError) as caught:
        HttpsSource(url, limit=LIMIT)
    assert str(caught.value) == (
        "the bundle's address is not an https URL; "
        "give an `https://` address without user name and fragment, with other characters percent-encoded"
    )


def test_nothing_is_taken_from_the_environment(
    authority: Authority, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "secrets"))
    (tmp_path / ".netrc").write_text("default login decoy password decoy\n")
    trusted = tmp_path / "authority.pem"
    trusted.write_text(authority.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with serving([OK], tls) as server:
        source = HttpsSource(f"https://localhost:{server.port}/b.hexgate", limit=LIMIT)
        assert source.fetch(None) == Fetched(BODY, None)
        assert server.requests == [_request(server.port, {})]
    assert not (tmp_path / "secrets").exists()
    assert not list(tmp_path.glob("secrets*"))


def test_connections_are_closed(authority: Authority, tls: ssl.SSLContext) -> None:
    """Every answer that stalls would keep the server's thread, and `serving` waits for those."""
    with serving([sends_and_stalls(answer("404 Not Found")), sends_and_stalls(answer("200 OK", BODY))], tls) as server:
        source = source_of(server, authority.client())
        with contextlib.suppress(SourceError):
            source.fetch(None)
        assert source.fetch(None) == Fetched(BODY, None)
