"""Held calls: the SDK's interruptions, approved or rejected on a RunState, here or in another process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from agents import Agent, ApplyPatchTool, CustomTool, HostedMCPTool, RunState, ShellTool, function_tool
from agents._tool_invocation import tool_invocation_identity
from agents.editor import ApplyPatchResult
from openai.types.responses import ResponseCustomToolCall
from openai.types.responses.response_output_item import McpApprovalRequest

from hexgate.adapters.pauses import PausesInFile, PausesInMemory
from hexgate.runtime import User
from tests.adapters.boundaries import boundary
from tests.adapters.openai.harness import (
    ALICE,
    ASKER,
    BOB,
    NOBODY,
    ToolServer,
    make_agent,
    make_gate,
    make_runner,
    outputs,
    script,
)

RAN: list[Any] = []
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@function_tool
def wire(to: str, amount: int = 1) -> str:
    """Wire money."""
    RAN.append((to, amount))
    return "wired"


CALL = ("wire", {"to": "x"})


def pause(agent: Agent[Any], runner: Any, user: User = ALICE) -> str:
    """Run into the pause; the state as text."""
    result = asyncio.run(runner.run(agent, "go", user=user))
    assert len(result.interruptions) == 1, outputs(result)
    assert RAN == []
    return str(result.to_state().to_string())


def resume(agent: Agent[Any], runner: Any, text: str, user: User = ALICE, *, approve: bool = True, **options: Any) -> Any:
    """Approve or reject what waits, and run on."""

    async def main() -> Any:
        state = await RunState.from_string(agent, text)
        for item in state.get_interruptions():
            if approve:
                state.approve(item, **options)
            else:
                state.reject(item, **options)
        return await runner.run(agent, state, user=user)

    return asyncio.run(main())


def edit(text: str, old: str, new: str) -> str:
    """The state with other arguments, and with the SDK's own digest of the call made to fit them."""
    edited = text.replace(old, new)
    before, after = (json.loads(each)["current_step"]["data"]["interruptions"][0] for each in (text, edited))
    name = None if before["raw_item"]["type"] == "function_call" else before["tool_name"]
    digests = [tool_invocation_identity(each["raw_item"], tool_name=name) for each in (before, after)]
    assert digests[0] is not None and digests[1] is not None and digests[0][2] in edited
    return edited.replace(digests[0][2], digests[1][2])


@boundary("pause", "resume, approve")
def test_approved() -> None:
    runner, agent = make_runner(), make_agent(script(CALL), wire)
    result = resume(agent, runner, pause(agent, runner))
    assert (RAN, outputs(result), result.final_output) == ([("x", 1)], ["wired"], "done")


@boundary("resume, reject")
def test_rejected() -> None:
    runner, agent = make_runner(), make_agent(script(CALL), wire)
    result = resume(agent, runner, pause(agent, runner), approve=False, rejection_message="not today")
    assert (RAN, outputs(result), result.final_output) == ([], ["not today"], "done")


MISMATCH = "the approval is not for this call (approval_mismatch)"


@boundary("resume as another user")
@pytest.mark.parametrize(
    ("user", "told"), [(BOB, MISMATCH), (NOBODY, "this call is not permitted (rule)"), (User("alice", "asker"), MISMATCH)]
)
def test_resumed_as_somebody_else(user: User, told: str) -> None:
    runner, agent = make_runner(), make_agent(script(CALL), wire)
    result = resume(agent, runner, pause(agent, runner), user)
    assert (RAN, outputs(result), result.final_output) == ([], [told], "done")


@boundary("edited while paused")
def test_edited_while_paused() -> None:
    runner, agent = make_runner(), make_agent(script(("wire", {"to": "x", "amount": 30})), wire)
    text = pause(agent, runner)
    result = resume(agent, runner, edit(text, '\\"amount\\":30', '\\"amount\\":31337'))
    assert (RAN, outputs(result)) == ([], [MISMATCH])


def test_an_approval_counts_once() -> None:
    runner, agent = make_runner(), make_agent(script(CALL), wire)
    text = pause(agent, runner)
    resume(agent, runner, text)
    agent = make_agent(script(), wire)
    result = resume(agent, runner, text)
    assert (RAN, outputs(result)) == ([("x", 1)], [MISMATCH])


def test_an_approval_for_ever_is_for_one_call() -> None:
    runner, agent = make_runner(), make_agent(script(CALL, ("wire", {"to": "y"})), wire)
    result = resume(agent, runner, pause(agent, runner), always_approve=True)
    assert (RAN, outputs(result)) == ([("x", 1)], ["wired", MISMATCH])


