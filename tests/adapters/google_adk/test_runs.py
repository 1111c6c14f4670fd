"""What holds of whole runs: the user's objects stay as they are, users do not mix, and faults of the gate are refusals that a model reads."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import AsyncGenerator, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.apps.app import App
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.runners import InMemoryRunner
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.function_tool import FunctionTool
from google.genai import types

from hexgate.adapters.google_adk import HexgatePlugin, HexgateRunner, attachment
from hexgate.adapters.guard import AdapterError, GuardedRun, current_guarded_run
from hexgate.adapters.pauses import PausesInMemory
from hexgate.audit.log import AuditLog
from hexgate.bundle.keys import generate_key
from hexgate.bundle.trust_root import HexgateKeyError
from hexgate.runtime import Gate, User
from hexgate.runtime.source import SourceError
from tests.adapters.google_adk.harness import (
    ALICE,
    ANYBODY,
    NOBODY,
    ORCHESTRATOR,
    Script,
    last_text,
    make_agent,
    make_gate,
    make_runner,
    message,
    outputs,
    run,
    run_once,
    script,
)

RAN: list[Any] = []
CALL = ("refund", {"order": "1", "amount": 10})


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return f"refunded {order}"


def _deep(value: Any, seen: dict[int, int]) -> Any:
    """Everything that an object holds, all the way down, in a form that compares. A script moves on and sessions grow: those two compare
    by identity."""
    if isinstance(value, dict):
        return {key: _deep(each, seen) for key, each in value.items()}
    if isinstance(value, list | tuple | set):
        return [_deep(each, seen) for each in value]
    if not hasattr(value, "__dict__") or isinstance(value, type | Script) or callable(value) or "Service" in type(value).__name__:
        return id(value) if hasattr(value, "__dict__") else value
    if id(value) in seen:
        return seen[id(value)]
    seen[id(value)] = len(seen)
    private = getattr(value, "__pydantic_private__", None)
    return type(value), id(value), _deep(vars(value), seen), _deep(private, seen)


class Counts(BasePlugin):
    """A plugin of the user's."""

    async def after_tool_callback(self, *, tool: Any, tool_args: Any, tool_context: Any, result: Any) -> None:
        RAN.append(tool.name)


@pytest.mark.parametrize("user", [ANYBODY, NOBODY, ORCHESTRATOR])
def test_the_users_objects_are_untouched(user: User) -> None:
    steps: list[Any] = [CALL, ("helper", {"request": "x"}), ("transfer_to_agent", {"agent_name": "clerk"})]

    def restart() -> None:
        for model in (outer, inner, clerk):
            model.seen.clear()

    outer, inner, clerk = script(*steps), script(CALL), script(CALL)
    helper = make_agent(inner, refund, name="helper")
    tools = (FunctionTool(refund), AgentTool(helper), AgentTool(helper, include_plugins=False))
    agent = make_agent(outer, *tools, sub_agents=[make_agent(clerk, refund, name="clerk")], before_tool_callback=lambda **_: None)
    runner = InMemoryRunner(app=App(name="shop", root_agent=agent, plugins=[Counts(name="counts")]))
    runner.auto_create_session = True
    list(runner.run(user_id="u", session_id="warm", new_message=message()))  # the kit keeps what it found out of functions
    restart()
    before = _deep(runner, {})
    wrapped = HexgateRunner(runner, make_gate(), pauses=PausesInMemory())
    asyncio.run(run_once(wrapped, user))
    restart()
    list(wrapped.run(user=user, user_id="u", session_id="sync", new_message=message()))
    assert _deep(runner, {}) == before


def test_the_same_runner_by_itself_is_not_gated() -> None:
    call = ("refund", {"order": "1", "amount": 900})
    agent = make_agent(script(call), refund)
    wrapped = make_runner(agent)
    asyncio.run(run_once(wrapped, NOBODY))
    assert RAN == []
    agent.model.seen.clear()  # type: ignore[union-attr]
    wrapped.runner.auto_create_session = True
    events = list(wrapped.runner.run(user_id="u", session_id="other", new_message=message()))
    assert (RAN, outputs(events), current_guarded_run()) == ([("1", 900)], ["refunded 1"], None)


class OneForAll(BaseLlm):
    """One model for all runs: it asks for what the prompt says, then says what the tool said, word by word where it streams."""

    model: str = "one"

    async def generate_content_async(self, llm_request: Any, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        parts = [part for content in llm_request.contents for part in content.parts or ()]
        said = [part.function_response.response for part in parts if part.function_response]
        order = next(part.text for part in parts if part.text)
        await asyncio.sleep(random.random() / 1000)
        if not said:
            call = types.FunctionCall(id=f"call-{order}", name="who", args={"order": order})
            yield LlmResponse(content=types.Content(role="model", parts=[types.Part(function_call=call)]))
            return
        text = str(said[-1].get("error", said[-1].get("result")))
        for word in text.split(" ") if stream else ():
            await asyncio.sleep(0)
            yield LlmResponse(partial=True, content=types.Content(role="model", parts=[types.Part(text=word + " ")]))
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text=text)]))


