"""What an agent can reach: its tools, how each is gated, and what each role may do with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_ai import TextOutput, Tool, ToolOutput
from pydantic_ai.capabilities import NativeTool, Toolset, WebSearch
from pydantic_ai.native_tools import CodeExecutionTool, MCPServerTool, WebSearchTool
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ExternalToolset, FunctionToolset

from hexgate.adapters.coverage import Gating
from hexgate.adapters.frameworks import coverage_of
from hexgate.adapters.pydantic_ai import coverage
from hexgate_cli.main import run_command
from tests.adapters.pydantic_ai.harness import Script, make_agent, make_gate, wrap
from tests.adapters.pydantic_ai.test_deny_all import Files, Server

POLICY = """\
version: 1
roles:
  billing:
    tools:
      refund: {mode: allow, constraints: [args.amount <= 500]}
      web_search: {mode: allow}
      send: {mode: approval_required}
  support:
    tools:
      my_list_files: {mode: allow}
"""


def refund(amount: int) -> str:
    """Refund."""
    return ""


def list_files() -> str:
    """List."""
    return ""


def send(text: str) -> str:
    """Send the answer."""
    return ""


class Answer(BaseModel):
    """An output that is no function."""


async def made(ctx: Any) -> AbstractToolset[Any]:
    """A toolset that is made in a run."""
    return Files()


def build() -> Any:
    """An agent that reaches tools of many kinds."""
    functions = FunctionToolset[Any]([Tool(list_files, prepare=lambda ctx, tool: tool)])
    return make_agent(
        Script(), refund, name="front", output_type=[str, Answer, ToolOutput(send)],
        toolsets=[functions.prefixed("my"), functions.renamed({"ls": "list_files"}).filtered(lambda ctx, tool: True), made, Server(),
                  ExternalToolset([ToolDefinition(name="pay")])],
        capabilities=[NativeTool(WebSearchTool()), NativeTool(MCPServerTool(id="git", url="https://example.org")),
                      NativeTool(lambda ctx: CodeExecutionTool()), Toolset(Files())],
    )  # fmt: skip


ROWS = [
    ("refund", "function", Gating.CALL, (), ""),
    ("my_list_files", "function", Gating.CALL, (), "offered by a condition"),
    ("ls", "function", Gating.CALL, (), "offered by a condition"),
    ("toolset:made", "toolset", Gating.CALL, (), "its tools are known in a run"),
    ("toolset:local", "toolset", Gating.CALL, (), "its tools are known in a run"),
    ("pay", "external", Gating.CALL, (), "the caller runs it"),
    ("toolset:files", "toolset", Gating.CALL, (), "its tools are known in a run"),
    ("send", "output function", Gating.CALL, (), "a refusal counts as a retry of the output"),
    ("web_search", "native", Gating.OFFER, ("support",), ""),
    ("hosted_mcp.git", "native", Gating.OFFER, ("billing", "support"), ""),
    ("<lambda>", "native", Gating.OFFER, ("billing", "support"), "made in a run: policies name the tool that is made"),
]


def test_every_reachable_tool_is_a_row() -> None:
    found = coverage(build(), make_gate(POLICY))
    rows = [(row.tool.name, row.tool.kind, row.tool.gating, row.refused_for, row.tool.note) for row in found.rows]
    assert sorted(rows[:7]) + rows[7:] == sorted(ROWS[:7]) + ROWS[7:]
    assert {row.tool.path for row in found.rows} == {("front",)}
    assert [answer.text for answer in found.rows[0].answers] == ["allow if args.amount <= 500", "deny"]


def test_what_may_be_left_out_says_so() -> None:
    agent = make_agent(Script(), capabilities=[WebSearch(local=refund)])
    rows = {row.tool.name: row.tool.note for row in coverage(agent, make_gate(POLICY)).rows}
    assert "web_search" in rows


@pytest.mark.parametrize(
    ("output", "names"),
    [(str, []), (send, ["send"]), (TextOutput(send), ["send"]), ([ToolOutput(send, name="x"), str], ["send"]), (str | Answer, [])],
)
def test_output_functions(output: Any, names: list[str]) -> None:
    found = coverage(make_agent(Script(), output_type=output), make_gate(POLICY))
    assert [row.tool.name for row in found.rows] == names


def test_a_wrapped_agent_reaches_what_it_wraps() -> None:
    agent, gate = build(), make_gate(POLICY)
    assert coverage_of(wrap(agent), gate) == coverage_of(agent, gate)


HUMAN = """\
tool        kind      agent  gated                billing                      support
refund      function  front  each call            allow if args.amount <= 500  deny
web_search  native    front  offered or withheld  allow                        deny

web_search: an agent with it does not run for support

2 of 2 tools are gated
"""


def test_the_command(tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    agent = make_agent(Script(), refund, name="front", capabilities=[NativeTool(WebSearchTool())])
    monkeypatch.setitem(__import__("sys").modules, "front_agents", SimpleNamespace(AGENT=agent))
    assert run_command(["coverage", "front_agents:AGENT", "--policy", str(policy)]) == 0
    assert capsys.readouterr().out == HUMAN
