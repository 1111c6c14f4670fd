"""What holds of whole runs: the user's objects stay as they are, users do not mix, and faults of the gate are refusals that a model reads."""

from __future__ import annotations

import asyncio
import copy
import random
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent, RunContext, Tool
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.toolsets import FunctionToolset

from hexgate.adapters.guard import AdapterError, Guard, GuardedRun, current_guarded_run
from hexgate.adapters.pauses import PausesInMemory
from hexgate.adapters.pydantic_ai import HexgateAgent, HexgateCapability, attachment
from hexgate.audit.log import AuditLog
from hexgate.bundle.keys import generate_key
from hexgate.bundle.trust_root import HexgateKeyError
from hexgate.runtime import Gate, User
from hexgate.runtime.source import SourceError
from tests.adapters.pydantic_ai.harness import (
    ALICE,
    ANYBODY,
    NOBODY,
    ORCHESTRATOR,
    Script,
    make_agent,
    make_gate,
    run,
    told,
    wrap,
)

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return f"refunded {order}"


def _fields(value: Any, seen: dict[int, int]) -> Any:
    """Everything that an object holds, all the way down, in a form that compares. A script moves on: models are compared by identity."""
    if isinstance(value, FunctionModel | type) or callable(value) or not hasattr(value, "__dict__"):
        return id(value) if callable(value) else value
    if id(value) in seen:
        return seen[id(value)]
    seen[id(value)] = len(seen)
    return type(value), {name: _deep(each, seen) for name, each in vars(value).items()}


def _deep(value: Any, seen: dict[int, int]) -> Any:
    if isinstance(value, dict):
        return {key: _deep(each, seen) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(each, seen) for each in value]
    return _fields(value, seen)


@pytest.mark.parametrize("user", [ANYBODY, NOBODY, ORCHESTRATOR])
@pytest.mark.parametrize("name", ["agent", None])
def test_the_users_objects_are_untouched(user: User, name: str | None) -> None:
    calls = [("refund", {"order": "1", "amount": 1}), ("my_refund", {"order": "1", "amount": 1}), ("helper", {})]
    inner = make_agent(Script(("refund", {"order": "1", "amount": 1})), refund, name=None)

    async def helper() -> str:
        return str((await inner.run("go", infer_name=False)).output)

    toolset = FunctionToolset[Any]([refund]).prefixed("my")
    agent = make_agent(Script(*calls, calls), Tool(refund), helper, toolsets=[toolset], name=name)
    held = [*agent.toolsets]
    for one in (agent, inner):
        _ = one.root_capability  # what is made when it is first asked for
    before = copy.copy(_fields(agent, {})), _fields(inner, {})
    gated = wrap(agent)
    asyncio.run(gated.run("go", user=user))
    gated.run_sync("go", user=user)
    assert (_fields(agent, {}), _fields(inner, {})) == before
    assert (agent.name, inner.name) == (name, None)
    assert all(one is other for one, other in zip(held, agent.toolsets, strict=True))


def test_the_same_agent_by_itself_is_not_gated() -> None:
    call = ("refund", {"order": "1", "amount": 900})
    agent = make_agent(Script(call), refund)
    asyncio.run(wrap(agent).run("go", user=NOBODY))
    assert RAN == []
    agent.model = Script(call)
    result = asyncio.run(agent.run("go"))
    assert (RAN, told(result), current_guarded_run()) == ([("1", 900)], ["refunded 1"], None)


def _answer(messages: list[ModelMessage]) -> ToolCallPart | str:
    """One model for all runs: it asks for what the prompt says, then says what the tool said."""
    parts = [part for message in messages if isinstance(message, ModelRequest) for part in message.parts]
    said = [str(part.content) for part in parts if isinstance(part, ToolReturnPart)]
    order = next(part.content for part in parts if isinstance(part, UserPromptPart))
    return said[-1] if said else ToolCallPart("who", {"order": order}, tool_call_id=f"call-{order}")


