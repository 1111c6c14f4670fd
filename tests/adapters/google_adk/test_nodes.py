"""Agents that run agents, and workflows: at each way into a tool a policy that denies it, and the body did not run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import google.adk
import pytest
from google.adk.agents import BaseAgent, LlmAgent, LoopAgent, ParallelAgent, SequentialAgent
from google.adk.apps.app import App
from google.adk.events.event import Event
from google.adk.plugins.plugin_manager import PluginManager
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.long_running_tool import LongRunningFunctionTool
from google.adk.workflow import JoinNode, Workflow, node
from google.genai import types
from pydantic import BaseModel

from hexgate.adapters.google_adk import HexgateRunner, nodes, reach
from hexgate.adapters.guard import Guard, GuardedRun, UngatedToolsError
from hexgate.adapters.pauses import PausesInMemory
from tests.adapters.boundaries import boundary
from tests.adapters.google_adk.harness import (
    ALICE,
    ANYBODY,
    BOB,
    DENIED,
    NOBODY,
    ORCHESTRATOR,
    UNKNOWN,
    last_text,
    make_agent,
    make_gate,
    make_runner,
    outputs,
    run,
    run_once,
    script,
    told,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*Agent is deprecated in favor of Workflow:DeprecationWarning")

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


def wire(to: str) -> str:
    """Wire money."""
    RAN.append(to)
    return "wired"


CALL = ("refund", {"order": "30", "amount": 10})


def first(node_input: Any) -> dict[str, Any]:
    """What a workflow begins with."""
    return {"order": "30", "amount": 10}


def to_x(node_input: Any) -> dict[str, Any]:
    """As `first`, for `wire`."""
    return {"to": "x"}


def flow(*steps: Any) -> Workflow:
    """A workflow of nodes in a row."""
    return Workflow(name="flow", edges=[("START", steps[0]), *pairwise(steps)])


def run_flow(root: Any, user: Any, **options: Any) -> tuple[HexgateRunner, list[Any]]:
    """A workflow's runner, and the events of a run."""
    runner = Runner(app=App(name="shop", root_agent=root), session_service=InMemorySessionService())
    wrapped = HexgateRunner(runner, make_gate(), pauses=PausesInMemory(), **options)
    return wrapped, asyncio.run(run_once(wrapped, user))


def results(events: list[Any]) -> list[Any]:
    """What the nodes of a workflow gave."""
    return [event.output for event in events if event.output is not None]


@boundary("function tool")
@pytest.mark.parametrize("tool", [refund, LongRunningFunctionTool(refund)])
def test_a_tool_as_a_node(tool: Any) -> None:
    tool = tool if isinstance(tool, FunctionTool) else FunctionTool(tool)
    names = set(vars(tool))
    assert (results(run_flow(flow(first, tool), NOBODY)[1])[1:], RAN) == ([{"error": DENIED}], [])
    assert (results(run_flow(flow(first, tool), ALICE)[1])[1:], RAN) == (["refunded"], [("30", 10)])
    assert set(vars(tool)) == names


@boundary("nested run in a tool body")
def test_a_workflow_in_a_tool_body() -> None:
    async def outer() -> str:
        runner = Runner(node=flow(first, FunctionTool(refund)), app_name="inner", session_service=InMemorySessionService())
        runner.auto_create_session = True
        content = types.Content(role="user", parts=[types.Part(text="go")])
        return str(results([event async for event in runner.run_async(user_id="u", session_id="s", new_message=content)])[1:])

    assert outputs(run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)) == [str([{"error": UNKNOWN}])]
    assert RAN == []


@boundary("tools of the agent handed to")
def test_agents_of_a_workflow() -> None:
    model = script(CALL)
    run_flow(flow(first, make_agent(model, refund, name="clerk")), NOBODY)
    assert (told(model), RAN) == ([DENIED], [])


@boundary("hosted tool")
def test_what_nobody_gates_in_a_workflow() -> None:
    from google.adk.tools import google_search

    model = script()
    with pytest.raises(UngatedToolsError) as raised:
        run_flow(flow(first, make_agent(model, google_search, name="clerk")), NOBODY)
    assert (raised.value.tools, model.seen) == (("google_search",), [])


