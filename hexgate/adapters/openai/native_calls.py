"""Calls of the tools that the SDK executes in ways of their own: custom, shell, patch and computer tools."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from agents.items import ToolApprovalItem, ToolCallOutputItem
from agents.run_internal.items import apply_patch_rejection_item, shell_rejection_item
from agents.run_internal.tool_execution import (
    coerce_apply_patch_operations,
    coerce_shell_call,
    extract_apply_patch_call_id,
    resolve_approval_status,
)

from hexgate.adapters.guard import GuardedRun, current_guarded_run
from hexgate.adapters.ruling import Outcome

Execute = Callable[..., Awaitable[Any]]

_NO_PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
"""One blank pixel: the API takes nothing but a picture as the output of a computer call."""


def gate_custom(execute: Execute) -> Execute:
    """Custom tools: `args.input` is the text that the model wrote."""

    @wraps(execute)
    async def gated(cls: Any, *, agent: Any, call: Any, context_wrapper: Any, **rest: Any) -> Any:
        async def original(call: Any = call) -> Any:
            return await execute(cls, agent=agent, call=call, context_wrapper=context_wrapper, **rest)

        run = current_guarded_run()
        call_id, text = _member(call.tool_call, "call_id"), _member(call.tool_call, "input")
        if run is None or not isinstance(call_id, str) or not call_id or not isinstance(text, str):
            return await original()
        fixed = _fixed(call)
        tool = call.custom_tool
        refused = await _settle(
            run, tool.name, {"input": text}, call_id, fixed.tool_call, agent, context_wrapper, tool.runtime_on_approval()
        )
        if isinstance(refused, str):
            raw = cls._raw_tool_output_item(call_id, refused, tool_call=call.tool_call)
            return cls._tool_output_item(agent, call_id, refused, raw_item=raw)
        return refused if refused is not None else await original(fixed)

    return gated


def gate_shell(execute: Execute) -> Execute:
    """Shell tools: `args` has `commands`, `timeout_ms` and `max_output_length`."""

    @wraps(execute)
    async def gated(cls: Any, *, agent: Any, call: Any, context_wrapper: Any, **rest: Any) -> Any:
        run = current_guarded_run()
        if run is None:
            return await execute(cls, agent=agent, call=call, context_wrapper=context_wrapper, **rest)
        fixed = _fixed(call)
        shell_call = coerce_shell_call(fixed.tool_call)
        action, tool = shell_call.action, call.shell_tool
        args = {"commands": list(action.commands), "timeout_ms": action.timeout_ms, "max_output_length": action.max_output_length}
        refused = await _settle(run, tool.name, args, shell_call.call_id, fixed.tool_call, agent, context_wrapper, tool.on_approval)
        if isinstance(refused, str):
            return shell_rejection_item(agent, shell_call.call_id, tool_call=call.tool_call, rejection_message=refused)
        if refused is not None:
            return refused
        return await execute(cls, agent=agent, call=fixed, context_wrapper=context_wrapper, **rest)

    return gated


def gate_patch(execute: Execute) -> Execute:
    """Patch tools: `args.operations` are objects with `type`, `path`, `diff` and `move_to`."""

    @wraps(execute)
    async def gated(cls: Any, *, agent: Any, call: Any, context_wrapper: Any, **rest: Any) -> Any:
        run = current_guarded_run()
        if run is None:
            return await execute(cls, agent=agent, call=call, context_wrapper=context_wrapper, **rest)
        fixed = _fixed(call)
        operations = coerce_apply_patch_operations(fixed.tool_call, context_wrapper=context_wrapper)
        call_id, tool = extract_apply_patch_call_id(fixed.tool_call), call.apply_patch_tool
        args = {
            "operations": [{"type": each.type, "path": each.path, "diff": each.diff, "move_to": each.move_to} for each in operations]
        }
        refused = await _settle(run, tool.name, args, call_id, fixed.tool_call, agent, context_wrapper, tool.on_approval)
        if isinstance(refused, str):
            return apply_patch_rejection_item(agent, call_id, tool_call=call.tool_call, rejection_message=refused)
        if refused is not None:
            return refused
        return await execute(cls, agent=agent, call=fixed, context_wrapper=context_wrapper, **rest)

    return gated


def gate_local_shell(execute: Execute) -> Execute:
    """The older shell tool, which cannot pause: `args` is the action (`command`, `env`, `working_directory`, …)."""

    @wraps(execute)
    async def gated(cls: Any, *, agent: Any, call: Any, context_wrapper: Any, **rest: Any) -> Any:
        run = current_guarded_run()
        if run is not None:
            call = _fixed(call)
            call_id = call.tool_call.call_id
            ruling = run.admit(call.local_shell_tool.name, _plain(call.tool_call.action), call_id=call_id)
            if not ruling.runs:
                raw = {"type": "local_shell_call_output", "call_id": call_id, "output": ruling.text}
                return ToolCallOutputItem(agent=agent, output=ruling.text, raw_item=raw)
        return await execute(cls, agent=agent, call=call, context_wrapper=context_wrapper, **rest)

    return gated


def gate_computer(execute: Execute) -> Execute:
    """Computer tools, which cannot pause: `args.actions` are the actions of one call. The refusal's text is in the item; the model, to
    which the API gives pictures only, sees a blank one."""

    @wraps(execute)
    async def gated(cls: Any, *, agent: Any, action: Any, context_wrapper: Any, **rest: Any) -> Any:
        run = current_guarded_run()
        if run is not None:
            action = _fixed(action)
            call = action.tool_call
            actions = call.actions or ([] if call.action is None else [call.action])
            ruling = run.admit(action.computer_tool.name, {"actions": [_plain(each) for each in actions]}, call_id=call.call_id)
            if not ruling.runs:
                output = {"type": "computer_screenshot", "image_url": _NO_PICTURE}
                raw = {"type": "computer_call_output", "call_id": call.call_id, "output": output}
                return ToolCallOutputItem(agent=agent, output=ruling.text, raw_item=raw)
        return await execute(cls, agent=agent, action=action, context_wrapper=context_wrapper, **rest)

    return gated


async def _settle(
    run: GuardedRun, name: str, args: Any, call_id: str, raw_call: Any, agent: Any, context_wrapper: Any, on_approval: Any
) -> str | ToolApprovalItem | None:
    """None where the call goes on, the text of a refusal, or what the SDK pauses with."""
    item = ToolApprovalItem(agent=agent, raw_item=raw_call, tool_name=name)
    status = context_wrapper.get_approval_status(name, call_id, current_invocation=item)
    if status is False:
        return None  # the SDK rejects it itself
    ruling = run.admit(name, args, call_id=call_id, approved=status is True, can_pause=status is None)
    if ruling.outcome is Outcome.PAUSE:
        status, pending = await resolve_approval_status(
            tool_name=name, call_id=call_id, raw_item=raw_call, agent=agent, context_wrapper=context_wrapper, on_approval=on_approval
        )
        if status is None:
            return pending
        if status is False:
            return None
        ruling = run.admit(name, args, call_id=call_id, approved=True)
    return None if ruling.runs else ruling.text


def _fixed(call: Any) -> Any:
    """The call with a payload that nobody else holds: what is decided on is what is executed."""
    return replace(call, tool_call=copy.deepcopy(call.tool_call))


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)


def _plain(value: Any) -> Any:
    """A model of the SDK's as plain data."""
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value
