"""Nothing passes ungated: at each boundary a policy that denies everything, and the body did not run."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Annotated, Any

import pytest
from langchain.agents.middleware import ShellToolMiddleware, ToolRetryMiddleware, wrap_model_call, wrap_tool_call
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool, InjectedToolCallId, StructuredTool, Tool, ToolException, tool
from langgraph.config import get_config
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command

from hexgate.adapters.guard import AdapterError, UngatedToolsError, UserRequiredError
from hexgate.adapters.langchain import HexgateCallback, HexgateMiddleware
from tests.adapters.boundaries import boundary
from tests.adapters.langchain.harness import (
    ALICE,
    ANYBODY,
    DENIED,
    GO,
    NOBODY,
    ORCHESTRATOR,
    UNKNOWN,
    last,
    make_agent,
    make_gate,
    make_wrapped,
    outputs,
    script,
    texts,
)

NOT_THERE = {
    "toolset": "a toolkit is a list of tools: see function tool",
    "computer tool": "the framework has no such tool of its own; one of any kind is a `BaseTool`: see custom tool",
    "patch tool": "the framework has no such tool of its own; one of any kind is a `BaseTool`: see custom tool",
}

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@tool
def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


@tool
async def refund_later(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


ARGS = {"order": "30", "amount": 10}
CALL = ("refund", ARGS)


def run(agent: Any, user: Any = NOBODY, **options: Any) -> Any:
    return make_wrapped(agent, **options).invoke(GO, user=user)


@boundary("function tool", "sync")
@pytest.mark.parametrize("mode", ["default", "all", "none", "text"])
def test_function_tool(mode: str) -> None:
    """Whatever a `ToolNode` does with errors."""
    handle: Any = {"default": None, "all": True, "none": False, "text": "an error"}[mode]
    node = ToolNode([refund]) if handle is None else ToolNode([refund], handle_tool_errors=handle)
    result = run(_loop(script(CALL), node))
    assert (RAN, outputs(result), last(result)) == ([], [(DENIED, "error")], "done")


def _loop(model: Any, node: Any) -> Any:
    """An agent as one writes it with a graph."""
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", node)
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile()


@boundary("async")
def test_async() -> None:
    agent = make_agent(script([CALL, ("refund_later", ARGS)]), refund, refund_later)
    result = asyncio.run(make_wrapped(agent).ainvoke(GO, user=NOBODY))
    assert (RAN, outputs(result), last(result)) == ([], [(DENIED, "error")] * 2, "done")


@boundary("streaming")
@pytest.mark.parametrize("way", ["stream", "astream", "astream_events", "astream_events v3", "stream_events v3"])
def test_streamed(way: str) -> None:
    agent = make_wrapped(make_agent(script(CALL), refund))

    async def main() -> list[Any]:
        if way == "astream":
            return [each async for each in agent.astream(GO, stream_mode="values", user=NOBODY)]
        if way == "astream_events":
            events = [each async for each in agent.astream_events(GO, user=NOBODY)]
            return [events[-1]["data"]["output"]]
        stream = await agent.astream_events(GO, version="v3", user=NOBODY)
        return [await stream.output()]

    if way == "stream":
        seen = list(agent.stream(GO, stream_mode="values", user=NOBODY))
    elif way == "stream_events v3":
        seen = [agent.stream_events(GO, version="v3", user=NOBODY).output]
    else:
        seen = asyncio.run(main())
    assert (RAN, outputs(seen[-1]), last(seen[-1])) == ([], [(DENIED, "error")], "done")


@boundary("batch")
def test_batch() -> None:
    agent = make_wrapped(make_agent(script(CALL), refund))
    assert [texts(each) for each in agent.batch([GO] * 3, user=NOBODY)] == [[DENIED]] * 3
    assert [texts(each) for each in asyncio.run(agent.abatch([GO] * 3, user=NOBODY))] == [[DENIED]] * 3
    assert RAN == []
    both = [[DENIED], ["refunded"]]
    assert [texts(each) for each in agent.batch([GO] * 2, user=[NOBODY, ALICE])] == both
    assert [texts(each) for each in asyncio.run(agent.abatch([GO] * 2, user=[NOBODY, ALICE]))] == both
    assert len(RAN) == 2
    with pytest.raises(AdapterError, match="as many as there are inputs"):
        agent.batch([GO] * 2, user=[NOBODY])
    assert agent.batch([], user=NOBODY) == []


@boundary("parallel calls")
def test_parallel_calls() -> None:
    for agent in (make_agent(script([CALL] * 3), refund), _loop(script([CALL] * 3), ToolNode([refund]))):
        assert texts(run(agent)) == [DENIED] * 3
        assert texts(asyncio.run(make_wrapped(agent).ainvoke(GO, user=NOBODY))) == [DENIED] * 3
    assert RAN == []


@boundary("retries")
def test_a_model_that_keeps_trying_and_a_middleware_that_does() -> None:
    agent = make_agent(script(*[CALL] * 8), refund, middleware=[ToolRetryMiddleware(max_retries=3, initial_delay=0)])
    result = run(agent)
    assert (RAN, texts(result), last(result)) == ([], [DENIED] * 8, "done")


@boundary("local MCP tool")
def test_local_mcp_tool() -> None:
    """A client of MCP makes one of these of each tool of a server: a JSON Schema and a coroutine."""

    async def call(**arguments: Any) -> tuple[str, None]:
        RAN.append(arguments)
        return "files", None

    schema = {"type": "object", "properties": {"callbacks": {"type": "string"}}}
    listing = StructuredTool(name="list_files", description="List.", args_schema=schema, coroutine=call, response_format="content_and_artifact")
    agent = make_agent(script(("list_files", {"callbacks": "x"})), listing)
    assert (texts(asyncio.run(make_wrapped(agent).ainvoke(GO, user=NOBODY))), RAN) == ([DENIED], [])
    policy = "version: 1\nroles:\n  nobody:\n    tools:\n      list_files: {mode: allow, constraints: [args.callbacks == 'y']}\n"
    told = texts(asyncio.run(make_wrapped(agent, make_gate(policy)).ainvoke(GO, user=NOBODY)))
    assert (told, RAN) == (["this call is not permitted (constraint_failed)"], [])
    assert texts(asyncio.run(make_wrapped(agent).ainvoke(GO, user=ANYBODY))) == ["files"]


@boundary("dynamic tool")
def test_a_tool_that_a_middleware_adds() -> None:
    @wrap_tool_call
    def execute(request: Any, handler: Any) -> Any:
        return handler(request.override(tool=refund))

    @wrap_model_call
    def offer(request: Any, handler: Any) -> Any:
        return handler(request.override(tools=[*request.tools, refund]))

    agent = make_agent(script(CALL), middleware=[offer, execute])
    assert (texts(run(agent)), RAN) == ([DENIED], [])
    assert texts(run(agent, ANYBODY)) == ["refunded"]


HOSTED = {"type": "web_search"}
MCP = {"type": "mcp", "server_label": "git", "server_url": "https://example.org"}
FORMS = [
    # what is offered, what policies call it
    (HOSTED, "web_search"),
    ({"type": "web_search_20250305", "name": "web_search", "max_uses": 2}, "web_search"),
    ({"type": "code_interpreter", "container": {}}, "code_interpreter"),
    ({"google_search": {}}, "google_search"),
    (MCP, "hosted_mcp.git"),
    ({"type": "mcp_toolset", "mcp_server_name": "git"}, "hosted_mcp.git"),
]


@boundary("hosted tool", "hosted MCP")
@pytest.mark.parametrize(("offered", "name"), FORMS)
def test_hosted_tools_are_refused_before_the_run(offered: dict[str, Any], name: str) -> None:
    model = script()
    inner = make_agent(script(), refund, offered)

    @tool
    def ask_helper(question: str) -> str:
        """Ask."""
        return str(inner.invoke({"messages": [("user", question)]}))

    bound = script().bind_tools([offered])
    graphs = [make_agent(model, refund, offered), make_agent(model, ask_helper), _loop(bound, ToolNode([refund]))]
    for graph in graphs:
        for user in (NOBODY, ALICE):
            with pytest.raises(UngatedToolsError) as raised:
                run(graph, user)
            assert raised.value.tools == (name,)
        assert last(run(graph, ANYBODY)) == "done"
    assert last(run(graphs[0], NOBODY, allow_ungated=True)) == "done"


@boundary("hosted tool", "hosted MCP")
def test_what_comes_up_on_the_way_is_withheld() -> None:
    mixed = {"google_search": {}, "function_declarations": [{"name": "f"}]}
    offered = [HOSTED, MCP, mixed, {"type": "function", "function": {"name": "g"}}]

    @wrap_model_call
    def offer(request: Any, handler: Any) -> Any:
        return handler(request.override(tools=[*request.tools, *offered]))

    def told(user: Any, stream: bool = False) -> Any:
        model = script()
        agent = make_wrapped(make_agent(model, refund, middleware=[offer]))
        if stream:
            list(agent.stream(GO, user=user))
        else:
            agent.invoke(GO, user=user)
        return model.seen[0][1]["tools"][1:]

    for stream in (False, True):
        assert told(NOBODY, stream) == [{"function_declarations": [{"name": "f"}]}, {"type": "function", "function": {"name": "g"}}]
        assert told(ANYBODY, stream) == offered
    assert mixed == {"google_search": {}, "function_declarations": [{"name": "f"}]}


@boundary("hosted tool")
def test_what_a_model_itself_is_made_with_is_refused_before_it_is_called() -> None:
    class Searching(type(script())):  # type: ignore[misc]
        @property
        def _identifying_params(self) -> dict[str, Any]:
            return {"web_search_options": {}}

    model = Searching(steps=[], seen=[])
    with pytest.raises(UngatedToolsError, match="`web_search`"):
        run(make_agent(model, refund))
    with pytest.raises(UngatedToolsError, match="`web_search`"):
        make_wrapped(make_agent(model, refund)).stream_events(GO, version="v3", user=NOBODY).output  # noqa: B018
    with pytest.raises(UngatedToolsError, match="`web_search`"):
        make_agent(model, refund).invoke(GO, {"callbacks": [HexgateCallback(NOBODY, make_gate())]})
    assert model.seen == []
    other = script()
    run(_loop(other.bind(web_search_options={}, mcp_servers=[{"name": "git"}]), ToolNode([refund])), ANYBODY)
    assert other.seen[0][1] == {"web_search_options": {}, "mcp_servers": [{"name": "git"}]}


def _asking(inner: Any, **config: Any) -> Any:
    @tool
    def ask_helper(question: str) -> str:
        """Ask."""
        RAN.append("asked")
        result = inner.invoke({"messages": [("user", question)]}, **config)
        return str(texts(result))

    return ask_helper


ASK = ("ask_helper", {"question": "x"})


@boundary("agent as tool, outer call")
def test_agent_as_tool() -> None:
    assert (texts(run(make_agent(script(ASK), _asking(make_agent(script(CALL), refund))))), RAN) == ([DENIED], [])


@boundary("agent as tool, tools inside")
@pytest.mark.parametrize("config", [{}, {"config": {"callbacks": []}}, {"config": {"tags": ["x"]}}])
def test_tools_inside_an_agent_as_tool(config: Any) -> None:
    agent = make_agent(script(ASK), _asking(make_agent(script(CALL), refund), **config))
    assert (texts(run(agent, ORCHESTRATOR)), RAN) == ([str([UNKNOWN])], ["asked"])


@boundary("nested run in a tool body")
@pytest.mark.parametrize("how", ["task", "thread with the context", "thread with the config", "await", "a bare call"])
def test_nested_run_in_a_tool_body(how: str) -> None:
    inner = make_agent(script(CALL), refund)
    said: list[Any] = []

    def ask(config: Any = None) -> None:
        said.append(texts(inner.invoke(GO, config)))

    def in_thread(work: Any) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    @tool
    async def outer(config: Any = None) -> str:
        """Run an agent."""
        if how == "task":
            await asyncio.create_task(asyncio.to_thread(ask))
        elif how == "thread with the context":
            context = contextvars.copy_context()
            in_thread(lambda: context.run(ask))
        elif how == "thread with the config":
            own = get_config()
            in_thread(lambda: ask(own))
        elif how == "await":
            said.append(texts(await inner.ainvoke(GO)))
        else:
            try:
                refund.invoke(ARGS)
            except ToolException as error:
                said.append([str(error)])
        return "asked"

    agent = make_agent(script(("outer", {})), outer)
    assert texts(asyncio.run(make_wrapped(agent).ainvoke(GO, user=ORCHESTRATOR))) == ["asked"]
    assert (RAN, said) == ([], [[UNKNOWN]])


def _handing() -> Any:
    """Two agents in a graph, and a tool that hands from one to the other."""

    @tool
    def transfer_to_helper(tool_call_id: Annotated[str, InjectedToolCallId]) -> Any:
        """Hand over."""
        RAN.append("handed")
        told = ToolMessage("handed", tool_call_id=tool_call_id)
        return Command(goto="helper", graph=Command.PARENT, update={"messages": [told]})

    graph = StateGraph(MessagesState)
    graph.add_node("front", make_agent(script(("transfer_to_helper", {})), transfer_to_helper, name="front"), destinations=("helper", END))
    graph.add_node("helper", make_agent(script(CALL), refund, name="helper"))
    graph.add_edge(START, "front")
    return graph.compile()


@boundary("hand-off or transfer")
def test_hand_off() -> None:
    result = run(_handing())
    assert (RAN, texts(result), last(result)) == ([], [DENIED], "done")


@boundary("tools of the agent handed to")
def test_tools_of_the_agent_handed_to() -> None:
    result = run(_handing(), ORCHESTRATOR)
    assert (RAN, texts(result)) == (["handed"], ["handed", UNKNOWN])


class OwnInvoke(BaseTool):
    """A tool that runs in its own way, which never comes to the framework's."""

    name: str = "own"
    description: str = "Own."

    def invoke(self, input: Any, config: Any = None, **options: Any) -> Any:  # noqa: A002
        RAN.append(input["args"])
        return ToolMessage("own", tool_call_id=input["id"])

    async def ainvoke(self, input: Any, config: Any = None, **options: Any) -> Any:  # noqa: A002
        return self.invoke(input)

    def _run(self, **arguments: Any) -> Any:
        raise NotImplementedError


