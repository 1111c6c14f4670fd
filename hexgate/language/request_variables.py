"""The roots of one request as variables of the interpreter (docs/language.md P7), each made when it is first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hexgate.decision.decision import User
from hexgate.decision.reads import Everything, Members, Reads
from hexgate.language.freeze import UNSUPPORTED, RequestMap, freeze
from hexgate.values import Timestamp, Value


class RequestVariables(dict[str, Any]):
    """`variables` for an `Evaluator`. `reads` is what all rules of the tool read: a root that one of them reads whole is
    one value for every constraint, as it is in the request that the module gets."""

    __slots__ = ("_ctx", "_now", "_reads", "_resource", "_tool", "_user")

    def __init__(
        self, reads: Reads, tool: str, user: User, args: object, ctx: object, resource: object, now: int
    ) -> None:
        self["args"] = request_root(reads.args, args)
        self._reads, self._tool, self._user, self._ctx, self._resource, self._now = reads, tool, user, ctx, resource, now

    def __missing__(self, root: str) -> Any:
        make = _ROOTS.get(root)
        if make is None:
            raise KeyError(root)
        value = self[root] = make(self)
        return value

    def _make_user(self) -> RequestMap:
        user = self._user
        attrs = request_root(self._reads.attrs, user.attrs)
        return RequestMap({"id": user.user_id, "role": user.role, "attrs": attrs})

    def _make_tool(self) -> str:
        return self._tool

    def _make_ctx(self) -> Value | RequestMap:
        return request_root(self._reads.ctx, self._ctx)

    def _make_resource(self) -> Value | RequestMap:
        return request_root(self._reads.resource, self._resource)

    def _make_now(self) -> Value:
        return freeze(Timestamp(self._now))


_ROOTS: dict[str, Callable[[RequestVariables], Any]] = {
    "user": RequestVariables._make_user,
    "tool": RequestVariables._make_tool,
    "ctx": RequestVariables._make_ctx,
    "resource": RequestVariables._make_resource,
    "now": RequestVariables._make_now,
}


def request_root(members: Members, source: object) -> RequestMap:
    """A root over a host's object. Where all of it is read it is a map only if it is one as a whole: a member cannot be
    read beside a key that is no string."""
    root = RequestMap(source)
    if isinstance(members, Everything) and root.whole() is UNSUPPORTED:
        return RequestMap(UNSUPPORTED)
    return root
