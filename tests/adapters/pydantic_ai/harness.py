"""Scripted agents, a gate for each policy, and what their tools did."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel

from hexgate.adapters.pauses import PausesInMemory
from hexgate.adapters.pydantic_ai import HexgateAgent
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
"""
NOBODY, ANYBODY, ASKER = User("n", "nobody"), User("a", "anybody"), User("q", "asker")
ALICE, BOB, ORCHESTRATOR = User("alice", "billing"), User("bob", "billing"), User("o", "orchestrator")
DENIED = "this call is not permitted (rule)"
UNKNOWN = "this call is not permitted (unknown_tool)"

_NUMBERS = count(1)


class Script(FunctionModel):
    """A model that makes each step's calls in turn, and then says `done`. `seen` are the requests that it was given."""

    def __init__(self, *steps: Any, says: str = "done") -> None:
        """A step is a call `(name, arguments[, call id])` or a list of them."""
        super().__init__(self._answer, stream_function=self._stream, model_name="script")
        self.steps = [step if isinstance(step, list) else [step] for step in steps]
        self.says = says
        self.seen: list[list[ModelMessage]] = []
        self.offered: list[AgentInfo] = []

    def _calls(self, messages: list[ModelMessage], info: AgentInfo) -> list[ToolCallPart]:
        self.seen.append(messages)
        self.offered.append(info)
        step = self.steps[len(self.seen) - 1] if len(self.seen) <= len(self.steps) else []
        return [ToolCallPart(call[0], call[1], tool_call_id=(*call, f"call-{next(_NUMBERS)}")[2]) for call in step]

    def _answer(self, messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return ModelResponse(parts=[*self._calls(messages, info)] or [TextPart(self.says)])

    async def _stream(self, messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
        calls = self._calls(messages, info)
        for number, call in enumerate(calls):
            yield {number: DeltaToolCall(name=call.tool_name, json_args=json.dumps(call.args), tool_call_id=call.tool_call_id)}
        if not calls:
            yield self.says


def make_gate(policy: str = POLICY) -> Gate:
    """A gate of policies in development."""
    path = Path(tempfile.mkdtemp(prefix="hexgate-pydantic-ai-")) / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    return Gate.from_source(f"dev:{path}", refresh_seconds=None)


def make_agent(model: Any, *tools: Any, **fields: Any) -> Agent[Any, Any]:
    """An agent with tools."""
    return Agent(model, tools=list(tools), name=fields.pop("name", "agent"), **fields)


def wrap(agent: Agent[Any, Any], gate: Gate | None = None, **options: Any) -> HexgateAgent:
    """The agent behind a gate, whose pauses stay in this process."""
    options.setdefault("pauses", PausesInMemory())
    return HexgateAgent(agent, make_gate() if gate is None else gate, **options)


def run(agent: Agent[Any, Any], user: Any = NOBODY, *, gate: Gate | None = None, **options: Any) -> Any:
    """The result of an agent's run."""
    return asyncio.run(wrap(agent, gate).run("go", user=user, **options))


def outputs(messages: list[ModelMessage]) -> list[Any]:
    """What the model was told by its tools."""
    parts = [part for message in messages if isinstance(message, ModelRequest) for part in message.parts]
    return [part.content for part in parts if isinstance(part, ToolReturnPart)]


def told(result: Any) -> list[Any]:
    """What the model was told by its tools in a run."""
    return outputs(result.all_messages())
