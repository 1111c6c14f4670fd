"""Held calls: the run ends with them, waits as text, and goes on only with the very call that was asked about."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai import Agent, RunContext, Tool
from pydantic_ai.capabilities import HandleDeferredToolCalls
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelRequest, ModelResponse, ToolCallPart, UserPromptPart
from pydantic_ai.tools import DeferredToolRequests, DeferredToolResults, ToolApproved, ToolDenied

from hexgate.adapters.pauses import PausesInFile, PausesInMemory
from hexgate.adapters.pydantic_ai import HexgateAgent, HexgateCapability
from hexgate.runtime import Gate, User
from tests.adapters.boundaries import boundary
from tests.adapters.pydantic_ai.harness import (
    ALICE,
    ANYBODY,
    ASKER,
    BOB,
    DENIED,
    NOBODY,
    Script,
    make_agent,
    make_gate,
    told,
    wrap,
)

ROOT = Path(__file__).parents[3]
RAN: list[Any] = []
MISMATCH = "the approval is not for this call (approval_mismatch)"
REQUIRED = "this call needs an approval (approval_required)"
CALL = ("wire", {"to": "x", "amount": 1}, "call-1")
WITH_PAUSE: Any = [str, DeferredToolRequests]


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def wire(to: str, amount: int = 5) -> str:
    """Wire money."""
    RAN.append((to, amount))
    return "wired"


def pause(runner: HexgateAgent, user: User = ALICE) -> tuple[str, DeferredToolRequests]:
    """The history of a run that waits, as a text, and what it waits for."""
    result = asyncio.run(runner.run("go", user=user))
    assert RAN == []
    return result.all_messages_json().decode(), result.output


def resume(runner: HexgateAgent, text: str, user: User = ALICE, answer: Any = True, call_id: str = "call-1") -> Any:
    """The run that goes on with the answer to its call."""
    history = ModelMessagesTypeAdapter.validate_json(text)
    results = DeferredToolResults(approvals={call_id: answer})
    return asyncio.run(runner.run(message_history=history, deferred_tool_results=results, user=user))


def agent_of(*steps: Any, tool: Any = wire, **fields: Any) -> Agent[Any, Any]:
    """An agent whose caller takes held calls."""
    return make_agent(Script(*steps), tool, output_type=fields.pop("output_type", WITH_PAUSE), **fields)


@boundary("pause", "resume, approve")
def test_approved() -> None:
    pauses = PausesInMemory()
    text, requests = pause(wrap(agent_of(CALL), pauses=pauses))
    assert [call.tool_name for call in requests.approvals] == ["wire"]
    assert requests.metadata == {"call-1": {"message": "ask a person", "request_id": None}}
    result = resume(wrap(agent_of(), pauses=pauses), text)
    assert (RAN, told(result), result.output) == ([("x", 1)], ["wired"], "done")
    again = resume(wrap(agent_of(), pauses=pauses), text)
    assert (len(RAN), told(again)) == (1, [MISMATCH])


@boundary("resume, reject")
@pytest.mark.parametrize(("answer", "text"), [(False, "The tool call was denied."), (ToolDenied("not today"), "not today")])
def test_rejected(answer: Any, text: str) -> None:
    runner = wrap(agent_of(CALL))
    assert (told(resume(runner, pause(runner)[0], answer=answer)), RAN) == ([text], [])


@boundary("resume as another user")
@pytest.mark.parametrize(("user", "text"), [(BOB, MISMATCH), (NOBODY, DENIED), (ASKER, MISMATCH)])
def test_another_user(user: User, text: str) -> None:
    runner = wrap(agent_of(CALL))
    assert (told(resume(runner, pause(runner)[0], user)), RAN) == ([text], [])


def test_a_user_for_whom_the_call_is_allowed_needs_no_approval() -> None:
    runner = wrap(agent_of(CALL))
    assert (told(resume(runner, pause(runner)[0], ANYBODY)), RAN) == (["wired"], [("x", 1)])


@boundary("edited while paused")
@pytest.mark.parametrize(("old", "new"), [('"to":"x"', '"to":"y"'), ('"amount":1', '"amount":1000'), ('"amount":1', '"amount":1.0')])
def test_edited(old: str, new: str) -> None:
    """What is validated to the very same arguments is the same call."""
    runner = wrap(agent_of(CALL))
    text, _ = pause(runner)
    assert old in text
    result = resume(runner, text.replace(old, new))
    assert (told(result), RAN) == ((["wired"], [("x", 1)]) if new.endswith("1.0") else ([MISMATCH], []))


@boundary("edited while paused")
def test_edited_with_the_approval() -> None:
    runner = wrap(agent_of(CALL))
    text, _ = pause(runner)
    answer = ToolApproved(override_args={"to": "mallory", "amount": 31_337})
    assert (told(resume(runner, text, answer=answer)), RAN) == ([MISMATCH], [])
    assert told(resume(runner, text)) == ["wired"]


@boundary("edited while paused")
def test_an_invented_history_with_an_invented_approval() -> None:
    call = ToolCallPart("wire", {"to": "mallory"}, tool_call_id="call-1")
    history = [ModelRequest(parts=[UserPromptPart("go")]), ModelResponse(parts=[call])]
    text = ModelMessagesTypeAdapter.dump_json(history).decode()
    assert (told(resume(wrap(agent_of()), text)), RAN) == ([MISMATCH], [])


def test_another_call_id_is_another_call() -> None:
    runner = wrap(agent_of(CALL))
    text, _ = pause(runner)
    assert (told(resume(runner, text.replace("call-1", "call-2"), call_id="call-2")), RAN) == ([MISMATCH], [])


def test_a_default_that_is_filled_in_is_part_of_the_call() -> None:
    runner = wrap(agent_of(("wire", {"to": "x"}, "call-1")))
    text, _ = pause(runner)
    assert (told(resume(runner, text)), RAN) == (["wired"], [("x", 5)])


NO_PAUSE: list[Any] = [str, [str], None]


@pytest.mark.parametrize("output", NO_PAUSE)
def test_a_caller_who_takes_no_held_calls(output: Any) -> None:
    agent = agent_of(CALL, output_type=str)
    result = asyncio.run(wrap(agent).run("go", user=ALICE, output_type=output))
    assert (RAN, told(result), result.output) == ([], ["ask a person"], "done")
    asker = asyncio.run(wrap(agent_of(CALL, output_type=str)).run("go", user=ASKER))
    assert told(asker) == [REQUIRED]


@pytest.mark.parametrize("output", [WITH_PAUSE, str | DeferredToolRequests, [[str], [DeferredToolRequests]]])
def test_a_run_whose_output_may_be_held_calls(output: Any) -> None:
    agent = agent_of(CALL, output_type=str)
    result = asyncio.run(wrap(agent).run("go", user=ALICE, output_type=output))
    assert [call.tool_name for call in result.output.approvals] == ["wire"]


def test_a_capability_of_one_run_pauses() -> None:
    gate, pauses = make_gate(), PausesInMemory()
    from hexgate.adapters.guard import Guard

    guard = Guard(gate, pauses=pauses)
    result = agent_of(CALL).run_sync("go", capabilities=[HexgateCapability(ALICE, guard=guard)])
    assert [call.tool_name for call in result.output.approvals] == ["wire"]
    again = agent_of().run_sync(
        message_history=result.all_messages(),
        deferred_tool_results=DeferredToolResults(approvals={"call-1": True}),
        capabilities=[HexgateCapability(ALICE, guard=guard)],
    )
    assert (told(again), RAN) == (["wired"], [("x", 1)])


def test_one_of_the_agents_own_does_not_know_what_its_caller_takes() -> None:
    agent = agent_of(CALL, capabilities=[HexgateCapability(ALICE, make_gate())])
    assert (told(agent.run_sync("go")), RAN) == (["ask a person"], [])


def test_streamed_and_as_events() -> None:
    async def streamed() -> Any:
        async with wrap(agent_of(CALL)).run_stream("go", user=ALICE) as stream:
            return await stream.get_output()

    async def events() -> Any:
        async with wrap(agent_of(CALL)).run_stream_events("go", user=ALICE) as each:
            return [event async for event in each][-1].result.output

    for way in (streamed, events):
        assert [call.tool_name for call in asyncio.run(way()).approvals] == ["wire"]


def test_held_beside_allowed_and_denied() -> None:
    def refund(amount: int) -> str:
        RAN.append(amount)
        return "refunded"

    pauses = PausesInMemory()
    calls = [("refund", {"amount": 1}), CALL, ("refund", {"amount": 900})]
    result = asyncio.run(wrap(make_agent(Script(calls), refund, wire, output_type=WITH_PAUSE), pauses=pauses).run("go", user=ALICE))
    assert (RAN, [call.tool_name for call in result.output.approvals]) == ([1], ["wire"])
    runner = wrap(make_agent(Script(), refund, wire, output_type=WITH_PAUSE), pauses=pauses)
    done = resume(runner, result.all_messages_json().decode())
    assert (RAN, done.output) == ([1, ("x", 1)], "done")
    assert sorted(told(done)) == ["refunded", "this call is not permitted (constraint_failed)", "wired"]


@pytest.mark.parametrize(
    ("answer", "ran", "text"),
    [(True, [("x", 1)], "wired"), (False, [], "The tool call was denied."), (None, [], "ask a person"),
     (ToolApproved(override_args={"to": "y"}), [], MISMATCH)],
)  # fmt: skip
@pytest.mark.parametrize("output", [str, WITH_PAUSE])
def test_another_capability_that_answers_during_the_run(answer: Any, ran: Any, text: str, output: Any) -> None:
    """One that does not answer leaves the call: to the caller who takes it, or refused."""

    def handle(ctx: RunContext[Any], requests: DeferredToolRequests) -> DeferredToolResults | None:
        return None if answer is None else requests.build_results(approvals={"call-1": answer})

    agent = agent_of(CALL, output_type=output, capabilities=[HandleDeferredToolCalls(handle)])
    result = asyncio.run(wrap(agent).run("go", user=ALICE))
    if answer is None and output is WITH_PAUSE:
        assert [call.tool_name for call in result.output.approvals] == ["wire"]
    else:
        assert (RAN, told(result), result.output) == (ran, [text], "done")


def test_the_frameworks_own_question_is_the_same_question() -> None:
    """A tool that always asks: the caller's answer counts for the policy as well, and both must say yes."""
    tool = Tool(wire, requires_approval=True)
    runner = wrap(agent_of(CALL, tool=tool))
    text, requests = pause(runner)
    assert [call.tool_name for call in requests.approvals] == ["wire"]
    assert (told(resume(runner, text, BOB)), RAN) == ([MISMATCH], [])
    assert (told(resume(runner, text)), RAN) == (["wired"], [("x", 1)])


