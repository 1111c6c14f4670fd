"""Scripted agents, a gate for each policy, and what their tools did."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from itertools import count
from pathlib import Path
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.apps.app import App
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types
from pydantic import Field

from hexgate.adapters.google_adk import HexgateRunner
from hexgate.adapters.pauses import PausesInMemory
from hexgate.runtime import Gate, User

POLICY = """\
version: 1
roles:
  nobody:
    default_policy: {mode: deny}
  anybody:
    tools: {"*": {mode: allow}}
  asker:
    default_policy: {mode: approval_required}
  billing:
    tools:
      refund: {mode: allow, constraints: [args.amount <= 500]}
      wire: {mode: approval_required, message: ask a person}
  orchestrator:
    tools:
      helper: {mode: allow}
      outer: {mode: allow}
      transfer_to_agent: {mode: allow}
"""
NOBODY, ANYBODY, ASKER = User("n", "nobody"), User("a", "anybody"), User("q", "asker")
ALICE, BOB, ORCHESTRATOR = User("alice", "billing"), User("bob", "billing"), User("o", "orchestrator")
DENIED = "this call is not permitted (rule)"
UNKNOWN = "this call is not permitted (unknown_tool)"

_NUMBERS = count(1)


class Script(BaseLlm):
    """A model that makes each step's calls in turn, and then says `done`. `seen` are the requests it was given."""

    model: str = "script"
    steps: list[Any] = Field(default_factory=list)
    seen: list[Any] = Field(default_factory=list)

    async def generate_content_async(self, llm_request: Any, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        self.seen.append(llm_request)
        parts = [types.Part(text="done")]
        if len(self.seen) <= len(self.steps):
            parts = [
                types.Part(function_call=types.FunctionCall(id=f"call-{next(_NUMBERS)}", name=name, args=args))
                for name, args in self.steps[len(self.seen) - 1]
            ]
        yield LlmResponse(content=types.Content(role="model", parts=parts))


def script(*steps: Any) -> Script:
    """A step is a call `(name, arguments)` or a list of them."""
    return Script(steps=[step if isinstance(step, list) else [step] for step in steps], seen=[])


def make_gate(policy: str = POLICY) -> Gate:
    """A gate of policies in development."""
    path = Path(tempfile.mkdtemp(prefix="hexgate-adk-")) / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    return Gate.from_source(f"dev:{path}", refresh_seconds=None)


def make_agent(model: BaseLlm, *tools: Any, **fields: Any) -> LlmAgent:
    """An agent with tools."""
    return LlmAgent(name=fields.pop("name", "agent"), model=model, tools=list(tools), **fields)


def make_runner(agent: Any, gate: Gate | None = None, **options: Any) -> HexgateRunner:
    """A runner whose pauses and sessions stay in this process."""
    options.setdefault("pauses", PausesInMemory())
    app = App(name="shop", root_agent=agent, plugins=options.pop("plugins", None) or [])
    runner = InMemoryRunner(app=app)
    return HexgateRunner(runner, make_gate() if gate is None else gate, **options)


def message(text: str = "go") -> types.Content:
    """What a user says."""
    return types.Content(role="user", parts=[types.Part(text=text)])


async def run_once(runner: HexgateRunner, user: Any, *, session: str = "s", new: Any = None, **options: Any) -> list[Any]:
    """The events of one run, in a session that is made when it is not there."""
    service = runner.runner.session_service
    if await service.get_session(app_name="shop", user_id="u", session_id=session) is None:
        await service.create_session(app_name="shop", user_id="u", session_id=session)
    events = runner.run_async(user=user, user_id="u", session_id=session, new_message=new or message(), **options)
    return [event async for event in events]


async def run_alone(agent: Any, *plugins: Any, session: str = "s", new: Any = None) -> list[Any]:
    """The events of one run by the kit's own runner, with plugins."""
    runner = InMemoryRunner(app=App(name="shop", root_agent=agent, plugins=list(plugins)))
    runner.auto_create_session = True
    return [event async for event in runner.run_async(user_id="u", session_id=session, new_message=new or message())]


def run(agent: Any, user: Any = NOBODY, **options: Any) -> list[Any]:
    """The events of an agent's run."""
    return asyncio.run(run_once(make_runner(agent, **options), user))


def outputs(events: list[Any]) -> list[Any]:
    """What the model was given as the results of its calls: the text of errors, else the result."""
    found = [each.response for event in events for each in event.get_function_responses()]
    return [each.get("error", each.get("result", each)) for each in found]


def last_text(events: list[Any]) -> str | None:
    """What the agent said last."""
    texts = [part.text for event in events if event.content for part in event.content.parts or () if part.text]
    return texts[-1] if texts else None


def told(model: Script) -> list[Any]:
    """What a model was told by its tools in its last request."""
    parts = [part for content in model.seen[-1].contents for part in content.parts or ()]
    found = [part.function_response.response for part in parts if part.function_response]
    return [each.get("error", each.get("result", each)) for each in found]