def test_a_pause_that_the_tool_itself_asked_for_is_no_approval_of_the_policys() -> None:
    @function_tool(needs_approval=True)
    def refund(amount: int) -> str:
        RAN.append(amount)
        return "refunded"

    runner, agent = make_runner(), make_agent(script(("refund", {"amount": 10})), refund)
    result = resume(agent, runner, pause(agent, runner))
    assert (RAN, outputs(result)) == ([10], ["refunded"])
    agent = make_agent(script(("refund", {"amount": 900})), refund)
    denied = asyncio.run(runner.run(agent, "go", user=ALICE))
    assert (RAN, outputs(denied), denied.interruptions) == ([10], ["this call is not permitted (constraint_failed)"], [])


@pytest.mark.parametrize("streamed", [False, True])
def test_two_calls_wait_in_one_turn(streamed: bool) -> None:
    runner = make_runner()
    agent = make_agent(script([("wire", {"to": "x"}), ("wire", {"to": "y"})]), wire)

    async def main() -> Any:
        if streamed:
            first = runner.run_streamed(agent, "go", user=ALICE)
            async for _ in first.stream_events():
                pass
        else:
            first = await runner.run(agent, "go", user=ALICE)  # type: ignore[assignment]
        state = first.to_state()
        one, other = state.get_interruptions()
        state.approve(one)
        state.reject(other)
        if not streamed:
            return await runner.run(agent, state, user=ALICE)
        last = runner.run_streamed(agent, state, user=ALICE)
        async for _ in last.stream_events():
            pass
        return last

    result = asyncio.run(main())
    assert (RAN, outputs(result)[-2:], result.final_output) == ([("x", 1)], ["wired", "Tool execution was not approved."], "done")


def test_a_call_waits_inside_an_agent_as_a_tool() -> None:
    runner = make_runner()
    inner = make_agent(script(CALL), wire, name="helper")
    agent = make_agent(script(("ask_helper", {"input": "x"})), inner.as_tool("ask_helper", "Ask."))
    result = resume(agent, runner, pause(agent, runner))
    assert (RAN, outputs(result), result.final_output) == ([("x", 1)], ["done"], "done")


def test_an_agent_as_a_tool_waits_and_then_a_call_inside_it() -> None:
    runner = make_runner()
    inner = make_agent(script(CALL), wire, name="helper")
    agent = make_agent(script(("ask_helper", {"input": "x"})), inner.as_tool("ask_helper", "Ask."))
    first = pause(agent, runner, ASKER)
    second = resume(agent, runner, first, ASKER)
    assert (RAN, [item.name for item in second.interruptions]) == ([], ["wire"])
    result = resume(agent, runner, second.to_state().to_string(), ASKER)
    assert (RAN, outputs(result)) == ([("x", 1)], ["done"])


def test_a_local_mcp_tool_waits() -> None:
    runner, agent = make_runner(), make_agent(script(("list_files", {})), mcp_servers=[ToolServer("list_files", RAN)])
    resume(agent, runner, pause(agent, runner, ASKER), ASKER)
    assert RAN == ["list_files"]


async def _write(context: Any, text: str) -> str:
    RAN.append(text)
    return "written"


class _Editor:
    def update_file(self, operation: Any) -> ApplyPatchResult:
        RAN.append(operation.path)
        return ApplyPatchResult(status="completed", output="patched")

    create_file = delete_file = update_file


def _execute(request: Any) -> str:
    RAN.append(tuple(request.data.action.commands))
    return "ran"


OF_THEIR_OWN = [
    # a tool of its own kind, its call, what it does, its output, a change while it is paused
    (CustomTool(name="write", description="", on_invoke_tool=_write),
     ResponseCustomToolCall(call_id="c1", input="paper", name="write", type="custom_tool_call"), "paper", "written", ("paper", "stone")),
    (ShellTool(executor=_execute),
     {"type": "shell_call", "id": "s1", "call_id": "s1", "status": "completed", "action": {"type": "exec", "commands": ["paper"]}},
     ("paper",), "ran", ("paper", "stone")),
    (ApplyPatchTool(editor=_Editor()),
     {"type": "apply_patch_call", "call_id": "p1", "operation": {"type": "update_file", "path": "paper", "diff": "-a\n+b"}},
     "paper", "patched", ("paper", "stone")),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "call", "done", "output", "change"), OF_THEIR_OWN, ids=["custom", "shell", "patch"])