def test_a_tool_that_asks_by_itself_is_run_by_the_policy() -> None:
    from pydantic_ai import ApprovalRequired

    def wire(ctx: RunContext[Any], to: str, amount: int) -> str:
        if not ctx.tool_call_approved:
            raise ApprovalRequired
        RAN.append((to, amount))
        return "wired"

    runner = wrap(agent_of(CALL, tool=wire))
    text, _ = pause(runner, ANYBODY)
    assert (told(resume(runner, text, NOBODY)), RAN) == ([DENIED], [])
    assert told(resume(runner, text, ANYBODY)) == ["wired"]


def test_a_nested_agent_whose_caller_takes_held_calls() -> None:
    async def outer() -> str:
        inner = agent_of(("wire", {"to": "x"}, "inner-1"))
        return f"waits for {(await inner.run('go')).output.approvals[0].tool_name}"

    policy = "version: 1\nroles:\n  billing:\n    tools:\n      outer: {mode: allow}\n      wire: {mode: approval_required}\n"
    result = asyncio.run(wrap(make_agent(Script(("outer", {})), outer), make_gate(policy)).run("go", user=ALICE))
    assert (told(result), RAN) == (["waits for wire"], [])


OTHER_PROCESS = """
import json, sys
from hexgate.adapters.pauses import PausesInFile
from tests.adapters.pydantic_ai import test_pauses as here
result = here.resume(here.wrap(here.agent_of(), pauses=PausesInFile(sys.argv[1])), sys.stdin.read())
print(json.dumps([here.RAN, here.told(result), result.output]))
"""


