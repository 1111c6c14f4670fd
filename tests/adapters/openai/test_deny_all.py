"""Nothing passes ungated: at each boundary a policy that denies everything, and the body did not run."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from agents import (
    Agent,
    ApplyPatchTool,
    Computer,
    ComputerTool,
    CustomTool,
    HostedMCPTool,
    LocalShellTool,
    ModelBehaviorError,
    Runner,
    ShellTool,
    WebSearchTool,
    function_tool,
)
from agents.editor import ApplyPatchResult
from agents.testing import ScriptedModel, function_call
from openai.types.responses import (
    ResponseComputerToolCall,
    ResponseCustomToolCall,
)
from openai.types.responses.response_computer_tool_call import ActionScreenshot
from openai.types.responses.response_output_item import LocalShellCall, LocalShellCallAction, McpApprovalRequest

from hexgate.adapters.guard import UngatedToolsError, UserRequiredError
from tests.adapters.boundaries import boundary
from tests.adapters.openai.harness import (
    ALICE,
    ANYBODY,
    DENIED,
    NOBODY,
    ORCHESTRATOR,
    UNKNOWN,
    ToolServer,
    make_agent,
    make_gate,
    make_runner,
    outputs,
    script,
)

NOT_THERE = {
    "toolset": "the SDK has no toolsets: MCP servers and lists of tools are the rows beside",
    "batch": "the SDK has no batch: each input is a run",
}

RAN: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


@function_tool
def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return "refunded"


CALL = ("refund", {"order": "30", "amount": 10})


def run(agent: Agent[Any], user: Any = NOBODY, **options: Any) -> Any:
    return asyncio.run(make_runner().run(agent, "go", user=user, **options))


@boundary("function tool", "async")
def test_function_tool() -> None:
    result = run(make_agent(script(CALL), refund))
    assert (RAN, outputs(result), result.final_output) == ([], [DENIED], "done")


@boundary("sync")
def test_sync() -> None:
    result = make_runner().run_sync(make_agent(script(CALL), refund), "go", user=NOBODY)
    assert (RAN, outputs(result), result.final_output) == ([], [DENIED], "done")


@boundary("streaming")
def test_streamed() -> None:
    async def main() -> Any:
        result = make_runner().run_streamed(make_agent(script(CALL), refund), "go", user=NOBODY)
        async for _ in result.stream_events():
            pass
        return result

    result = asyncio.run(main())
    assert (RAN, outputs(result), result.final_output) == ([], [DENIED], "done")


@boundary("parallel calls")
def test_parallel_calls() -> None:
    result = run(make_agent(script([CALL, CALL, CALL]), refund))
    assert (RAN, outputs(result)) == ([], [DENIED] * 3)


@boundary("retries")
def test_a_model_that_keeps_trying() -> None:
    result = run(make_agent(script(*[CALL] * 8), refund))
    assert (RAN, outputs(result), result.final_output) == ([], [DENIED] * 8, "done")


@boundary("dynamic tool")
def test_a_tool_that_a_hook_adds_and_one_that_is_enabled_by_a_condition() -> None:
    @function_tool(is_enabled=lambda context, agent: True)
    def conditional() -> str:
        RAN.append("conditional")
        return ""

    agent = make_agent(script([("conditional", {}), CALL]), conditional)
    agent.tools.append(refund)
    assert (outputs(run(agent)), RAN) == ([DENIED] * 2, [])


@boundary("local MCP tool")
def test_local_mcp_tool() -> None:
    agent = make_agent(script(("list_files", {})), mcp_servers=[ToolServer("list_files", RAN)])
    assert (outputs(run(agent)), RAN) == ([DENIED], [])
    run(make_agent(script(("list_files", {})), mcp_servers=[ToolServer("list_files", RAN)]), ANYBODY)
    assert RAN == ["list_files"]


@boundary("hosted tool")
@pytest.mark.parametrize("where", ["own", "handed to", "in a tool"])
def test_hosted_tools_are_refused_before_the_run(where: str) -> None:
    inner = make_agent(script(), WebSearchTool(), name="inner")
    model = script()
    agent = {
        "own": make_agent(model, WebSearchTool()),
        "handed to": make_agent(model, handoffs=[inner]),
        "in a tool": make_agent(model, inner.as_tool("ask", "Ask.")),
    }[where]
    for user in (NOBODY, ALICE):
        with pytest.raises(UngatedToolsError) as raised:
            run(agent, user)
        assert raised.value.tools == ("web_search",)
    assert model.calls == ()
    assert run(agent, ANYBODY).final_output == "done"


@boundary("hosted tool")
def test_a_hosted_tool_that_comes_up_on_the_way_is_withheld() -> None:
    inner_model = script()

    @function_tool
    async def outer() -> str:
        await Runner.run(make_agent(inner_model, WebSearchTool(), refund, name="inner"), "go")
        return "asked"

    run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)
    assert [[tool.name for tool in call.tools] for call in inner_model.calls] == [["refund"]]


@boundary("hosted MCP")
def test_a_hosted_mcp_server_is_refused_before_the_run() -> None:
    tool = HostedMCPTool(tool_config={"type": "mcp", "server_label": "git", "server_url": "https://example.org", "require_approval": "never"})
    model = script()
    with pytest.raises(UngatedToolsError) as raised:
        run(make_agent(model, tool))
    assert (raised.value.tools, model.calls) == (("hosted_mcp.git",), ())


REQUEST = McpApprovalRequest(id="mcpr_1", name="delete", server_label="git", arguments='{"id": 1}', type="mcp_approval_request")


@boundary("hosted MCP")
@pytest.mark.parametrize("answers", [True, False])
def test_calls_of_a_hosted_mcp_server_that_ask_first(answers: bool) -> None:
    def yes(request: Any) -> Any:
        RAN.append(request)
        return {"approve": True}

    config: Any = {"type": "mcp", "server_label": "git", "server_url": "https://example.org", "require_approval": "always"}
    tool = HostedMCPTool(tool_config=config, on_approval_request=yes if answers else None)
    result = run(make_agent(script(REQUEST), tool))
    said = [item.raw_item for item in result.new_items if item.type == "mcp_approval_response_item"]
    assert [(item["approve"], item.get("reason")) for item in said] == [(False, DENIED)]
    assert RAN == []


@boundary("agent as tool, outer call")
def test_agent_as_tool() -> None:
    inner = make_agent(script(CALL), refund, name="helper")
    result = run(make_agent(script(("ask_helper", {"input": "x"})), inner.as_tool("ask_helper", "Ask.")))
    assert (RAN, outputs(result)) == ([], [DENIED])


@boundary("agent as tool, tools inside")
def test_tools_inside_an_agent_as_tool() -> None:
    inner_model = script(CALL)
    inner = make_agent(inner_model, refund, name="helper")
    result = run(make_agent(script(("ask_helper", {"input": "x"})), inner.as_tool("ask_helper", "Ask.")), ORCHESTRATOR)
    assert (RAN, outputs(result)) == ([], ["done"])
    assert _told(inner_model) == [UNKNOWN]


@boundary("hand-off or transfer")
def test_hand_off() -> None:
    helper = make_agent(script(), name="helper")
    result = run(make_agent(script(("transfer_to_helper", {})), handoffs=[helper]))
    assert (result.last_agent.name, result.final_output) == ("agent", "done")
    assert outputs(result) == [DENIED]


@boundary("tools of the agent handed to")
def test_tools_of_the_agent_handed_to() -> None:
    helper = make_agent(script(CALL), refund, name="helper")
    result = run(make_agent(script(("transfer_to_helper", {})), handoffs=[helper]), ORCHESTRATOR)
    assert (RAN, result.last_agent.name, outputs(result)[-1]) == ([], "helper", UNKNOWN)


@boundary("nested run in a tool body")
@pytest.mark.parametrize("way", ["run", "run_sync", "run_streamed"])
def test_nested_run_in_a_tool_body(way: str) -> None:
    inner_model = script(CALL)
    inner = make_agent(inner_model, refund, name="inner")

    @function_tool
    async def outer() -> str:
        if way == "run_sync":
            await asyncio.to_thread(lambda: Runner.run_sync(inner, "go"))
        elif way == "run":
            await Runner.run(inner, "go")
        else:
            async for _ in Runner.run_streamed(inner, "go").stream_events():
                pass
        return "asked"

    result = run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)
    assert (RAN, outputs(result), _told(inner_model)) == ([], ["asked"], [UNKNOWN])


@boundary("nested run in a tool body")
def test_nested_run_in_a_sync_tool_body() -> None:
    inner_model = script(CALL)

    @function_tool
    def outer() -> str:
        Runner.run_sync(make_agent(inner_model, refund, name="inner"), "go")
        return "asked"

    result = run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)
    assert (RAN, outputs(result), _told(inner_model)) == ([], ["asked"], [UNKNOWN])


@boundary("custom tool")
def test_custom_tool() -> None:
    async def write(context: Any, text: str) -> str:
        RAN.append(text)
        return "written"

    tool = CustomTool(name="write", description="", on_invoke_tool=write)
    call = ResponseCustomToolCall(call_id="c", input="a 1", name="write", type="custom_tool_call")
    result = run(make_agent(script(call), tool))
    assert (RAN, outputs(result)) == ([], [DENIED])
    assert outputs(run(make_agent(script(call), tool), ANYBODY)) == ["written"]


def _shell_call() -> Any:
    action = {"type": "exec", "commands": ["rm -r /"], "timeout_ms": 1000}
    return {"type": "shell_call", "id": "s", "call_id": "s", "status": "completed", "action": action}


@boundary("shell tool")
def test_shell_tool() -> None:
    def execute(request: Any) -> str:
        RAN.append(request)
        return "ran"

    result = run(make_agent(script(_shell_call()), ShellTool(executor=execute)))
    assert (RAN, outputs(result)) == ([], [DENIED])
    assert outputs(run(make_agent(script(_shell_call()), ShellTool(executor=execute)), ANYBODY)) == ["ran"]


@boundary("shell tool")
def test_local_shell_tool() -> None:
    def execute(request: Any) -> str:
        RAN.append(request)
        return "ran"

    action = LocalShellCallAction(command=["rm"], env={}, type="exec")
    call = LocalShellCall(id="l", call_id="l", action=action, status="completed", type="local_shell_call")
    result = run(make_agent(script(call), LocalShellTool(executor=execute)))
    assert (RAN, outputs(result)) == ([], [DENIED])
    assert outputs(run(make_agent(script(call), LocalShellTool(executor=execute)), ANYBODY)) == ["ran"]


@boundary("shell tool")
def test_a_shell_of_the_provider_is_refused_before_the_run() -> None:
    with pytest.raises(UngatedToolsError):
        run(make_agent(script(), ShellTool(environment={"type": "container_auto"})))


class Editor:
    def create_file(self, operation: Any) -> ApplyPatchResult:
        RAN.append(operation)
        return ApplyPatchResult(status="completed")

    update_file = delete_file = create_file


@boundary("patch tool")
def test_patch_tool() -> None:
    call: Any = {"type": "apply_patch_call", "call_id": "p", "operation": {"type": "delete_file", "path": "x"}}
    result = run(make_agent(script(call), ApplyPatchTool(editor=Editor())))
    assert (RAN, outputs(result)) == ([], [DENIED])
    run(make_agent(script(call), ApplyPatchTool(editor=Editor())), ANYBODY)
    assert len(RAN) == 1


class Screen(Computer):
    """A computer that can only be looked at."""

    def click(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError

    double_click = drag = keypress = move = scroll = type = wait = click  # type: ignore[assignment]

    def screenshot(self) -> str:
        RAN.append("screenshot")
        return "AAAA"


@boundary("computer tool")
def test_computer_tool() -> None:
    call = ResponseComputerToolCall(
        id="k", call_id="k", action=ActionScreenshot(type="screenshot"), pending_safety_checks=[], status="completed", type="computer_call"
    )
    result = run(make_agent(script(call), ComputerTool(computer=Screen())))
    assert (RAN, outputs(result), result.final_output) == ([], [DENIED], "done")
    run(make_agent(script(call), ComputerTool(computer=Screen())), ANYBODY)
    assert RAN == ["screenshot"]


def test_every_way_to_run_is_one_that_is_gated() -> None:
    """A method that a release adds to the SDK's runner must fail here, and not pass the gate."""
    public = {name for name, _ in inspect.getmembers(Runner, callable) if not name.startswith("_")}
    assert public == {"run", "run_sync", "run_streamed"}
    runner = make_runner()
    for name in public:
        known = inspect.signature(getattr(Runner, name)).parameters
        assert {"user", "ctx"}.isdisjoint(known) and callable(getattr(runner, name))


