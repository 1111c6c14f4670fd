"""What the gate adds to a framework: time per tool call, and time of import: `python -m benchmarks.adapters [NAME …] [--json]`.

A run of many calls by a scripted model, with the gate and without, in turns that change places; what the gate adds to a call is the
median of the differences between neighbours, in processor time: what else the machine does disturbs both alike. The
import is measured in fresh processes, in turns as well: the framework alone, and the framework and then the adapter.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.policies import REFUNDS
from benchmarks.signed_policies import KEY, signed_policy
from hexgate.adapters.pauses import PausesInMemory
from hexgate.runtime import Gate, User

CALLS = 20
"""Tool calls in one run."""

RUNS = 60
IMPORTS = 7
USER = User("alice", "billing")
ARGUMENTS = {"order_id": "30", "amount": 30, "currency": "USD"}

Run = Callable[[bool], Awaitable[object]]
"""One run of `CALLS` calls, with the gate or without."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A framework: what a program with it imports anyway, its adapter, and what makes its runs from a gate."""

    framework: str
    adapter: str
    make: Callable[[Gate], Run]


def make_openai(gate: Gate) -> Run:
    """Runs of the OpenAI Agents SDK: every call in a turn of its own, as models make them."""
    os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"
    from agents import Agent, Runner, function_tool
    from agents.testing import ScriptedModel, assistant_message, function_call

    from hexgate.adapters.openai import HexgateRunner

    @function_tool
    async def refund_order(order_id: str, amount: int, currency: str) -> str:
        """Refund an order."""
        return "refunded"

    runner = HexgateRunner(gate, pauses=PausesInMemory())

    async def run(gated: bool) -> object:
        calls = [function_call("refund_order", ARGUMENTS, call_id=f"call-{number}") for number in range(CALLS)]
        agent = Agent(name="shop", model=ScriptedModel([calls, [assistant_message("done")]]), tools=[refund_order])
        if gated:
            return await runner.run(agent, "go", user=USER)
        return await Runner.run(agent, "go")

    return run


def make_langchain(gate: Gate) -> Run:
    """Runs of a LangChain agent."""
    from langchain.agents import create_agent
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.tools import tool

    from hexgate.adapters.langchain import wrap

    class Says(GenericFakeChatModel):
        def bind_tools(self, tools: Any, **options: Any) -> Any:
            return self

    @tool
    async def refund_order(order_id: str, amount: int, currency: str) -> str:
        """Refund an order."""
        return "refunded"

    def says() -> Iterator[AIMessage]:
        while True:
            calls = [{"name": "refund_order", "args": ARGUMENTS, "id": f"call-{number}"} for number in range(CALLS)]
            yield AIMessage("", tool_calls=calls)
            yield AIMessage("done")

    agent = create_agent(Says(messages=says()), [refund_order])
    wrapped = wrap(agent, gate, pauses=PausesInMemory())
    given: Any = {"messages": [("user", "go")]}

    async def run(gated: bool) -> object:
        if gated:
            return await wrapped.ainvoke(given, user=USER)
        return await agent.ainvoke(given)

    return run