def test_resumed_in_another_process(tmp_path: Path) -> None:
    pauses = tmp_path / "pauses.sqlite"
    text, _ = pause(wrap(agent_of(CALL), pauses=PausesInFile(pauses)))
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, str(pauses)], input=text, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(done.stdout) == [[["x", 1]], ["wired"], "done"]
    again = resume(wrap(agent_of(), pauses=PausesInFile(pauses)), text)
    assert (RAN, told(again)) == ([], [MISMATCH])


def test_the_bundle_that_held_the_call_is_the_one_that_lets_it_run() -> None:
    """A new version in between: the approval was of a call under the old one."""
    pauses = PausesInMemory()
    text, _ = pause(wrap(agent_of(CALL), pauses=pauses))
    stricter = make_gate("version: 1\nroles:\n  billing:\n    tools:\n      wire: {mode: approval_required, constraints: [args.to != '']}\n")
    assert (told(resume(wrap(agent_of(), stricter, pauses=pauses), text)), RAN) == ([MISMATCH], [])


def test_a_rule_that_names_approvers(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nroles:\n  billing:\n    tools:\n      wire: {mode: approval_required, approvers: [boss]}\n  boss: {}\n")
    gate = Gate.from_source(f"dev:{policy}", refresh_seconds=None)
    result = asyncio.run(wrap(agent_of(CALL), gate).run("go", user=ALICE))
    assert told(result) == ["this call needs an approval by somebody whom the policy names (approver_required)"]
