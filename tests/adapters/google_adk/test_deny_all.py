"""Nothing passes ungated: at each boundary a policy that denies everything, and the body did not run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from google.adk.agents import SequentialAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.code_executors.base_code_executor import BaseCodeExecutor
from google.adk.code_executors.built_in_code_executor import BuiltInCodeExecutor
from google.adk.code_executors.code_execution_utils import CodeExecutionResult
from google.adk.models.llm_response import LlmResponse
from google.adk.plugins.reflect_retry_tool_plugin import ReflectAndRetryToolPlugin
from google.adk.runners import InMemoryRunner
from google.adk.tools import LongRunningFunctionTool, google_search, url_context
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.base_toolset import BaseToolset
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams
from google.genai import types
from mcp import StdioServerParameters

from hexgate.adapters.google_adk import HexgatePlugin
from hexgate.adapters.guard import UngatedToolsError, UserRequiredError, current_guarded_run
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
    make_gate,
    make_runner,
    message,
    outputs,
    run,
    run_alone,
    run_once,
    script,
    told,
)

NOT_THERE = {
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

    def offered(user: Any, **options: Any) -> list[list[str]]:
        model = script()
        run(make_agent(model, refund, before_model_callback=add), user, **options)
        return [sorted(each.model_dump(exclude_none=True)) for each in model.seen[0].config.tools]

    assert offered(NOBODY) == [["function_declarations"]]
    everything = [["url_context"], ["mcp_servers"], ["function_declarations", "google_search"]]
    assert offered(ANYBODY) == offered(NOBODY, allow_ungated=True) == everything
    assert hosted[2].google_search is not None


@boundary("dynamic tool")
def test_a_function_that_the_providers_library_would_call_by_itself() -> None:
    def add(callback_context: Any, llm_request: Any) -> None:
        llm_request.config.tools = [refund]

    def offered(user: Any) -> list[Any]:
        model = script()
        run(make_agent(model, before_model_callback=add), user)
        return list(model.seen[0].config.tools)

    assert (offered(NOBODY), offered(ALICE), offered(ANYBODY)) == ([], [], [refund])


class Executor(BaseCodeExecutor):
    """Runs nothing, and says what it was given."""

    def execute_code(self, invocation_context: Any, code_execution_input: Any) -> CodeExecutionResult:
        RAN.append(code_execution_input.code)
        assert current_guarded_run() is not None  # for what it starts
        return CodeExecutionResult(stdout="42")


class Coder(Script):
    """A model that writes code until its steps are over."""

    async def generate_content_async(self, llm_request: Any, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        self.seen.append(llm_request)
        text = self.steps[len(self.seen) - 1] if len(self.seen) <= len(self.steps) else "done"
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text=text)]))


def results(events: list[Any]) -> list[str]:
    """What the model was told of its code."""
    parts = [part for event in events if event.content for part in event.content.parts or ()]
    return [each.code_execution_result.output.strip() for each in parts if each.code_execution_result]


CODERS = "version: 1\nroles:\n  billing:\n    tools:\n      code_execution: {mode: allow, constraints: ['!args.code.contains(\"rm\")']}\n"


@boundary("custom tool")
def test_code_that_a_model_writes_is_decided_on_block_by_block() -> None:
    blocks = ["```python\nprint(6)\n```", "```python\nrm()\n```"] * 3

    def agent() -> Any:
        return make_agent(Coder(steps=blocks, seen=[]), code_executor=Executor())

    events = run(agent())
    assert (RAN, results(events), last_text(events)) == ([], [f"Code execution result:\n{DENIED}"] * 6, "done")
    events = run(agent(), ALICE, gate=make_gate(CODERS))
    assert (RAN, last_text(events)) == (["print(6)"] * 3, "done")
    assert results(events) == ["Code execution result:\n42", "Code execution result:\nthis call is not permitted (constraint_failed)"] * 3
    inner = agent()
    RAN.clear()
    assert (_run_nested(inner), RAN, len(inner.model.seen)) == (["done"], [], 7)


@boundary("hosted tool")
def test_code_that_the_provider_runs() -> None:
    agent = make_agent(script(), code_executor=BuiltInCodeExecutor())
    with pytest.raises(UngatedToolsError) as raised:
        run(agent)
    assert raised.value.tools == ("code_execution",)
    assert last_text(run(make_agent(Script(model="gemini-2.0-flash"), code_executor=BuiltInCodeExecutor()), ANYBODY)) == "done"
    inner = make_agent(Script(model="gemini-2.0-flash"), name="inner", code_executor=BuiltInCodeExecutor())
    assert (_run_nested(inner), inner.model.seen[0].config.tools) == (["done"], [])  # type: ignore[union-attr]


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


@boundary("custom tool")
def test_code_of_the_kit_is_decided_on_too() -> None:
    """Which explores the tables that a user sends, before the model is called."""
    table = types.Part(inline_data=types.Blob(data=b"a,b\n1,2\n", mime_type="text/csv"))
    for user, ran in ((NOBODY, 0), (ANYBODY, 1)):
        agent = make_agent(Coder(steps=[], seen=[]), code_executor=Executor(optimize_data_file=True))
        events = asyncio.run(run_once(make_runner(agent), user, new=types.Content(role="user", parts=[table])))
        assert (len(RAN), last_text(events)) == (ran, "done")


@boundary("function tool", "agent as tool, tools inside", "nested run in a tool body")
def test_the_plugin_alone() -> None:
    """Without the wrapped runner: in a runner of one user."""
    inner, model = script(CALL), script(("refund", {"order": "1", "amount": 1}), ("helper", {"request": "x"}), ("outer", {}))
    nested = script(CALL)

    async def outer() -> str:
        runner = InMemoryRunner(agent=make_agent(nested, refund, name="inner"), app_name="inner")
        await runner.session_service.create_session(app_name="inner", user_id="u", session_id="s")
        return str([event async for event in runner.run_async(user_id="u", session_id="s", new_message=message())] and "asked")

    agent = make_agent(model, refund, AgentTool(make_agent(inner, refund, name="helper")), outer)
    plugin = HexgatePlugin(ORCHESTRATOR, make_gate())
    events = asyncio.run(run_alone(agent, plugin))
    assert (outputs(events), last_text(events), RAN) == ([UNKNOWN, "done", "asked"], "done", [])
    assert told(inner) == told(nested) == [UNKNOWN]


@boundary("hosted tool")
def test_the_plugin_alone_refuses_hosted_tools() -> None:
    agent = make_agent(script(), google_search)
    with pytest.raises(RuntimeError, match="nobody can decide on calls of `google_search` one by one"):
        asyncio.run(run_alone(agent, HexgatePlugin(NOBODY, make_gate())))
    assert agent.model.seen == []  # type: ignore[union-attr]


@boundary("retries")
def test_refusals_spend_no_retries_of_the_kits_plugin() -> None:
    agent = make_agent(script(*[CALL] * 6), refund)
    events = asyncio.run(run_once(make_runner(agent, plugins=[ReflectAndRetryToolPlugin(max_retries=1)]), NOBODY))
    assert (outputs(events), last_text(events), RAN) == ([DENIED] * 6, "done", [])


@boundary("retries")
def test_a_retry_is_a_call_of_its_own() -> None:
    def refund(order: str, amount: int) -> str:
        RAN.append(amount)
        raise ValueError("try another amount")

    calls = [("refund", {"order": "1", "amount": amount}) for amount in (10, 900, 20)]
    runner = make_runner(make_agent(script(*calls), refund), plugins=[ReflectAndRetryToolPlugin(max_retries=5)])
    events = asyncio.run(run_once(runner, ALICE))
    assert (RAN, last_text(events)) == ([10, 20], "done")
    assert outputs(events)[1] == "this call is not permitted (constraint_failed)"


def test_nobody_is_calling() -> None:
    model = script(CALL)
    with pytest.raises(UserRequiredError, match="nobody is calling: pass `user=`"):
        run(make_agent(model, refund), None)
    assert (model.seen, url_context.name) == ([], "url_context")
