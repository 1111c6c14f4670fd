"""What holds of whole runs: the user's objects stay as they are, users do not mix, and faults of the gate are refusals that a model reads."""

from __future__ import annotations

import asyncio
import copy
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agents import Agent, Model, RunHooks, Runner, ToolGuardrailFunctionOutput, function_tool, tool_input_guardrail
from agents.testing import ScriptedModel, assistant_message, function_call

from hexgate.adapters.guard import AdapterError, Guard, GuardedRun, current_guarded_run
from hexgate.adapters.pauses import PausesInMemory
from hexgate.audit.log import AuditLog
from hexgate.bundle.keys import generate_key
from hexgate.bundle.trust_root import HexgateKeyError
from hexgate.runtime import Gate, User
from hexgate.runtime.source import SourceError
from tests.adapters.openai.harness import (
    ALICE,
    ANYBODY,
    NOBODY,
    ORCHESTRATOR,
    ToolServer,
    make_agent,
    make_gate,
    make_runner,
    outputs,
    script,
)

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@function_tool
def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return f"refunded {order}"


MARK = "_function_approval_identity"
"""What the SDK itself writes on agents in every run, also without the gate."""


def _fields(value: Any, seen: set[int]) -> Any:
    """Everything that an object holds, all the way down, in a form that compares. A script moves on: models are compared by identity."""
    if isinstance(value, Model) or id(value) in seen or not hasattr(value, "__dict__") or isinstance(value, type) or callable(value):
        return value
    seen.add(id(value))
    return type(value), {name: _deep(each, seen) for name, each in vars(value).items() if name != MARK}


def _deep(value: Any, seen: set[int]) -> Any:
    if isinstance(value, dict):
        return {key: _deep(each, seen) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_deep(each, seen) for each in value]
    return _fields(value, seen)


@pytest.mark.parametrize("user", [ANYBODY, NOBODY, ORCHESTRATOR])
def test_the_users_objects_are_untouched(user: User) -> None:
    calls = [("refund", {"order": "1", "amount": 1}), ("list_files", {}), ("ask_helper", {"input": "x"}), ("transfer_to_helper", {})]
    helper = make_agent(script(), refund, name="helper")
    inner = make_agent(script(), refund, name="inner")
    server = ToolServer("list_files", RAN)
    agent = make_agent(None, refund, inner.as_tool("ask_helper", "Ask."), handoffs=[helper], mcp_servers=[server])  # type: ignore[arg-type]
    tools, held = [*agent.tools], [*agent.handoffs]
    fields = copy.copy(vars(refund))
    before = _fields(agent, set())
    agent.model = script(*calls)
    asyncio.run(make_runner().run(agent, "go", user=user))
    agent.model = None
    RAN.clear()  # the server notes its calls there
    assert _fields(agent, set()) == before
    assert all(one is other for one, other in zip([*tools, *held], [*agent.tools, *agent.handoffs], strict=True))
    assert vars(refund) == fields


def test_the_same_agent_without_the_runner_is_not_gated() -> None:
    agent = make_agent(script(("refund", {"order": "1", "amount": 900})), refund)
    asyncio.run(make_runner().run(agent, "go", user=NOBODY))
    assert RAN == []
    agent.model = script(("refund", {"order": "1", "amount": 900}))
    result = asyncio.run(Runner.run(agent, "go"))
    assert (RAN, outputs(result), current_guarded_run()) == ([("1", 900)], ["refunded 1"], None)


