"""`wrap`: a compiled graph, with every tool call decided for the user of the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Generator, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from langchain_core.runnables.config import get_config_list, get_executor_for_config
from langchain_core.runnables.utils import gather_with_concurrency
from langgraph.pregel import Pregel

from hexgate.adapters.approvals import Approvals
from hexgate.adapters.guard import AdapterError, Guard
from hexgate.adapters.langchain.attachment import attach
from hexgate.adapters.langchain.reach import not_gated
from hexgate.adapters.langchain.scope import RunHandler, find_run, in_scope, with_key
from hexgate.adapters.pauses import Pauses
from hexgate.adapters.private_context import drive, drive_sync
from hexgate.decision.decision import TokenUser, User

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from hexgate.runtime.gate import Gate

Users = User | TokenUser | Sequence[User | TokenUser] | None
"""One user for all inputs of a batch, or one for each."""

READS = frozenset({
    "aclear_cache", "aget_graph", "aget_state", "aget_state_history", "aget_subgraphs", "clear_cache", "config_schema",
    "get_config_jsonschema", "get_context_jsonschema", "get_graph", "get_input_jsonschema", "get_input_schema", "get_name",
    "get_output_jsonschema", "get_output_schema", "get_prompts", "get_state", "get_state_history", "get_subgraphs",
    "update_state", "aupdate_state", "bulk_update_state", "abulk_update_state",
})  # fmt: skip
"""Methods of a graph that run no tool. Any other that is not one of `HexgateGraph` is refused."""


def wrap(
    graph: Pregel[Any, Any, Any, Any],
    gate: Gate | None = None,
    *,
    interrupts: bool = False,
    approvals: Approvals | None = None,
    pauses: Pauses | None = None,
    allow_ungated: bool = False,
) -> HexgateGraph:
    """A graph that runs for a user, given per call. The graph itself stays as it is, and run by itself it is not gated. With `interrupts`
    a held call pauses a graph that has a checkpointer, and an answer `Command(resume={"type": "approve"})` lets it run, here or in another
    process; without, it is refused. The rest of the arguments are those of `Guard`.

    Raises what `Gate.from_env` raises, and AdapterError for a framework or an object that cannot be gated.
    """
    if not isinstance(graph, Pregel):
        raise AdapterError(
            "only a compiled graph can be wrapped: an agent of `create_agent`, or what `compile()` returns; run a chain with a `HexgateCallback`"
            " in its config"
        )
    attach()
    return HexgateGraph(graph, Guard(gate, approvals=approvals, pauses=pauses, allow_ungated=allow_ungated), interrupts)


class HexgateGraph:
    """Runs what a compiled graph runs. One is enough for a process: every run has a user of its own, and `ctx` is what the host adds to
    every request. What begins a run raises UserRequiredError and UngatedToolsError at once, before the model is called.

    What the graph has besides its runs (`get_state`, `update_state`, `get_graph`, fields) is the graph's own.
    """

    def __init__(self, graph: Pregel[Any, Any, Any, Any], guard: Guard, interrupts: bool = False) -> None:
        """Use `wrap`."""
        self.graph = graph
        self.guard = guard
        self.interrupts = interrupts
        self._not_gated = tuple(not_gated(graph))

    def invoke(
        self, input: Any, config: RunnableConfig | None = None, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any  # noqa: A002 - the framework's names
    ) -> Any:
        """As the graph's `invoke`, for a user."""
        return self._invoke(self._begin(user, ctx), input, config, options)

    async def ainvoke(
        self, input: Any, config: RunnableConfig | None = None, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any  # noqa: A002
    ) -> Any:
        """As the graph's `ainvoke`, for a user."""
        return await self._ainvoke(self._begin(user, ctx), input, config, options)

    def stream(
        self, input: Any, config: RunnableConfig | None = None, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any  # noqa: A002
    ) -> Generator[Any, None, None]:
        """As the graph's `stream`, for a user."""
        handler = self._begin(user, ctx)
        return _stream(handler, self.graph.stream(input, with_key(config, handler), **options))

    def astream(
        self, input: Any, config: RunnableConfig | None = None, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any  # noqa: A002
    ) -> AsyncGenerator[Any, None]:
        """As the graph's `astream`, for a user."""
        handler = self._begin(user, ctx)
        return _astream(handler, self.graph.astream(input, with_key(config, handler), **options))

    def stream_events(
        self, input: Any, config: RunnableConfig | None = None, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any  # noqa: A002
    ) -> Any:
        """As the graph's `stream_events`, for a user."""
        handler = self._begin(user, ctx)
        with in_scope(handler.run, self.interrupts):
            return self.graph.stream_events(input, with_key(config, handler), **options)

    def astream_events(
        self, input: Any, config: RunnableConfig | None = None, *, user: User | TokenUser | None = None, ctx: Any = None, **options: Any  # noqa: A002
    ) -> Any:
        """As the graph's `astream_events`, for a user: events, or with `version="v3"` an awaitable of a stream."""
        handler = self._begin(user, ctx)
        with in_scope(handler.run, self.interrupts):
            events: Any = self.graph.astream_events(input, with_key(config, handler), **options)
        return _astream(handler, events) if hasattr(events, "__anext__") else events

    def batch(
        self, inputs: Sequence[Any], config: Any = None, *, user: Users = None, ctx: Any = None, return_exceptions: bool = False, **options: Any
    ) -> list[Any]:
        """As the graph's `batch`, for a user, or for as many users as inputs: each input is a run."""
        configs, handlers = self._begin_batch(inputs, config, user, ctx)

        if not configs:
            return []
        with get_executor_for_config(configs[0]) as executor:
            runs = [executor.submit(self._invoke, *each, options) for each in zip(handlers, inputs, configs, strict=True)]
            return [_result(run.exception() if return_exceptions else None) or run.result() for run in runs]

    async def abatch(
        self, inputs: Sequence[Any], config: Any = None, *, user: Users = None, ctx: Any = None, return_exceptions: bool = False, **options: Any
    ) -> list[Any]:
        """As the graph's `abatch`, and as `batch`."""
        configs, handlers = self._begin_batch(inputs, config, user, ctx)

        if not configs:
            return []
        runs = [self._ainvoke(*each, options) for each in zip(handlers, inputs, configs, strict=True)]
        if return_exceptions:
            runs = [_awaited(run) for run in runs]
        # Each in a task, and so in a context, of its own.
        return await gather_with_concurrency(configs[0].get("max_concurrency"), *runs)

    def with_config(self, config: RunnableConfig | None = None, **options: Any) -> HexgateGraph:
        """The graph with a config of its own, wrapped."""
        return HexgateGraph(self.graph.with_config(config, **options), self.guard, self.interrupts)

    def __getattr__(self, name: str) -> Any:
        """What the graph has besides its runs. Raises AdapterError for any other way to run it."""
        if name.startswith("__"):  # Python's own questions, also of a copy that has no graph yet
            raise AttributeError(name, name=name, obj=self)
        value = getattr(self.graph, name)
        if callable(value) and not name.startswith("_") and name not in READS and callable(getattr(type(self.graph), name, None)):
            raise AdapterError(
                f"`{name}` would run the graph without the gate: use `invoke`, `ainvoke`, `stream`, `astream`, `astream_events`, `batch` or"
                " `abatch` of what `wrap` returns"
            )
        return value

    def _begin(self, user: User | TokenUser | None, ctx: Any) -> RunHandler:
        around = find_run(None)[0] if user is None else None
        handler = RunHandler(self.guard.run(user if around is None else around.user, ctx=ctx), self.interrupts)
        handler.run.require_offered(self._not_gated)
        return handler

    def _begin_batch(self, inputs: Sequence[Any], config: Any, user: Users, ctx: Any) -> tuple[list[RunnableConfig], list[RunHandler]]:
        users: list[Any] = list(user) if isinstance(user, list | tuple) else [user] * len(inputs)
        if len(users) != len(inputs):
            raise AdapterError("`user=` of a batch is one user, or as many as there are inputs")
        return get_config_list(config, len(inputs)) if inputs else [], [self._begin(each, ctx) for each in users]

    def _invoke(self, handler: RunHandler, item: Any, config: RunnableConfig | None, options: dict[str, Any]) -> Any:
        with in_scope(handler.run, self.interrupts):
            return self.graph.invoke(item, with_key(config, handler), **options)

    async def _ainvoke(self, handler: RunHandler, item: Any, config: RunnableConfig | None, options: dict[str, Any]) -> Any:
        with in_scope(handler.run, self.interrupts):
            return await self.graph.ainvoke(item, with_key(config, handler), **options)


def _result(error: BaseException | None) -> Exception | None:
    """An exception that a batch may return; others are raised."""
    return error if isinstance(error, Exception) else None


async def _awaited(run: Coroutine[Any, Any, Any]) -> Any:
    """A result, or the exception in place of it."""
    result: Any = (await asyncio.gather(run, return_exceptions=True))[0]
    if isinstance(result, BaseException) and not isinstance(result, Exception):
        raise result
    return result


def _stream(handler: RunHandler, items: Any) -> Generator[Any, None, None]:
    """The items of a stream, made in a context of the run's."""
    context, scope = copy_context(), in_scope(handler.run, handler.interrupts)
    context.run(scope.__enter__)
    try:
        yield from drive_sync(items, context)
    finally:
        context.run(scope.__exit__, None, None, None)


async def _astream(handler: RunHandler, items: Any) -> AsyncGenerator[Any, None]:
    """As `_stream`."""
    context, scope = copy_context(), in_scope(handler.run, handler.interrupts)
    context.run(scope.__enter__)
    driven = drive(items, context)
    try:
        async for item in driven:
            yield item
    finally:
        await driven.aclose()
        context.run(scope.__exit__, None, None, None)
