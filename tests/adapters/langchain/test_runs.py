"""What holds of whole runs: the user's objects stay as they are, users do not mix, and faults of the gate are refusals that a model reads."""

from __future__ import annotations

import asyncio
import inspect
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast

import pytest
from langchain.agents.middleware import AgentMiddleware, wrap_tool_call
from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.pregel import Pregel

from hexgate.adapters.guard import AdapterError, GuardedRun, current_guarded_run
from hexgate.adapters.langchain import HexgateCallback, HexgateGraph, attachment, wrap
from hexgate.adapters.langchain.graph import READS
from hexgate.audit.log import AuditLog
from hexgate.bundle.keys import generate_key
from hexgate.bundle.trust_root import HexgateKeyError
from hexgate.runtime import Gate, User
from hexgate.runtime.source import SourceError
from tests.adapters.langchain.harness import (
    ALICE,
    ANYBODY,
    GO,
    NOBODY,
    ORCHESTRATOR,
    Script,
    last,
    make_agent,
    make_gate,
    make_wrapped,
    script,
    texts,
)

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@tool
def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return f"refunded {order}"


CALL = ("refund", {"order": "1", "amount": 10})


def _deep(value: Any, seen: set[int]) -> Any:
    """Everything that an object holds, all the way down, in a form that compares."""
    if isinstance(value, dict):
        return {key: _deep(each, seen) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(each, seen) for each in value]
    if isinstance(value, Script) or id(value) in seen or not hasattr(value, "__dict__") or isinstance(value, type) or inspect.isroutine(value):
        return id(value) if hasattr(value, "__dict__") else value
    seen.add(id(value))
    # What the framework remembers of a tool's schema, and of a graph's, is there after any run.
    return type(value), {name: _deep(each, seen) for name, each in vars(value).items() if name not in ("_serialized",)}


@pytest.mark.parametrize("user", [ANYBODY, NOBODY, ORCHESTRATOR])
def test_the_users_objects_are_untouched(user: User) -> None:
    inner = make_agent(script(CALL), refund)

    @tool
    def ask_helper(question: str) -> str:
        """Ask."""
        return last(inner.invoke({"messages": [("user", question)]}))

    handler = BaseCallbackHandler()
    config: Any = {"callbacks": [handler], "tags": ["mine"], "configurable": {"thread_id": "1"}}
    given: Any = {"messages": [("user", "go")]}
    agent = make_agent(script(CALL, ("ask_helper", {"question": "x"})), refund, ask_helper).with_config(callbacks=[handler])
    agent.invoke(given)  # what the framework itself remembers of a first run
    before = [_deep(each, set()) for each in (agent, inner, refund, ask_helper)]
    nodes = dict(agent.nodes)
    make_wrapped(agent).invoke(given, config, user=user)
    list(make_wrapped(agent).stream(given, config, user=user))
    assert [_deep(each, set()) for each in (agent, inner, refund, ask_helper)] == before
    assert all(agent.nodes[name] is node for name, node in nodes.items())
    assert config == {"callbacks": [handler], "tags": ["mine"], "configurable": {"thread_id": "1"}}
    assert given == {"messages": [("user", "go")]}


def test_the_same_graph_without_the_wrapper_is_not_gated() -> None:
    agent = make_agent(script(("refund", {"order": "1", "amount": 900})), refund)
    make_wrapped(agent).invoke(GO, user=NOBODY)
    assert RAN == []
    assert (texts(agent.invoke(GO)), RAN, current_guarded_run()) == (["refunded 1"], [("1", 900)], None)


def test_every_method_of_a_graph_is_gated_passed_on_or_refused() -> None:
    """A way to run that a release adds is refused until somebody has looked at it."""
    graph = make_agent(script(CALL), refund)
    wrapped = make_wrapped(graph)
    methods = {name for name in dir(type(graph)) if not name.startswith("_") and callable(getattr(type(graph), name))}
    own = {name for name in vars(HexgateGraph) if not name.startswith("_")}
    refused = methods - own - READS
    assert own <= methods
    assert methods >= READS
    assert refused >= {"transform", "atransform", "astream_log", "batch_as_completed", "abatch_as_completed", "pipe", "bind", "map", "as_tool"}
    for name in refused:
        with pytest.raises(AdapterError, match=f"`{name}` would run the graph without the gate"):
            getattr(wrapped, name)
    for name in READS & methods:
        assert getattr(wrapped, name) == getattr(graph, name)
    assert wrapped.nodes is graph.nodes
    with pytest.raises(AttributeError):
        wrapped.nothing_of_this_name  # noqa: B018
    ways = {name for name in methods if name.removeprefix("a") in ("invoke", "stream", "batch", "stream_events")}
    assert ways == {"invoke", "ainvoke", "stream", "astream", "batch", "abatch", "stream_events", "astream_events"} and ways <= own