def test_tools_of_their_own_kinds_wait(tool: Any, call: Any, done: Any, output: str, change: tuple[str, str]) -> None:
    runner = make_runner()
    text = pause(make_agent(script(call), tool), runner, ASKER)
    another = resume(make_agent(script(), tool), runner, text, NOBODY)
    assert (RAN, outputs(another)) == ([], ["this call is not permitted (rule)"])
    edited = resume(make_agent(script(), tool), runner, edit(text, *change), ASKER)
    assert (RAN, outputs(edited)) == ([], [MISMATCH])
    rejected = resume(make_agent(script(), tool), runner, text, ASKER, approve=False)
    assert (RAN, outputs(rejected)) == ([], ["Tool execution was not approved."])
    approved = resume(make_agent(script(), tool), runner, text, ASKER)
    assert (RAN, outputs(approved)) == ([done], [output])


@pytest.mark.parametrize(("says", "ran", "told"), [(True, ["paper"], "written"), (False, [], "no")])
def test_a_custom_tool_whose_own_callback_answers(says: bool, ran: list[str], told: str) -> None:
    def answer(context: Any, item: Any) -> Any:
        return {"approve": says, "reason": "no"}

    call = ResponseCustomToolCall(call_id="c2", input="paper", name="write", type="custom_tool_call")
    agent = make_agent(script(call), CustomTool(name="write", description="", on_invoke_tool=_write, on_approval=answer))
    result = asyncio.run(make_runner().run(agent, "go", user=ASKER))
    assert (RAN, outputs(result)) == (ran, [told])


REQUEST = McpApprovalRequest(id="mcpr_1", name="delete", server_label="git", arguments='{"id": 1}', type="mcp_approval_request")
CONFIG: Any = {"type": "mcp", "server_label": "git", "server_url": "https://example.org", "require_approval": "always"}


@pytest.mark.parametrize(("user", "answer"), [(ASKER, (True, None)), (NOBODY, (False, "this call is not permitted (rule)"))])
def test_a_call_of_a_hosted_mcp_server_waits(user: User, answer: tuple[bool, str | None]) -> None:
    runner, agent = make_runner(), make_agent(script(REQUEST), HostedMCPTool(tool_config=CONFIG))
    result = resume(agent, runner, pause(agent, runner, ASKER), user)
    said = [item.raw_item for item in result.new_items if item.type == "mcp_approval_response_item"]
    assert [(item["approve"], item.get("reason")) for item in said] == [answer]


def test_a_callback_of_a_hosted_mcp_server_is_the_approval() -> None:
    tool = HostedMCPTool(tool_config=CONFIG, on_approval_request=lambda request: {"approve": True})
    result = asyncio.run(make_runner().run(make_agent(script(REQUEST), tool), "go", user=ASKER))
    assert [item.raw_item["approve"] for item in result.new_items if item.type == "mcp_approval_response_item"] == [True]


OTHER_PROCESS = """
import asyncio, json, sys
from agents import RunState
from hexgate.adapters.pauses import PausesInFile
from tests.adapters.openai.harness import ALICE, make_agent, make_runner, outputs, script, make_gate
from tests.adapters.openai import test_pauses
agent = make_agent(script(), test_pauses.wire)
runner = make_runner(pauses=PausesInFile(sys.argv[1]))
result = test_pauses.resume(agent, runner, sys.stdin.read())
print(json.dumps([test_pauses.RAN, outputs(result), result.final_output]))
"""


def test_resumed_in_another_process(tmp_path: Path) -> None:
    pauses = tmp_path / "pauses.sqlite"
    agent = make_agent(script(CALL), wire)
    text = pause(agent, make_runner(pauses=PausesInFile(pauses)))
    done = subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, str(pauses)], input=text, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(done.stdout) == [[["x", 1]], ["wired"], "done"]
    again = resume(make_agent(script(), wire), make_runner(pauses=PausesInFile(pauses)), text)
    assert (RAN, outputs(again)) == ([], [MISMATCH])


def test_the_bundle_that_held_the_call_is_the_one_that_lets_it_run(tmp_path: Path) -> None:
    """A new version in between: the approval was of a call under the old one."""
    pauses = PausesInMemory()
    agent = make_agent(script(CALL), wire)
    text = pause(agent, make_runner(pauses=pauses))
    stricter = make_gate("version: 1\nroles:\n  billing:\n    tools:\n      wire: {mode: approval_required, constraints: [args.to != '']}\n")
    result = resume(agent, make_runner(stricter, pauses=pauses), text)
    assert (RAN, outputs(result)) == ([], [MISMATCH])