PEOPLE = "version: 1\nroles:\n" + "".join(
    f"  role{number}:\n    tools:\n      who: {{mode: allow, constraints: ['args.order.startsWith(user.id + \"-\")']}}\n" for number in range(10)
)


def _for_all(tool: Any) -> HexgateRunner:
    runner = make_runner(make_agent(OneForAll(), tool), make_gate(PEOPLE))
    runner.runner.auto_create_session = True
    return runner


def _events(runner: HexgateRunner, user: User, order: str, **options: Any) -> Any:
    return runner.run_async(user=user, user_id="u", session_id=f"{user.user_id}-{order}", new_message=message(order), **options)


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

    agent = _for_all(who)

    async def one(number: int) -> str | None:
        user = User(f"u{number}", f"role{number % 10}")
        way = number % 6
        order = f"u{number}-{'fails' if way == 5 else 'x'}"
        if way == 0:
            return last_text([event async for event in _events(agent, user, order)])
        if way == 1:
            events = [event async for event in _events(agent, user, order, run_config=RunConfig(streaming_mode=StreamingMode.SSE))]
            assert "".join(part.text for event in events if event.partial for part in event.content.parts).strip() == f"u{number} {order}"
            return last_text(events)
        if way == 2:  # somebody else's order
            return last_text([event async for event in _events(agent, user, f"u{number + 1}-x")])
        if way == 3:  # half read, then closed or left to the collector
            events = _events(agent, user, order)
            await anext(events)
            if number % 4 == 1:
                await events.aclose()
            return "dropped"
        if way == 4:  # in a thread
            steps = agent.run(user=user, user_id="u", session_id=order, new_message=message(order))
            return last_text(await asyncio.to_thread(list, steps))

        async def fails() -> None:
            async for _ in _events(agent, user, order):
                pass

        task = asyncio.create_task(fails())
        if number % 4 == 1:
            await asyncio.sleep(0.002)
            task.cancel()
        done = await asyncio.gather(task, return_exceptions=True)
        return type(done[0]).__name__

    async def main() -> list[str | None]:
        answers = await asyncio.gather(*(one(number) for number in range(200)))
        gc.collect()
        return answers

    answers = asyncio.run(main())
    assert all(order.startswith(user + "-") for user, order in seen) and len(seen) >= 100
    for number, answer in enumerate(answers):
        own = f"u{number} u{number}-x"
        expected = {
            0: {own}, 1: {own}, 2: {"this call is not permitted (constraint_failed)"}, 3: {"dropped"}, 4: {own},
            5: {"RuntimeError", "CancelledError"},
        }[number % 6]  # fmt: skip
        assert answer in expected, number
    assert current_guarded_run() is None


def test_streams_of_two_users_in_one_task() -> None:
    async def who(order: str) -> str:
        """Say who asks."""
        run = current_guarded_run()
        assert run is not None and isinstance(run.user, User)
        return f"{run.user.user_id} {order}"

    agent = _for_all(who)

    async def main() -> tuple[list[Any], bool]:
        streams = {number: _events(agent, User(f"u{number}", f"role{number}"), f"u{number}-x") for number in (1, 2)}
        read: dict[int, list[Any]] = {number: [] for number in streams}
        between = True
        while streams:
            for number, events in list(streams.items()):
                event = await anext(events, None)
                between = between and current_guarded_run() is None
                if event is None:
                    del streams[number]
                else:
                    read[number].append(event)
        return [last_text(events) for events in read.values()], between

    assert asyncio.run(main()) == (["u1 u1-x", "u2 u2-x"], True)


def test_a_nested_wrapper_is_for_its_own_user() -> None:
    async def ask(user: User | None) -> str:
        inner = make_runner(make_agent(script(CALL), refund, name="inner"))
        return str(outputs(await run_once(inner, user)))

    async def outer() -> str:
        return await ask(NOBODY)

    assert outputs(run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)) == ["['this call is not permitted (rule)']"]

    async def helper() -> str:
        return await ask(None)

    assert outputs(run(make_agent(script(("helper", {})), helper), ORCHESTRATOR)) == ["['this call is not permitted (unknown_tool)']"]
    assert RAN == []


def _told(gate: Gate, user: User = ALICE) -> Any:
    events = run(make_agent(script(CALL), refund), user, gate=gate)
    assert last_text(events) == "done"
    return outputs(events)


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

    def refund(order: str, amount: int) -> str:
        now[0] = 4_000_000_001 * 10**9
        return "refunded"

    with Gate.from_bundle(bundle, [key.public], state=tmp_path / "state", audit=False, refresh_seconds=None, clock=lambda: now[0]) as gate:
        events = run(make_agent(script(CALL, CALL), refund), ALICE, gate=gate)
        assert (outputs(events), last_text(events)) == (["refunded", "this call is not permitted (bundle_expired)"], "done")
        assert _told(gate) == ["this call is not permitted (bundle_expired)"]


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
    runner = InMemoryRunner(agent=make_agent(script()), app_name="shop")
    monkeypatch.delenv("HEXGATE_KEY", raising=False)
    with pytest.raises(HexgateKeyError):
        HexgateRunner(runner)
    with pytest.raises(HexgateKeyError):
        HexgatePlugin(ALICE)
    monkeypatch.setenv("HEXGATE_KEY", f"{generate_key().public.text}@{tmp_path / 'none.hexgate'}")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(SourceError, match="does not exist; put the signed bundle there"):
        HexgateRunner(runner)


