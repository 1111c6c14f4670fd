"""Held calls: the graph's own interrupt, answered with a command, here or in another process that has the checkpoints."""

from __future__ import annotations

import asyncio
import json
import pickle
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import Command, interrupt

from hexgate.adapters.approvals import Answer, Standing
from hexgate.adapters.guard import Guard
from hexgate.adapters.langchain import HexgateCallback, HexgateGraph, HexgateMiddleware
from hexgate.adapters.pauses import HeldCall, PausesInFile, PausesInMemory
from hexgate.runtime import User
from tests.adapters.boundaries import boundary
from tests.adapters.langchain.harness import (
    ALICE,
    ANYBODY,
    ASKER,
    BOB,
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

ROOT = Path(__file__).parents[3]
RAN: list[Any] = []
CONFIG: Any = {"configurable": {"thread_id": "1"}}
APPROVE, REJECT = {"type": "approve"}, {"type": "reject"}
MISMATCH = "the approval is not for this call (approval_mismatch)"
REJECTED = "this call was not approved (approval_rejected)"


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@tool
def wire(to: str, amount: int = 1) -> str:
    """Wire money."""
    RAN.append((to, amount))
    return "wired"


CALL = ("wire", {"to": "x"})


def make(*steps: Any, tools: tuple[Any, ...] = (wire,), gate: Any = None, pauses: Any = None, **fields: Any) -> HexgateGraph:
    """A wrapped agent that pauses."""
    agent = make_agent(script(*steps), *tools, checkpointer=InMemorySaver(), **fields)
    return make_wrapped(agent, gate, pauses=pauses, interrupts=True)


def pause(agent: HexgateGraph, user: User = ALICE) -> Any:
    """Run into the pause; the question."""
    result = agent.invoke(GO, CONFIG, user=user)
    (question,) = result["__interrupt__"]
    assert RAN == []
    return question


def questions(result: Any) -> list[Any]:
    """What several calls ask, in the order of where the money goes: calls at once ask in any order."""
    return sorted(result["__interrupt__"], key=lambda each: str(each.value["args"]))


def resume(agent: HexgateGraph, answer: Any = APPROVE, user: User = ALICE) -> Any:
    return agent.invoke(Command(resume=answer), CONFIG, user=user)


@boundary("pause", "resume, approve")
@pytest.mark.parametrize("user", [ALICE, ASKER])
@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_approved(user: User, way: str) -> None:
    agent = make(CALL)

    def go(given: Any) -> Any:
        if way == "stream":
            return list(agent.stream(given, CONFIG, stream_mode="values", user=user))[-1]
        if way == "invoke":
            return agent.invoke(given, CONFIG, user=user)

        async def main() -> Any:
            if way == "ainvoke":
                return await agent.ainvoke(given, CONFIG, user=user)
            return [each async for each in agent.astream(given, CONFIG, stream_mode="values", user=user)][-1]

        return asyncio.run(main())

    assert len(go(GO)["__interrupt__"]) == 1
    assert RAN == []
    result = go(Command(resume=APPROVE))
    assert (RAN, outputs(result), last(result)) == ([("x", 1)], [("wired", "success")], "done")


def test_the_question_is_in_the_frameworks_form() -> None:
    assert pause(make(("wire", {"to": "x"}, "c1"))).value == {
        "type": "tool_approval", "tool_call_id": "c1", "name": "wire", "args": {"to": "x"}, "description": "ask a person",
    }  # fmt: skip


@boundary("resume, reject")
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (REJECT, REJECTED),
        ({"type": "reject", "message": "not today"}, "not today"),
        ({"type": "edit", "edited_action": {"name": "wire", "args": {"to": "me"}}}, REJECTED),
        ({"type": "respond", "message": "it is done"}, "it is done"),
        (True, REJECTED),
        ("approve", REJECTED),
    ],
)
def test_whatever_does_not_approve_rejects(answer: Any, told: str) -> None:
    agent = make(CALL)
    pause(agent)
    result = resume(agent, answer)
    assert (RAN, outputs(result), last(result)) == ([], [(told, "error")], "done")


@boundary("resume as another user")
@pytest.mark.parametrize(
    ("user", "told"), [(BOB, MISMATCH), (NOBODY, "this call is not permitted (rule)"), (User("alice", "asker"), MISMATCH)]
)
def test_resumed_as_somebody_else(user: User, told: str) -> None:
    agent = make(CALL)
    pause(agent)
    result = resume(agent, user=user)
    assert (RAN, outputs(result), last(result)) == ([], [(told, "error")], "done")


