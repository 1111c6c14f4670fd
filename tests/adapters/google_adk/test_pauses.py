"""Held calls: the kit's tool confirmations, answered in a new message, here or in another process that has the session."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.sessions.session import Session
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.function_tool import FunctionTool
from google.genai import types

from hexgate.adapters.google_adk import HexgateRunner
from hexgate.adapters.pauses import PausesInFile, PausesInMemory
from hexgate.runtime import User
from tests.adapters.boundaries import boundary
from tests.adapters.google_adk.harness import (
    ALICE,
    ANYBODY,
    ASKER,
    BOB,
    NOBODY,
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

RAN: list[Any] = []
NATIVE = "This tool call requires confirmation, please approve or reject."
MISMATCH = "the approval is not for this call (approval_mismatch)"


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def wire(to: str, amount: int = 1) -> str:
    """Wire money."""
    RAN.append((to, amount))
    return "wired"


CALL = ("wire", {"to": "x"})


def asked(events: list[Any]) -> list[Any]:
    """The kit's requests for a confirmation."""
    return [call for event in events for call in event.get_function_calls() if call.name == "adk_request_confirmation"]


def answer(call_id: str, confirmed: bool) -> types.Content:
    """The message that answers a request."""
    response = types.FunctionResponse(id=call_id, name="adk_request_confirmation", response={"confirmed": confirmed})
    return types.Content(role="user", parts=[types.Part(function_response=response)])


def pause(runner: HexgateRunner, user: User = ALICE) -> str:
    """Run into the pause; the id of the request."""
    events = asyncio.run(run_once(runner, user))
    requests = asked(events)
    assert (len(requests), RAN) == (1, []), outputs(events)
    assert requests[0].args["originalFunctionCall"]["name"] == "wire"
    return str(requests[0].id)


def resume(runner: HexgateRunner, request: str, user: User = ALICE, confirmed: bool = True) -> list[Any]:
    """The events after the answer."""
    return asyncio.run(run_once(runner, user, new=answer(request, confirmed)))


@boundary("pause", "resume, approve")
@pytest.mark.parametrize("tool", [wire, FunctionTool(wire, require_confirmation=True)])
@pytest.mark.parametrize("user", [ALICE, ASKER])
def test_approved(tool: Any, user: User) -> None:
    runner = make_runner(make_agent(script(CALL), tool), confirmations=True)
    events = resume(runner, pause(runner, user), user)
    assert (RAN, outputs(events), last_text(events)) == ([("x", 1)], ["wired"], "done")


def test_the_request_says_what_the_policy_says() -> None:
    runner = make_runner(make_agent(script(CALL), wire), confirmations=True)
    request = asked(asyncio.run(run_once(runner, ALICE)))[0]
    assert request.args["toolConfirmation"]["hint"] == "ask a person"


@boundary("resume, reject")
def test_rejected() -> None:
    runner = make_runner(make_agent(script(CALL), wire), confirmations=True)
    events = resume(runner, pause(runner), confirmed=False)
    assert (RAN, outputs(events), last_text(events)) == ([], ["This tool call is rejected."], "done")


@boundary("resume as another user")
@pytest.mark.parametrize(("user", "text"), [(BOB, MISMATCH), (NOBODY, "this call is not permitted (rule)")])
def test_resumed_as_another_user(user: User, text: str) -> None:
    runner = make_runner(make_agent(script(CALL), wire), confirmations=True)
    events = resume(runner, pause(runner), user)
    assert (RAN, outputs(events), last_text(events)) == ([], [text], "done")


@boundary("edited while paused")
def test_edited_while_paused() -> None:
    runner = make_runner(make_agent(script(CALL), wire), confirmations=True)
    request = pause(runner)
    service = runner.runner.session_service
    assert isinstance(service, InMemorySessionService)
    for event in service.sessions["shop"]["u"]["s"].events:
        for call in event.get_function_calls():
            if call.name == "wire":
                call.args = {"to": "me", "amount": 31337}
            else:
                call.args["originalFunctionCall"]["args"] = {"to": "me", "amount": 31337}
    assert (outputs(resume(runner, request)), RAN) == ([MISMATCH], [])


