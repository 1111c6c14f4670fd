"""Calls of tools: `BaseTool.run` and `arun`, through which the calls of nodes, agents, MCP servers and hand-offs reach a tool's body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.tools.base import FILTERED_ARGS, BaseTool
from langgraph.errors import GraphBubbleUp
from langgraph.prebuilt.tool_node import ToolInvocationError

from hexgate.adapters.guard import GuardedRun, current_guarded_run
from hexgate.adapters.langchain.field_names import by_field_names
from hexgate.adapters.langchain.questions import Call, Settled, settle
from hexgate.adapters.langchain.scope import find_run, in_scope
from hexgate.adapters.ruling import Ruling
from hexgate.decision.argument_digest import canonical_arguments
from hexgate.runtime.frozen_arguments import frozen

Run = Callable[..., Any]


class ToolCallRefused(ToolInvocationError, PermissionError):
    """A refusal where the framework has no message to answer with: the call has no id. It is a `ToolException`, as a tool's own
    failure is; a `ToolNode` and a tool around this one answer with its text. An `OSError` is what a node's `RetryPolicy` does not retry."""

    def __init__(self, tool: str, text: str) -> None:
        """`text` is for the model."""
        Exception.__init__(self, text)
        self.message = text
        self.tool_name = tool
        self.tool_kwargs = {}
        self.source: Any = None  # no validation has failed
        self.filtered_errors = None


class Admitted:
    """A call that is decided on, while its tool runs. `started` is the framework's id of the run that callbacks were told of."""

    __slots__ = ("reached", "ruling", "shown", "started", "tool")

    def __init__(self, tool: BaseTool, ruling: Ruling | None, shown: frozenset[str] | None) -> None:
        """`shown`: the names of the arguments that callbacks are shown, None where the decision is not made where the tool runs."""
        self.tool = tool
        self.ruling = ruling
        self.shown = shown
        self.reached = shown is not None
        self.started: Any = None


_ADMITTED: ContextVar[Admitted | None] = ContextVar("hexgate_langchain_admitted", default=None)
_BESIDE: ContextVar[frozenset[Any]] = ContextVar("hexgate_langchain_beside", default=frozenset())