@boundary("edited while paused")
def test_edited_while_paused() -> None:
    agent = make(("wire", {"to": "x", "amount": 30}, "c1"))
    pause(agent)
    calls = [{"name": "wire", "args": {"to": "x", "amount": 31337}, "id": "c1", "type": "tool_call"}]
    message = agent.get_state(CONFIG).values["messages"][-1]
    agent.update_state(CONFIG, {"messages": [AIMessage("", id=message.id, tool_calls=calls)]}, as_node="model")
    result = resume(agent)
    assert (RAN, texts(result)) == ([], [MISMATCH])


@boundary("edited while paused")
def test_edited_where_it_is_kept() -> None:
    """By whoever can write the checkpoints themselves: task, question and call id stay as they were."""
    agent = make(("wire", {"to": "paper"}))
    pause(agent)
    saver: Any = agent.checkpointer
    for kept in (saver.storage, saver.writes, saver.blobs):
        for key, value in list(kept.items()):
            kept[key] = _edited(value, b"paper", b"stone")
    assert (texts(resume(agent)), RAN) == ([MISMATCH], [])


def _edited(value: Any, old: bytes, new: bytes) -> Any:
    if isinstance(value, bytes):
        return value.replace(old, new)
    if isinstance(value, dict):
        for key, each in list(value.items()):
            value[key] = _edited(each, old, new)
        return value
    return tuple(_edited(each, old, new) for each in value) if isinstance(value, tuple) else value


def test_an_approval_that_nobody_asked_for_is_none() -> None:
    agent = make(CALL)
    pause(agent)
    agent.guard.pauses = PausesInMemory()
    assert (texts(resume(agent)), RAN) == ([MISMATCH], [])


def test_an_approval_counts_once() -> None:
    """From the same checkpoint, twice."""
    agent = make(CALL)
    pause(agent)
    before = agent.get_state(CONFIG).config
    resume(agent)
    result = agent.invoke(Command(resume=APPROVE), before, user=ALICE)
    assert (RAN, texts(result)) == ([("x", 1)], [MISMATCH])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_parallel_calls_wait_one_by_one(asynchronous: bool) -> None:
    agent = make([CALL, ("wire", {"to": "y"}), ("refund", {"amount": 5})], tools=(wire, refund))

    def go(given: Any) -> Any:
        if asynchronous:
            return asyncio.run(agent.ainvoke(given, CONFIG, user=ALICE))
        return agent.invoke(given, CONFIG, user=ALICE)

    first, second = questions(go(GO))
    assert (RAN, first.value["args"], second.value["args"]) == ([5], {"to": "x"}, {"to": "y"})
    (again,) = go(Command(resume={second.id: APPROVE}))["__interrupt__"]
    assert (RAN, again.id, again.value) == ([5, ("y", 1)], first.id, first.value)
    result = go(Command(resume={first.id: REJECT}))
    assert (RAN, texts(result), last(result)) == ([5, ("y", 1)], [REJECTED, "wired", "refunded"], "done")


class Store:
    """A store of approvals in which somebody says yes, once, after the call was asked about."""

    def __init__(self) -> None:
        self.left = [Standing.PENDING, Standing.APPROVED]

    def settle(self, call: HeldCall) -> Answer:
        return Answer(self.left.pop(0) if self.left else Standing.PENDING)


def test_an_approval_in_a_store_outlasts_a_run_without_an_answer() -> None:
    agent = make_agent(script(CALL), wire, checkpointer=InMemorySaver())
    wrapped = make_wrapped(agent, interrupts=True, approvals=Store())
    asked = pause(wrapped)
    (again,) = wrapped.invoke(None, CONFIG, user=ALICE)["__interrupt__"]
    assert (again.value, RAN) == (asked.value, [])
    assert (texts(resume(wrapped)), RAN) == (["wired"], [("x", 1)])


def test_parallel_calls_answered_at_once() -> None:
    agent = make([CALL, ("wire", {"to": "y"})])
    first, second = questions(agent.invoke(GO, CONFIG, user=ALICE))
    result = agent.invoke(Command(resume={first.id: APPROVE, second.id: REJECT}), CONFIG, user=ALICE)
    assert (RAN, texts(result)) == ([("x", 1)], ["wired", REJECTED])


@tool
def refund(amount: int) -> str:
    """Refund."""
    RAN.append(amount)
    return "refunded"


def _loop(model: Any, node: Any, **options: Any) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", node)
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(checkpointer=InMemorySaver(), **options)


