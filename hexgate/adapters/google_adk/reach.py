"""What an agent can reach: the tools of its agents, and what of them the provider runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from google.adk.agents.base_agent import BaseAgent
from google.adk.agents.llm_agent import LlmAgent
from google.adk.code_executors.built_in_code_executor import BuiltInCodeExecutor
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.base_toolset import BaseToolset
from google.adk.tools.example_tool import ExampleTool

from hexgate.adapters.coverage import Coverage, Gating, ToolFound, cover
from hexgate.adapters.guard import open_gate

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

CODE = "code_execution"
"""What policies call running the code that a model writes, here or at the provider's."""

_ELSEWHERE = ("google.adk.agents._managed_agent", "google.adk.agents.remote_a2a_agent")
_OFFERED_AS = {"vertex_ai_search": "retrieval"}
"""Built-in tools whose offer has another name than the tool."""


def coverage(agent: BaseAgent, gate: Gate | None = None) -> Coverage:
    """Every tool that an agent can reach, by the gate's policy (default: the gate that `HEXGATE_KEY` names). A toolset is one row: its
    tools are known once it is asked for them in a run, and each of their calls is decided on by its own name."""
    return cover(agent.name, tools_found(agent), open_gate() if gate is None else gate)


def not_gated(agent: object) -> list[str]:
    """The names of reachable tools that nobody can gate call by call."""
    return [tool.name for tool in tools_found(agent) if tool.gating is not Gating.CALL]


def tools_found(agent: object) -> list[ToolFound]:
    """The tools and transfers of an agent and of all agents that it can reach, in the order of the agents."""
    found: list[ToolFound] = []
    for each, path in _agents(agent, (), set()):
        if isinstance(each, LlmAgent):
            found += [tool for item in each.tools if (tool := _found(item, path)) is not None]
            if each.code_executor is not None:
                provider = isinstance(each.code_executor, BuiltInCodeExecutor)
                found.append(ToolFound(CODE, "code", Gating.OFFER if provider else Gating.NONE, path))
            if each.sub_agents:
                found.append(ToolFound("transfer_to_agent", "transfer", Gating.CALL, path, "`args.agent_name` says to whom"))
        elif type(each).__module__ in _ELSEWHERE:
            found.append(ToolFound(each.name, "agent", Gating.NONE, path, "its tools are called elsewhere"))
    return found


def runs_code(agent: object) -> bool:
    """Whether code in the model's answers is run in this process or by it."""
    executor = getattr(agent, "code_executor", None)
    return executor is not None and not isinstance(executor, BuiltInCodeExecutor)


def _found(tool: Any, path: tuple[str, ...]) -> ToolFound | None:
    if isinstance(tool, ExampleTool):
        return None  # text for the prompt, which nobody calls
    if isinstance(tool, AgentTool):
        return ToolFound(tool.name, "agent", Gating.CALL, path)
    if isinstance(tool, BaseToolset):
        kind = "mcp" if ".mcp_tool." in type(tool).__module__ else "toolset"
        return ToolFound(f"{kind}:{type(tool).__name__}", kind, Gating.CALL, path, "its tools are known in a run")
    if isinstance(tool, BaseTool):
        if type(tool).run_async is BaseTool.run_async:
            return ToolFound(_OFFERED_AS.get(tool.name, tool.name), "hosted", Gating.OFFER, path)
        return ToolFound(tool.name, "mcp" if ".mcp_tool." in type(tool).__module__ else "function", Gating.CALL, path)
    name = str(getattr(tool, "name", None) or getattr(tool, "__name__", type(tool).__name__))
    return ToolFound(name, "function", Gating.CALL, path)


def _agents(agent: Any, path: tuple[str, ...], seen: set[int]) -> Iterator[tuple[BaseAgent, tuple[str, ...]]]:
    """An agent, its sub-agents and those behind its agents as tools, each once, with the names on the way."""
    if not isinstance(agent, BaseAgent) or id(agent) in seen:
        return
    seen.add(id(agent))
    path = (*path, agent.name)
    yield agent, path
    for child in agent.sub_agents:
        yield from _agents(child, path, seen)
    for tool in getattr(agent, "tools", ()):
        yield from _agents(getattr(tool, "agent", tool), path, seen)
