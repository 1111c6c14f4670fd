"""`HexgatePlugin`: a run for each invocation, whoever else runs beside or around it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from google.adk.apps.app import App
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import InMemoryRunner
from google.adk.tools.agent_tool import AgentTool
from google.genai import types

from hexgate.adapters.google_adk import HexgatePlugin
from hexgate.adapters.guard import GuardedRun
from hexgate.runtime import Gate
from tests.adapters.google_adk.harness import (
    ALICE,
    ANYBODY,
    NOBODY,
    ORCHESTRATOR,
    make_agent,
    make_gate,
    make_runner,
    message,
    outputs,
    run,
    run_alone,
    run_once,
    script,
)

RAN: list[Any] = []
CALL = ("refund", {"order": "1", "amount": 10})
ALLOW = "version: 1\nroles:\n  billing:\n    tools:\n      refund: {mode: allow}\n"
DENY = ALLOW.replace("allow", "deny")


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int) -> str:
    """Refund an order."""
    RAN.append((order, amount))
    return f"refunded {order}"


class EverySecond(BaseLlm):
    """Calls, then ends, in every session."""

    model: str = "every second"

    async def generate_content_async(self, llm_request: Any, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        said = [part for content in llm_request.contents for part in content.parts or () if part.function_response]
        call = types.Part(function_call=types.FunctionCall(name=CALL[0], args=CALL[1]))
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text="done") if said else call]))


def test_a_plugin_begins_each_invocation_with_the_bundle_of_then(tmp_path: Path) -> None:
    """Also where two of them are on their way at once."""
    path = tmp_path / "policy.yaml"
    path.write_text(ALLOW)
    gate = Gate.from_source(f"dev:{path}", refresh_seconds=None)
    plugin = HexgatePlugin(ALICE, gate)
    runner = InMemoryRunner(app=App(name="shop", root_agent=make_agent(EverySecond(), refund), plugins=[plugin]))
    runner.auto_create_session = True

    async def main() -> list[Any]:
        old = runner.run_async(user_id="u", session_id="old", new_message=message())
        begun = [await anext(old)]
        path.write_text(DENY)
        new = [event async for event in runner.run_async(user_id="u", session_id="new", new_message=message())]
        return [outputs(begun + [event async for event in old]), outputs(new)]

    assert asyncio.run(main()) == [["refunded 1"], ["this call is not permitted (rule)"]]
    gc.collect()
    assert plugin._runs == {}


def test_what_a_tool_of_a_plugins_run_starts_is_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[tuple[str, str]] = []
    decide = GuardedRun._decide
    monkeypatch.setattr(
        GuardedRun, "_decide", lambda run, tool, plain, call_id: runs.append((tool, run.run_id)) or decide(run, tool, plain, call_id)
    )
    agent = make_agent(script(("helper", {"request": "x"})), AgentTool(make_agent(script(CALL), refund, name="helper")))
    plugin = HexgatePlugin(ANYBODY, make_gate())
    for _ in range(2):
        agent.model.seen.clear()  # type: ignore[union-attr]
        asyncio.run(run_alone(agent, plugin))
    assert ([tool for tool, _ in runs], len({run_id for _, run_id in runs})) == (["helper", "refund", "helper"], 2)


def test_a_wrapped_runner_has_the_word_over_a_plugin_of_its_own() -> None:
    agent = make_agent(script(("helper", {"request": "x"})), AgentTool(make_agent(script(CALL), refund, name="helper")))
    plugin = HexgatePlugin(ANYBODY, make_gate())
    runner = make_runner(agent, plugins=[plugin])
    asyncio.run(run_once(runner, ORCHESTRATOR))
    assert (RAN, runner.runner.plugin_manager.plugins) == ([], [plugin])


def test_a_plugin_in_a_tool_body_is_for_its_own_user() -> None:
    async def outer() -> str:
        return str(outputs(await run_alone(make_agent(script(CALL), refund, name="inner"), HexgatePlugin(NOBODY, make_gate()))))

    assert outputs(run(make_agent(script(("outer", {})), outer), ORCHESTRATOR)) == ["['this call is not permitted (rule)']"]


class Invocation:
    """What a plugin is told of one."""

    invocation_id = "resumed"


def test_an_invocation_that_is_resumed_has_a_run_of_its_own() -> None:
    plugin = HexgatePlugin(ALICE, make_gate())
    first, second = Invocation(), Invocation()
    plugin.begin(first)  # type: ignore[arg-type]
    begun = plugin.begin(second)  # type: ignore[arg-type]
    del first
    gc.collect()
    assert plugin.run_of(second) is begun  # type: ignore[arg-type]