def test_calls_that_share_a_task_do_not_wait() -> None:
    """The graph would hand one's answer to the other, whichever asks first."""
    agent = make_wrapped(_loop(script([CALL, ("wire", {"to": "y"})], CALL), ToolNode([wire])), interrupts=True)
    result = agent.invoke(GO, CONFIG, user=ALICE)
    assert (texts(result), RAN, len(result["__interrupt__"])) == (["ask a person"] * 2, [], 1)  # the third, alone in its task
    result = resume(agent)
    assert (texts(result)[-1], RAN) == ("wired", [("x", 1)])


@tool
def close(account: str) -> str:
    """Close an account, which asks its own question."""
    reason = interrupt("why?")
    RAN.append((account, reason))
    return "closed"


CLOSE = ("close", {"account": "a"})
HELD = "version: 1\nroles:\n  billing:\n    tools:\n      close: {mode: approval_required}\n"
FREE = "version: 1\nroles:\n  billing:\n    tools:\n      close: {mode: allow}\n"


def test_a_tools_own_question_is_not_answered_by_an_approval() -> None:
    """The policy held the call, and lets it run by the time that it is approved."""
    pauses = PausesInMemory()
    agent = make(CLOSE, tools=(close,), gate=make_gate(HELD), pauses=pauses)
    assert pause(agent).value["type"] == "tool_approval"
    agent.guard.gate = make_gate(FREE)
    (question,) = resume(agent)["__interrupt__"]
    assert (question.value, RAN) == ("why?", [])
    result = resume(agent, "it is empty")
    assert (RAN, texts(result)) == ([("a", "it is empty")], ["closed"])


def test_a_tools_own_answer_is_no_approval() -> None:
    """The policy let the call run, and holds it by the time that the tool's own question is answered."""
    agent = make(CLOSE, tools=(close,), gate=make_gate(FREE))
    assert pause(agent).value == "why?"
    agent.guard.gate = make_gate(HELD)
    result = resume(agent, APPROVE)
    assert (RAN, texts(result)) == ([], [MISMATCH])
    assert not agent.guard.pauses._expires  # type: ignore[attr-defined]


def test_an_approved_tool_asks_its_own_question() -> None:
    agent = make(CLOSE, tools=(close,), gate=make_gate(HELD))
    pause(agent)
    (question,) = resume(agent)["__interrupt__"]
    assert (question.value, RAN) == ("why?", [])
    result = resume(agent, "it is empty")
    assert (RAN, texts(result)) == ([("a", "it is empty")], ["closed"])
    assert not agent.guard.pauses._expires  # type: ignore[attr-defined]


NESTED = "version: 1\nroles:\n  billing:\n    tools:\n      ask_helper: {mode: MODE}\n      wire: {mode: approval_required}\n"


@pytest.mark.parametrize("mode", ["allow", "approval_required"])
def test_a_call_waits_inside_an_agent_as_a_tool(mode: str) -> None:
    inner = make_agent(script(CALL), wire)

    @tool
    def ask_helper(question: str) -> str:
        """Ask."""
        return str(texts(inner.invoke({"messages": [("user", question)]})))

    agent = make(("ask_helper", {"question": "x"}), tools=(ask_helper,), gate=make_gate(NESTED.replace("MODE", mode)))
    question = pause(agent)
    if mode == "approval_required":
        assert question.value["name"] == "ask_helper"
        (question,) = resume(agent)["__interrupt__"]
    assert (question.value["name"], RAN) == ("wire", [])
    result = resume(agent)
    assert (RAN, texts(result)) == ([("x", 1)], ["['wired']"])


def test_without_interrupts_or_a_checkpointer_a_held_call_is_refused() -> None:
    agents = [
        make_wrapped(make_agent(script(CALL), wire, checkpointer=InMemorySaver())),
        make_wrapped(make_agent(script(CALL), wire), interrupts=True),
    ]
    for agent in agents:
        result = agent.invoke(GO, CONFIG, user=ALICE)
        assert (outputs(result), last(result), RAN) == ([("ask a person", "error")], "done", [])


def test_what_is_refused_is_not_asked_about() -> None:
    result = make(CALL).invoke(GO, CONFIG, user=NOBODY)
    assert ("__interrupt__" in result, last(result), RAN) == (False, "done", [])


def test_a_node_that_calls_a_tool_waits() -> None:
    def node(state: Any) -> Any:
        answer = wire.invoke({"name": "wire", "args": {"to": "x"}, "id": "c1", "type": "tool_call"})
        assert isinstance(answer, ToolMessage)
        return {"messages": [answer]}

    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    agent = make_wrapped(graph.compile(checkpointer=InMemorySaver()), interrupts=True)
    pause(agent)
    assert (texts(resume(agent)), RAN) == (["wired"], [("x", 1)])


