"""Nothing passes ungated: at each boundary a policy that denies everything, and the body did not run."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mcp.client import Client
from mcp.server import MCPServer
from pydantic_ai import Agent, RunContext, Tool
from pydantic_ai.agent import AbstractAgent, WrapperAgent
from pydantic_ai.capabilities import AbstractCapability, NativeTool
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.native_tools import CodeExecutionTool, MCPServerTool, WebSearchTool
from pydantic_ai.output import TextOutput
from pydantic_ai.tools import DeferredToolRequests, ToolDefinition
from pydantic_ai.toolsets import AbstractToolset, ExternalToolset, FunctionToolset, ToolsetTool
from pydantic_core import SchemaValidator, core_schema

from hexgate.adapters.guard import UngatedToolsError, UserRequiredError
from hexgate.adapters.pydantic_ai import HexgateAgent, HexgateCapability
from hexgate.runtime import User
from tests.adapters.boundaries import boundary
from tests.adapters.pydantic_ai.harness import (
    ALICE,
    ANYBODY,
    DENIED,
    NOBODY,
    ORCHESTRATOR,
    UNKNOWN,
    Script,
    make_agent,
    make_gate,
    outputs,
    run,
    told,
    wrap,
)

NOT_THERE = {
    "shell tool": "in Pydantic AI these are function tools, or native tools that the provider runs: see there",
    "computer tool": "in Pydantic AI these are function tools, or native tools that the provider runs: see there",
    "patch tool": "in Pydantic AI these are function tools, or native tools that the provider runs: see there",
    "batch": "Pydantic AI has no batch of runs: each prompt is a run",
}

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


def with_context(ctx: RunContext[Any], order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


CALL = ("refund", {"order": "30", "amount": 10})


@boundary("function tool", "async")
@pytest.mark.parametrize("tool", [refund, Tool(with_context, name="refund"), Tool(refund, sequential=True), Tool(refund, timeout=5)])
def test_function_tool(tool: Any) -> None:
    result = run(make_agent(Script(CALL), tool))
    assert (RAN, told(result), result.output) == ([], [DENIED], "done")
    assert told(run(make_agent(Script(CALL), tool), ALICE)) == ["refunded"]


@boundary("function tool")
def test_capability_of_one_run() -> None:
    gate = make_gate()
    agent = make_agent(Script(CALL, says="denied"), refund)
    result = agent.run_sync("go", capabilities=[HexgateCapability(NOBODY, gate)])
    assert (RAN, told(result), result.output) == ([], [DENIED], "denied")
    made_with = make_agent(Script(CALL), refund, capabilities=[HexgateCapability(NOBODY, gate)])
    assert (told(made_with.run_sync("go")), RAN) == ([DENIED], [])


@boundary("sync")
def test_sync() -> None:
    result = wrap(make_agent(Script(CALL), refund)).run_sync("go", user=NOBODY)
    assert (RAN, told(result), result.output) == ([], [DENIED], "done")


async def _stream(agent: HexgateAgent, user: User) -> Any:
    async with agent.run_stream("go", user=user) as stream:
        assert [text async for text in stream.stream_text()][-1] == "done"
    return stream.all_messages()


async def _events(agent: HexgateAgent, user: User) -> Any:
    async with agent.run_stream_events("go", user=user) as events:
        return [event async for event in events][-1].result.all_messages()


async def _handler(agent: HexgateAgent, user: User) -> Any:
    async def read(ctx: Any, events: Any) -> None:
        async for _ in events:
            pass

    return (await agent.run("go", user=user, event_stream_handler=read)).all_messages()


async def _nodes(agent: HexgateAgent, user: User) -> Any:
    async with agent.iter("go", user=user) as nodes:
        async for _ in nodes:
            pass
    return nodes.result.all_messages()


async def _for_user(agent: HexgateAgent, user: User) -> Any:
    return (await agent.for_user(user).run("go")).all_messages()


@boundary("streaming")
@pytest.mark.parametrize("way", [_stream, _events, _handler, _nodes, _for_user])
def test_ways_to_run(way: Callable[[HexgateAgent, User], Awaitable[Any]]) -> None:
    messages: Any = asyncio.run(way(wrap(make_agent(Script(CALL), refund)), NOBODY))  # type: ignore[arg-type]
    assert (RAN, outputs(messages)) == ([], [DENIED])
    messages = asyncio.run(way(wrap(make_agent(Script(CALL), refund)), ALICE))  # type: ignore[arg-type]
    assert (RAN, outputs(messages)) == ([("30", 10)], ["refunded"])


@boundary("streaming", "sync")
def test_streamed_without_a_loop() -> None:
    result = wrap(make_agent(Script(CALL), refund)).run_stream_sync("go", user=NOBODY)
    assert ([*result.stream_text()][-1], RAN, outputs(result.all_messages())) == ("done", [], [DENIED])


RUNS = {"run", "run_sync", "run_stream", "run_stream_sync", "run_stream_events", "iter", "realtime", "to_cli", "to_cli_sync"}
NO_RUNS = {
    "description", "deps_type", "event_stream_handler", "is_call_tools_node", "is_end_node", "is_model_request_node", "is_user_prompt_node",
    "model", "name", "output_json_schema", "output_type", "override", "parallel_tool_call_execution_mode", "root_capability",
    "system_prompt_parts", "toolsets", "using_sleep", "using_thread_executor", "validation_context",
}  # fmt: skip
BEGIN = {"iter", "_resolve_realtime_session", "_open_realtime_session"}
"""Where `WrapperAgent` hands a run to the agent that it wraps: all others come by one of these."""


def test_every_way_to_run_an_agent_is_known() -> None:
    """A release with a new one fails here."""
    public = {name for name in dir(WrapperAgent) if not name.startswith("_")}
    assert public == RUNS | NO_RUNS
    assert all(name in vars(HexgateAgent) for name in RUNS)
    handed_on = {
        name for name, member in vars(WrapperAgent).items() if inspect.isfunction(member) and f"self.wrapped.{name}(" in inspect.getsource(member)
    }
    assert handed_on - {"system_prompt_parts", "output_json_schema", "override", "__aenter__", "__aexit__", "_get_validation_context",
                        "_check_realtime_signaling"} == BEGIN  # fmt: skip
    assert all(name in vars(HexgateAgent) for name in BEGIN)


@pytest.mark.parametrize("name", sorted(RUNS - {"realtime", "to_cli", "to_cli_sync"}))
def test_nobody_is_calling(name: str) -> None:
    model = Script(CALL)

    async def enter(made: Any) -> None:
        if inspect.isawaitable(made):
            await made
        else:
            async with made as entered:
                async for _ in entered:
                    pass

    with pytest.raises(UserRequiredError, match="nobody is calling: pass `user=`"):
        made = getattr(wrap(make_agent(model, refund)), name)("go")
        if name == "run_stream_sync":
            list(made.stream_text())
        asyncio.run(enter(made))
    assert (model.seen, RAN) == ([], [])


@boundary("parallel calls")
def test_parallel_calls() -> None:
    assert (told(run(make_agent(Script([CALL, CALL, CALL]), refund))), RAN) == ([DENIED] * 3, [])


@boundary("retries")
def test_a_model_that_keeps_trying() -> None:
    result = run(make_agent(Script(*[CALL] * 8), refund, retries=0))
    assert (RAN, told(result), result.output) == ([], [DENIED] * 8, "done")


class Files(AbstractToolset[Any]):
    """A toolset of its own kind."""

    @property
    def id(self) -> str:
        return "files"

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        definition = ToolDefinition(name="list_files")
        validator = SchemaValidator(core_schema.any_schema())
        return {"list_files": ToolsetTool(toolset=self, tool_def=definition, max_retries=0, args_validator=validator)}

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]) -> Any:
        RAN.append(name)
        return "ran"


FUNCTIONS = FunctionToolset[Any](id="functions")


@FUNCTIONS.tool_plain
def list_files() -> str:
    """List files."""
    RAN.append("list_files")
    return "ran"


TOOLSETS = [
    ("list_files", Files()),
    ("list_files", FUNCTIONS),
    ("my_list_files", FUNCTIONS.prefixed("my")),
    ("show", FUNCTIONS.renamed({"show": "list_files"})),
    ("list_files", FUNCTIONS.filtered(lambda ctx, tool: True)),
    ("list_files", FUNCTIONS.prepared(lambda ctx, tools: tools)),
]


@boundary("toolset")
@pytest.mark.parametrize(("name", "toolset"), TOOLSETS)
@pytest.mark.parametrize("where", ["agent", "run"])
def test_toolsets(name: str, toolset: Any, where: str) -> None:
    for user, ran, text in ((NOBODY, [], DENIED), (ANYBODY, ["list_files"], "ran")):
        RAN.clear()
        agent = make_agent(Script((name, {})), toolsets=[toolset] if where == "agent" else [])
        result = run(agent, user, toolsets=[toolset] if where == "run" else [])
        assert (RAN, told(result)) == (ran, [text])


@boundary("dynamic tool")
def test_dynamic_toolsets() -> None:
    for user, ran, text in ((NOBODY, [], DENIED), (ANYBODY, ["list_files"], "ran")):
        RAN.clear()
        agent = make_agent(Script(("list_files", {})), toolsets=[lambda ctx: Files()])
        assert (told(run(agent, user)), RAN) == ([text], ran)


class Adding(AbstractCapability[Any]):
    """A capability with a tool."""

    def get_toolset(self) -> AbstractToolset[Any]:
        return Files()


@boundary("dynamic tool")
def test_a_tool_that_a_capability_brings() -> None:
    assert (told(run(make_agent(Script(("list_files", {})), capabilities=[Adding()]))), RAN) == ([DENIED], [])
    assert (told(run(make_agent(Script(("list_files", {}))), capabilities=[Adding()])), RAN) == ([DENIED], [])
    assert (told(run(make_agent(Script(("list_files", {}))), capabilities=[lambda ctx: Adding()])), RAN) == ([DENIED], [])


class Server(AbstractToolset[Any]):
    """The tools of a server of MCP in this process, as a toolset over a client has them."""

    def __init__(self) -> None:
        server = MCPServer("local")

        @server.tool()
        def delete(path: str) -> str:
            """Delete a file."""
            RAN.append(path)
            return f"deleted {path}"

        self.client = Client(server)

    @property
    def id(self) -> str:
        return "local"

    async def __aenter__(self) -> Server:
        await self.client.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.client.__aexit__(*error)

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        validator = SchemaValidator(core_schema.any_schema())
        return {
            tool.name: ToolsetTool(
                toolset=self, tool_def=ToolDefinition(name=tool.name), max_retries=0, args_validator=validator
            )
            for tool in (await self.client.list_tools()).tools
        }

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]) -> Any:
        result = await self.client.call_tool(name, tool_args)
        return result.content[0].text  # type: ignore[union-attr]


@boundary("local MCP tool")
def test_tools_of_a_local_server() -> None:
    call = ("delete", {"path": "/etc"})
    assert (told(run(make_agent(Script(call), toolsets=[Server()]))), RAN) == ([DENIED], [])
    assert told(run(make_agent(Script(call), toolsets=[Server()]), ANYBODY)) == ["deleted /etc"]


HOSTED = [
    (WebSearchTool(), "web_search"),
    (CodeExecutionTool(), "code_execution"),
    (MCPServerTool(id="git", url="https://example.org"), "hosted_mcp.git"),
]


@boundary("hosted tool", "hosted MCP")
@pytest.mark.parametrize(("tool", "name"), HOSTED)
@pytest.mark.parametrize("where", ["agent", "run", "made in the run"])
def test_what_the_provider_runs_is_refused_before_the_model_is_called(tool: Any, name: str, where: str) -> None:
    model = Script(CALL)
    capability = NativeTool((lambda ctx: tool) if where == "made in the run" else tool)
    agent = make_agent(model, refund, capabilities=[] if where == "run" else [capability])
    with pytest.raises(UngatedToolsError) as raised:
        run(agent, NOBODY, capabilities=[capability] if where == "run" else [])
    assert (raised.value.tools, model.seen) == ((name,), [])


def _offered(user: User, *capabilities: Any) -> list[list[str]]:
    """What a provider would run, turn by turn. The scripted model supports no such tool, so it is asked what it was about to be given."""
    seen: list[list[str]] = []

    class Reading(Script):
        def prepare_request(self, model_settings: Any, model_request_parameters: Any) -> Any:
            seen.append([tool.kind for tool in model_request_parameters.native_tools])
            model_request_parameters.native_tools.clear()
            return super().prepare_request(model_settings, model_request_parameters)

    run(make_agent(Reading(CALL), refund, capabilities=capabilities), user)
    return seen


@boundary("hosted tool")
def test_what_comes_up_on_the_way_is_withheld() -> None:
    late = NativeTool(lambda ctx: WebSearchTool() if ctx.run_step > 1 else None)
    assert _offered(NOBODY, late) == [[], []]
    assert _offered(ANYBODY, late) == [[], ["web_search"]]
    may_be_left_out = NativeTool(WebSearchTool(optional=True))
    assert _offered(NOBODY, may_be_left_out) == [[], []]
    assert _offered(ANYBODY, may_be_left_out) == [["web_search"], ["web_search"]]


async def _helper(request: str, agent: Agent[Any, Any]) -> str:
    return str((await agent.run(request)).output)


@boundary("agent as tool, outer call")
def test_agent_as_tool() -> None:
    inner = Script(CALL)

    async def helper(request: str) -> str:
        """Ask a helper."""
        return await _helper(request, make_agent(inner, refund, name="helper"))

    result = run(make_agent(Script(("helper", {"request": "x"})), helper))
    assert (told(result), RAN, inner.seen) == ([DENIED], [], [])


@boundary("agent as tool, tools inside")
def test_tools_inside_an_agent_as_tool() -> None:
    inner = Script(CALL)

    async def helper(request: str) -> str:
        """Ask a helper."""
        return await _helper(request, make_agent(inner, refund, name="helper"))

    result = run(make_agent(Script(("helper", {"request": "x"})), helper), ORCHESTRATOR)
    assert (told(result), RAN, outputs(inner.seen[-1])) == (["done"], [], [UNKNOWN])


async def _nested_run(agent: Agent[Any, Any]) -> Any:
    return (await agent.run("go")).output


async def _nested_stream(agent: Agent[Any, Any]) -> Any:
    async with agent.run_stream("go") as stream:
        return await stream.get_output()


async def _nested_events(agent: Agent[Any, Any]) -> Any:
    async with agent.run_stream_events("go") as events:
        return [event async for event in events][-1].result.output  # type: ignore[union-attr]


async def _nested_task(agent: Agent[Any, Any]) -> Any:
    return (await asyncio.create_task(agent.run("go"))).output


async def _nested_in_a_thread(agent: Agent[Any, Any]) -> Any:
    return (await asyncio.to_thread(agent.run_sync, "go")).output


async def _nested_in_a_wrapper(agent: Agent[Any, Any]) -> Any:
    return (await WrapperAgent(agent).run("go")).output


@boundary("nested run in a tool body")
@pytest.mark.parametrize(
    "nested", [_nested_run, _nested_stream, _nested_events, _nested_task, _nested_in_a_thread, _nested_in_a_wrapper]
)
def test_nested_run_in_a_tool_body(nested: Callable[[Agent[Any, Any]], Awaitable[Any]]) -> None:
    model = Script(CALL)
    inner = make_agent(model, refund, name="inner")

    async def outer() -> Any:
        return await nested(inner)

    assert told(run(make_agent(Script(("outer", {})), outer), ORCHESTRATOR)) == ["done"]
    assert (RAN, outputs(model.seen[-1])) == ([], [UNKNOWN])
    model.seen.clear()
    asyncio.run(nested(inner))  # type: ignore[arg-type]
    assert RAN == [("30", 10)]


@boundary("nested run in a tool body")
def test_nested_run_in_a_sync_tool_body() -> None:
    model = Script(CALL)

    def outer() -> str:
        return str(asyncio.run(make_agent(model, refund, name="inner").run("go")).output)

    assert told(run(make_agent(Script(("outer", {})), outer), ORCHESTRATOR)) == ["done"]
    assert (RAN, outputs(model.seen[-1])) == ([], [UNKNOWN])


@boundary("nested run in a tool body", "hosted tool")
def test_what_the_provider_runs_is_withheld_from_a_nested_run() -> None:
    offered: list[int] = []

    class Reading(Script):
        def prepare_request(self, model_settings: Any, model_request_parameters: Any) -> Any:
            offered.append(len(model_request_parameters.native_tools))
            return super().prepare_request(model_settings, model_request_parameters)

    async def outer() -> str:
        return str((await make_agent(Reading(), name="inner", capabilities=[NativeTool(WebSearchTool())]).run("go")).output)

    assert (told(run(make_agent(Script(("outer", {})), outer), ORCHESTRATOR)), offered) == (["done"], [0])


async def hand_off(order: str) -> str:
    """Hand the order to the agent for refunds."""
    RAN.append(order)
    return str((await make_agent(HANDED_TO[-1], refund, name="refunds").run(order)).output)


HANDED_TO: list[Script] = []


@boundary("hand-off or transfer", "custom tool")
@pytest.mark.parametrize("kind", ["tool", "text"])
def test_output_functions(kind: str) -> None:
    """The framework's way to hand off is a function that makes the output. Its only refusal asks the model again."""
    model = Script(*[("final_result", {"order": "30"})] * 5) if kind == "tool" else Script(says="30")
    output = hand_off if kind == "tool" else TextOutput(hand_off)
    with pytest.raises(UnexpectedModelBehavior, match="retries"):
        run(make_agent(model, output_type=output))
    assert (RAN, DENIED in str(model.seen[-1])) == ([], True)


