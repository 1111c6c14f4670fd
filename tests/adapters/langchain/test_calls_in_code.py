"""Calls that code makes, in tools, nodes, callbacks and middleware: whose they are, and that all their arguments are decided on."""

from __future__ import annotations

import asyncio
import copy
import uuid
from typing import Any

import pytest
from langchain.agents.middleware import wrap_tool_call
from langchain_core.callbacks import CallbackManager
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, ToolException, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import RetryPolicy

from hexgate.adapters.guard import Guard, GuardedRun, UserRequiredError
from hexgate.adapters.langchain import HexgateCallback, HexgateMiddleware
from tests.adapters.langchain.harness import (
    ALICE,
    ANYBODY,
    DENIED,
    GO,
    NOBODY,
    last,
    make_agent,
    make_gate,
    make_wrapped,
    outputs,
    script,
    texts,
)

RAN: list[Any] = []
FORCED = "version: 1\nroles:\n  billing:\n    tools:\n      force: {mode: allow, constraints: ['args.amount <= 500', '!has(args.really)']}\n"
REFUSED = "this call is not permitted (constraint_failed)"


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def _node(call: Any) -> Any:
    """A graph of one node, which says what a function answers."""

    def node(state: Any) -> Any:
        try:
            return {"messages": [AIMessage(str(call()))]}
        except ToolException as error:
            return {"messages": [AIMessage(f"failed: {error}")]}

    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    return graph.compile()