@pytest.mark.parametrize("confirmations", [False, True])
def test_every_decision_of_a_run_is_recorded_once(monkeypatch: pytest.MonkeyPatch, confirmations: bool) -> None:
    events: list[Any] = []
    decide = GuardedRun._decide
    monkeypatch.setattr(
        GuardedRun, "_decide", lambda run, tool, plain, call_id: events.append((run.run_id, call_id)) or decide(run, tool, plain, call_id)
    )
    calls = [("refund", {"order": "1", "amount": amount}) for amount in (1, 2, 900)]
    tools = [FunctionTool(refund, require_confirmation=lambda order, amount: amount == 900)]
    made = run(make_agent(script(calls), *tools), ALICE, confirmations=confirmations)
    assert len({run_id for run_id, _ in events}) == 1
    assert sorted(call_id for _, call_id in events) == sorted(call.id for event in made for call in event.get_function_calls())
    assert outputs(made) == ["refunded 1", "refunded 1", "this call is not permitted (constraint_failed)"]


ALLOW = "version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow}\n"
DENY = ALLOW.replace("allow", "deny")


def test_a_run_keeps_the_bundle_that_it_began_with(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(ALLOW)
    gate = Gate.from_source(f"dev:{path}", refresh_seconds=None)

    def refund(order: str, amount: int) -> str:
        path.write_text(DENY)
        gate.refresh()
        return "refunded"

    def agent() -> LlmAgent:
        return make_agent(script(CALL, CALL), refund)

    denied = "this call is not permitted (rule)"
    assert outputs(run(agent(), ALICE, gate=gate)) == ["refunded", "refunded"]
    assert outputs(run(agent(), ALICE, gate=gate)) == [denied, denied]


def test_ctx_is_what_the_host_says() -> None:
    gate = make_gate("version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow, constraints: [ctx.ticket == 'T1']}\n")
    agent = make_agent(script(CALL), refund)
    assert outputs(asyncio.run(run_once(make_runner(agent, gate), ALICE, ctx={"ticket": "T1"}))) == ["refunded 1"]


def test_what_a_tool_writes_does_not_say_who_is_calling() -> None:
    def become(tool_context: Any) -> str:
        """Write whatever there is to write."""
        tool_context.state["user"] = tool_context.state["user:role"] = "anybody"
        tool_context.state["hexgate"] = ANYBODY.role
        return "written"

    gate = make_gate("version: 1\nroles:\n  billing:\n    tools:\n      become: {mode: allow}\n  anybody:\n    tools:\n      '*': {mode: allow}\n")
    events = run(make_agent(script(("become", {}), CALL), become, refund), ALICE, gate=gate)
    assert (outputs(events), RAN) == (["written", "this call is not permitted (unknown_tool)"], [])


def test_an_error_of_a_guard_is_one_that_names_no_class() -> None:
    with pytest.raises(AdapterError) as raised:
        asyncio.run(run_once(make_runner(make_agent(script())), "alice"))
    assert str(raised.value) == "`user=` takes a user with an id and a role, or the user of a token"


def test_an_exception_of_a_tool_is_the_callers() -> None:
    def refund(order: str, amount: int) -> str:
        raise ZeroDivisionError("order 1")

    with pytest.raises(ZeroDivisionError, match="order 1"):
        run(make_agent(script(CALL), refund), ALICE)
    assert current_guarded_run() is None


def test_debug_runs() -> None:
    runner = make_runner(make_agent(script(CALL), refund))
    events = asyncio.run(runner.run_debug("go", user=NOBODY, quiet=True))
    assert (outputs(events), RAN) == (["this call is not permitted (rule)"], [])


RUNS = {"run", "run_async", "run_live", "run_debug"}


def test_every_run_method_of_the_kit_is_there() -> None:
    """One that a release adds must not be a way around the gate."""
    found = {name for name in vars(InMemoryRunner.__mro__[1]) if name.startswith("run")}
    assert found == RUNS == {name for name in vars(HexgateRunner) if name.startswith("run")}


@pytest.mark.parametrize("place", attachment.PLACES, ids=lambda place: f"{place.module}.{place.path}")
def test_a_kit_that_has_changed_is_refused(place: attachment.Place, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, _ = attachment._find(place)
    monkeypatch.setattr(owner, name, lambda *args, **options: None)
    with pytest.raises(AdapterError) as raised:
        make_runner(make_agent(script()))
    assert str(raised.value) == (
        f"`google.adk.{place.module}.{place.path}` is not what the gate attaches to in google-adk {version('google-adk')}: install"
        " `hexgate[google-adk]`, which asks for a release that was tested"
    )
