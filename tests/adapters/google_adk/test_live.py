"""Live sessions: calls are decided, what a provider runs is not offered, and nothing waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.adk.agents import BaseAgent
from google.adk.agents.run_config import RunConfig, ToolThreadPoolConfig
from google.adk.apps.app import App
from google.adk.events.event import Event
from google.adk.live.live_request_queue import LiveRequestQueue
from google.adk.models.base_llm_connection import BaseLlmConnection
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools import google_search
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.base_toolset import BaseToolset
from google.genai import types

from hexgate.adapters.google_adk import reach
from tests.adapters.boundaries import boundary
from tests.adapters.google_adk.harness import (
    ALICE,
    ANYBODY,
    DENIED,
    NOBODY,
    ORCHESTRATOR,
    UNKNOWN,
    Script,
    last_text,
    make_agent,
    make_runner,
    outputs,
    run,
    script,
)

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


async def prices(of: str) -> AsyncGenerator[str, None]:
    """A tool that goes on."""
    RAN.append(of)
    yield "1"


def wire(to: str) -> str:
    """Wire money."""
    RAN.append(to)
    return "wired"


CALL = ("refund", {"order": "30", "amount": 10})


class Connection(BaseLlmConnection):
    """Makes a step's calls, waits for their results, and says `done` in the end."""

    def __init__(self, steps: list[Any]) -> None:
        self.steps = iter([*steps, None])
        self.answers: asyncio.Queue[Any] = asyncio.Queue()

    async def send_history(self, history: Any) -> None:
        return

    async def send_content(self, content: Any) -> None:
        await self.answers.put(content)

    async def send_realtime(self, blob: Any) -> None:
        return

    async def close(self) -> None:
        return

    async def receive(self) -> AsyncGenerator[LlmResponse, None]:
        for step in self.steps:
            if step is None:
                yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text="done")]), turn_complete=True)
                return
            calls = [types.FunctionCall(id=f"live-{name}-{number}", name=name, args=args) for number, (name, args) in enumerate(step)]
            yield LlmResponse(content=types.Content(role="model", parts=[types.Part(function_call=call) for call in calls]))
            await self.answers.get()


class Live(Script):
    """A scripted model with live sessions. `seen` are the requests that opened them."""

    @asynccontextmanager
    async def connect(self, llm_request: Any) -> AsyncIterator[Connection]:
        self.seen.append(llm_request)
        yield Connection(self.steps)


async def _live(runner: Any, user: Any, config: RunConfig) -> list[Any]:
    await runner.runner.session_service.create_session(app_name="shop", user_id="u", session_id="s")
    events = runner.run_live(user=user, user_id="u", session_id="s", live_request_queue=LiveRequestQueue(), run_config=config)
    return [event async for event in events]


def live(user: Any, *steps: Any, tools: Any = (refund, prices, wire), config: RunConfig | None = None, **options: Any) -> tuple[Live, list[Any]]:
    """The model and the events of a live session."""
    model = Live(model="gemini-live", steps=[step if isinstance(step, list) else [step] for step in steps], seen=[])
    runner = make_runner(make_agent(model, *tools), **options)
    return model, asyncio.run(asyncio.wait_for(_live(runner, user, config or RunConfig()), 60))


@boundary("streaming")
@pytest.mark.parametrize("config", [RunConfig(), RunConfig(tool_thread_pool_config=ToolThreadPoolConfig(max_workers=1))])
def test_calls_of_a_live_session(config: RunConfig) -> None:
    _, events = live(NOBODY, CALL, [CALL, CALL], ("prices", {"of": "x"}), config=config)
    assert (outputs(events), last_text(events), RAN) == ([DENIED] * 4, "done", [])
    _, events = live(ALICE, CALL, config=config)
    assert (outputs(events), RAN) == (["refunded"], [("30", 10)])


@boundary("streaming")
def test_a_tool_that_goes_on() -> None:
    _, events = live(ANYBODY, ("prices", {"of": "x"}))
    assert (RAN, last_text(events)) == (["x"], "done")


@boundary("pause")
def test_a_live_session_does_not_wait() -> None:
    _, events = live(ALICE, ("wire", {"to": "x"}), confirmations=True)
    assert (outputs(events), last_text(events), RAN) == (["ask a person"], "done", [])
    assert [event for event in events if event.actions.requested_tool_confirmations] == []


class Hosted(BaseToolset):
    """A toolset that turns out to have a tool of the provider."""

    async def get_tools(self, readonly_context: Any = None) -> list[BaseTool]:
        return [google_search]


@boundary("hosted tool")
def test_what_comes_up_is_not_offered_to_a_session() -> None:
    def offered(user: Any) -> list[list[str]]:
        model, _ = live(user, tools=[refund, Hosted()])
        return [sorted(each.model_dump(exclude_none=True)) for each in model.seen[0].config.tools]

    assert offered(NOBODY) == [["function_declarations"]]
    assert offered(ANYBODY) == [["function_declarations"], ["google_search"]]


class Elsewhere(BaseAgent):
    """Stands for an agent that a provider runs."""

    async def _run_live_impl(self, ctx: Any) -> AsyncGenerator[Event, None]:
        RAN.append(self.name)
        yield Event(author=self.name, content=types.Content(role="model", parts=[types.Part(text="ran")]))


@boundary("nested run in a tool body")
def test_a_live_session_in_a_tool_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "ELSEWHERE", reach.ELSEWHERE | {__name__})
    inner = Live(model="gemini-live", steps=[[CALL]], seen=[])

    async def outer() -> str:
        said = []
        for agent in (make_agent(inner, refund, name="inner"), Elsewhere(name="far")):
            runner = InMemoryRunner(app=App(name="inner", root_agent=agent))
            await runner.session_service.create_session(app_name="inner", user_id="u", session_id=agent.name)
            events = runner.run_live(user_id="u", session_id=agent.name, live_request_queue=LiveRequestQueue())
            found = [event async for event in events]
            said.append([*outputs(found), last_text(found)])
        return str(said)

    events = run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)
    assert (outputs(events), RAN) == ([str([[UNKNOWN, "done"], [UNKNOWN]])], [])
