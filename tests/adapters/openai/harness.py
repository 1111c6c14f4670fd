"""Scripted agents, a gate for each policy, and what their tools did."""

from __future__ import annotations

import os
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"

from agents import Agent, RunResult, RunResultStreaming
from agents.mcp import MCPServer
from agents.testing import ScriptedModel, assistant_message, function_call
from mcp.types import CallToolResult, TextContent
from mcp.types import Tool as McpTool

from hexgate.adapters.openai import HexgateRunner
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


def make_gate(policy: str = POLICY) -> Gate:
    """A gate of policies in development."""
    path = Path(tempfile.mkdtemp(prefix="hexgate-openai-")) / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    return Gate.from_source(f"dev:{path}", refresh_seconds=None)


def make_runner(gate: Gate | None = None, *, pauses: Pauses | None = None, **options: Any) -> HexgateRunner:
    """A runner whose pauses stay in this process."""
    return HexgateRunner(make_gate() if gate is None else gate, pauses=PausesInMemory() if pauses is None else pauses, **options)


def script(*steps: Any) -> ScriptedModel:
    """A model that makes each step's calls in turn, and then says `done`. A call is an item or `(name, arguments[, call id])`."""
    made = []
    for step in steps:
        items = []
        for item in step if isinstance(step, list) else [step]:
            call_id = (*item, f"call-{next(_NUMBERS)}")[2] if isinstance(item, tuple) else ""
            items.append(function_call(item[0], item[1], call_id=call_id) if isinstance(item, tuple) else item)
        made.append(items)
    return ScriptedModel([*made, [assistant_message("done")]])


def outputs(result: RunResult | RunResultStreaming) -> list[Any]:
    """What the model was given as the outputs of its calls."""
    return [
        item.output if item.type == "tool_call_output_item" else item.raw_item["output"]
        for item in result.new_items
        if item.type in ("tool_call_output_item", "handoff_output_item")
    ]


class ToolServer(MCPServer):
    """A local MCP server with one tool, which notes its calls."""

    def __init__(self, tool: str, ran: list[Any]) -> None:
        super().__init__()
        self.tool, self.ran = tool, ran

    async def connect(self) -> None:
        """Nothing to connect to."""

    async def cleanup(self) -> None:
        """Nothing to clean up."""

    @property
    def name(self) -> str:
        return "local"

    async def list_tools(self, run_context: Any = None, agent: Any = None) -> list[McpTool]:
        return [McpTool(name=self.tool, input_schema={"type": "object", "properties": {}})]

    async def call_tool(self, tool_name: str, arguments: Any, meta: Any = None) -> CallToolResult:
        self.ran.append(tool_name)
        return CallToolResult(content=[TextContent(type="text", text="ran")])

    async def list_prompts(self) -> Any:
        raise NotImplementedError

    async def get_prompt(self, name: str, arguments: Any = None) -> Any:
        raise NotImplementedError


def make_agent(model: ScriptedModel, *tools: Any, **fields: Any) -> Agent[Any]:
    """An agent with tools."""
    return Agent(name=fields.pop("name", "agent"), model=model, tools=list(tools), **fields)