def gate_run(run_tool: Run) -> Run:
    """The last step before the tool's own: what callbacks, middleware and wrappers have left is decided on, and the tool is given a copy."""

    @wraps(run_tool)
    def gated(
        self: BaseTool, tool_input: Any, verbose: Any = None, start_color: Any = "green", color: Any = "green", callbacks: Any = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        run, can_pause = find_run(callbacks, options.get("config"))
        if run is None:
            return run_tool(self, tool_input, verbose, start_color, color, callbacks, **options)
        tool_input = _own(tool_input)
        arguments, shown = _arguments(self, tool_input)
        call, settled, copy = _decide(self, arguments, options, run, can_pause)
        if settled.ruling is None:
            return refuse(self, settled.text, call.call_id)
        given = _given(tool_input, copy)
        with _running(Admitted(self, settled.ruling, shown), run, can_pause):
            try:
                return run_tool(self, given, verbose, start_color, color, callbacks, **options)
            except GraphBubbleUp:
                settled.interrupted(run, call)
                raise
            except ToolCallRefused as error:
                return refuse(self, error.message, call.call_id)

    return gated


def gate_arun(run_tool: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """As `gate_run`."""

    @wraps(run_tool)
    async def gated(
        self: BaseTool, tool_input: Any, verbose: Any = None, start_color: Any = "green", color: Any = "green", callbacks: Any = None,
        **options: Any,
    ) -> Any:  # fmt: skip
        run, can_pause = find_run(callbacks, options.get("config"))
        if run is None:
            return await run_tool(self, tool_input, verbose, start_color, color, callbacks, **options)
        tool_input = _own(tool_input)
        arguments, shown = _arguments(self, tool_input)
        call, settled, copy = _decide(self, arguments, options, run, can_pause)
        if settled.ruling is None:
            return refuse(self, settled.text, call.call_id)
        given = _given(tool_input, copy)
        with _running(Admitted(self, settled.ruling, shown), run, can_pause):
            try:
                return await run_tool(self, given, verbose, start_color, color, callbacks, **options)
            except GraphBubbleUp:
                settled.interrupted(run, call)
                raise
            except ToolCallRefused as error:
                return refuse(self, error.message, call.call_id)

    return gated


def gate_callback_inputs(select: Run) -> Run:
    """What callbacks are shown of a call: lists and dicts of their own, so that changing them changes nothing."""

    @wraps(select)
    def gated(self: BaseTool, tool_input: dict[str, Any]) -> dict[str, Any]:
        admitted = _ADMITTED.get()
        if admitted is None or admitted.tool is not self or admitted.shown is None:
            selected: dict[str, Any] = select(self, tool_input)
            return selected
        # As a moment ago, for the decision: the framework takes its time over the types of a tool's arguments.
        return {name: frozen(value) for name, value in tool_input.items() if name in admitted.shown}

    return gated


def gate_execution(execute: Run) -> Run:
    """A `ToolNode`'s call of a tool that has an `invoke` or a `run` of its own, which may never come to `BaseTool.run`."""

    @wraps(execute)
    def gated(self: Any, request: Any, input_type: Any, config: Any) -> Any:
        run, can_pause = find_run((config or {}).get("callbacks"), config)
        if run is None or request.tool is None or not runs_by_itself(type(request.tool)):
            return execute(self, request, input_type, config)
        call, settled, copy = _decide_for_node(request, config, run, can_pause)
        if settled.ruling is None:
            return refuse(request.tool, settled.text, call.call_id)
        request = request.override(tool_call={**request.tool_call, "args": copy})
        with _running(Admitted(request.tool, settled.ruling, None), run, can_pause):
            try:
                return execute(self, request, input_type, config)
            except GraphBubbleUp:
                settled.interrupted(run, call)
                raise

    return gated


def gate_aexecution(execute: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """As `gate_execution`."""

    @wraps(execute)
    async def gated(self: Any, request: Any, input_type: Any, config: Any) -> Any:
        run, can_pause = find_run((config or {}).get("callbacks"), config)
        if run is None or request.tool is None or not runs_by_itself(type(request.tool)):
            return await execute(self, request, input_type, config)
        call, settled, copy = _decide_for_node(request, config, run, can_pause)
        if settled.ruling is None:
            return refuse(request.tool, settled.text, call.call_id)
        request = request.override(tool_call={**request.tool_call, "args": copy})
        with _running(Admitted(request.tool, settled.ruling, None), run, can_pause):
            try:
                return await execute(self, request, input_type, config)
            except GraphBubbleUp:
                settled.interrupted(run, call)
                raise

    return gated


def gate_node_input(parse: Run) -> Run:
    """The calls of a `ToolNode`. Where one task makes several, none of them can pause: the graph would make all of them again, and hand
    the answers out in the order in which they happen to ask."""

    @wraps(parse)
    def gated(self: Any, input: Any) -> Any:  # noqa: A002 - the framework's name
        calls, kind = parse(self, input)
        if len(calls) > 1 or _BESIDE.get():
            _BESIDE.set(frozenset(call["id"] for call in calls) if len(calls) > 1 else frozenset())
        return calls, kind

    return gated


def is_start_of_admitted(tool: str, run_id: Any) -> bool:
    """Whether what a callback is told of is the call that is decided on: its first run, of which every callback is told."""
    admitted = _ADMITTED.get()
    if admitted is None or admitted.tool.name != tool:
        return False
    if admitted.started is None:
        admitted.started = run_id
    return bool(admitted.started == run_id)


def refuse(tool: BaseTool, text: str, call_id: str | None) -> Any:
    """The framework's tool error. Raises ToolCallRefused for a call without an id, unless the tool answers for its own errors."""
    if call_id is not None:
        return ToolMessage(text, name=tool.name, tool_call_id=call_id, status="error")
    if tool.handle_tool_error:
        return text
    raise ToolCallRefused(tool.name, text)


def runs_by_itself(kind: type[Any]) -> bool:
    """Whether a class of tools has a way to run that is not the framework's."""
    return any(not getattr(kind, way).__module__.startswith("langchain_core.") for way in ("invoke", "ainvoke", "run", "arun"))


def _decide(tool: BaseTool, arguments: Any, options: dict[str, Any], run: GuardedRun, can_pause: bool) -> tuple[Call, Settled, Any]:
    """The call, what becomes of it, and the arguments to run it with."""
    call_id, copy = options.get("tool_call_id"), frozen(arguments)
    call = Call(tool.name, _named(tool, copy), call_id, options.get("config"))
    before = _ADMITTED.get()
    if before is not None and before.tool is tool and not before.reached and before.ruling is not None:
        before.reached = True
        if canonical_arguments(before.ruling.arguments) == canonical_arguments(call.arguments):
            return call, Settled(before.ruling), copy  # decided on a moment ago, by the node
    return call, settle(run, call, can_pause and call_id not in _BESIDE.get()), copy


def _decide_for_node(request: Any, config: Any, run: GuardedRun, can_pause: bool) -> tuple[Call, Settled, Any]:
    """As `_decide`."""
    call_id, copy = request.tool_call["id"], frozen(request.tool_call["args"])
    call = Call(request.tool.name, _named(request.tool, copy), call_id, config)
    return call, settle(run, call, can_pause and call_id not in _BESIDE.get()), copy


def _named(tool: BaseTool, arguments: Any) -> Any:
    """What is decided on, which shares nothing with what runs: a pause shows it to whoever is asked."""
    plain = frozen(arguments)
    return by_field_names(tool.args_schema, plain) if type(plain) is dict else plain


@contextmanager
def _running(admitted: Admitted, run: GuardedRun, can_pause: bool) -> Iterator[None]:
    token = _ADMITTED.set(admitted)
    try:
        if current_guarded_run() is run:
            yield
        else:
            with in_scope(run, can_pause):
                yield
    finally:
        _ADMITTED.reset(token)


def _own(tool_input: Any) -> Any:
    """An input to which nobody else can add names: whatever is not decided on counts as injected."""
    return dict(tool_input) if isinstance(tool_input, dict) else tool_input


def _arguments(tool: BaseTool, tool_input: Any) -> tuple[Any, frozenset[str]]:
    """What the model wrote: without what the framework injects. A bare string is the tool's first argument. And the names that callbacks
    are shown."""
    if not isinstance(tool_input, dict):
        return {next(iter(tool.args), "input"): tool_input}, frozenset()
    token = _ADMITTED.set(None)  # a tool whose body calls it again: this is not the call that its callbacks are told of
    try:
        arguments = tool._filter_injected_args(tool_input)
    finally:
        _ADMITTED.reset(token)
    shown = frozenset(arguments)
    for name in FILTERED_ARGS:
        if name in tool_input and name not in tool._injected_args_keys:
            arguments[name] = tool_input[name]  # an argument that is called so
    return arguments, shown


def _given(tool_input: Any, arguments: Any) -> Any:
    """What the tool is run with: what was decided on, and what the framework has injected."""
    if not isinstance(tool_input, dict):
        return tool_input
    injected = {name: value for name, value in tool_input.items() if name not in arguments}
    return {**arguments, **injected}