@pytest.mark.parametrize("how", ["invoke", "run", "ainvoke", "an agent"])
def test_a_tool_whose_body_calls_it_again_with_more_arguments(how: str) -> None:
    more = {"amount": 1, "really": True}

    @tool
    def force(amount: int, really: bool = False) -> str:
        """Force it."""
        RAN.append((amount, really))
        if really:
            return "forced"
        if how == "an agent":
            return str(outputs(make_agent(script(("force", more)), force).invoke(GO)))
        try:
            return str(asyncio.run(force.ainvoke(more)) if how == "ainvoke" else getattr(force, how)(more))
        except ToolException as error:
            return f"failed: {error}"

    agent = make_wrapped(make_agent(script(("force", {"amount": 1})), force), make_gate(FORCED))
    told = texts(agent.invoke(GO, user=ALICE))
    assert (RAN, told) == ([(1, False)], [str([(REFUSED, "error")]) if how == "an agent" else f"failed: {REFUSED}"])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_name_that_is_added_after_the_decision_does_not_reach_the_tool(asynchronous: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {"amount": 1}
    admit = GuardedRun.admit

    def admit_and_add(run: GuardedRun, *arguments: Any, **options: Any) -> Any:
        ruling = admit(run, *arguments, **options)
        given["really"] = True  # as another thread does that holds the dict
        return ruling

    @tool
    def force(amount: int, really: bool = False) -> str:
        """Force it."""
        RAN.append((amount, really))
        return "ran"

    monkeypatch.setattr(GuardedRun, "admit", admit_and_add)
    graph = make_wrapped(_node(lambda: asyncio.run(force.ainvoke(given)) if asynchronous else force.invoke(given)), make_gate(FORCED))
    assert (last(graph.invoke(GO, user=ALICE)), RAN, given) == ("ran", [(1, False)], {"amount": 1, "really": True})


@tool
def touch(path: str) -> str:
    """Touch a file."""
    RAN.append(path)
    return "touched"


WAYS = {
    # how a node runs a tool without handing on its config
    "run": lambda: touch.run({"path": "x"}),
    "arun": lambda: asyncio.run(touch.arun({"path": "x"})),
    "no callbacks": lambda: touch.run({"path": "x"}, callbacks=[]),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_callbacks_run_is_that_of_code_that_drops_the_config(way: str) -> None:
    graph = _node(WAYS[way])
    told = [last(graph.invoke(GO, {"callbacks": [HexgateCallback(user, make_gate())]})) for user in (NOBODY, ANYBODY)]
    assert (told, RAN) == ([f"failed: {DENIED}", "touched"], ["x"])


def test_a_chain_around_an_agent_with_a_callback() -> None:
    chain = RunnableLambda(dict) | make_agent(script(("touch", {"path": "x"})), touch) | RunnableLambda(texts)
    told = [chain.invoke(GO, {"callbacks": [HexgateCallback(user, make_gate())]}) for user in (NOBODY, ANYBODY)]
    assert (told, RAN) == ([[DENIED], ["touched"]], ["x"])


def test_a_wrapped_graph_inside_of_a_callbacks_run_is_for_its_user() -> None:
    inner = make_wrapped(make_agent(script(("touch", {"path": "x"})), touch))
    graph = _node(lambda: texts(inner.invoke(GO)))
    told = [last(graph.invoke(GO, {"callbacks": [HexgateCallback(user, make_gate())]})) for user in (NOBODY, ANYBODY)]
    assert (told, RAN) == ([str([DENIED]), "['touched']"], ["x"])


def test_a_refusal_is_not_retried() -> None:
    tries: list[int] = []

    def node(state: Any) -> None:
        tries.append(1)
        touch.invoke({"path": "x"})

    graph = StateGraph(MessagesState)
    graph.add_node("node", node, retry_policy=RetryPolicy(max_attempts=3, initial_interval=0.0))
    graph.add_edge(START, "node")
    with pytest.raises(ToolException) as raised:
        make_wrapped(graph.compile()).invoke(GO, user=NOBODY)
    assert (tries, str(raised.value), RAN) == ([1], DENIED, [])


class Own(BaseTool):
    """A tool that runs in a way of its own, and tells callbacks."""

    name: str = "own"
    description: str = "Own."

    def run(self, tool_input: Any, *arguments: Any, callbacks: Any = None, **options: Any) -> Any:
        manager = CallbackManager.configure(callbacks)
        manager.on_tool_start({"name": self.name}, str(tool_input), run_id=uuid.uuid4(), inputs=tool_input)
        RAN.append(tool_input)
        return "own"

    def _run(self, **arguments: Any) -> Any:
        raise NotImplementedError


def test_a_tool_with_a_run_of_its_own_that_tells_callbacks() -> None:
    graph = _node(lambda: Own().invoke({"a": 1}))
    told = [last(graph.invoke(GO, {"callbacks": [HexgateCallback(user, make_gate())]})) for user in (NOBODY, ANYBODY)]
    assert (told, RAN) == ([f"failed: {DENIED}", "own"], [{"a": 1}])


def test_a_call_inside_of_two_callbacks_is_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    users: list[Any] = []
    decide = GuardedRun._decide

    def note(run: GuardedRun, *call: Any) -> Any:
        users.append(run.user)
        return decide(run, *call)

    monkeypatch.setattr(GuardedRun, "_decide", note)
    inner = make_agent(script(("touch", {"path": "x"})), touch)
    guard = Guard(make_gate())

    def node(state: Any) -> Any:
        return inner.invoke(GO, {"callbacks": [HexgateCallback(ANYBODY, guard=guard)]})

    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.compile().invoke(GO, {"callbacks": [HexgateCallback(NOBODY, guard=guard)]})
    assert (RAN, users) == (["x"], [ANYBODY])


@pytest.mark.parametrize(("first", "ran"), [(True, []), (False, ["x"])])
def test_what_other_middleware_calls_is_gated_where_the_gates_is_the_first(first: bool, ran: list[str]) -> None:
    @wrap_tool_call
    def by_itself(request: Any, handler: Any) -> Any:
        return ToolMessage(str(touch.invoke(request.tool_call["args"])), tool_call_id=request.tool_call["id"])

    gate = HexgateMiddleware(make_gate(), user=NOBODY)
    model = script(("touch", {"path": "x"}))
    agent = make_agent(model, touch, middleware=[gate, by_itself] if first else [by_itself, gate])
    assert (texts(agent.invoke(GO)), RAN) == ([DENIED] if first else ["touched"], ran)


def test_a_copy_of_a_wrapped_graph_is_wrapped() -> None:
    copied = copy.copy(make_wrapped(make_agent(script(("touch", {"path": "x"})), touch)))
    assert (texts(copied.invoke(GO, user=NOBODY)), RAN) == ([DENIED], [])


def test_a_user_that_is_none() -> None:
    with pytest.raises(UserRequiredError) as raised:
        HexgateMiddleware(make_gate(), user="alice")  # type: ignore[arg-type]
    assert str(raised.value) == "`user=` takes a user with an id and a role, the user of a token, or a function of the runtime"
