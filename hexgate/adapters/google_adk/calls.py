"""Calls of tools: those of agents, of resumed confirmations and of live sessions are made by one function of the kit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

from google.adk.agents.llm.task._finish_task_tool import FinishTaskTool
from google.adk.tools.agent_tool import _TaskAgentTool
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.set_model_response_tool import SetModelResponseTool
from google.adk.tools.transfer_to_agent_tool import TransferToAgentTool

from hexgate.adapters.google_adk.whose_run import CONFIRMED, find_run
from hexgate.adapters.guard import GuardedRun
from hexgate.adapters.ruling import Outcome, Ruling

REJECTED = "This tool call is rejected."
"""The kit's own words for a confirmation that says no."""

ANSWERS = frozenset({SetModelResponseTool, FinishTaskTool})
"""Calls that are an agent's answer itself."""

MARKS = frozenset({_TaskAgentTool})
"""Calls that do nothing by themselves: a delegation is decided where it is made (`nodes.gate_delegation`)."""

NOT_DECIDED = ANSWERS | MARKS

Execute = Callable[..., Awaitable[Any]]

_REFUSED: WeakKeyDictionary[Any, Ruling] = WeakKeyDictionary()
"""Contexts of calls that were refused where the kit would have asked for a confirmation, which is just before they run."""


async def run_decided(
    run: GuardedRun, tool: str, arguments: dict[str, Any], context: Any, call_id: str | None, body: Callable[[dict[str, Any]], Awaitable[Any]]
) -> Any:
    """The result of a call, or its refusal. `body` is given the copy of the arguments that was decided on."""
    confirmation = context.tool_confirmation
    if confirmation is not None and not confirmation.confirmed:
        return {"error": REJECTED}
    ruling = _REFUSED.pop(context, None) if _REFUSED else None
    if ruling is None:
        ruling = run.admit(tool, arguments, call_id=call_id, approved=confirmation is not None)
    if not ruling.runs:
        return {"error": ruling.text}
    token = CONFIRMED.set(run if confirmation is not None or CONFIRMED.get() is run else None)
    try:
        with run.current():
            return await body(ruling.arguments)
    finally:
        CONFIRMED.reset(token)


def gate_execution(execute: Execute) -> Execute:
    """The last step before a tool's body, after the callbacks of plugins and agents: they may edit the arguments, the decision is on what
    they leave, and the tool runs with the copy that was decided on."""

    @wraps(execute)
    async def gated(invocation_context: Any, prepared_call: Any, agent: Any, *, tool_runner: Callable[[], Awaitable[Any]]) -> Any:
        run, _ = find_run(invocation_context)
        if run is None or type(prepared_call.tool) in NOT_DECIDED:
            return await execute(invocation_context, prepared_call, agent, tool_runner=tool_runner)

        def body(arguments: dict[str, Any]) -> Awaitable[Any]:
            prepared_call.function_args = arguments  # what `tool_runner` reads when it is called
            return tool_runner()

        def decided() -> Awaitable[Any]:
            context = prepared_call.tool_context
            return run_decided(run, prepared_call.tool.name, prepared_call.function_args, context, context.function_call_id, body)

        return await execute(invocation_context, prepared_call, agent, tool_runner=decided)

    return gated


def call_id_of(context: Any) -> str | None:
    """The model's name of a call, which stays when the call is resumed."""
    call_id: str | None = context.function_call_id
    return call_id


def gate_confirmation(apply: Execute, call_id_of: Callable[[Any], str | None] = call_id_of) -> Execute:
    """Whether the kit asks for a confirmation before a call: also where the policy holds it, if the caller takes confirmations; and not
    where the call will be refused."""

    @wraps(apply)
    async def gated(tool: BaseTool, function_args: dict[str, Any], tool_context: Any) -> Any:
        run, confirmations = find_run(tool_context._invocation_context)
        if run is None or type(tool) in NOT_DECIDED or tool_context.tool_confirmation is not None:
            return await apply(tool, function_args, tool_context)
        call_id = call_id_of(tool_context)
        if not confirmations or not call_id or isinstance(tool, TransferToAgentTool):
            asked = await apply(tool, function_args, tool_context)
            if asked is not None and not (ruling := run.admit(tool.name, function_args, call_id=call_id)).runs:
                tool_context.actions.requested_tool_confirmations.pop(tool_context.function_call_id, None)
                _REFUSED[tool_context] = ruling
                return None
            return asked
        ruling = run.foresee(tool.name, function_args, call_id=call_id)
        if ruling.outcome is Outcome.PAUSE:
            tool_context.request_confirmation(hint=ruling.text, payload=ruling.request_id)
            return {"error": ruling.text}
        if ruling.outcome is Outcome.REFUSE:
            return None  # nobody is asked about a call that does not run
        return await apply(tool, function_args, tool_context)

    return gated