class Deciding(ScriptedModel):
    """One model for all runs: it asks for a refund of what the input says, then says what the tool said."""

    def __init__(self) -> None:
        super().__init__([])

    async def get_response(self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        return await self._one(input).get_response(system_instructions, input, *args, **kwargs)

    async def stream_response(self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        async for event in self._one(input).stream_response(system_instructions, input, *args, **kwargs):
            yield event

    def _one(self, given: Any) -> ScriptedModel:
        told = [item["output"] for item in given if item.get("type") == "function_call_output"]
        if told:
            return ScriptedModel([[assistant_message(told[-1])]])
        order = given[0]["content"]
        return ScriptedModel([[function_call("who", {"order": order}, call_id=f"call-{order}")]])


PEOPLE = "version: 1\nroles:\n" + "".join(
    f"  role{number}:\n    tools:\n      who: {{mode: allow, constraints: ['args.order.startsWith(user.id + \"-\")']}}\n" for number in range(10)
)


def test_two_hundred_users_at_once() -> None:
    """One agent, interleaved streams and runs, some cancelled, some failing, some streams left half read: each call is decided for its
    own user, and no other."""
    seen: list[tuple[str, str]] = []

    @function_tool(failure_error_function=None)
    async def who(order: str) -> str:
        run = current_guarded_run()
        assert run is not None and isinstance(run.user, User)
        await asyncio.sleep(random.random() / 100)
        seen.append((run.user.user_id, order))
        if order.endswith("fails"):
            raise RuntimeError("the tool failed")
        return f"{run.user.user_id} {order}"

    agent = make_agent(Deciding(), who)
    runner = make_runner(make_gate(PEOPLE))

    async def one(number: int) -> str:
        user = User(f"u{number}", f"role{number % 10}")
        way = number % 5
        order = f"u{number}-{'fails' if way == 4 else 'x'}"
        if way == 0:
            return str((await runner.run(agent, order, user=user)).final_output)
        if way == 1:
            stream = runner.run_streamed(agent, order, user=user)
            async for _ in stream.stream_events():
                await asyncio.sleep(0)
            return str(stream.final_output)
        if way == 2:  # somebody else's order
            return str((await runner.run(agent, f"u{number + 1}-x", user=user)).final_output)
        if way == 3:  # half read, then dropped
            stream = runner.run_streamed(agent, order, user=user)
            events = stream.stream_events()
            await anext(events)
            await events.aclose()  # type: ignore[attr-defined]
            stream.cancel()
            return "dropped"
        task = asyncio.create_task(runner.run(agent, order, user=user))
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
            4: {"UserError", "CancelledError"},
        }[number % 5]
        assert answer in expected, number
    assert current_guarded_run() is None


def test_a_nested_runner_is_for_its_own_user() -> None:
    runner = make_runner()
    inner = make_agent(script(("refund", {"order": "1", "amount": 10})), refund, name="inner")

    @function_tool
    async def outer() -> str:
        result = await runner.run(inner, "go", user=NOBODY)
        return str(outputs(result))

    result = asyncio.run(runner.run(make_agent(script(("outer", {})), outer), "go", user=ORCHESTRATOR))
    assert (RAN, outputs(result)) == ([], ["['this call is not permitted (rule)']"])


def test_arguments_that_somebody_changes_after_the_decision_do_not_reach_the_tool() -> None:
    """What the SDK hands to hooks and guardrails is the call itself; the tool runs with the text that was decided on, or not at all."""

    class Changing(RunHooks[Any]):
        async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
            context.tool_call.arguments = '{"order": "1", "amount": 9999}'
            context.tool_arguments = '{"order": "1", "amount": 9999}'

    @tool_input_guardrail
    def change(data: Any) -> ToolGuardrailFunctionOutput:
        data.context.tool_call.arguments = '{"order": "1", "amount": 8888}'
        return ToolGuardrailFunctionOutput.allow()

    for guardrails, hooks in ([None, Changing()], [[change], None], [[change], Changing()]):
        tool = copy.copy(refund)
        tool.tool_input_guardrails = guardrails  # type: ignore[assignment]
        agent = make_agent(script(("refund", {"order": "1", "amount": 10})), tool)
        asyncio.run(make_runner().run(agent, "go", user=ALICE, hooks=hooks))  # type: ignore[arg-type]
    assert all(amount <= 500 for _, amount in RAN)


def test_a_tools_wrapper_sees_the_text_that_was_decided_on() -> None:
    seen: list[str] = []
    tool = copy.copy(refund)
    original = tool.on_invoke_tool

    async def wrapped(context: Any, text: str) -> Any:
        seen.append(text)
        return await original(context, text)

    tool.on_invoke_tool = wrapped
    asyncio.run(make_runner().run(make_agent(script(("refund", {"order": "1", "amount": 10})), tool), "go", user=ALICE))
    assert (seen, RAN) == (['{"order":"1","amount":10}'], [("1", 10)])


def _told(gate: Gate, user: User = ALICE) -> Any:
    agent = make_agent(script(("refund", {"order": "1", "amount": 10})), refund)
    result = asyncio.run(make_runner(gate).run(agent, "go", user=user))
    assert result.final_output == "done"
    return outputs(result)


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


def test_without_a_key_or_a_bundle_there_is_no_runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from hexgate.adapters.openai import HexgateRunner

    monkeypatch.delenv("HEXGATE_KEY", raising=False)
    with pytest.raises(HexgateKeyError):
        HexgateRunner()
    monkeypatch.setenv("HEXGATE_KEY", f"{generate_key().public.text}@{tmp_path / 'none.hexgate'}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(SourceError, match="does not exist; put the signed bundle there"):
        HexgateRunner()


def test_every_decision_of_a_run_is_recorded_once(signed: tuple[Path, Any], tmp_path: Path) -> None:
    bundle, key = signed
    events: list[Any] = []
    decide = GuardedRun._decide
    with Gate.from_bundle(bundle, [key.public], state=tmp_path / "state", audit=False, refresh_seconds=None) as gate, pytest.MonkeyPatch.context() as patch:
        patch.setattr(GuardedRun, "_decide", lambda run, tool, plain, call_id: events.append((run.run_id, tool, call_id)) or decide(run, tool, plain, call_id))
        calls = [("refund", {"order": "1", "amount": amount}, f"c{amount}") for amount in (1, 2, 900)]
        asyncio.run(make_runner(gate).run(make_agent(script(calls), refund), "go", user=ALICE))
    assert len({run_id for run_id, _, _ in events}) == 1
    assert sorted(call_id for _, _, call_id in events) == ["c1", "c2", "c900"]


def test_a_run_keeps_the_bundle_that_it_began_with(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow}\n")
    gate = Gate.from_source(f"dev:{path}", refresh_seconds=None)

    @function_tool
    def publish() -> str:
        return ""

    class Publishing(RunHooks[Any]):
        async def on_tool_end(self, *_: Any) -> None:
            path.write_text("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: deny}\n")
            gate.refresh()

    calls = [("refund", {"order": "1", "amount": 1})]
    agent = make_agent(script(calls, calls), refund)
    runner = make_runner(gate)
    assert outputs(asyncio.run(runner.run(agent, "go", user=ALICE, hooks=Publishing()))) == ["refunded 1", "refunded 1"]
    agent.model = script(calls)
    assert outputs(asyncio.run(runner.run(agent, "go", user=ALICE))) == ["this call is not permitted (rule)"]


def test_ctx_is_what_the_host_says() -> None:
    gate = make_gate("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow, constraints: [ctx.ticket == 'T1']}\n")
    agent = make_agent(script(*[("refund", {"order": "1", "amount": 1})] * 1), refund)
    assert outputs(asyncio.run(make_runner(gate).run(agent, "go", user=ALICE, ctx={"ticket": "T1"}))) == ["refunded 1"]


def test_an_error_of_a_guard_is_one_that_names_no_class() -> None:
    with pytest.raises(AdapterError) as raised:
        Guard(make_gate(), pauses=PausesInMemory()).run("alice")  # type: ignore[arg-type]
    assert "User" not in str(raised.value)


def test_an_agent_is_generic_and_stays_so() -> None:
    class Mine(Agent[Any]):
        """A user's own kind of agent."""

    agent = Mine(name="mine", model=script(("refund", {"order": "1", "amount": 10})), tools=[refund])
    result = asyncio.run(make_runner().run(agent, "go", user=ALICE))
    assert result.last_agent is agent and RAN == [("1", 10)]
