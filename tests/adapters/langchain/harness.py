"""Scripted models, a gate for each policy, and what tools and models were told."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from hexgate.adapters.langchain import HexgateGraph, wrap
from hexgate.adapters.pauses import Pauses, PausesInMemory
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
      ask_helper: {mode: allow}
      transfer_to_helper: {mode: allow}
  orchestrator:
    tools:
      ask_helper: {mode: allow}
      outer: {mode: allow}
      transfer_to_helper: {mode: allow}
"""
NOBODY, ANYBODY, ASKER = User("n", "nobody"), User("a", "anybody"), User("q", "asker")
ALICE, BOB, ORCHESTRATOR = User("alice", "billing"), User("bob", "billing"), User("o", "orchestrator")

_NUMBERS = count(1)
DENIED = "this call is not permitted (rule)"
UNKNOWN = "this call is not permitted (unknown_tool)"
GO = {"messages": [("user", "go")]}


def make_gate(policy: str = POLICY) -> Gate:
    """A gate of policies in development."""
    path = Path(tempfile.mkdtemp(prefix="hexgate-langchain-")) / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    return Gate.from_source(f"dev:{path}", refresh_seconds=None)


def make_wrapped(graph: Any, gate: Gate | None = None, *, pauses: Pauses | None = None, **options: Any) -> HexgateGraph:
    """A wrapped graph whose pauses stay in this process."""
    return wrap(graph, make_gate() if gate is None else gate, pauses=PausesInMemory() if pauses is None else pauses, **options)


class Script(BaseChatModel):
    """A model that makes each step's calls in turn, and then says `done`. It keeps what it was called with."""

    steps: list[list[dict[str, Any]]]
    seen: list[tuple[list[BaseMessage], dict[str, Any]]] = []  # noqa: RUF012 - pydantic copies it

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **options: Any) -> ChatResult:
        done = sum(isinstance(each, AIMessage) for each in messages)
        self.seen.append((messages, options))
        if done < len(self.steps):
            return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=self.steps[done]))])
        return ChatResult(generations=[ChatGeneration(message=AIMessage("done"))])

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Sequence[Any], **options: Any) -> Any:
        return self.bind(tools=list(tools), **options)


def script(*steps: Any) -> Script:
    """A model of steps; a step is a call, or a list of calls, each `(name, arguments[, call id])`."""
    made = []
    for step in steps:
        calls = step if isinstance(step, list) else [step]
        made.append(
            [{"name": name, "args": args, "id": (*rest, f"call-{next(_NUMBERS)}")[0], "type": "tool_call"} for name, args, *rest in calls]
        )
    return Script(steps=made, seen=[])


def make_agent(model: Any, *tools: Any, **fields: Any) -> Any:
    """An agent with tools."""
    return create_agent(model, list(tools), **fields)


def outputs(result: Any) -> list[tuple[str, str]]:
    """What the model was given for its calls: text and status."""
    return [(str(each.content), each.status) for each in result["messages"] if isinstance(each, ToolMessage)]


def texts(result: Any) -> list[str]:
    """What the model was given for its calls."""
    return [text for text, _ in outputs(result)]


def last(result: Any) -> str:
    """How the run ended."""
    return str(result["messages"][-1].content)
