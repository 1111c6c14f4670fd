"""The last step before a tool's body: a toolset runs the arguments that were decided on, or others only once they are decided on as well.

Hooks of capabilities run before the toolsets of a run, and a toolset of the user's may wrap another one and change the arguments on
the way. So the `call_tool` of each class of toolsets that runs tools itself is wrapped when a guarded run first meets it. Outside of
a guarded call it does what it did.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.toolsets import AbstractToolset, CombinedToolset, WrapperToolset
from pydantic_ai.toolsets._dynamic import DynamicToolset

from hexgate.adapters.guard import GuardedRun
from hexgate.adapters.pydantic_ai.plain_arguments import take
from hexgate.adapters.ruling import Ruling
from hexgate.decision.argument_digest import canonical_arguments

_LOCK = threading.Lock()
_MARK = "__hexgate_attached__"
_MET: set[type] = set()
_PASSING_ON = (WrapperToolset, CombinedToolset, DynamicToolset)

CallTool = Callable[..., Awaitable[Any]]


class GuardedCall:
    """One call of a tool, from the hooks before it to its body. `ruling` is there once it is decided on."""

    __slots__ = ("call_id", "ruling", "run")

    def __init__(self, run: GuardedRun, call_id: str | None) -> None:
        """Not decided on yet."""
        self.run = run
        self.call_id = call_id
        self.ruling: Ruling | None = None

    def last_word(self, tool: str, arguments: Any) -> Any:
        """The arguments to run a tool's body with: a copy that nobody else has. Raises ToolFailed."""
        own, plain = take(arguments)
        ruling = self.ruling
        if ruling is not None and canonical_arguments(plain) == canonical_arguments(ruling.arguments):
            return own
        # A wrapper has changed them, or called a tool that nobody decided on.
        ruling = self.run.admit(tool if ruling is None else ruling.tool, plain, call_id=self.call_id)
        if not ruling.runs:
            raise ToolFailed(ruling.text)
        self.ruling = ruling
        return own


CURRENT: ContextVar[GuardedCall | None] = ContextVar("hexgate_guarded_call", default=None)
"""The call that is on its way to a tool's body."""


def meet(toolset: AbstractToolset[Any]) -> None:
    """Have the toolsets of a run ask before a tool's body."""
    toolset.apply(_meet)


def _meet(leaf: AbstractToolset[Any]) -> None:
    kind = type(leaf)
    if kind in _MET or isinstance(leaf, _PASSING_ON):
        return
    with _LOCK:
        for owner in kind.__mro__:
            function = vars(owner).get("call_tool")
            if function is not None and owner is not AbstractToolset and not hasattr(function, _MARK):
                further = any("call_tool" in vars(each) for each in owner.__mro__[1:] if each is not AbstractToolset)
                gated = _gate(function, last=not further)
                setattr(gated, _MARK, True)
                owner.call_tool = gated  # type: ignore[attr-defined]
        _MET.add(kind)


def _gate(function: CallTool, last: bool) -> CallTool:
    @wraps(function)
    async def gated(self: Any, name: str, tool_args: Any, ctx: Any, tool: Any) -> Any:
        call = CURRENT.get()
        if call is None or call.call_id != ctx.tool_call_id:
            return await function(self, name, tool_args, ctx, tool)
        own = call.last_word(name, tool_args)
        if not last:  # a subclass: what it hands on is looked at again
            return await function(self, name, own, ctx, tool)
        token = CURRENT.set(None)
        try:
            return await function(self, name, own, ctx, tool)
        finally:
            CURRENT.reset(token)

    return gated