def test_what_is_no_graph() -> None:
    for each in (refund, script(), StateGraph(MessagesState)):
        with pytest.raises(AdapterError) as raised:
            wrap(cast(Pregel[Any, Any, Any, Any], each), make_gate())
        assert str(raised.value) == (
            "only a compiled graph can be wrapped: an agent of `create_agent`, or what `compile()` returns; run a chain with a `HexgateCallback`"
            " in its config"
        )


def test_a_wrapped_graph_with_a_config_is_wrapped() -> None:
    wrapped = make_wrapped(make_agent(script(CALL), refund)).with_config(tags=["x"])
    assert (texts(wrapped.invoke(GO, user=NOBODY)), RAN) == (["this call is not permitted (rule)"], [])


class Deciding(BaseChatModel):
    """One model for all runs: it asks for what the input says, then says what the tool said."""

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any) -> ChatResult:
        if isinstance(messages[-1], ToolMessage):
            answer = AIMessage(messages[-1].content)
        else:
            order = messages[0].content
            answer = AIMessage("", tool_calls=[{"name": "who", "args": {"order": order}, "id": f"call-{order}"}])
        return ChatResult(generations=[ChatGeneration(message=answer)])

    @property
    def _llm_type(self) -> str:
        return "deciding"

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self


PEOPLE = "version: 1\nroles:\n" + "".join(
    f"  role{number}:\n    tools:\n      who: {{mode: allow, constraints: ['args.order.startsWith(user.id + \"-\")']}}\n" for number in range(10)
)


def test_two_hundred_users_at_once() -> None:
    """One graph, interleaved streams and runs, some cancelled, some failing, some streams left half read: each call is decided for its
    own user, and no other."""
    seen: list[tuple[str, str]] = []

    @tool
    async def who(order: str) -> str:
        """Who is calling."""
        run = current_guarded_run()
        assert run is not None and isinstance(run.user, User)
        await asyncio.sleep(random.random() / 100)
        seen.append((run.user.user_id, order))
        if order.endswith("fails"):
            raise RuntimeError("the tool failed")
        return f"{run.user.user_id} {order}"

    agent = make_wrapped(make_agent(Deciding(), who), make_gate(PEOPLE))

    def given(order: str) -> Any:
        return {"messages": [("user", order)]}

    async def one(number: int) -> str:
        user = User(f"u{number}", f"role{number % 10}")
        way = number % 5
        order = f"u{number}-{'fails' if way == 4 else 'x'}"
        if way == 0:
            return last(await agent.ainvoke(given(order), user=user))
        if way == 1:
            state: Any = None
            if number % 2:
                async for each in agent.astream(given(order), stream_mode="values", user=user):
                    await asyncio.sleep(0)
                    state = each
                return last(state)
            async for event in agent.astream_events(given(order), user=user):
                await asyncio.sleep(0)
                state = event
            return last(state["data"]["output"])
        if way == 2:  # somebody else's order
            return last(await agent.ainvoke(given(f"u{number + 1}-x"), user=user))
        if way == 3:  # half read, then closed, or dropped
            stream = agent.astream(given(order), user=user)
            await anext(stream)
            if number % 2:
                await stream.aclose()
            return "dropped"
        task = asyncio.create_task(agent.ainvoke(given(order), user=user))
        if number % 2:
            await asyncio.sleep(0.002)
            task.cancel()
        done = await asyncio.gather(task, return_exceptions=True)
        return type(done[0]).__name__

    async def main() -> list[str]:
        return await asyncio.gather(*(one(number) for number in range(200)))

    answers = asyncio.run(main())
    assert all(order.startswith(user + "-") for user, order in seen) and len(seen) >= 100
    for number, answer in enumerate(answers):
        expected = {
            0: {f"u{number} u{number}-x"},
            1: {f"u{number} u{number}-x"},
            2: {"this call is not permitted (constraint_failed)"},
            3: {"dropped"},
            4: {"RuntimeError", "CancelledError"},
        }[number % 5]
        assert answer in expected, number
    assert current_guarded_run() is None


