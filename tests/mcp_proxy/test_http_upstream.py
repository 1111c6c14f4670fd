"""A server over streamable HTTP: the `mcp` package's own, and some that behave badly. Every failure is an answer."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import uvicorn

from examples.agents import orders
from examples.mcp.server import make_server
from hexgate.mcp_proxy import http_upstream
from hexgate.mcp_proxy.http_upstream import HttpUpstream
from hexgate.mcp_proxy.relay import Ending
from tests.mcp_proxy.harness import call, proxied_server, rpc

UNREACHABLE, UNREADABLE = "the server cannot be reached", "the server's answer cannot be read"
UNCARRIED = {"code": -32603, "message": "the message cannot be carried over HTTP"}


class Scripted(BaseHTTPRequestHandler):
    """Answers each request with what the test has written for its method, and notes what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, dict[str, str], Any]]] = []
    answers: ClassVar[dict[str, tuple[int, dict[str, str], bytes]]] = {}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(("POST", {name.lower(): value for name, value in self.headers.items()}, body))
        method = body.get("method", "")
        if method in self.answers:
            status, headers, data = self.answers[method]
        elif "id" in body:
            status, headers, data = 200, {"content-type": "application/json"}, rpc(id=body["id"], result={}).encode()
        else:
            status, headers, data = 202, {}, b""
        self._answer(status, headers, data)

    def do_GET(self) -> None:
        self._answer(405, {}, b"")

    def do_DELETE(self) -> None:
        self.asked.append(("DELETE", dict(self.headers.items()), None))
        self._answer(200, {}, b"")

    def _answer(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        if headers.get("content-length"):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def scripted() -> Iterator[str]:
    Scripted.asked, Scripted.answers = [], {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mcp"
    server.shutdown()
    server.server_close()


JSON, EVENTS = {"content-type": "application/json"}, {"content-type": "text/event-stream"}
BAD = [
    # what comes back for a call, the error that the client is told
    ((500, {}, b"secret"), "the server answers with HTTP status 500"),
    ((401, {**JSON, "www-authenticate": "Bearer"}, b'{"error": "invalid_token"}'), "the server answers with HTTP status 401"),
    ((400, JSON, rpc(id=None, error={"code": -32600, "message": "no session"}).encode()), "no session"),
    ((403, JSON, b"x" * 200_000), "the server answers with HTTP status 403"),
    ((503, EVENTS, rpc(id=1, error={"code": -1, "message": "not read"}).encode()), "the server answers with HTTP status 503"),
    ((404, {}, b""), "Not Found"),
    ((200, {"content-type": "text/html"}, b"<p>"), "Unexpected content type: text/html"),
    ((202, {}, b""), "server answered a request with 202 Accepted"),
    ((200, EVENTS, b"data: {}\n\n"), UNREADABLE),
    ((200, EVENTS, b"data: " + b"x" * 200_000 + b"\n\n"), None),
    ((200, EVENTS, b": nothing\n\n"), "SSE stream ended without a response"),
    ((200, JSON, b"not json"), UNREADABLE),
    ((200, JSON, b'{"jsonrpc":"2.0","id":1,"result":{"a":"\\ud800"}}'), UNREADABLE),
    ((200, JSON, b"x" * 200_000), UNREADABLE),
    ((200, {**JSON, "content-encoding": "gzip"}, gzip.compress(rpc(id=1, result={}).encode())), UNREADABLE),
    ((200, {**JSON, "content-length": "1000"}, b"{"), UNREADABLE),
    ((307, {"location": "http://example.invalid/mcp"}, b""), "Redirect to http://example.invalid/mcp not followed; use that URL as the endpoint if it is the intended server"),
]


@pytest.mark.parametrize(("answer", "message"), BAD, ids=range(len(BAD)))
def test_a_bad_answer_is_an_error_and_the_conversation_goes_on(
    scripted: str, answer: tuple[int, dict[str, str], bytes], message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_upstream, "MESSAGE_BYTES", 100_000)
    Scripted.answers["tools/call"] = answer
    with proxied_server(HttpUpstream(scripted, {})) as client:
        client.send(call(1, "ok"))
        told = client.receive()
        assert told["id"] == 1 and told["error"]["code"] < 0
        assert message is None or told["error"]["message"] == message
        client.send(rpc(id=2, method="ping"))
        assert client.receive() == {"jsonrpc": "2.0", "id": 2, "result": {}}
        client.close()
        assert client.end() is Ending.CLIENT_CLOSED


def test_a_server_that_is_not_there_is_an_error_for_each_request() -> None:
    with proxied_server(HttpUpstream("http://127.0.0.1:9/mcp", {})) as client:
        for id_ in (1, 2):
            client.send(rpc(id=id_, method="ping"))
            assert client.receive() == {"jsonrpc": "2.0", "id": id_, "error": {"code": -32603, "message": UNREACHABLE}}
        client.send(rpc(method="notifications/initialized"))
        client.send(rpc(id=3, method="ping"))
        assert client.receive()["error"]["message"] == UNREACHABLE


SURROGATE = '"\\ud800"'
NOT_CARRIED = [
    # a line of the client that is JSON and that the transport does not take, what the client is told, what the server is
    (call(1, "ok", x="SURROGATE").replace('"SURROGATE"', SURROGATE), {"id": 1, "error": UNCARRIED}, None),
    (call(1, "ok", x="DEEP").replace('"DEEP"', "[" * 250 + "]" * 250), {"id": 1, "error": UNCARRIED}, None),
    (f'{{"jsonrpc":"2.0","id":{SURROGATE},"method":"ping"}}', {"id": "\ud800", "error": UNCARRIED}, None),
    (f'{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"message":{SURROGATE}}}}}', None, None),
    (f'{{"jsonrpc":"2.0","id":7,"result":{{"x":{SURROGATE}}}}}', None, {"id": 7, "error": UNCARRIED}),
    (rpc(id=7, error={}), None, {"id": 7, "error": UNCARRIED}),
    (rpc(id=None, error={}), None, None),
]


@pytest.mark.parametrize(("line", "to_client", "to_server"), NOT_CARRIED, ids=range(len(NOT_CARRIED)))
def test_what_the_transport_does_not_carry_ends_no_conversation(
    scripted: str, line: str, to_client: dict[str, Any] | None, to_server: dict[str, Any] | None
) -> None:
    with proxied_server(HttpUpstream(scripted, {})) as client:
        client.send(line)
        if to_client is not None:
            assert client.receive() == {"jsonrpc": "2.0", **to_client}
        client.send(rpc(id=9, method="ping"))
        assert client.receive() == {"jsonrpc": "2.0", "id": 9, "result": {}}
    told = [] if to_server is None else [{"jsonrpc": "2.0", **to_server}]
    assert [body for _, _, body in Scripted.asked] == [*told, {"jsonrpc": "2.0", "id": 9, "method": "ping"}]


@pytest.mark.parametrize(("version", "session"), [("é", "s1"), ("2025\r\nx: y", "s1"), ("2025-11-25", "\u00e9"), ("2025-11-25", "a\tb")])
def test_what_goes_into_headers_ends_no_conversation(scripted: str, version: str, session: str) -> None:
    handshake = rpc(id=1, result={"protocolVersion": version, "capabilities": {}}).encode()
    Scripted.answers["initialize"] = (200, {**JSON, "mcp-session-id": session}, handshake)
    with proxied_server(HttpUpstream(scripted, {})) as client:
        client.send(rpc(id=1, method="initialize", params={}))
        assert client.receive()["result"]["protocolVersion"] == version
        client.send(rpc(id=2, method="ping"))
        assert client.receive() == {"jsonrpc": "2.0", "id": 2, "result": {}}
    assert Scripted.asked[1][1].get("mcp-session-id") == ("s1" if session == "s1" else None)


def test_answers_that_came_before_the_end_are_all_told(scripted: str) -> None:
    upstream = HttpUpstream(scripted, {})
    for id_ in (1, 2, 3):
        upstream.send(rpc(id=id_, method="ping").encode())
    while upstream._received.qsize() < 3:
        time.sleep(0.01)
    upstream.close_input()
    assert sorted(json.loads(line)["id"] for line in upstream.lines() if isinstance(line, bytes)) == [1, 2, 3]
    upstream.stop()


def test_headers_are_those_of_the_protocol_and_the_operators(scripted: str) -> None:
    schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}
    Scripted.answers = {
        "initialize": (200, {**JSON, "mcp-session-id": "s1"}, rpc(id=1, result={"protocolVersion": "2025-11-25", "capabilities": {}}).encode()),
        "tools/list": (200, JSON, rpc(id=2, result={"tools": [{"name": "ok", "inputSchema": schema}, {"name": "no"}]}).encode()),
    }
    with proxied_server(HttpUpstream(scripted, {"authorization": "Bearer secret"})) as client:
        client.send(rpc(id=1, method="initialize", params={"protocolVersion": "2025-11-25"}))
        client.receive()
        client.send(rpc(id=2, method="tools/list"))
        assert [tool["name"] for tool in client.receive()["result"]["tools"]] == ["ok"]
        client.send(rpc(id=3, method="tools/call", params={"name": "ok", "arguments": {"region": "eu"}, "_meta": meta}))
        assert client.receive()["id"] == 3
        client.send(call(4, "no"))
        assert client.receive()["result"]["isError"] is True
        client.close()
        assert client.end() is Ending.CLIENT_CLOSED
    posts = [headers for method, headers, _ in Scripted.asked if method == "POST"]
    assert [post["authorization"] for post in posts] == ["Bearer secret"] * 3
    assert "mcp-protocol-version" not in posts[0]
    assert (posts[1]["mcp-protocol-version"], posts[1]["mcp-session-id"]) == ("2025-11-25", "s1")
    assert {name: posts[2][name] for name in ("mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-region")} == {
        "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "ok", "mcp-param-region": "eu",
    }  # fmt: skip
    assert Scripted.asked[-1][0] == "DELETE", "the session is ended"


@contextmanager
def served(database: Path) -> Iterator[str]:
    """The example server on this machine."""
    orders.make_orders(database)
    config = uvicorn.Config(make_server(database).streamable_http_app(), host="127.0.0.1", port=0, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        (listening,) = server.servers[0].sockets
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
    finally:
        server.should_exit = True
        thread.join(10)


def test_a_conversation_with_a_real_server(tmp_path: Path) -> None:
    database = tmp_path / "orders.sqlite"
    with served(database) as url, proxied_server(HttpUpstream(url, {})) as client:
        info = {"name": "test", "version": "1"}
        client.send(rpc(id=1, method="initialize", params={"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info}))
        assert client.receive()["result"]["serverInfo"]["name"] == "orders"
        client.send(rpc(method="notifications/initialized"))
        client.send(rpc(id=2, method="tools/list"), rpc(id=3, method="tools/call", params={"name": "delete_order", "arguments": {"order_id": 30}}))
        answers = {answer["id"]: answer["result"] for answer in (client.receive(), client.receive())}
        assert answers[2]["tools"] == []
        assert answers[3]["isError"] is True
        client.close()
        assert client.end() is Ending.CLIENT_CLOSED
    assert orders.find_order(database, 30) == "order 30 of alice: paid 120, refunded 0"