START: list[Callable[..., Any]] = [
    lambda agent, **who: asyncio.run(make_runner().run(agent, "go", **who)),
    lambda agent, **who: make_runner().run_sync(agent, "go", **who),
    lambda agent, **who: make_runner().run_streamed(agent, "go", **who),
]


@pytest.mark.parametrize("start", START)
def test_without_a_user_no_model_is_called(start: Callable[..., Any]) -> None:
    model = script(CALL)
    with pytest.raises(UserRequiredError) as raised:
        start(make_agent(model, refund))
    assert str(raised.value) == "nobody is calling: pass `user=`, a user or the user of a token"
    assert model.calls == ()


def test_arguments_that_two_parsers_read_differently_are_no_arguments() -> None:
    twice = '{"order": "1", "amount": 1, "amount": 900}'
    result = run(make_agent(script(function_call("refund", twice, call_id="x")), refund), ALICE)
    assert (RAN, outputs(result)) == ([], ["this call is not permitted (evaluation_error)"])


def test_what_a_policy_allows_runs_as_it_does_without() -> None:
    result = run(make_agent(script(CALL), refund), ALICE)
    assert (RAN, outputs(result), result.final_output) == ([("30", 10)], ["refunded"], "done")
    with pytest.raises(ModelBehaviorError):
        run(make_agent(script(("no_such_tool", {})), refund), ANYBODY)


def test_a_sdk_that_has_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import agents.run_internal.tool_actions as actions

    from hexgate.adapters.guard import AdapterError
    from hexgate.adapters.openai import HexgateRunner

    monkeypatch.setattr(actions, "ShellAction", object)
    with pytest.raises(AdapterError) as raised:
        HexgateRunner(make_gate())
    assert str(raised.value).startswith("`agents.run_internal.tool_actions.ShellAction.execute` is not what the gate attaches to in openai-agents 0.24.")


def _told(model: ScriptedModel) -> list[Any]:
    """What a model was given as outputs of its calls."""
    last = model.last_call
    assert last is not None and isinstance(last.input, list)
    return [item["output"] for item in last.input if item.get("type") == "function_call_output"]  # type: ignore[union-attr,typeddict-item]