class OwnRun(OwnInvoke):
    """As `OwnInvoke`, one step further."""

    def invoke(self, input: Any, config: Any = None, **options: Any) -> Any:  # noqa: A002
        return BaseTool.invoke(self, input, config)

    def run(self, tool_input: Any, *arguments: Any, **options: Any) -> Any:
        RAN.append(tool_input)
        return ToolMessage("own", tool_call_id=options["tool_call_id"])


class OwnBody(BaseTool):
    """As users of the framework write tools with a class."""

    name: str = "own"
    description: str = "Own."

    def _run(self, **arguments: Any) -> Any:
        RAN.append(arguments)
        return "own"


def _plain(text: str) -> str:
    RAN.append(text)
    return "own"


CUSTOM = [OwnInvoke(), OwnRun(), OwnBody(), Tool(name="own", func=_plain, description="Own.")]


@boundary("custom tool")
@pytest.mark.parametrize("custom", CUSTOM, ids=["invoke", "run", "_run", "text"])
def test_custom_tools(custom: Any) -> None:
    agent = make_agent(script(("own", {"a": "x"})), custom)
    assert (texts(run(agent)), RAN) == ([DENIED], [])
    assert texts(asyncio.run(make_wrapped(agent).ainvoke(GO, user=NOBODY))) == [DENIED]
    assert RAN == []
    assert (texts(run(agent, ANYBODY)), len(RAN)) == (["own"], 1)