def test_streams_of_threads_are_interleaved() -> None:
    agent = make_wrapped(make_agent(Deciding(), who_now), make_gate(PEOPLE))
    users = [User(f"u{number}", f"role{number}") for number in range(10)]
    streams = [agent.stream({"messages": [("user", f"{user.user_id}-x")]}, stream_mode="values", user=user) for user in users]
    states: dict[int, Any] = {}

    def step(number: int) -> None:
        states[number] = next(streams[number], states.get(number))

    for _ in range(5):
        threads = [threading.Thread(target=step, args=(number,)) for number in range(len(users))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [last(states[number]) for number in range(10)] == [f"u{number} u{number}-x" for number in range(10)]
    half = agent.stream({"messages": [("user", "u0-x")]}, user=users[0])
    next(half)
    half.close()
    assert current_guarded_run() is None


@tool("who")
def who_now(order: str) -> str:
    """Who is calling."""
    run = current_guarded_run()
    assert run is not None and isinstance(run.user, User)
    return f"{run.user.user_id} {order}"


def test_a_nested_wrapper_is_for_its_own_user() -> None:
    inner = make_wrapped(make_agent(script(CALL), refund))

    @tool
    def outer() -> str:
        """Run an agent for somebody else."""
        return str([texts(inner.invoke(GO, user=user)) for user in (NOBODY, ALICE, None)])

    told = texts(make_wrapped(make_agent(script(("outer", {})), outer)).invoke(GO, user=ORCHESTRATOR))
    expected = [["this call is not permitted (rule)"], ["refunded 1"], ["this call is not permitted (unknown_tool)"]]
    assert (RAN, told) == ([("1", 10)], [str(expected)])


class Changing(BaseCallbackHandler):
    """Changes whatever it is shown of a call."""

    run_inline = True

    def on_tool_start(self, serialized: Any, input_str: str, *, inputs: Any = None, **options: Any) -> None:
        inputs["amount"] = 9999
        inputs["lines"].append({"amount": 9999})
        inputs["lines"][0]["amount"] = 9999


KEPT: list[Any] = []


@tool
def refund_lines(amount: int, lines: list[dict[str, int]], state: Annotated[dict[str, Any], InjectedState]) -> str:
    """Refund lines of an order, after somebody has changed everything that they could keep of the call."""
    for call in KEPT:
        call["args"]["amount"] = 9999
        call["args"]["lines"][0]["amount"] = 9999
    RAN.append((amount, lines, len(state["messages"])))
    return "refunded"


class Keeping(AgentMiddleware[Any, Any, Any]):
    """Keeps the calls that pass."""

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        KEPT.append(request.tool_call)
        return handler(request)

    async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
        KEPT.append(request.tool_call)
        return await handler(request)


LINES = "version: 1\nroles:\n  billing:\n    tools:\n      refund_lines: {mode: allow, constraints: [args.amount <= 500, 'args.lines.all(l, l.amount <= 500)']}\n"


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("manager", [False, True])
def test_arguments_that_somebody_changes_after_the_decision_do_not_reach_the_tool(asynchronous: bool, manager: bool) -> None:
    KEPT.clear()
    model = script(("refund_lines", {"amount": 10, "lines": [{"amount": 10}]}))
    agent = make_wrapped(make_agent(model, refund_lines, middleware=[Keeping()]), make_gate(LINES))
    kind = AsyncCallbackManager if asynchronous else CallbackManager
    config: Any = {"callbacks": kind([Changing()], [Changing()]) if manager else [Changing()]}
    if asynchronous:
        asyncio.run(agent.ainvoke(GO, config, user=ALICE))
    else:
        agent.invoke(GO, config, user=ALICE)
    assert (RAN, len(KEPT)) == ([(10, [{"amount": 10}], 2)], 1)
    assert KEPT[0]["args"]["amount"] == 9999


def test_what_a_middleware_changes_is_what_is_decided_on() -> None:
    @wrap_tool_call
    def enlarge(request: Any, handler: Any) -> Any:
        return handler(request.override(tool_call={**request.tool_call, "args": {"order": "1", "amount": 9999}}))

    agent = make_wrapped(make_agent(script(CALL), refund, middleware=[enlarge]))
    assert (texts(agent.invoke(GO, user=ALICE)), RAN) == (["this call is not permitted (constraint_failed)"], [])


def test_a_thread_that_changes_arguments_while_the_tool_is_on_its_way() -> None:
    held: list[Any] = []

    class Own(BaseTool):
        name: str = "refund_lines"
        description: str = "Refund."

        def invoke(self, input: Any, config: Any = None, **options: Any) -> Any:  # noqa: A002
            held[0]["lines"][0]["amount"] = 9999  # what the model's message holds
            RAN.append(input["args"]["lines"])
            return BaseTool.invoke(self, input, config)

        def _run(self, amount: int, lines: Any) -> str:
            RAN.append(lines)
            return "refunded"

    model = script(("refund_lines", {"amount": 10, "lines": [{"amount": 10}]}))
    held.append(model.steps[0][0]["args"])
    gate = make_gate(LINES)
    decisions: list[str] = []
    decide = GuardedRun._decide
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GuardedRun, "_decide", lambda run, name, plain, call_id: decisions.append(name) or decide(run, name, plain, call_id))
        make_wrapped(make_agent(model, Own()), gate).invoke(GO, user=ALICE)
    assert (RAN, decisions) == ([[{"amount": 10}]] * 2, ["refund_lines"])


