"""Calls of tools: all of them, of agents, of resumed confirmations and of live sessions, are made by one function of the kit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from google.adk.plugins.base_plugin import BasePlugin
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.set_model_response_tool import SetModelResponseTool
from google.adk.tools.transfer_to_agent_tool import TransferToAgentTool

from hexgate.adapters.guard import GuardedRun, current_guarded_run
from hexgate.adapters.ruling import Outcome

REJECTED = "This tool call is rejected."
"""The kit's own words for a confirmation that says no."""

Execute = Callable[..., Awaitable[Any]]


def find_run(invocation: Any) -> tuple[GuardedRun | None, bool]:
    """The run that an invocation belongs to, by its plugin or by the tool body that it was started in, and whether it takes tool
    confirmations. In a tool body nobody could answer one, and a live session does not wait."""
    for plugin in invocation.plugin_manager.plugins:
        run = getattr(plugin, "run", None)
        if isinstance(plugin, BasePlugin) and isinstance(run, GuardedRun):
            here = current_guarded_run() is not run and invocation.live_request_queue is None
            return run, here and bool(getattr(plugin, "confirmations", False))
    return current_guarded_run(), False


def gate_execution(execute: Execute) -> Execute:
    """The last step before a tool's body, after the callbacks of plugins and agents: they may edit the arguments, the decision is on what
    they leave, and the tool runs with the copy that was decided on."""

    @wraps(execute)
    async def gated(invocation_context: Any, prepared_call: Any, agent: Any, *, tool_runner: Callable[[], Awaitable[Any]]) -> Any:
        run, _ = find_run(invocation_context)
        if run is None or type(prepared_call.tool) is SetModelResponseTool:  # the answer itself
            return await execute(invocation_context, prepared_call, agent, tool_runner=tool_runner)

        async def decided() -> Any:
            confirmation = prepared_call.tool_context.tool_confirmation
            if confirmation is not None and not confirmation.confirmed:
                return {"error": REJECTED}
            ruling = run.admit(
                prepared_call.tool.name,
                prepared_call.function_args,
                call_id=prepared_call.tool_context.function_call_id,
                approved=confirmation is not None,
            )
            if not ruling.runs:
                return {"error": ruling.text}
            prepared_call.function_args = ruling.arguments  # what `tool_runner` reads when it is called
            with run.current():
                return await tool_runner()

        return await execute(invocation_context, prepared_call, agent, tool_runner=decided)

    return gated


def gate_confirmation(apply: Execute) -> Execute:
    """Whether the kit asks for a confirmation before a call: also where the policy holds it, if the caller takes confirmations."""

    @wraps(apply)
    async def gated(tool: BaseTool, function_args: dict[str, Any], tool_context: Any) -> Any:
        run, confirmations = find_run(tool_context._invocation_context)
        own = type(tool) is SetModelResponseTool or isinstance(tool, TransferToAgentTool)
        call_id = tool_context.function_call_id
        if run is None or not confirmations or own or not call_id or tool_context.tool_confirmation is not None:
            return await apply(tool, function_args, tool_context)
        ruling = run.foresee(tool.name, function_args, call_id=call_id)
        if ruling.outcome is Outcome.PAUSE:
            tool_context.request_confirmation(hint=ruling.text, payload=ruling.request_id)
            return {"error": ruling.text}
        if ruling.outcome is Outcome.REFUSE:
            return None  # nobody is asked about a call that does not run
        return await apply(tool, function_args, tool_context)

    return gated