@boundary("pause", "resume, approve", "resume as another user")
def test_a_node_that_waits() -> None:
    runner, events = run_flow(flow(to_x, FunctionTool(wire)), ALICE, confirmations=True)
    (request,) = [call for event in events for call in event.get_function_calls()]
    assert (request.args["message"], RAN) == ("ask a person", [])

    def resume(user: Any, confirmed: bool) -> Any:
        answer = types.FunctionResponse(id=request.id, name=request.name, response={"confirmed": confirmed})
        content = types.Content(role="user", parts=[types.Part(function_response=answer)])
        return results(asyncio.run(run_once(runner, user, new=content)))[-1]

    assert (resume(NOBODY, True), RAN) == ({"error": DENIED}, [])
    assert (resume(BOB, True), RAN) == ({"error": "the approval is not for this call (approval_mismatch)"}, [])
    assert (resume(ALICE, False), RAN) == ({"error": "This tool call is rejected."}, [])
    assert (resume(ALICE, True), RAN) == ("wired", ["x"])


def test_an_approval_of_one_node_is_not_anothers() -> None:
    """The same tool with the same arguments, twice in one run."""
    tools = [node(FunctionTool(wire), name=name) for name in ("one", "two")]
    join = JoinNode(name="both")
    root = Workflow(name="flow", edges=[("START", to_x), *((to_x, tool) for tool in tools), *((tool, join) for tool in tools)])
    runner, events = run_flow(root, ALICE, confirmations=True)
    requests = [call for event in events for call in event.get_function_calls()]
    parts = [types.Part.from_function_response(name=each.name, response={"confirmed": True}) for each in requests]
    for part, request in zip(parts, requests, strict=True):
        part.function_response.id = request.id
    asyncio.run(run_once(runner, ALICE, new=types.Content(role="user", parts=parts)))
    assert (len(requests), RAN) == (2, ["x", "x"])


@boundary("function tool")
def test_a_node_as_a_tool() -> None:
    agent = make_agent(script(("first", {"node_input": "x"})), node(first))
    assert outputs(run(agent)) == [DENIED]


@boundary("tools of the agent handed to")
@pytest.mark.parametrize("kind", [SequentialAgent, ParallelAgent, LoopAgent])
def test_agents_of_agents(kind: Any) -> None:
    models = [script(CALL), script(CALL)]
    agents = [make_agent(model, refund, name=f"clerk{number}") for number, model in enumerate(models)]
    options = {"max_iterations": 1} if kind is LoopAgent else {}
    run(kind(name="both", sub_agents=agents, **options))
    assert ([told(model) for model in models], RAN) == ([[DENIED], [DENIED]], [])


def delegating(mode: str, *calls: Any) -> tuple[LlmAgent, Any]:
    """An agent that delegates to `helper`, and the helper's model."""
    finish = [("finish_task", {"result": "helped"})] if mode == "task" else []
    inner = script(CALL, *finish)
    helper = LlmAgent(name="helper", mode=mode, model=inner, tools=[refund], description="helps")
    return make_agent(script(*calls or [("helper", {"request": "x"})]), FunctionTool(refund), sub_agents=[helper]), inner


@boundary("hand-off or transfer", "agent as tool, outer call")
@pytest.mark.parametrize("mode", ["task", "single_turn"])
def test_a_task_that_is_delegated(mode: str) -> None:
    agent, inner = delegating(mode)
    events = run(agent)
    assert (outputs(events), last_text(events), inner.seen, RAN) == ([DENIED], "done", [], [])


@boundary("hand-off or transfer")
def test_a_task_that_is_delegated_beside_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    decided: list[str] = []
    decide = GuardedRun._decide
    monkeypatch.setattr(GuardedRun, "_decide", lambda run, tool, *rest: decided.append(tool) or decide(run, tool, *rest))
    agent, inner = delegating("task", [CALL, ("helper", {"request": "x"})])
    events = run(agent)
    assert (outputs(events), last_text(events), inner.seen, RAN) == ([DENIED, DENIED], "done", [], [])
    assert decided == ["refund", "helper"]


def test_what_is_delegated_is_what_was_decided_on() -> None:
    call = types.FunctionCall(id="c", name="helper", args={"lines": [1]})
    given: list[Any] = []

    async def dispatch(parent_agent: Any, fc: types.FunctionCall, ctx: Any) -> str:
        call.args["lines"].append(31337)  # type: ignore[index]
        given.append(fc.args)
        return "done"

    invocation = SimpleNamespace(plugin_manager=PluginManager(), live_request_queue=None)
    context = SimpleNamespace(get_invocation_context=lambda: invocation)
    with Guard(make_gate(), pauses=PausesInMemory()).run(ORCHESTRATOR).current():
        assert asyncio.run(nodes.gate_delegation(dispatch)(None, call, context)) == "done"
    assert given == [{"lines": [1]}]


