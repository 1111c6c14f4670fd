"""Calls that no agent's turn makes: tools as nodes of a workflow, tasks that are delegated to agents, and agents whose tools run elsewhere."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable
from functools import wraps
from typing import Any

from google.adk.events.event import Event
from google.genai import types

from hexgate.adapters.google_adk.calls import Execute, gate_confirmation, run_decided
from hexgate.adapters.google_adk.reach import runs_elsewhere
from hexgate.adapters.google_adk.whose_run import find_run

RunAgent = Callable[[Any, Any], AsyncGenerator[Event, None]]


def node_call_id(context: Any) -> str:
    """Names a node's call, also when it is resumed: the kit gives it another id each time."""
    return f"{context.session.id}/{context.node_path}"


def gate_node_confirmation(apply: Execute) -> Execute:
    """As `gate_confirmation`, for a node."""
    return gate_confirmation(apply, node_call_id)


def gate_node(run_tool: Execute) -> Execute:
    """A tool as a node: a copy of the node has a copy of the tool whose call is decided, after the plugins' callbacks; the user's own
    tool runs."""

    @wraps(run_tool)
    async def gated(self: Any, *, ctx: Any, args: dict[str, Any]) -> Any:
        run, _ = find_run(ctx.get_invocation_context())
        if run is None:
            return await run_tool(self, ctx=ctx, args=args)
        tool, guarded = self.tool, run

        async def run_async(*, args: dict[str, Any], tool_context: Any) -> Any:
            return await run_decided(
                guarded, tool.name, args, tool_context, node_call_id(tool_context),
                lambda arguments: tool.run_async(args=arguments, tool_context=tool_context),
            )  # fmt: skip

        twin = copy.copy(tool)
        twin.run_async = run_async
        return await run_tool(self.model_copy(update={"tool": twin}), ctx=ctx, args=args)

    return gated


def gate_delegation(dispatch: Execute) -> Execute:
    """A task that a model delegates to another agent: a call of that agent's name, which the kit dispatches apart from the tools."""

    @wraps(dispatch)
    async def gated(parent_agent: Any, fc: types.FunctionCall, ctx: Any) -> Any:
        run, _ = find_run(ctx.get_invocation_context())
        if run is None or fc.name is None:
            return await dispatch(parent_agent, fc, ctx)
        ruling = run.admit(fc.name, fc.args or {}, call_id=fc.id)
        if not ruling.runs:
            return {"error": ruling.text}
        return await dispatch(parent_agent, fc.model_copy(update={"args": ruling.arguments}), ctx)

    return gated


def gate_agent(run_agent: RunAgent) -> RunAgent:
    """An agent whose tools are called elsewhere runs where the policy allows it by its name; others run."""

    @wraps(run_agent)
    def gated(self: Any, parent_context: Any) -> AsyncGenerator[Event, None]:
        if runs_elsewhere(self):
            run, _ = find_run(parent_context)
            if run is not None and not run.guard.allow_ungated and not (ruling := run.offer(self.name)).runs:
                return _says(self, parent_context, ruling.text)
        return run_agent(self, parent_context)

    return gated


async def _says(agent: Any, invocation: Any, text: str) -> AsyncGenerator[Event, None]:
    content = types.Content(role="model", parts=[types.Part(text=text)])
    yield Event(invocation_id=invocation.invocation_id, author=agent.name, branch=invocation.branch, content=content)
