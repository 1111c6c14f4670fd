"""Calls of function tools, and of everything that the SDK makes one of: local MCP tools, agents as tools, tools of capabilities."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from agents._function_tool_arguments import FunctionToolApproval
from agents._tool_identity import (
    get_function_tool_lookup_key_for_call,
    get_tool_call_namespace,
    is_deferred_top_level_function_tool,
)
from agents.agent_tool_state import get_agent_tool_state_scope, peek_agent_tool_run_result
from agents.items import ToolApprovalItem
from agents.tool import FunctionTool, _FunctionToolInvocationResult

from hexgate.adapters.guard import current_guarded_run
from hexgate.adapters.ruling import Outcome

Invoke = Callable[..., Awaitable[_FunctionToolInvocationResult]]
Evaluate = Callable[..., Awaitable[FunctionToolApproval]]


def gate_invocation(invoke: Invoke) -> Invoke:
    """The last step before a function tool's body. A refusal is an output of the tool that the SDK knows as an error's text, so that
    no output schema is asked of it."""

    @wraps(invoke)
    async def gated(*, function_tool: FunctionTool, context: Any, arguments: str) -> _FunctionToolInvocationResult:
        run = current_guarded_run()
        if run is None:
            return await invoke(function_tool=function_tool, context=context, arguments=arguments)
        call_id = getattr(context, "tool_call_id", None)
        approved = _is_approved(function_tool, context, call_id)
        ruling = run.admit_text(function_tool.qualified_name, arguments, call_id=call_id, approved=approved)
        if not ruling.runs:
            return _FunctionToolInvocationResult(ruling.text, is_sdk_generated_error=True)
        try:
            return await invoke(function_tool=function_tool, context=context, arguments=arguments)
        finally:
            if approved and function_tool._is_agent_tool and _is_interrupted(context):
                run.reopen(ruling, call_id)

    return gated


def gate_approval(evaluate: Evaluate) -> Evaluate:
    """Whether the SDK pauses before a call: also where the policy holds it. What the policy refuses is not asked about."""

    @wraps(evaluate)
    async def gated(function_tool: FunctionTool, context_wrapper: Any, tool_call: Any) -> FunctionToolApproval:
        run = current_guarded_run()
        if run is None:
            return await evaluate(function_tool, context_wrapper, tool_call)
        ruling = run.foresee(function_tool.qualified_name, tool_call.arguments, call_id=tool_call.call_id)
        if ruling.outcome is Outcome.REFUSE:
            return FunctionToolApproval("invoke", function_tool, function_tool.on_invoke_tool, tool_call.arguments)
        evaluation = await evaluate(function_tool, context_wrapper, tool_call)
        if ruling.outcome is Outcome.PAUSE:
            evaluation.outcome = "require_approval"
            evaluation.prepared = None
        return evaluation

    return gated


def _is_approved(tool: FunctionTool, context: Any, call_id: str | None) -> bool:
    """Whether the caller has approved this call, as the SDK sees it."""
    call = getattr(context, "tool_call", None)
    if call is None or not call_id or not context._approvals:
        return False
    deferred = is_deferred_top_level_function_tool(tool)
    namespace = get_tool_call_namespace(call) or (tool.name if deferred else None)
    key: Any = ("deferred_top_level", tool.name) if deferred else get_function_tool_lookup_key_for_call(call)
    agent = context.agent
    item = ToolApprovalItem(agent=agent, raw_item=call, tool_name=tool.name, tool_namespace=namespace, tool_lookup_key=key)
    status = context.get_approval_status(
        tool.name, call_id, tool_namespace=namespace, tool_lookup_key=key, current_invocation=item
    )
    return status is True


def _is_interrupted(context: Any) -> bool:
    """Whether the agent behind a tool waits for an approval of a call of its own: then the tool is called again when that is there."""
    call = getattr(context, "tool_call", None)
    result = None if call is None else peek_agent_tool_run_result(call, scope_id=get_agent_tool_state_scope(context))
    return bool(getattr(result, "interruptions", None))