def test_a_callback_of_the_users_sees_the_calls_that_run() -> None:
    seen: list[str] = []

    class Seeing(BaseCallbackHandler):
        def on_tool_start(self, serialized: Any, input_str: str, **options: Any) -> None:
            seen.append(input_str)

    agent = make_wrapped(make_agent(script(CALL, ("refund", {"order": "2", "amount": 900})), refund).with_config(callbacks=[Seeing()]))
    agent.invoke(GO, user=ALICE)
    assert seen == ["{'order': '1', 'amount': 10}"]


def _told(gate: Gate, user: User = ALICE) -> Any:
    result = make_wrapped(make_agent(script(CALL), refund), gate).invoke(GO, user=user)
    assert last(result) == "done"
    return texts(result)


def test_a_role_that_the_policy_does_not_have() -> None:
    assert (_told(make_gate(), User("x", "stranger")), RAN) == (["this call is not permitted (unknown_role)"], [])


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[tuple[Path, Any]]:
    from benchmarks.signed_policies import signed_policy

    key = generate_key()
    policy = {"billing.yaml": b"version: 1\ntools:\n  refund: {mode: allow, constraints: [args.amount <= 500]}\n"}
    bundle = tmp_path / "policy.hexgate"
    bundle.write_bytes(signed_policy(policy, 1, keys=(key,), not_after=4_000_000_000))
    yield bundle, key


def test_a_signed_bundle_that_expires_in_the_middle(signed: tuple[Path, Any], tmp_path: Path) -> None:
    bundle, key = signed
    now = [time.time_ns()]
    with Gate.from_bundle(bundle, [key.public], state=tmp_path / "state", audit=False, refresh_seconds=None, clock=lambda: now[0]) as gate:
        assert _told(gate) == ["refunded 1"]
        now[0] = 4_000_000_001 * 10**9
        assert _told(gate) == ["this call is not permitted (bundle_expired)"]
    assert len(RAN) == 1


def test_a_log_that_cannot_be_written(signed: tuple[Path, Any], tmp_path: Path) -> None:
    bundle, key = signed
    log = AuditLog(tmp_path / "log")
    log.open()
    with Gate.from_bundle(bundle, [key.public], state=tmp_path / "state", audit=log, refresh_seconds=None) as gate:
        assert _told(gate) == ["refunded 1"]
        log.close()
        assert _told(gate) == ["this call is not permitted (audit_unavailable)"]
    assert len(RAN) == 1


