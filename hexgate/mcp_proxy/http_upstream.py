"""A server over streamable HTTP: the transport of the `mcp` package, with every answer bounded and every failure an answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import anyio
import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
    find_invalid_x_mcp_header,
    mcp_param_headers,
    x_mcp_header_map,
)
from mcp.shared.message import ClientMessageMetadata, SessionMessage
from mcp_types import PROTOCOL_VERSION_META_KEY, JSONRPCRequest, JSONRPCResponse, jsonrpc_message_adapter
from mcp_types.jsonrpc import ErrorData, JSONRPCError, JSONRPCMessage, JSONRPCNotification
from pydantic import ValidationError

from hexgate.mcp_proxy.answers import error
from hexgate.mcp_proxy.limits import MESSAGE_BYTES, TERMINATING_SECONDS
from hexgate.mcp_proxy.lines import Line
from hexgate.mcp_proxy.message import INTERNAL_ERROR, PARSE_ERROR, Request, Response, read_message
from hexgate.mcp_proxy.relay import ServerGoneError

CONNECT_SECONDS = 30.0
READ_SECONDS = 3_600.0
"""Between two pieces of an answer: a tool may take long, and its client says when it has waited long enough."""
WAITING_MESSAGES = 64
"""Messages of the server that the client has not taken yet."""

_SESSION_HEADER = "mcp-session-id"
_QUOTING = ("Failed to parse JSON response: ", "Failed to parse SSE message: ")
"""How the transport begins a sentence that quotes what has come."""


class HttpUpstream:
    """The conversation with a server at a URL. Nothing is asked of it before the client asks."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """`headers` go with every request. Raises ValueError for what is no URL, OSError for certificates to trust that cannot be read."""
        try:
            httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise ValueError("the URL is none of a server") from error
        self._url = url
        self._headers = dict(headers)
        with ExitStack() as opened:
            self._portal: BlockingPortal = opened.enter_context(start_blocking_portal())
            self._read, self._write = opened.enter_context(self._portal.wrap_async_context_manager(self._connect()))
            self._stack = opened.pop_all()
        self._received: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._open: set[tuple[type, int | str]] = set()
        self._closing = False
        self._ended = threading.Event()
        self._version: str | None = None
        self._parameters: dict[str, dict[tuple[str, ...], str]] = {}
        self._portal.start_task_soon(self._pump)

    def lines(self) -> Iterator[Line]:
        """As the protocol says."""
        while (line := self._received.get()) is not None:
            yield line

    def send(self, line: bytes) -> None:
        """As the protocol says."""
        message = self._carried(line)
        if message is None:
            return
        if isinstance(message, JSONRPCRequest):
            self._open.add((type(message.id), message.id))
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            id_ = (message.params or {}).get("requestId")
            if type(id_) in (int, str):
                self._open.discard((type(id_), id_))
        metadata = ClientMessageMetadata(headers=self._headers_of(message))
        try:
            self._portal.call(self._write.send, SessionMessage(message, metadata))
        except (anyio.ClosedResourceError, anyio.BrokenResourceError, RuntimeError, CancelledError) as gone:
            raise ServerGoneError from gone

    def close_input(self) -> None:
        """As the protocol says: what is asked already is answered."""
        self._closing = True
        if not self._open:
            self._received.put(None)

    def has_ended(self) -> bool:
        """As the protocol says."""
        return self._ended.is_set()

    def wait(self, seconds: float) -> bool:
        """As the protocol says. The server is not ours to end: it is the conversation that ends."""
        return self._closing or self._ended.wait(seconds)

    def stop(self) -> None:
        """As the protocol says."""
        self._received.put(None)
        closer = threading.Thread(target=self._close, name="hexgate-mcp-http-end", daemon=True)
        closer.start()
        closer.join(2 * TERMINATING_SECONDS)

    @property
    def status(self) -> None:
        """Another machine's processes have no exit status here."""
        return None

    def _close(self) -> None:
        try:
            self._stack.close()
        except* (httpx2.HTTPError, httpx2.StreamError, anyio.ClosedResourceError, anyio.BrokenResourceError, OSError, CancelledError):
            pass  # the conversation is over, and nobody is left to be told

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Any]:
        timeout = httpx2.Timeout(CONNECT_SECONDS, read=READ_SECONDS)
        headers = {**self._headers, "accept-encoding": "identity"}
        async with (
            httpx2.AsyncClient(transport=_Careful(), headers=headers, timeout=timeout) as client,
            streamable_http_client(self._url, http_client=client, max_sse_event_size=MESSAGE_BYTES) as streams,
        ):
            yield streams

    def _carried(self, line: bytes) -> JSONRPCMessage | None:
        """What goes to the server. The transport takes less than JSON has (no lone surrogate, some 200 levels, whole errors only): for a
        request that it does not take, the one who asks is told; for an answer, the server."""
        try:
            return jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValidationError:
            found = read_message(line)
        sentence = "the message cannot be carried over HTTP"
        if isinstance(found, Request):
            self._received.put(error(found.id, INTERNAL_ERROR, sentence))
        elif isinstance(found, Response) and found.id is not None:
            return JSONRPCError(jsonrpc="2.0", id=found.id, error=ErrorData(code=INTERNAL_ERROR, message=sentence))
        return None

    async def _pump(self) -> None:
        try:
            while True:
                item = await self._read.receive()
                if isinstance(item, SessionMessage):
                    self._learn(item.message)
                    self._received.put(_line_of(item.message))
                    self._settle(item.message)
                while self._received.qsize() >= WAITING_MESSAGES:
                    await anyio.sleep(0.01)
        except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
            return
        finally:
            self._ended.set()
            self._received.put(None)

    def _settle(self, message: JSONRPCMessage) -> None:
        """After an answer was received, which may be the last that is waited for."""
        if isinstance(message, JSONRPCResponse | JSONRPCError) and message.id is not None:
            self._open.discard((type(message.id), message.id))
            if self._closing and not self._open:
                self._received.put(None)

    def _learn(self, message: JSONRPCMessage) -> None:
        """What later requests carry in headers: the version that was agreed on, and arguments that a tool wants there too."""
        if not isinstance(message, JSONRPCResponse):
            return
        version, tools = message.result.get("protocolVersion"), message.result.get("tools")
        if isinstance(version, str) and "capabilities" in message.result:
            self._version = version
        for tool in tools if isinstance(tools, list) else ():
            schema = tool.get("inputSchema") if isinstance(tool, dict) else None
            if schema is not None and isinstance(tool.get("name"), str) and find_invalid_x_mcp_header(schema) is None:
                self._parameters[tool["name"]] = x_mcp_header_map(schema)

    def _headers_of(self, message: JSONRPCMessage) -> dict[str, str]:
        """As the `mcp` package's client sets them (MCP 2026-07-28, "Transports": standard and custom headers)."""
        params = (message.params or {}) if isinstance(message, JSONRPCRequest) else {}
        meta = params.get("_meta")
        version = meta.get(PROTOCOL_VERSION_META_KEY) if isinstance(meta, dict) else None
        if not isinstance(message, JSONRPCRequest) or not isinstance(version, str):
            return {} if self._version is None else {MCP_PROTOCOL_VERSION_HEADER: encode_header_value(self._version)}
        made = {MCP_PROTOCOL_VERSION_HEADER: encode_header_value(version), MCP_METHOD_HEADER: encode_header_value(message.method)}
        name = params.get(NAME_BEARING_METHODS.get(message.method, ""))
        if isinstance(name, str):
            made[MCP_NAME_HEADER] = encode_header_value(name)
        if message.method == "tools/call" and isinstance(name, str) and name in self._parameters:
            made.update(mcp_param_headers(self._parameters[name], params.get("arguments") or {}))
        return made