def test_a_persons_approval_in_a_middleware_is_not_the_policys() -> None:
    """The framework's own middleware asks first, in a node of its own."""
    agent = make(CALL, middleware=[HumanInTheLoopMiddleware(interrupt_on={"wire": True})])
    assert "action_requests" in pause(agent).value
    (question,) = resume(agent, {"decisions": [APPROVE]})["__interrupt__"]
    assert (question.value["type"], RAN) == ("tool_approval", [])
    assert (texts(resume(agent)), RAN) == (["wired"], [("x", 1)])


def test_a_middleware_that_asks_per_call() -> None:
    """It asks in the task of the call, before the gate does."""
    agent = make(CALL, middleware=[HumanInTheLoopMiddleware(interrupt_on={"wire": True}, interrupt_mode="per_call")])
    (first,) = agent.invoke(GO, CONFIG, user=ALICE)["__interrupt__"]
    (second,) = resume(agent)["__interrupt__"]
    assert (first.id != second.id, RAN) == (True, [])
    assert (texts(resume(agent)), RAN) == (["wired"], [("x", 1)])


@pytest.mark.parametrize("way", ["callback", "middleware"])
def test_other_ways_in_pause_too(way: str) -> None:
    guard = Guard(make_gate(), pauses=PausesInMemory())
    middleware = [HexgateMiddleware(guard=guard, user=ALICE, interrupts=True)] if way == "middleware" else []
    agent = make_agent(script(CALL), wire, checkpointer=InMemorySaver(), middleware=middleware)

    def config() -> Any:
        return CONFIG if middleware else {**CONFIG, "callbacks": [HexgateCallback(ALICE, guard=guard, interrupts=True)]}

    assert len(agent.invoke(GO, config())["__interrupt__"]) == 1
    assert RAN == []
    assert (texts(agent.invoke(Command(resume=APPROVE), config())), RAN) == (["wired"], [("x", 1)])


def test_the_bundle_that_held_the_call_is_the_one_that_lets_it_run() -> None:
    agent = make(CALL)
    pause(agent)
    stricter = "version: 1\nroles:\n  billing:\n    tools:\n      wire: {mode: approval_required, constraints: [args.to != '']}\n"
    agent.guard.gate = make_gate(stricter)
    assert (texts(resume(agent)), RAN) == ([MISMATCH], [])


OTHER_PROCESS = """
import json, sys
from tests.adapters.langchain import test_pauses
from tests.adapters.langchain.harness import last, outputs
from hexgate.adapters.pauses import PausesInFile
agent = test_pauses.make(test_pauses.SAME, pauses=PausesInFile(sys.argv[1]))
agent.checkpointer.storage, agent.checkpointer.writes, agent.checkpointer.blobs = test_pauses.loaded(sys.stdin.buffer.read())
result = test_pauses.resume(agent)
print(json.dumps([test_pauses.RAN, outputs(result), last(result)]))
"""
SAME = ("wire", {"to": "x"}, "c1")


def saved(agent: HexgateGraph) -> bytes:
    """The checkpoints as bytes; the framework's own serialised form is inside."""
    saver: Any = agent.checkpointer
    storage = {thread: {ns: dict(each) for ns, each in kept.items()} for thread, kept in saver.storage.items()}
    return pickle.dumps((storage, dict(saver.writes), dict(saver.blobs)))


def loaded(data: bytes) -> tuple[Any, Any, Any]:
    """What `saved` has saved."""
    storage, writes, blobs = pickle.loads(data)
    made: Any = defaultdict(lambda: defaultdict(dict))
    for thread, kept in storage.items():
        for ns, each in kept.items():
            made[thread][ns] = each
    return made, defaultdict(dict, writes), blobs


def test_resumed_in_another_process(tmp_path: Path) -> None:
    pauses = tmp_path / "pauses.sqlite"
    agent = make(SAME, pauses=PausesInFile(pauses))
    pause(agent)
    data = saved(agent)
    done = subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(pauses)], input=data, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == [[["x", 1]], [["wired", "success"]], "done"]
    assert (texts(resume(agent)), RAN) == ([MISMATCH], [])


def test_a_tools_own_question_stays() -> None:
    agent = make(CLOSE, tools=(close,))
    assert agent.invoke(GO, CONFIG, user=ANYBODY)["__interrupt__"][0].value == "why?"
    result = resume(agent, "so", ANYBODY)
    assert (RAN, texts(result)) == ([("a", "so")], ["closed"])