class Answer(BaseModel):
    """What an agent has to answer with."""

    order: str


def test_an_answer_is_no_call() -> None:
    agent = make_agent(script(CALL, ("set_model_response", {"order": "30"})), refund, output_schema=Answer)
    events = run(agent)
    assert (outputs(events)[0], last_text(events), RAN) == (DENIED, '{"order": "30"}', [])


@boundary("tools of the agent handed to", "agent as tool, tools inside")
@pytest.mark.parametrize("mode", ["task", "single_turn"])
def test_tools_of_a_delegated_task(mode: str) -> None:
    """`finish_task` is the agent's answer, and no call."""
    agent, inner = delegating(mode)
    events = run(agent, ORCHESTRATOR)
    assert (told(inner)[0], RAN, last_text(events)) == (UNKNOWN, [], "done")
    assert outputs(events)[-1] == {"task": "helped", "single_turn": "done"}[mode]


class Elsewhere(BaseAgent):
    """Stands for an agent that a provider runs."""

    async def _run_async_impl(self, ctx: Any) -> AsyncGenerator[Event, None]:
        RAN.append(self.name)
        yield Event(author=self.name, content=types.Content(role="model", parts=[types.Part(text="ran")]))


@boundary("agent as tool, tools inside")
def test_agents_whose_tools_are_called_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "ELSEWHERE", reach.ELSEWHERE | {__name__})
    far = Elsewhere(name="far")
    with pytest.raises(UngatedToolsError) as raised:
        run(make_agent(script(), sub_agents=[far]))
    assert (raised.value.tools, RAN) == (("far",), [])

    async def outer() -> str:
        from google.adk.runners import InMemoryRunner

        runner = InMemoryRunner(agent=Elsewhere(name="far"), app_name="inner")
        runner.auto_create_session = True
        content = types.Content(role="user", parts=[types.Part(text="go")])
        return str(last_text([event async for event in runner.run_async(user_id="u", session_id="s", new_message=content)]))

    assert (outputs(run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)), RAN) == ([UNKNOWN], [])
    gate = make_gate("version: 1\nroles:\n  anybody:\n    tools:\n      outer: {mode: allow}\n      far: {mode: allow}\n")
    assert (outputs(run(make_agent(script(("outer", {})), outer), ANYBODY, gate=gate)), RAN) == (["ran"], ["far"])


def test_the_kits_agents_that_run_elsewhere_are_known() -> None:
    """Some need a package that is not here: they are looked for in the kit's files."""
    folder = Path(str(google.adk.__file__)).parent
    found = {}
    for module in sorted(reach.ELSEWHERE):
        text = (folder / (module.removeprefix("google.adk.").replace(".", "/") + ".py")).read_text(encoding="utf-8")
        found[module] = [name for name in ("ManagedAgent", "RemoteA2aAgent", "LangGraphAgent", "AntigravityAgent") if f"class {name}(BaseAgent" in text]
    assert found == {
        "google.adk.a2a.agent._remote_a2a_agent": ["RemoteA2aAgent"],
        "google.adk.agents._managed_agent": ["ManagedAgent"],
        "google.adk.agents.langgraph_agent": ["LangGraphAgent"],
        "google.adk.labs.antigravity._antigravity_agent": ["AntigravityAgent"],
    }


def test_every_class_of_agents_of_the_kit_is_known() -> None:
    """A new one may have its tools called elsewhere."""
    folder = Path(str(google.adk.__file__)).parent
    named = re.compile(r"^class (\w+)\((?:BaseAgent|LlmAgent|Agent)[,)]", re.MULTILINE)
    found = {name for path in folder.rglob("*.py") if "cli" not in path.parts for name in named.findall(path.read_text(encoding="utf-8"))}
    assert found == {
        "AntigravityAgent", "LangGraphAgent", "LlmAgent", "LoopAgent", "ManagedAgent", "ParallelAgent", "RemoteA2aAgent", "SequentialAgent",
    }  # fmt: skip


def test_allow_ungated_lets_them_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "ELSEWHERE", reach.ELSEWHERE | {__name__})
    runner = make_runner(Elsewhere(name="far"), allow_ungated=True)
    assert (last_text(asyncio.run(run_once(runner, NOBODY))), RAN) == ("ran", ["far"])
