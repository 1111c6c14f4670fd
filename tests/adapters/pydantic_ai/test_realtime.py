"""Sessions of realtime models: they have no runs, but calls of tools as runs have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic_ai import Agent
from pydantic_ai.capabilities import NativeTool
from pydantic_ai.native_tools import WebSearchTool
from pydantic_ai.realtime import RealtimeModel, RealtimeModelProfile
from pydantic_ai.realtime.codec import RealtimeConnection, ResponseDone, ToolCall, ToolResult
from pydantic_ai.realtime.lifecycle import InferredLifecycle

from hexgate.adapters.guard import UngatedToolsError, UserRequiredError
from hexgate.runtime import User
from tests.adapters.boundaries import boundary
from tests.adapters.pydantic_ai.harness import (
    ALICE,
    ANYBODY,
    ASKER,
    DENIED,
    NOBODY,
    ORCHESTRATOR,
    UNKNOWN,
    Script,
    make_agent,
    run,
    told,
    wrap,
)

RAN: list[int] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(amount: int) -> str:
    """Refund an order."""
    RAN.append(amount)
    return "refunded"


class Line(RealtimeConnection):
    """A model that asks for one refund, and waits for the answer. `answers` are the results of tools that it is sent."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[str] = asyncio.Queue()
        self.lifecycle = InferredLifecycle()

    async def send(self, content: Any) -> Any:
        with self.lifecycle.sending(content):
            if isinstance(content, ToolResult):
                self.answers.put_nowait(content.output)
        return self.lifecycle.take_pending()

    async def frames(self) -> AsyncIterator[Any]:
        yield self.lifecycle.frame_for([ToolCall("call-1", tool_name="refund", args='{"amount": 10}')])
        yield self.lifecycle.frame_for([ResponseDone()])
        await asyncio.Event().wait()


class Realtime(RealtimeModel):
    """A model of such a connection; `offered` is what its provider would run."""

    def __init__(self) -> None:
        super().__init__(profile=RealtimeModelProfile(supported_native_tools=frozenset({WebSearchTool})))
        self.offered: list[list[str]] = []
        self.line = Line()

    @property
    def model_name(self) -> str:
        return "realtime"

    @property
    def system(self) -> str:
        return "test"

    @classmethod
    def supported_native_tools(cls) -> Any:
        return frozenset({WebSearchTool})

    @asynccontextmanager
    async def connect(self, *, model_request_parameters: Any, **options: Any) -> AsyncGenerator[RealtimeConnection]:
        self.offered.append([tool.kind for tool in model_request_parameters.native_tools])
        yield self.line


async def answer(bound: Any, model: Realtime) -> str:
    """What the model is told of its call."""
    async with bound.session() as session:

        async def read() -> None:
            async for _ in session:
                pass

        reading = asyncio.create_task(read())
        try:
            return await asyncio.wait_for(model.line.answers.get(), 5)
        finally:
            reading.cancel()


@boundary("streaming", "function tool")
@pytest.mark.parametrize(("user", "text"), [(NOBODY, DENIED), (ASKER, "this call needs an approval (approval_required)"), (ALICE, "refunded")])
def test_session(user: User, text: str) -> None:
    model = Realtime()

    async def main() -> str:
        return await answer(wrap(make_agent(Script(), refund)).realtime(model, user=user), model)

    assert text in asyncio.run(main())
    assert ([10] if user is ALICE else []) == RAN


def test_nobody_is_calling() -> None:
    model = Realtime()

    async def main() -> None:
        await answer(wrap(make_agent(Script(), refund)).realtime(model), model)

    with pytest.raises(UserRequiredError):
        asyncio.run(main())
    assert (model.offered, RAN) == ([], [])


@boundary("hosted tool")
def test_what_the_provider_runs() -> None:
    model = Realtime()

    async def main(user: User, tool: WebSearchTool) -> None:
        agent = make_agent(Script(), refund, capabilities=[NativeTool(tool)])
        await answer(wrap(agent).realtime(model, user=user), model)

    with pytest.raises(UngatedToolsError):
        asyncio.run(main(NOBODY, WebSearchTool()))
    assert model.offered == []
    for user, tool in ((NOBODY, WebSearchTool(optional=True)), (ANYBODY, WebSearchTool()), (ANYBODY, WebSearchTool(optional=True))):
        model.line = Line()
        asyncio.run(main(user, tool))
    assert model.offered == [[], ["web_search"], ["web_search"]]


@boundary("nested run in a tool body")
def test_a_session_in_a_tool_body() -> None:
    model = Realtime()
    inner: Agent[Any, Any] = make_agent(Script(), refund, name="inner", capabilities=[NativeTool(WebSearchTool())])

    async def outer() -> str:
        return await answer(inner.realtime(model), model)

    (said,) = told(run(make_agent(Script(("outer", {})), outer), ORCHESTRATOR))
    assert (UNKNOWN in said, RAN, model.offered) == (True, [], [[]])