@boundary("custom tool")
@pytest.mark.parametrize("given", [ARGS, {"name": "refund", "args": ARGS, "id": "1", "type": "tool_call"}])
def test_a_node_that_calls_a_tool(given: dict[str, Any]) -> None:
    def node(state: Any) -> Any:
        try:
            answer = refund.invoke(given)
        except ToolException as error:
            answer = f"failed: {error}"
        return {"messages": [answer if isinstance(answer, ToolMessage) else AIMessage(answer)]}

    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    said = last(run(graph.compile()))
    assert (RAN, said) == ([], DENIED if "id" in given else f"failed: {DENIED}")


@boundary("shell tool")
def test_shell_tool(tmp_path: Any) -> None:
    agent = make_agent(script(("shell", {"command": f"touch {tmp_path}/made"})), middleware=[ShellToolMiddleware(tmp_path)])
    assert (texts(run(agent)), list(tmp_path.iterdir())) == ([DENIED], [])


def test_a_refusal_inside_a_tool_is_that_tools_error() -> None:
    @tool
    def outer() -> str:
        """Call a tool, and let its failure through."""
        return str(refund.invoke(ARGS))

    for node in (ToolNode([outer], handle_tool_errors=False), ToolNode([outer])):
        result = run(_loop(script(("outer", {})), node), ORCHESTRATOR)
        assert (RAN, outputs(result), last(result)) == ([], [(UNKNOWN, "error")], "done")