def _at_once(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    answer = _answer(messages)
    return ModelResponse(parts=[TextPart(answer) if isinstance(answer, str) else answer])


async def _streamed(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
    answer = _answer(messages)
    if isinstance(answer, str):
        for word in answer.split(" "):
            await asyncio.sleep(0)
            yield word + " "
    else:
        yield {0: DeltaToolCall(name="who", json_args=answer.args_as_json_str(), tool_call_id=answer.tool_call_id)}


PEOPLE = "version: 1\nroles:\n" + "".join(
    f"  role{number}:\n    tools:\n      who: {{mode: allow, constraints: ['args.order.startsWith(user.id + \"-\")']}}\n" for number in range(10)
)


def test_two_hundred_users_at_once() -> None:
    """One agent, interleaved streams and runs, some cancelled, some failing, some generators left half read: each call is decided for its
    own user, and no other."""
    seen: list[tuple[str, str]] = []

    async def who(order: str) -> str:
        """Say who asks."""
        run = current_guarded_run()
        assert run is not None and isinstance(run.user, User)
        await asyncio.sleep(random.random() / 100)
        seen.append((run.user.user_id, order))
        if order.endswith("fails"):
            raise RuntimeError("the tool failed")
        return f"{run.user.user_id} {order}"

    agent = wrap(make_agent(FunctionModel(_at_once, stream_function=_streamed), who), make_gate(PEOPLE))

    async def one(number: int) -> str:
        user = User(f"u{number}", f"role{number % 10}")
        way = number % 6
        order = f"u{number}-{'fails' if way == 5 else 'x'}"
        if way == 0:
            return str((await agent.run(order, user=user)).output)
        if way == 1:
            async with agent.run_stream(order, user=user) as stream:
                return [text async for text in stream.stream_text(debounce_by=None)][-1].strip()
        if way == 2:  # somebody else's order
            return str((await agent.run(f"u{number + 1}-x", user=user)).output)
        if way == 3:  # half read, then dropped
            async with agent.run_stream_events(order, user=user) as events:
                await anext(events)
            return "dropped"
        if way == 4:  # node by node, the half of them left in the middle
            async with agent.iter(order, user=user) as nodes:
                async for node in nodes:
                    await asyncio.sleep(0)
                    if number % 4 and Agent.is_call_tools_node(node):
                        break
            return "dropped" if nodes.result is None else str(nodes.result.output)
        task = asyncio.create_task(agent.run(order, user=user))
        if number % 4 == 1:
            await asyncio.sleep(0.002)
            task.cancel()
        done = await asyncio.gather(task, return_exceptions=True)
        return type(done[0]).__name__

    async def main() -> list[str]:
        return await asyncio.gather(*(one(number) for number in range(200)))

    answers = asyncio.run(main())
    assert all(order.startswith(user + "-") for user, order in seen) and len(seen) >= 100
    for number, answer in enumerate(answers):
        own = f"u{number} u{number}-x"
        expected = {
            0: {own}, 1: {own}, 2: {"this call is not permitted (constraint_failed)"}, 3: {"dropped"}, 4: {own, "dropped"},
            5: {"RuntimeError", "CancelledError"},
        }[number % 6]  # fmt: skip
        assert answer in expected, number
    assert current_guarded_run() is None


def test_streams_of_two_users_in_one_task() -> None:
    agent = wrap(make_agent(FunctionModel(_at_once, stream_function=_streamed), Tool(_who, name="who")), make_gate(PEOPLE))

    async def main() -> tuple[list[str], bool]:
        async with (
            agent.run_stream_events("u1-x", user=User("u1", "role1")) as first,
            agent.run_stream_events("u2-x", user=User("u2", "role2")) as second,
        ):
            last: list[Any] = [None, None]
            ended = 0
            while ended < 2:
                ended = 0
                for number, events in enumerate((first, second)):
                    event = await anext(events, None)
                    ended += event is None
                    last[number] = event or last[number]
            return [event.result.output.strip() for event in last], current_guarded_run() is None

    assert asyncio.run(main()) == (["u1 u1-x", "u2 u2-x"], True)


async def _who(order: str) -> str:
    run = current_guarded_run()
    assert run is not None and isinstance(run.user, User)
    return f"{run.user.user_id} {order}"


def test_nothing_is_current_between_the_nodes_of_a_run() -> None:
    async def main() -> list[bool]:
        async with wrap(make_agent(Script(("refund", {"order": "1", "amount": 1})), refund)).iter("go", user=ALICE) as nodes:
            return [current_guarded_run() is None async for _ in nodes]

    seen = asyncio.run(main())
    assert len(seen) > 3 and all(seen) and RAN == [("1", 1)]


def test_a_nested_wrapper_is_for_its_own_user() -> None:
    inner = wrap(make_agent(Script(("refund", {"order": "1", "amount": 10})), refund, name="inner"))

    async def outer() -> str:
        return str(told(await inner.run("go", user=NOBODY)))

    async def of_the_same_user() -> str:
        return str(told(await wrap(make_agent(Script(("refund", {"order": "1", "amount": 10})), refund)).run("go")))

    result = run(make_agent(Script(("outer", {})), outer), ORCHESTRATOR)
    assert (RAN, told(result)) == ([], ["['this call is not permitted (rule)']"])
    result = run(make_agent(Script(("outer", {})), Tool(of_the_same_user, name="outer")), ORCHESTRATOR)
    assert (RAN, told(result)) == ([], ["['this call is not permitted (unknown_tool)']"])


def _told(gate: Gate, user: User = ALICE) -> Any:
    agent = make_agent(Script(("refund", {"order": "1", "amount": 10})), refund, retries=0)
    result = run(agent, user, gate=gate)
    assert result.output == "done"
    return told(result)


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


def test_without_a_key_or_a_bundle_there_is_no_wrapper(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HEXGATE_KEY", raising=False)
    with pytest.raises(HexgateKeyError):
        HexgateAgent(make_agent(Script()))
    with pytest.raises(HexgateKeyError):
        HexgateCapability(ALICE)
    monkeypatch.setenv("HEXGATE_KEY", f"{generate_key().public.text}@{tmp_path / 'none.hexgate'}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(SourceError, match="does not exist; put the signed bundle there"):
        HexgateAgent(make_agent(Script()))


def test_every_decision_of_a_run_is_recorded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []
    decide = GuardedRun._decide
    monkeypatch.setattr(
        GuardedRun, "_decide", lambda run, tool, plain, call_id: events.append((run.run_id, call_id)) or decide(run, tool, plain, call_id)
    )
    calls = [("refund", {"order": "1", "amount": amount}, f"c{amount}") for amount in (1, 2, 900)]
    run(make_agent(Script(calls), Tool(refund)), ALICE)
    assert len({run_id for run_id, _ in events}) == 1
    assert sorted(call_id for _, call_id in events) == ["c1", "c2", "c900"]


def test_a_run_keeps_the_bundle_that_it_began_with(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow}\n")
    gate = Gate.from_source(f"dev:{path}", refresh_seconds=None)

    def publish_and_refund(order: str, amount: int) -> str:
        path.write_text("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: deny}\n")
        gate.refresh()
        return "refunded"

    call = ("refund", {"order": "1", "amount": 1})
    agent = make_agent(Script(call, call), Tool(publish_and_refund, name="refund"))
    assert told(run(agent, ALICE, gate=gate)) == ["refunded", "refunded"]
    agent.model = Script(call)
    assert told(run(agent, ALICE, gate=gate)) == ["this call is not permitted (rule)"]
    path.write_text("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow}\n")
    agent.model = Script(call)
    capability = HexgateCapability(ALICE, gate)
    assert told(agent.run_sync("go", capabilities=[capability])) == ["refunded"]
    agent.model = Script(call)
    assert told(agent.run_sync("go", capabilities=[capability])) == ["this call is not permitted (rule)"]


def test_ctx_is_what_the_host_says() -> None:
    gate = make_gate("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow, constraints: [ctx.ticket == 'T1']}\n")
    agent = make_agent(Script(("refund", {"order": "1", "amount": 1})), refund)
    assert told(asyncio.run(wrap(agent, gate).run("go", user=ALICE, ctx={"ticket": "T1"}))) == ["refunded 1"]


def test_deps_do_not_say_who_is_calling() -> None:
    def refund(ctx: RunContext[User], order: str, amount: int) -> str:
        RAN.append(ctx.deps.role)
        return "refunded"

    agent: Agent[Any, Any] = make_agent(Script(("refund", {"order": "1", "amount": 1})), refund, deps_type=User)
    assert told(run(agent, NOBODY, deps=ALICE)) == ["this call is not permitted (rule)"]
    agent.model = Script(("refund", {"order": "1", "amount": 1}))
    assert (told(run(agent, ALICE, deps=NOBODY)), RAN) == (["refunded"], ["nobody"])


def test_an_error_of_a_guard_is_one_that_names_no_class() -> None:
    with pytest.raises(AdapterError) as raised:
        asyncio.run(wrap(make_agent(Script())).run("go", user="alice"))
    assert "User" not in str(raised.value)


def test_an_exception_of_a_tool_is_the_callers() -> None:
    def refund(order: str, amount: int) -> str:
        raise ZeroDivisionError("order 1")

    agent = make_agent(Script(("refund", {"order": "1", "amount": 1})), refund)
    with pytest.raises(ZeroDivisionError, match="order 1"):
        run(agent, ALICE)
    assert current_guarded_run() is None


def _without(*names: str) -> Any:
    """A function of the framework that has lost parameters."""
    return lambda self, *args, **options: None


@pytest.mark.parametrize("place", attachment.PLACES, ids=lambda place: place.path)
def test_a_framework_that_has_changed_is_refused(place: attachment.Place, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, _ = attachment._find(place)
    monkeypatch.setattr(owner, name, _without())
    with pytest.raises(AdapterError) as raised:
        Guard(make_gate(), pauses=PausesInMemory())
        wrap(make_agent(Script()))
    assert str(raised.value) == (
        f"`{place.module}.{place.path}` is not what the gate attaches to in pydantic-ai-slim 2.68.0: install `hexgate[pydantic-ai]`, which"
        " asks for a release that was tested"
    )