def test_an_engine_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = make_gate()

    def fail(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(type(gate.snapshot.engine), "_decide", fail)
    assert (_told(gate), RAN) == (["this call is not permitted (engine_fault)"], [])


def test_without_a_key_or_a_bundle_nothing_is_wrapped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    agent = make_agent(script(CALL), refund)
    monkeypatch.delenv("HEXGATE_KEY", raising=False)
    with pytest.raises(HexgateKeyError):
        wrap(agent)
    with pytest.raises(HexgateKeyError):
        HexgateCallback(ALICE)
    monkeypatch.setenv("HEXGATE_KEY", f"{generate_key().public.text}@{tmp_path / 'none.hexgate'}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(SourceError, match="does not exist; put the signed bundle there"):
        wrap(agent)


def test_every_decision_of_a_run_is_recorded_once(signed: tuple[Path, Any], tmp_path: Path) -> None:
    bundle, key = signed
    events: list[Any] = []
    decide = GuardedRun._decide
    with Gate.from_bundle(bundle, [key.public], state=tmp_path / "state", audit=False, refresh_seconds=None) as gate, pytest.MonkeyPatch.context() as patch:
        patch.setattr(GuardedRun, "_decide", lambda run, name, plain, call_id: events.append((run.run_id, name, call_id)) or decide(run, name, plain, call_id))
        calls = [("refund", {"order": "1", "amount": amount}, f"c{amount}") for amount in (1, 2, 900)]
        make_wrapped(make_agent(script(calls), refund), gate).invoke(GO, user=ALICE)
    assert len({run_id for run_id, _, _ in events}) == 1
    assert sorted(call_id for _, _, call_id in events) == ["c1", "c2", "c900"]


def test_a_run_keeps_the_bundle_that_it_began_with(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow}\n")
    gate = Gate.from_source(f"dev:{path}", refresh_seconds=None)

    class Publishing(BaseCallbackHandler):
        def on_tool_end(self, *_: Any, **options: Any) -> None:
            path.write_text("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: deny}\n")
            gate.refresh()

    agent = make_wrapped(make_agent(script(CALL, CALL), refund), gate)
    assert texts(agent.invoke(GO, {"callbacks": [Publishing()]}, user=ALICE)) == ["refunded 1", "refunded 1"]
    assert texts(agent.invoke(GO, user=ALICE)) == ["this call is not permitted (rule)"] * 2


def test_ctx_is_what_the_host_says() -> None:
    gate = make_gate("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow, constraints: [ctx.ticket == 'T1']}\n")
    agent = make_wrapped(make_agent(script(CALL), refund), gate)
    assert texts(agent.invoke(GO, user=ALICE, ctx={"ticket": "T1"})) == ["refunded 1"]
    assert texts(agent.invoke(GO, user=ALICE, ctx={"ticket": "T2"})) == ["this call is not permitted (constraint_failed)"]


def test_a_callback_that_fails_and_a_tool_that_fails_stay_so() -> None:
    @tool
    def fails() -> str:
        """Fail."""
        raise KeyError("mine")

    agent = make_wrapped(make_agent(script(("fails", {})), fails))
    with pytest.raises(KeyError, match="mine"):
        agent.invoke(GO, user=ANYBODY)
    answers = agent.batch([GO, GO], user=ANYBODY, return_exceptions=True)
    assert [type(each) for each in answers] == [KeyError, KeyError]
    answers = asyncio.run(agent.abatch([GO, GO], user=ANYBODY, return_exceptions=True))
    assert [type(each) for each in answers] == [KeyError, KeyError]
    with pytest.raises(KeyError):
        asyncio.run(agent.abatch([GO, GO], user=ANYBODY))


PLACES = [f"{place.module}:{place.path}" for place in attachment.PLACES]


@pytest.mark.parametrize("number", range(len(PLACES)), ids=PLACES)
def test_a_framework_that_has_changed_is_refused(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    place = attachment.PLACES[number]
    owner, name, _ = attachment._find(place)

    def changed(self: Any, something_else: Any) -> None:
        """As a release may have it."""

    monkeypatch.setattr(owner, name, changed)
    with pytest.raises(AdapterError, match="is not what the gate attaches to in langchain-core"):
        make_wrapped(make_agent(script(), refund)).invoke(GO, user=ALICE)
    monkeypatch.delattr(owner, name)
    with pytest.raises(AdapterError, match=f"`{place.module}.{place.path}` is not what"):
        attachment.attach()


def test_a_name_of_the_frameworks_that_is_gone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachment, "NAMES", (("langgraph._internal._constants", "NO_SUCH"),))
    with pytest.raises(AdapterError, match=r"`langgraph\._internal\._constants\.NO_SUCH` is not what"):
        attachment.attach()


def test_a_plain_graph_is_gated_without_an_agent() -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("node", lambda state: {"messages": [refund.invoke({"name": "refund", "args": CALL[1], "id": "c", "type": "tool_call"})]})
    graph.add_edge(START, "node")
    assert texts(make_wrapped(graph.compile()).invoke(GO, user=ALICE)) == ["refunded 1"]