@boundary("pause")
def test_a_confirmation_that_nobody_asked_for_is_none() -> None:
    """Whoever writes the session, and has no record of the pause."""
    runner = make_runner(make_agent(script(CALL), wire), confirmations=True)
    request = pause(runner)
    runner.guard.pauses = PausesInMemory()
    assert (outputs(resume(runner, request)), RAN) == ([MISMATCH], [])


def test_an_answer_counts_once() -> None:
    runner = make_runner(make_agent(script(CALL), wire), confirmations=True)
    request = pause(runner)
    resume(runner, request)
    resume(runner, request)
    assert RAN == [("x", 1)]


def test_without_confirmations_a_held_call_is_refused() -> None:
    events = run(make_agent(script(CALL), wire), ALICE)
    assert (asked(events), outputs(events), last_text(events), RAN) == ([], ["ask a person"], "done", [])


def test_what_is_refused_is_not_asked_about() -> None:
    events = run(make_agent(script(CALL), wire), NOBODY, confirmations=True)
    assert (asked(events), last_text(events), RAN) == ([], "done", [])


def test_a_tools_own_confirmation_stays() -> None:
    runner = make_runner(make_agent(script(CALL), FunctionTool(wire, require_confirmation=True)), confirmations=True)
    events = asyncio.run(run_once(runner, ANYBODY))
    assert (outputs(events), RAN) == ([NATIVE], [])
    assert (outputs(resume(runner, asked(events)[0].id, ANYBODY)), RAN) == (["wired"], [("x", 1)])


def test_nobody_can_answer_inside_of_a_tool() -> None:
    inner = script(CALL)
    policy = "version: 1\nroles:\n  billing:\n    tools:\n      helper: {mode: allow}\n      wire: {mode: approval_required, message: ask a person}\n"
    agent = make_agent(script(("helper", {"request": "x"})), AgentTool(make_agent(inner, wire, name="helper")))
    events = run(agent, ALICE, gate=make_gate(policy), confirmations=True)
    assert (outputs(events), told(inner), RAN) == (["done"], ["ask a person"], [])


def test_parallel_calls_are_asked_about_one_by_one() -> None:
    runner = make_runner(make_agent(script([CALL, ("wire", {"to": "y"})]), wire), confirmations=True)
    first, second = asked(asyncio.run(run_once(runner, ALICE)))
    parts = [*(answer(first.id, True).parts or ()), *(answer(second.id, False).parts or ())]
    events = asyncio.run(run_once(runner, ALICE, new=types.Content(role="user", parts=parts)))
    assert (RAN, outputs(events)) == ([("x", 1)], ["wired", "This tool call is rejected."])


def test_resumed_elsewhere(tmp_path: Path) -> None:
    """From the session as JSON, with objects that share nothing with those before but the file of pauses."""
    gate = make_gate()

    def build(steps: list[Any], service: InMemorySessionService) -> HexgateRunner:
        runner = Runner(app_name="shop", agent=make_agent(script(*steps), wire), session_service=service)
        return HexgateRunner(runner, gate, confirmations=True, pauses=PausesInFile(tmp_path / "pauses.sqlite"))

    async def first() -> tuple[str, str]:
        runner = build([CALL], InMemorySessionService())
        request = asked(await run_once(runner, ALICE))[0].id
        session = await runner.runner.session_service.get_session(app_name="shop", user_id="u", session_id="s")
        assert session is not None
        return request, session.model_dump_json()

    async def second(request: str, text: str) -> list[Any]:
        service = InMemorySessionService()
        made = await service.create_session(app_name="shop", user_id="u", session_id="s")
        for event in Session.model_validate_json(text).events:
            await service.append_event(made, event)
        return await run_once(build([], service), ALICE, new=answer(request, True))

    events = asyncio.run(second(*asyncio.run(first())))
    assert (RAN, outputs(events), last_text(events)) == ([("x", 1)], ["wired"], "done")
