"""Calls of hosted MCP servers that ask for an approval first (`require_approval: always`): the only ones that a client sees."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from agents.items import ToolApprovalItem

from hexgate.adapters.guard import GuardedRun, current_guarded_run
from hexgate.adapters.openai.reach import hosted_server_name
from hexgate.adapters.ruling import Outcome, Ruling


def gate_callbacks(execute: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Requests that the tool's own callback answers: what it approves is decided on again."""

    @wraps(execute)
    async def gated(*, agent: Any, approval_requests: list[Any], context_wrapper: Any) -> Any:
        run = current_guarded_run()
        if run is not None:
            approval_requests = [_settled(run, each, agent, context_wrapper) for each in approval_requests]
        return await execute(agent=agent, approval_requests=approval_requests, context_wrapper=context_wrapper)

    return gated


def gate_manual(apply: Callable[..., Any]) -> Callable[..., Any]:
    """Requests that the caller answers: a run pauses for those that the policy does not refuse."""

    @wraps(apply)
    def gated(*, agent: Any, requests: list[Any], context_wrapper: Any, **rest: Any) -> Any:
        run = current_guarded_run()
        if run is not None:
            for request in requests:
                _ask(run, request, agent, context_wrapper)
        return apply(agent=agent, requests=requests, context_wrapper=context_wrapper, **rest)

    return gated


def _ask(run: GuardedRun, request: Any, agent: Any, context_wrapper: Any) -> Ruling | None:
    """The ruling on a request; a refusal is told to the SDK, whatever the caller has said before. None for what is rejected."""
    item = ToolApprovalItem(agent=agent, raw_item=request.request_item, tool_name=_member(request.request_item, "name"))
    request_id = _member(request.request_item, "id")
    status = context_wrapper.get_approval_status(
        item.tool_name or "", request_id, existing_pending=item, current_invocation=item
    )
    if status is False:
        return None
    ruling = _rule(run, request, approved=status is True, can_pause=status is None)
    if ruling.outcome is Outcome.REFUSE:
        context_wrapper.reject_tool(item, rejection_message=ruling.text)
        return None
    return ruling


def _settled(run: GuardedRun, request: Any, agent: Any, context_wrapper: Any) -> Any:
    ruling = _ask(run, request, agent, context_wrapper)
    if ruling is None or ruling.outcome is not Outcome.PAUSE:
        return request
    callback = request.mcp_tool.on_approval_request

    async def answer(asked: Any) -> Any:
        result = callback(asked)
        result = await result if inspect.isawaitable(result) else result
        if not result["approve"]:
            return result
        again = _rule(run, request, approved=True, can_pause=False)
        return result if again.runs else {"approve": False, "reason": again.text}

    tool = copy.copy(request.mcp_tool)
    tool.on_approval_request = answer
    return replace(request, mcp_tool=tool)


def _rule(run: GuardedRun, request: Any, *, approved: bool, can_pause: bool) -> Ruling:
    item = request.request_item
    name = f"{hosted_server_name(_member(item, 'server_label'))}.{_member(item, 'name')}"
    arguments = _member(item, "arguments") or ""
    return run.admit_text(name, arguments, call_id=_member(item, "id"), approved=approved, can_pause=can_pause)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