MIDDLEWARE_WAYS = [
    # how the middleware comes to know who calls
    ({"user": NOBODY}, {}, [DENIED]),
    ({"user": lambda runtime: runtime.context["user"]}, {"context": {"user": NOBODY}}, [DENIED]),
    ({"user": lambda runtime: runtime.context["user"]}, {"context": {"user": ANYBODY}}, ["refunded"]),
]


@boundary("function tool")
@pytest.mark.parametrize(("fields", "options", "told"), MIDDLEWARE_WAYS)
def test_middleware(fields: Any, options: Any, told: list[str]) -> None:
    model = script(CALL)

    @wrap_model_call
    def offer(request: Any, handler: Any) -> Any:
        return handler(request.override(tools=[*request.tools, HOSTED]))

    agent = make_agent(model, refund, middleware=[offer, HexgateMiddleware(make_gate(), **fields)], context_schema=dict)
    assert texts(agent.invoke(GO, **options)) == told
    allowed = told == ["refunded"]
    assert (len(RAN), HOSTED in model.seen[0][1]["tools"]) == (int(allowed), allowed)


def test_middleware_without_a_user() -> None:
    model = script(CALL)
    agent = make_agent(model, refund, middleware=[HexgateMiddleware(make_gate())])
    with pytest.raises(UserRequiredError, match="give the middleware `user=`"):
        agent.invoke(GO)
    assert model.seen == []
    assert texts(run(agent)) == [DENIED]  # it takes the run around it


@boundary("function tool")
def test_callback() -> None:
    agent = make_agent(script(CALL), refund)
    result = agent.invoke(GO, {"callbacks": [HexgateCallback(NOBODY, make_gate())]})
    assert (texts(result), RAN) == ([DENIED], [])
    assert texts(agent.invoke(GO)) == ["refunded"]


def test_nobody_is_calling() -> None:
    model = script(CALL)
    agent = make_wrapped(make_agent(model, refund))
    for begin in (agent.invoke, agent.stream, agent.astream, agent.astream_events):
        with pytest.raises(UserRequiredError, match="nobody is calling: pass `user=`"):
            begin(GO)
    with pytest.raises(UserRequiredError):
        asyncio.run(agent.ainvoke(GO))
    with pytest.raises(UserRequiredError):
        agent.batch([GO])
    assert model.seen == []
