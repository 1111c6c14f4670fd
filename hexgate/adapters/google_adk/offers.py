"""What the model is offered in a turn: tools that the provider runs are withheld unless the policy allows them by name."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import wraps
from typing import Any

from google.adk.events.event import Event
from google.adk.models.llm_response import LlmResponse
from google.genai import types

from hexgate.adapters.google_adk.whose_run import find_run
from hexgate.adapters.guard import GuardedRun

LOG = logging.getLogger("hexgate")

CALLED_HERE = frozenset({"function_declarations", "computer_use"})
"""Members of an offer whose calls come back as function calls, each of which is decided on."""


def gate_model(before: Callable[..., Awaitable[LlmResponse | None]]) -> Callable[..., Awaitable[LlmResponse | None]]:
    """The last step before the model, after the callbacks of plugins and agents."""

    @wraps(before)
    async def gated(self: Any, invocation_context: Any, llm_request: Any, model_response_event: Any) -> LlmResponse | None:
        answer = await before(self, invocation_context, llm_request, model_response_event)
        if answer is None:
            _withhold(invocation_context, llm_request)
        return answer

    return gated


def gate_session(prepare: Callable[..., AsyncGenerator[Event, None]]) -> Callable[..., AsyncGenerator[Event, None]]:
    """The last step before a live session is opened, which no callback comes before."""

    @wraps(prepare)
    def gated(self: Any, invocation_context: Any, llm_request: Any, *, live: bool = False) -> AsyncGenerator[Event, None]:
        events = prepare(self, invocation_context, llm_request, live=live)
        return _then_withhold(events, invocation_context, llm_request) if live else events

    return gated


async def _then_withhold(events: AsyncGenerator[Event, None], invocation: Any, request: Any) -> AsyncGenerator[Event, None]:
    async with aclosing(events):
        async for event in events:
            yield event
    _withhold(invocation, request)


def _withhold(invocation: Any, request: Any) -> None:
    if not request.config.tools:
        return
    run, _ = find_run(invocation)
    if run is not None and not run.guard.allow_ungated:
        kept = (_kept(each, run) for each in request.config.tools)
        request.config.tools = [each for each in kept if each is not None]


def _kept(tool: Any, run: GuardedRun) -> Any:
    """What of an offer stays; None where nothing does."""
    if not isinstance(tool, types.Tool):
        name = str(getattr(tool, "name", None) or getattr(tool, "__name__", type(tool).__name__))
        return None if _withheld(name, run) else tool
    named = [name for name, member in vars(tool).items() if member is not None]
    gone = [name for name in named if name not in CALLED_HERE and _withheld(name, run)]
    if not gone:
        return tool
    return None if len(gone) == len(named) else tool.model_copy(update=dict.fromkeys(gone))


def _withheld(name: str, run: GuardedRun) -> bool:
    if run.offer(name).runs:
        return False
    LOG.warning("`%s` is withheld from the model: the policy does not allow it by name", name)
    return True
