"""A tool of one framework that runs an agent of another (docs/adapters.md, AD1.3): gated once both adapters are attached."""

from __future__ import annotations

import asyncio
from typing import Any

from agents import Runner, function_tool
from langchain_core.tools import tool

import tests.adapters.langchain.harness as chain
import tests.adapters.openai.harness as sdk

RAN: list[str] = []


@tool
def touch(path: str) -> str:
    """Touch a file."""
    RAN.append(path)
    return "touched"


@function_tool
def wipe(path: str) -> str:
    """Wipe a file."""
    RAN.append(path)
    return "wiped"


def test_a_graph_in_a_tool_of_the_sdk() -> None:
    chain.make_wrapped(chain.make_agent(chain.script(), touch))
    graph = chain.make_agent(chain.script(("touch", {"path": "x"})), touch)

    @function_tool
    async def outer() -> str:
        return str(chain.texts(await graph.ainvoke(chain.GO)))

    agent = sdk.make_agent(sdk.script(("outer", {})), outer)
    result: Any = asyncio.run(sdk.make_runner().run(agent, "go", user=sdk.ORCHESTRATOR))
    assert (sdk.outputs(result), RAN) == ([str([chain.UNKNOWN])], [])


def test_an_agent_of_the_sdk_in_a_tool_of_a_graph() -> None:
    sdk.make_runner()
    agent = sdk.make_agent(sdk.script(("wipe", {"path": "x"})), wipe)

    @tool
    async def outer() -> str:
        """Run an agent."""
        return str(sdk.outputs(await Runner.run(agent, "go")))

    graph = chain.make_wrapped(chain.make_agent(chain.script(("outer", {})), outer))
    result = asyncio.run(graph.ainvoke(chain.GO, user=chain.ORCHESTRATOR))
    assert (chain.texts(result), RAN) == ([str([sdk.UNKNOWN])], [])