def make_google_adk(gate: Gate) -> Run:
    """Runs of an agent of the Google ADK, each in a session of its own."""
    from collections.abc import AsyncGenerator

    from google.adk.agents import LlmAgent
    from google.adk.models.base_llm import BaseLlm
    from google.adk.models.llm_response import LlmResponse
    from google.adk.runners import Runner
    from google.adk.sessions.in_memory_session_service import InMemorySessionService
    from google.genai import types

    from hexgate.adapters.google_adk import HexgateRunner

    async def refund_order(order_id: str, amount: int, currency: str) -> str:
        """Refund an order."""
        return "refunded"

    class Says(BaseLlm):
        async def generate_content_async(self, llm_request: Any, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
            said = any(part.function_response for content in llm_request.contents for part in content.parts)
            calls = [types.FunctionCall(id=f"call-{number}", name="refund_order", args=ARGUMENTS) for number in range(CALLS)]
            parts = [types.Part(text="done")] if said else [types.Part(function_call=call) for call in calls]
            yield LlmResponse(content=types.Content(role="model", parts=parts))

    agent = LlmAgent(name="shop", model=Says(model="script"), tools=[refund_order])
    runner = Runner(app_name="shop", agent=agent, session_service=InMemorySessionService(), auto_create_session=True)
    wrapped = HexgateRunner(runner, gate, pauses=PausesInMemory())
    new = types.Content(role="user", parts=[types.Part(text="go")])
    logging.getLogger("google_adk").setLevel(logging.ERROR)  # of models that count no tokens
    sessions = itertools.count()

    async def run(gated: bool) -> object:
        options: Any = {"user_id": "u", "session_id": str(next(sessions)), "new_message": new}
        events = wrapped.run_async(user=USER, **options) if gated else runner.run_async(**options)
        return [event async for event in events]

    return run


def make_pydantic_ai(gate: Gate, empty: bool = False) -> Run:
    """Runs of a Pydantic AI agent; `empty`: with a capability that does nothing in the place of the gate, which is the framework's own cost."""
    from pydantic_ai import Agent
    from pydantic_ai.capabilities import AbstractCapability
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    from hexgate.adapters.pydantic_ai import HexgateAgent

    def says(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        if len(messages) > 1:
            return ModelResponse(parts=[TextPart("done")])
        return ModelResponse(parts=[ToolCallPart("refund_order", ARGUMENTS, tool_call_id=f"call-{number}") for number in range(CALLS)])

    agent = Agent(FunctionModel(says))

    @agent.tool_plain
    async def refund_order(order_id: str, amount: int, currency: str) -> str:
        """Refund an order."""
        return "refunded"

    class Nothing(AbstractCapability[Any]):
        async def wrap_tool_execute(self, ctx: Any, *, call: Any, tool_def: Any, args: Any, handler: Any) -> Any:
            return await handler(args)

        async def before_tool_execute(self, ctx: Any, *, call: Any, tool_def: Any, args: Any) -> Any:
            return args

        async def wrap_tool_validate(self, ctx: Any, *, call: Any, tool_def: Any, args: Any, handler: Any) -> Any:
            return await handler(args)

    wrapped = HexgateAgent(agent, gate, pauses=PausesInMemory())

    async def run(gated: bool) -> object:
        if gated and empty:
            return await agent.run("go", capabilities=[Nothing()])
        if gated:
            return await wrapped.run("go", user=USER)
        return await agent.run("go")

    return run


CONTENDERS = {
    "openai": Contender("from agents import Agent, Runner", "from hexgate.adapters.openai import HexgateRunner", make_openai),
    "langchain": Contender("from langchain.agents import create_agent", "from hexgate.adapters.langchain import wrap", make_langchain),
    "google_adk": Contender(
        "from google.adk.agents import LlmAgent; from google.adk.runners import Runner",
        "from hexgate.adapters.google_adk import HexgateRunner",
        make_google_adk,
    ),
    "pydantic_ai": Contender("from pydantic_ai import Agent", "from hexgate.adapters.pydantic_ai import HexgateAgent", make_pydantic_ai),
    "pydantic_ai, an empty capability": Contender(
        "from pydantic_ai import Agent", "from pydantic_ai.capabilities import AbstractCapability", partial(make_pydantic_ai, empty=True)
    ),
}


def measure_calls(make: Callable[[Gate], Run]) -> tuple[float, float]:
    """Microseconds of one tool call without the gate, and of what the gate adds. Decisions are made by the signed module; the log is off."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "policy.hexgate"
        bundle.write_bytes(signed_policy(REFUNDS, 1, not_after=4_000_000_000))
        with Gate.from_bundle(bundle, [KEY.public], state=Path(folder) / "state", audit=False, refresh_seconds=None) as gate:
            return asyncio.run(_measure(make(gate)))


async def _measure(run: Run) -> tuple[float, float]:
    without: list[float] = []
    added: list[float] = []
    for number in range(RUNS):
        times = {}
        for gated in (False, True) if number % 2 else (True, False):
            gc.collect()
            begun = time.process_time()
            await run(gated)
            times[gated] = (time.process_time() - begun) / CALLS * 1e6
        without.append(times[False])
        added.append(times[True] - times[False])
    return statistics.median(without), statistics.median(added)


def measure_import(contender: Contender) -> tuple[float, float]:
    """Median milliseconds of importing the framework, and of importing the adapter after it."""
    code = (
        f"import time; a = time.perf_counter(); {contender.framework}; b = time.perf_counter(); {contender.adapter}; c = time.perf_counter();"
        " print(b - a, c - b)"
    )
    pairs = []
    for _ in range(IMPORTS):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        pairs.append([float(each) * 1e3 for each in done.stdout.split()])
    alone, added = (statistics.median(column) for column in zip(*pairs, strict=True))
    return alone, added


def main() -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    for name in options.names or CONTENDERS:
        without, more = measure_calls(CONTENDERS[name].make)
        alone, added = measure_import(CONTENDERS[name])
        rows[name] = {"call_us": without, "added_us": more, "import_ms": alone, "added_import_ms": added}
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print("| framework | a call, without | added | target | import | added | target |\n|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        print(
            f"| {name} | {row['call_us']:.0f} us | {row['added_us']:.1f} us | <= 50 us"
            f" | {row['import_ms']:.0f} ms | {row['added_import_ms']:.0f} ms | <= 100 ms |"
        )


if __name__ == "__main__":
    main()