@boundary("tools of the agent handed to")
def test_tools_of_the_agent_handed_to() -> None:
    gate = make_gate("version: 1\nroles:\n  o:\n    tools:\n      hand_off: {mode: allow, constraints: [args.order == '30']}\n")
    HANDED_TO.append(Script(CALL))
    result = run(make_agent(Script(("final_result", {"order": "30"})), output_type=hand_off), User("o", "o"), gate=gate)
    assert (result.output, RAN, outputs(HANDED_TO[-1].seen[-1])) == ("done", ["30"], [UNKNOWN])


@boundary("custom tool")
def test_tools_that_the_caller_runs() -> None:
    """A call that is not allowed does not leave the run."""
    toolset = ExternalToolset[Any]([ToolDefinition(name="pay")])
    output: Any = [str, DeferredToolRequests]
    assert told(run(make_agent(Script(("pay", {"to": "x"})), toolsets=[toolset], output_type=output))) == [DENIED]
    allowed = run(make_agent(Script(("pay", {"to": "x"})), toolsets=[toolset], output_type=output), ANYBODY)
    assert [call.tool_name for call in allowed.output.calls] == ["pay"]


def test_a_tool_that_the_framework_asks_about_is_not_asked_about_in_vain() -> None:
    tool, output = Tool(refund, requires_approval=True), [str, DeferredToolRequests]
    assert (told(run(make_agent(Script(CALL), tool, output_type=output))), RAN) == ([DENIED], [])
    assert len(run(make_agent(Script(CALL), tool, output_type=output), ALICE).output.approvals) == 1


def test_an_agent_of_the_framework_is_an_agent() -> None:
    assert isinstance(wrap(make_agent(Script())), AbstractAgent)
