"""What the proxy answers in the server's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hexgate.mcp_proxy.message import Id, Request, write

REFUSED = -32010
"""The error code of a request that the gate refuses: one of those that JSON-RPC and MCP leave to implementations."""

CODE, HELD = "hexgate/code", "hexgate/request"
"""Members of a refusal's `_meta`: why, and the request for approval that waits."""

_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The gate's answer to one call: it runs, or `text` is told, for a reason with a code. `request_id` names a request for approval."""

    runs: bool
    text: str = ""
    code: str = ""
    request_id: str | None = None

    @property
    def sentence(self) -> str:
        """What the model is told."""
        if self.request_id is None:
            return self.text
        return f"{self.text}; once request {self.request_id} is approved, the same call runs"


def refuse(request: Request, ruling: Ruling, *, of_tool: bool) -> bytes:
    """The refusal of a request: a tool's own error, from which the model goes on, or an error of the protocol."""
    why = {CODE: ruling.code} if ruling.request_id is None else {CODE: ruling.code, HELD: ruling.request_id}
    if not of_tool:
        return _answer(request.id, error={"code": REFUSED, "message": ruling.sentence, "data": why})
    content = [{"type": "text", "text": ruling.sentence}]
    return _answer(request.id, result=_complete(request, {"content": content, "isError": True, "_meta": why}))


def no_completion(request: Request) -> bytes:
    """A completion without values."""
    return _answer(request.id, result=_complete(request, {"completion": {"values": [], "total": 0, "hasMore": False}}))


def error(id_: Id | None, code: int, sentence: str) -> bytes:
    """An error of the protocol."""
    return _answer(id_, error={"code": code, "message": sentence})


def errors(ids: list[Id], code: int, sentence: str) -> bytes:
    """The answer to a batch: an error for each request in it."""
    return write([{"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": sentence}} for id_ in ids])


def result(id_: Id, members: dict[str, Any]) -> bytes:
    """A result. Raises ValueError for a number that JSON does not have."""
    return _answer(id_, result=members)


def filtered(result: dict[str, Any], member: str, shows: Callable[[Any], bool]) -> dict[str, Any] | None:
    """A list's result with only what is shown; None where there is no list in it. What is shown to one caller is no answer for others, so
    shared caches must not keep it (MCP 2026-07-28, `cacheScope`)."""
    items = result.get(member)
    if type(items) is not list:
        return None
    shown = {**result, member: [item for item in items if shows(item)]}
    if "cacheScope" in shown:
        shown["cacheScope"] = "private"
    return shown


def _complete(request: Request, members: dict[str, Any]) -> dict[str, Any]:
    """Since 2026-07-28 a result says that it is whole, and a request which version it is of."""
    meta = None if request.params is None else request.params.get("_meta")
    return {"resultType": "complete", **members} if type(meta) is dict and _VERSION_KEY in meta else members


def _answer(id_: Id | None, **members: dict[str, Any]) -> bytes:
    return write({"jsonrpc": "2.0", "id": id_, **members})
