"""Hand-offs: decided on as calls of their tool (`transfer_to_…`), refused without leaving the agent."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from agents.handoffs import Handoff, HandoffInputData

from hexgate.adapters.guard import current_guarded_run

Execute = Callable[..., Awaitable[Any]]


def gate_hand_offs(execute: Execute) -> Execute:
    """The SDK takes the first hand-off of a turn; a refused one leads back to the agent that asked, with the text as its output. There
    is no pause of a hand-off."""

    @wraps(execute)
    async def gated(*, public_agent: Any, run_handoffs: list[Any], context_wrapper: Any, **rest: Any) -> Any:
        run = current_guarded_run()
        if run is not None and run_handoffs:
            first = run_handoffs[0]
            call = first.tool_call
            ruling = run.admit_text(first.handoff.tool_name, call.arguments or "", call_id=call.call_id)
            if not ruling.runs:
                run_handoffs = [replace(first, handoff=_refused(first.handoff, public_agent, ruling.text)), *run_handoffs[1:]]
        return await execute(public_agent=public_agent, run_handoffs=run_handoffs, context_wrapper=context_wrapper, **rest)

    return gated


def _refused(handoff: Handoff[Any, Any], source: Any, text: str) -> Handoff[Any, Any]:
    async def stay(_: Any, __: str) -> Any:
        return source

    def keep(data: HandoffInputData) -> HandoffInputData:
        return data  # no filter of the hand-off, nor of the run, may take from a conversation that stays where it is

    made = copy.copy(handoff)
    made.on_invoke_handoff = stay
    made.input_filter = keep
    made.nest_handoff_history = False
    made.get_transfer_message = lambda agent: text  # type: ignore[method-assign]
    return made
