"""A line to a message: JSON-RPC 2.0 as MCP has it, with one reading.

What two readers may read differently is refused, since the server reads again what was decided on here: a key that is given twice,
a member that JSON-RPC does not have (readers that ignore case take `Method` for `method`), and a bare carriage return, which is
white space in JSON and a line break to readers with universal newlines.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, TypeAlias

from hexgate.mcp_proxy.limits import ID_CHARACTERS, ID_INTEGER, MESSAGE_SIGNS
from hexgate.mcp_proxy.lines import TooLong
from hexgate.strict_json import StrictJsonError, parse_json

PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, INTERNAL_ERROR = -32700, -32600, -32602, -32603
"""Error codes of JSON-RPC 2.0, section 5.1."""

Id: TypeAlias = int | str
"""A request's id (MCP: `RequestId`)."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, and the bytes that it came in."""

    id: Id
    method: str
    params: dict[str, Any] | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Notification:
    """A message that nobody answers."""

    method: str
    params: dict[str, Any] | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """A result, or where that is None an error. `id` is None where the other side could not tell which request it answers."""

    id: Id | None
    result: dict[str, Any] | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Several messages in one, which MCP had in its version of 2025-03-26 only."""

    members: tuple[Request | Notification | Response | Malformed, ...]


@dataclass(frozen=True, slots=True)
class Malformed:
    """What is no message, with the error to answer. `id` is the one that it seems to have; `answers` says that it looks like the
    response to the request of that id."""

    code: int
    sentence: str
    id: Id | None = None
    answers: bool = False


Message: TypeAlias = Request | Notification | Response | Batch | Malformed

_MEMBERS = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
_VERSION = rb'(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?'
_ID = rb'"id"\s*:\s*(-?[0-9]{1,16}|"[^"\\\x00-\x1f]{0,256}")'
_ID_AT_HEAD = re.compile(rb"\s*\{\s*" + _VERSION + _ID + rb"\s*,")
_ID_AT_TAIL = re.compile(rb",\s*" + _ID + rb'\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*\Z')
_RESPONSE_AT_HEAD = re.compile(rb"\s*\{\s*" + _VERSION + rb"(?:" + _ID + rb'\s*,\s*)?"(?:result|error)"')


def read_message(line: bytes | TooLong) -> Message:
    """The message of a line."""
    if isinstance(line, TooLong):
        return Malformed(INVALID_REQUEST, "the message is too long", *_apparent_at_edges(line))
    if b"\r" in line:
        return Malformed(PARSE_ERROR, "a carriage return stands inside of the message", *_apparent(line))
    try:
        document = parse_json(line, signs=MESSAGE_SIGNS)
    except StrictJsonError:
        # The parser's own sentence may quote a key.
        return Malformed(PARSE_ERROR, "the message is not strict JSON", *_apparent(line))
    if type(document) is not list:
        return _read(document, line)
    if not document:
        return Malformed(INVALID_REQUEST, "the batch is empty")
    return Batch(tuple(_read_member(member) for member in document))


def write(document: Any) -> bytes:
    """The one text of a document: ASCII, without line breaks. Raises ValueError for a number that JSON does not have."""
    return _ENCODER.encode(document).encode("ascii")


def _read_member(document: object) -> Request | Notification | Response | Malformed:
    try:
        return _read(document, write(document))
    except ValueError:
        return Malformed(PARSE_ERROR, "the message is not strict JSON")


def _read(document: object, data: bytes) -> Request | Notification | Response | Malformed:
    if type(document) is not dict:
        return Malformed(INVALID_REQUEST, "the message is no object")
    found = document.get("id")
    id_ = found if _is_id(found) else None
    if not _MEMBERS.issuperset(document) or document.get("jsonrpc") != "2.0":
        return Malformed(INVALID_REQUEST, "the message is not JSON-RPC 2.0", id_, "method" not in document)
    if "method" not in document:
        return _read_response(document, id_, data)
    method, params = document["method"], document.get("params")
    if type(method) is not str or "result" in document or "error" in document or not (params is None or type(params) is dict):
        return Malformed(INVALID_REQUEST, "the message is no request", id_)
    if "id" not in document:
        return Notification(method, params, data)
    if id_ is None:
        return Malformed(INVALID_REQUEST, f"a request's id is a text of at most {ID_CHARACTERS} characters or a whole number below 2^53")
    return Request(id_, method, params, data)


def _read_response(document: dict[str, Any], id_: Id | None, data: bytes) -> Response | Malformed:
    result, error = document.get("result"), document.get("error")
    if "params" in document or ("result" in document) == ("error" in document):
        return Malformed(INVALID_REQUEST, "the message is neither a request nor a response", id_, True)
    if id_ is None and ("result" in document or document.get("id") is not None):
        return Malformed(INVALID_REQUEST, "the response has no id")
    if type(result if "result" in document else error) is not dict:
        return Malformed(INVALID_REQUEST, "the response has no object in it", id_, True)
    return Response(id_, result, data)


def _is_id(value: object) -> bool:
    if type(value) is int:
        return -ID_INTEGER <= value <= ID_INTEGER
    return type(value) is str and len(value) <= ID_CHARACTERS


def _apparent(line: bytes) -> tuple[Id | None, bool]:
    """The id of a line that is refused, to answer with, and whether it is a response: what a lenient reader takes it for."""
    try:
        document = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None, False
    if type(document) is not dict:
        return None, False
    found = document.get("id")
    return found if _is_id(found) else None, "method" not in document


def _apparent_at_edges(line: TooLong) -> tuple[Id | None, bool]:
    """The id that stands before or after all else, as SDKs write it."""
    answers = _RESPONSE_AT_HEAD.match(line.head) is not None
    found = _ID_AT_HEAD.match(line.head) or _ID_AT_TAIL.search(line.tail)
    if found is None:
        return None, answers
    try:
        id_ = json.loads(found[1])
    except ValueError:
        return None, answers
    return id_ if _is_id(id_) else None, answers