def _line_of(message: JSONRPCMessage) -> bytes:
    if isinstance(message, JSONRPCError) and message.error.code == PARSE_ERROR and message.error.message.startswith(_QUOTING):
        return error(message.id, INTERNAL_ERROR, "the server's answer cannot be read")
    return message.model_dump_json(by_alias=True, exclude_unset=True).encode()


class _Careful(httpx2.AsyncHTTPTransport):
    """A failure of the network is the server's answer, and ends no conversation."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """As the transport says."""
        if request.method == "DELETE":
            # The end of a session is a courtesy, for which nobody waits long.
            request.extensions = {**request.extensions, "timeout": dict.fromkeys(("connect", "read", "write", "pool"), TERMINATING_SECONDS)}
        try:
            response = await super().handle_async_request(request)
        except httpx2.TransportError:
            body = error(None, INTERNAL_ERROR, "the server cannot be reached")
            return httpx2.Response(502, headers={"content-type": "application/json"}, content=body, request=request)
        session = response.headers.get(_SESSION_HEADER, "")
        if not (session.isascii() and session.isprintable()):
            # It could not be sent back (MCP 2025-11-25, "Session Management": visible ASCII).
            del response.headers[_SESSION_HEADER]
        # What was compressed all the same has no bound.
        response.headers.pop("content-encoding", None)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            events = response.headers.get("content-type", "").lower().startswith("text/event-stream")
            response.stream = _Bounded(response.stream, None if events else MESSAGE_BYTES)
        # Of 404 the transport knows more: it is also the end of a session.
        told = request.method == "POST" and response.status_code >= 400 and response.status_code != 404
        return await _error_of(response, request) if told else response


async def _error_of(response: httpx2.Response, request: httpx2.Request) -> httpx2.Response:
    """An error of HTTP as one of the protocol: the server's own, or else the status. Of what is no JSON nothing is read: it may have no end."""
    content = error(None, INTERNAL_ERROR, f"the server answers with HTTP status {response.status_code}")
    try:
        if response.headers.get("content-type", "").lower().startswith("application/json"):
            body = await response.aread()
            if isinstance(jsonrpc_message_adapter.validate_json(body, by_name=False), JSONRPCError):
                content = body
    except (httpx2.StreamError, ValidationError):
        pass  # the status says enough
    finally:
        await response.aclose()
    return httpx2.Response(response.status_code, headers={"content-type": "application/json"}, content=content, request=request)


class _Bounded(httpx2.AsyncByteStream):
    """The bytes of an answer, up to a length; the transport takes each of its failures as an answer that cannot be read."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int | None) -> None:
        """`limit` is in bytes, None for a stream of events, each of which is bounded."""
        self._stream = stream
        self._limit = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        try:
            async for data in self._stream:
                length += len(data)
                if self._limit is not None and length > self._limit:
                    raise httpx2.StreamError("the answer is too long")
                yield data
        except httpx2.TransportError as broken:
            raise httpx2.StreamError("the connection broke") from broken

    async def aclose(self) -> None:
        """As the stream says."""
        await self._stream.aclose()
