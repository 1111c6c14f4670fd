"""Nothing passes ungated: at each boundary a policy that denies everything, and the body did not run."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from google.adk.agents import SequentialAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.code_executors.unsafe_local_code_executor import UnsafeLocalCodeExecutor
from google.adk.runners import InMemoryRunner
from google.adk.tools import LongRunningFunctionTool, google_search, url_context
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.base_toolset import BaseToolset
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams
from google.genai import types
from mcp import StdioServerParameters

from hexgate.adapters.guard import UngatedToolsError, UserRequiredError
from tests.adapters.boundaries import boundary
from tests.adapters.google_adk.harness import (
    ALICE,
    ANYBODY,
    DENIED,
    NOBODY,
    ORCHESTRATOR,
    UNKNOWN,
    last_text,
    make_agent,
    make_runner,
    message,
    outputs,
    run,
    run_once,
    script,
    told,
)

NOT_THERE = {
    "custom tool": "in ADK a tool of any kind is a `BaseTool`, and all of them are called in one place: see function tool and toolset",
    "shell tool": "in ADK a tool of any kind is a `BaseTool`, and all of them are called in one place: see function tool and toolset",
    "computer tool": "in ADK a tool of any kind is a `BaseTool`, and all of them are called in one place: see function tool and toolset",
    "patch tool": "in ADK a tool of any kind is a `BaseTool`, and all of them are called in one place: see function tool and toolset",
    "batch": "ADK has no batch: each message is a run",
}

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


CALL = ("refund", {"order": "30", "amount": 10})


@boundary("function tool", "async")
@pytest.mark.parametrize("tool", [refund, LongRunningFunctionTool(refund), FunctionTool(refund, require_confirmation=False)])
def test_function_tool(tool: Any) -> None:
    events = run(make_agent(script(CALL), tool))
    assert (RAN, outputs(events), last_text(events)) == ([], [DENIED], "done")
    assert outputs(run(make_agent(script(CALL), tool), ALICE)) == ["refunded"]


@boundary("sync")
def test_sync() -> None:
    runner = make_runner(make_agent(script(CALL), refund))
    asyncio.run(runner.runner.session_service.create_session(app_name="shop", user_id="u", session_id="s"))
    events = list(runner.run(user=NOBODY, user_id="u", session_id="s", new_message=message()))
    assert (RAN, outputs(events), last_text(events)) == ([], [DENIED], "done")


@boundary("streaming")
def test_streamed() -> None:
    runner = make_runner(make_agent(script(CALL), refund))
    events = asyncio.run(run_once(runner, NOBODY, run_config=RunConfig(streaming_mode=StreamingMode.SSE)))
    assert (RAN, outputs(events), last_text(events)) == ([], [DENIED], "done")


@boundary("parallel calls")
def test_parallel_calls() -> None:
    assert (outputs(run(make_agent(script([CALL, CALL, CALL]), refund))), RAN) == ([DENIED] * 3, [])


@boundary("retries")
def test_a_model_that_keeps_trying() -> None:
    events = run(make_agent(script(*[CALL] * 8), refund))
    assert (RAN, outputs(events), last_text(events)) == ([], [DENIED] * 8, "done")


class Tool(BaseTool):
    """A tool as a server of MCP has one: only its `run_async` is known."""

    async def run_async(self, *, args: dict[str, Any], tool_context: Any) -> Any:
        RAN.append(args)
        return "ran"

    def _get_declaration(self) -> types.FunctionDeclaration:
        return types.FunctionDeclaration(name=self.name, description="")


class Toolset(BaseToolset):
    """A toolset that makes its tools when it is asked for them."""

    async def get_tools(self, readonly_context: Any = None) -> list[BaseTool]:
        return [Tool(name="list_files", description="")]


@boundary("toolset", "dynamic tool")
def test_toolset() -> None:
    assert (outputs(run(make_agent(script(("list_files", {})), Toolset()))), RAN) == ([DENIED], [])
    assert outputs(run(make_agent(script(("list_files", {})), Toolset()), ANYBODY)) == ["ran"]


SERVER = """\
import sys
from pathlib import Path
from mcp.server import MCPServer

server = MCPServer("files")

@server.tool()
def delete(path: str) -> str:
    Path(sys.argv[1]).write_text(path)
    return f"deleted {path}"

