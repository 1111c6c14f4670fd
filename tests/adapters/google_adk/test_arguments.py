"""What is decided is what runs: the decision comes after every callback, on a copy that nobody else has."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from google.adk.agents import LlmAgent
from google.adk.apps.app import App
from google.adk.plugins.base_plugin import BasePlugin
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.function_tool import FunctionTool
from google.adk.workflow import Workflow
from google.genai import types

from hexgate.adapters.google_adk import HexgateRunner
from hexgate.adapters.guard import GuardedRun
from hexgate.adapters.pauses import PausesInMemory
from tests.adapters.google_adk.harness import (
    ALICE,
    ANYBODY,
    NOBODY,
    last_text,
    make_agent,
    make_gate,
    make_runner,
    outputs,
    run_once,
    script,
)

RAN: list[Any] = []
FAILED = "this call is not permitted (constraint_failed)"
CALL = ("refund", {"order": "30", "amount": 30})
NESTED = "version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow, constraints: ['args.lines.all(line, line.amount <= 500)']}\n"


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


def raise_amount(tool: Any, args: dict[str, Any], tool_context: Any) -> None:
    """An agent's own callback, which comes after all plugins."""
    args["amount"] = 31337


class Raises(BasePlugin):
    """A plugin that does the same."""

    def __init__(self) -> None:
        super().__init__(name="raises")

    async def before_tool_callback(self, *, tool: Any, tool_args: dict[str, Any], tool_context: Any) -> None:
        tool_args["amount"] = 31337


def told(agent: LlmAgent, *plugins: BasePlugin, user: Any = ALICE, **options: Any) -> list[Any]:
    """What the model is told by its tools."""
    return outputs(asyncio.run(run_once(make_runner(agent, plugins=plugins, **options), user)))


def test_what_callbacks_make_of_the_arguments_is_decided_on() -> None:
    assert told(make_agent(script(CALL), refund, before_tool_callback=raise_amount)) == [FAILED]
    assert told(make_agent(script(CALL), refund), Raises()) == [FAILED]
    assert RAN == []
    assert told(make_agent(script(CALL), refund, before_tool_callback=raise_amount), user=ANYBODY) == ["refunded"]
    assert RAN == [("30", 31337)]


def test_a_confirmation_is_of_what_callbacks_leave() -> None:
    """Held for the arguments of now: what a callback makes of them on resume is another call."""
    policy = "version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: approval_required, message: ask a person}\n"
    amounts = iter([30, 31337])

    def edit(tool: Any, args: dict[str, Any], tool_context: Any) -> None:
        args["amount"] = next(amounts)

    runner = make_runner(make_agent(script(CALL), refund, before_tool_callback=edit), make_gate(policy), confirmations=True)
    events = asyncio.run(run_once(runner, ALICE))
    (request,) = [call for event in events for call in event.get_function_calls() if call.name == "adk_request_confirmation"]
    from tests.adapters.google_adk.test_pauses import answer

    events = asyncio.run(run_once(runner, ALICE, new=answer(request.id, True)))
    assert (outputs(events), RAN) == (["the approval is not for this call (approval_mismatch)"], [])


class Raw(BaseTool):
    """A tool that takes what it is given."""

    def _get_declaration(self) -> types.FunctionDeclaration:
        return types.FunctionDeclaration(name=self.name, description="")


class Slow(Raw):
    """A tool that reads its arguments after a while."""

    def __init__(self, started: threading.Event, changed: threading.Event) -> None:
        super().__init__(name="refund", description="")
        self.started, self.changed = started, changed

    async def run_async(self, *, args: dict[str, Any], tool_context: Any) -> Any:
        self.started.set()
        assert await asyncio.to_thread(self.changed.wait, 30)
        RAN.append(args["lines"][0]["amount"])
        return "refunded"


def change_later(args: dict[str, Any]) -> tuple[threading.Event, threading.Event]:
    """A thread that changes arguments once the tool has begun."""
    started, changed = threading.Event(), threading.Event()

    def change() -> None:
        assert started.wait(30)
        args["lines"][0]["amount"] = 31337
        args["lines"] = [{"amount": 31337}]
        changed.set()

    threading.Thread(target=change, daemon=True).start()
    return started, changed