server.run()
"""
"""A server of MCP, on its standard streams."""


@boundary("local MCP tool")
def test_tools_of_a_local_server(tmp_path: Path) -> None:
    deleted = tmp_path / "deleted"
    server = StdioServerParameters(command=sys.executable, args=["-c", SERVER, str(deleted)])

    async def ask(user: Any) -> list[Any]:
        toolset = McpToolset(connection_params=StdioConnectionParams(server_params=server, timeout=60))
        try:
            return await run_once(make_runner(make_agent(script(("delete", {"path": "/etc"})), toolset)), user)
        finally:
            await toolset.close()

    assert (outputs(asyncio.run(ask(NOBODY))), deleted.exists()) == ([DENIED], False)
    assert "deleted /etc" in str(asyncio.run(ask(ANYBODY)))
    assert deleted.read_text() == "/etc"


@boundary("dynamic tool")
def test_a_tool_that_a_callback_adds() -> None:
    def add(callback_context: Any, llm_request: Any) -> None:
        llm_request.append_tools([Tool(name="added", description="")])

    assert (outputs(run(make_agent(script(("added", {})), before_model_callback=add))), RAN) == ([DENIED], [])


@boundary("hosted tool")
@pytest.mark.parametrize("where", ["own", "sub-agent", "in a tool", "in a sequence"])
def test_hosted_tools_are_refused_before_the_run(where: str) -> None:
    model = script()
    inner = make_agent(script(), google_search, name="inner")
    agent = {
        "own": lambda: make_agent(model, google_search),
        "sub-agent": lambda: make_agent(model, sub_agents=[inner]),
        "in a tool": lambda: make_agent(model, AgentTool(inner)),
        "in a sequence": lambda: SequentialAgent(name="both", sub_agents=[make_agent(model, name="first"), inner]),
    }[where]()
    for user in (NOBODY, ALICE):
        with pytest.raises(UngatedToolsError) as raised:
            run(agent, user)
        assert raised.value.tools == ("google_search",)
    assert model.seen == []


@boundary("hosted tool", "hosted MCP")
def test_what_comes_up_on_the_way_is_withheld() -> None:
    hosted = [
        types.Tool(url_context=types.UrlContext()),
        types.Tool(mcp_servers=[types.McpServer(name="git")]),
        types.Tool(google_search=types.GoogleSearch(), function_declarations=[types.FunctionDeclaration(name="refund")]),
    ]

    def add(callback_context: Any, llm_request: Any) -> None:
        llm_request.config.tools = [*hosted]

    def offered(user: Any) -> list[list[str]]:
        model = script()
        run(make_agent(model, refund, before_model_callback=add), user)
        return [sorted(each.model_dump(exclude_none=True)) for each in model.seen[0].config.tools]

    assert offered(NOBODY) == [["function_declarations"]]
    assert offered(ANYBODY) == [["url_context"], ["mcp_servers"], ["function_declarations", "google_search"]]
    assert hosted[2].google_search is not None


@boundary("hosted tool")
def test_code_that_a_model_writes_is_not_run() -> None:
    agent = make_agent(script(), code_executor=UnsafeLocalCodeExecutor())
    with pytest.raises(UngatedToolsError):
        run(agent)
    inner = make_agent(script(), name="inner", code_executor=UnsafeLocalCodeExecutor())
    assert _run_nested(inner) == [DENIED.replace("rule", "unknown_tool")]
    assert inner.model.seen == []  # type: ignore[union-attr]


@boundary("agent as tool, outer call")
def test_agent_as_tool() -> None:
    inner = make_agent(script(CALL), refund, name="helper")
    assert (outputs(run(make_agent(script(("helper", {"request": "x"})), AgentTool(inner)))), RAN) == ([DENIED], [])


@boundary("agent as tool, tools inside")
@pytest.mark.parametrize("plugins", [True, False])
def test_tools_inside_an_agent_as_tool(plugins: bool) -> None:
    inner = script(CALL)
    tool = AgentTool(make_agent(inner, refund, name="helper"), include_plugins=plugins)
    events = run(make_agent(script(("helper", {"request": "x"})), tool), ORCHESTRATOR)
    assert (RAN, outputs(events), told(inner)) == ([], ["done"], [UNKNOWN])


TRANSFER = ("transfer_to_agent", {"agent_name": "helper"})


@boundary("hand-off or transfer")
def test_transfer() -> None:
    helper = make_agent(script(), name="helper")
    events = run(make_agent(script(TRANSFER), sub_agents=[helper]))
    assert (outputs(events), events[-1].author, last_text(events)) == ([DENIED], "agent", "done")


@boundary("tools of the agent handed to")
def test_tools_of_the_agent_handed_to() -> None:
    helper = make_agent(script(CALL), refund, name="helper")
    events = run(make_agent(script(TRANSFER), sub_agents=[helper]), ORCHESTRATOR)
    assert (RAN, events[-1].author, outputs(events)[-1]) == ([], "helper", UNKNOWN)


def _run_nested(inner: Any) -> list[str | None]:
    said: list[str | None] = []

    async def outer() -> str:
        runner = InMemoryRunner(agent=inner, app_name="inner")
        await runner.session_service.create_session(app_name="inner", user_id="u", session_id="s")
        events = [event async for event in runner.run_async(user_id="u", session_id="s", new_message=message())]
        said.append(last_text(events))
        return "asked"

    assert outputs(run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)) == ["asked"]
    return said


@boundary("nested run in a tool body")
def test_nested_run_in_a_tool_body() -> None:
    model = script(CALL)
    assert _run_nested(make_agent(model, refund, name="inner")) == ["done"]
    assert (RAN, told(model)) == ([], [UNKNOWN])


@boundary("nested run in a tool body")
def test_nested_run_in_a_sync_tool_body() -> None:
    model = script(CALL)

    def outer() -> str:
        runner = InMemoryRunner(agent=make_agent(model, refund, name="inner"), app_name="inner")
        runner.auto_create_session = True
        list(runner.run(user_id="u", session_id="s", new_message=message()))
        return "asked"

    assert outputs(run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)) == ["asked"]
    assert (RAN, told(model)) == ([], [UNKNOWN])


def test_nobody_is_calling() -> None:
    model = script(CALL)
    with pytest.raises(UserRequiredError, match="nobody is calling: pass `user=`"):
        run(make_agent(model, refund), None)
    assert (model.seen, url_context.name) == ([], "url_context")