@pytest.mark.parametrize("where", ["agent", "plugin", "node"])
def test_arguments_that_a_thread_changes_after_the_decision_do_not_reach_the_tool(where: str) -> None:
    tool = Slow(threading.Event(), threading.Event())

    def keep(args: dict[str, Any]) -> None:
        tool.started, tool.changed = change_later(args)

    class Keeps(BasePlugin):
        async def before_tool_callback(self, *, tool: Any, tool_args: dict[str, Any], tool_context: Any) -> None:
            keep(tool_args)

    def callback(tool: Any, args: dict[str, Any], tool_context: Any) -> None:
        keep(args)

    given = {"lines": [{"amount": 30}]}
    if where == "node":

        def first(node_input: Any) -> dict[str, Any]:
            return given

        app = App(name="shop", root_agent=Workflow(name="flow", edges=[("START", first), (first, tool)]), plugins=[Keeps(name="keeps")])
        runner = Runner(app=app, session_service=InMemorySessionService())
        wrapped = HexgateRunner(runner, make_gate(NESTED), pauses=PausesInMemory())
        events = asyncio.run(run_once(wrapped, ALICE))
        assert (events[-1].output, RAN) == ("refunded", [30])
        return
    agent = make_agent(script(("refund", given)), tool, before_tool_callback=callback if where == "agent" else None)
    plugins = [Keeps(name="keeps")] if where == "plugin" else []
    assert (told(agent, *plugins, gate=make_gate(NESTED)), RAN) == (["refunded"], [30])


def test_what_the_model_said_is_not_shared_with_the_tool() -> None:
    class Changes(Raw):
        async def run_async(self, *, args: dict[str, Any], tool_context: Any) -> Any:
            args["lines"][0]["amount"] = 31337
            return "refunded"

    agent = make_agent(script(("refund", {"lines": [{"amount": 1}]})), Changes(name="refund", description=""))
    events = asyncio.run(run_once(make_runner(agent), ANYBODY))
    (call,) = [call for event in events for call in event.get_function_calls()]
    assert (outputs(events), call.args) == (["refunded"], {"lines": [{"amount": 1}]})


def test_a_callback_that_answers_leaves_nothing_to_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    decided: list[str] = []
    decide = GuardedRun._decide
    monkeypatch.setattr(GuardedRun, "_decide", lambda run, tool, *rest: decided.append(tool) or decide(run, tool, *rest))

    def answers(tool: Any, args: dict[str, Any], tool_context: Any) -> dict[str, str]:
        return {"result": "from a cache"}

    agent = make_agent(script(CALL), refund, before_tool_callback=answers)
    assert (told(agent, user=NOBODY), RAN, decided) == (["from a cache"], [], [])


def test_a_callback_may_reword_a_refusal_but_not_undo_it() -> None:
    def reword(tool: Any, args: dict[str, Any], tool_context: Any, tool_response: dict[str, Any]) -> dict[str, Any]:
        return {"result": f"no: {tool_response['error']}"}

    agent = make_agent(script(CALL), refund, after_tool_callback=reword)
    assert (told(agent, user=NOBODY), RAN) == (["no: this call is not permitted (rule)"], [])


def test_an_error_callback_is_not_asked_about_a_refusal() -> None:
    def on_error(tool: Any, args: dict[str, Any], tool_context: Any, error: Exception) -> dict[str, Any]:
        RAN.append(error)
        return {"result": "saved"}

    agent = make_agent(script(CALL), refund, on_tool_error_callback=on_error)
    assert (told(agent, user=NOBODY), RAN) == (["this call is not permitted (rule)"], [])


def test_a_value_that_the_language_lacks() -> None:
    class Live:
        """A live object."""

    def put(tool: Any, args: dict[str, Any], tool_context: Any) -> None:
        args["amount"] = Live()

    error = "this call is not permitted (evaluation_error)"
    assert (told(make_agent(script(CALL), refund, before_tool_callback=put)), RAN) == ([error], [])


def test_nobody_is_asked_about_a_call_that_will_be_refused() -> None:
    """A tool's own confirmation, where the host takes none from the policy."""
    for user, text in ((NOBODY, "this call is not permitted (rule)"), (ALICE, FAILED)):
        agent = make_agent(script(("refund", {"order": "1", "amount": 900})), FunctionTool(refund, require_confirmation=True))
        events = asyncio.run(run_once(make_runner(agent), user))
        assert (outputs(events), last_text(events), RAN) == ([text], "done", [])
        assert [call.name for event in events for call in event.get_function_calls()] == ["refund"]
