"""What an agent can reach: the tools of its agents, and what of them the provider runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from google.adk.agents.llm.task._finish_task_tool import FinishTaskTool
from google.adk.agents.llm_agent import LlmAgent
from google.adk.apps.app import App
from google.adk.code_executors.built_in_code_executor import BuiltInCodeExecutor
from google.adk.runners import Runner
from google.adk.tools._node_tool import NodeTool
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.base_tool import BaseTool
from google.adk.tools.base_toolset import BaseToolset
from google.adk.workflow import BaseNode

from hexgate.adapters.coverage import Coverage, Gating, ToolFound, cover
from hexgate.adapters.guard import open_gate

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

CODE = "code_execution"
"""What policies call running the code that a model writes, here or at the provider's."""

ELSEWHERE = frozenset(
    f"google.adk.{name}"
    for name in ("agents._managed_agent", "agents.langgraph_agent", "a2a.agent._remote_a2a_agent", "labs.antigravity._antigravity_agent")
)
"""Where the classes of agents are defined whose tools the kit does not call."""

TOOL_NODES = "google.adk.workflow._tool_node"
"""Where nodes that are tools are defined; importing it takes half a second, and whoever has such a node has done so."""

_OFFERED_AS = {"vertex_ai_search": "retrieval"}
"""Built-in tools whose offer has another name than the tool."""


def coverage(agent: BaseNode | App | Runner, gate: Gate | None = None) -> Coverage:
    """Every tool that an agent, a workflow, an app or a runner can reach, by the gate's policy (default: the gate that `HEXGATE_KEY`
    names). A toolset is one row: its tools are known once it is asked for them in a run, and each of their calls is decided on by its
    own name."""
    root = agent.agent if isinstance(agent, Runner) else agent.root_agent if isinstance(agent, App) else agent
    return cover("" if root is None else root.name, tools_found(root), open_gate() if gate is None else gate)


def not_gated(agent: object) -> list[str]:
    """The names of reachable tools that nobody can gate call by call."""
    return [tool.name for tool in tools_found(agent) if tool.gating is not Gating.CALL]


def tools_found(agent: object) -> list[ToolFound]:
    """The tools and transfers of an agent or a workflow and of all that it can reach, in the order of the agents."""
    found: list[ToolFound] = []
    for each, path in _nodes(agent, (), set()):
        if runs_elsewhere(each):
            found.append(ToolFound(each.name, "agent", Gating.NONE, path, "its tools are called elsewhere"))
        elif isinstance(each, LlmAgent):
            found += [tool for item in each.tools if (tool := _found(item, path)) is not None]
            if each.code_executor is not None:
                found.append(_code(each.code_executor, path))
            if each.sub_agents:
                found.append(ToolFound("transfer_to_agent", "transfer", Gating.CALL, path, "`args.agent_name` says to whom"))
        elif type(each).__module__ == TOOL_NODES and (found_node := _found(vars(each)["tool"], path)) is not None:
            found.append(found_node)
    return found


def runs_elsewhere(agent: object) -> bool:
    """Whether an agent's tools are called where nobody sees it: by a provider, by another process, by another framework."""
    return any(each.__module__ in ELSEWHERE for each in type(agent).__mro__)


def _code(executor: object, path: tuple[str, ...]) -> ToolFound:
    if isinstance(executor, BuiltInCodeExecutor):
        return ToolFound(CODE, "code", Gating.OFFER, path)
    return ToolFound(CODE, "code", Gating.CALL, path, "`args.code` is the code")


def _found(tool: Any, path: tuple[str, ...]) -> ToolFound | None:
    if isinstance(tool, FinishTaskTool) or _is(tool, "example_tool", "ExampleTool"):
        return None  # text for the prompt, which nobody calls; an agent's answer itself
    if isinstance(tool, AgentTool):
        return ToolFound(tool.name, "agent", Gating.CALL, path)
    if isinstance(tool, NodeTool):
        return ToolFound(tool.name, "node", Gating.CALL, path)
    if isinstance(tool, BaseToolset):
        kind = "mcp" if ".mcp_tool." in type(tool).__module__ else "toolset"
        return ToolFound(f"{kind}:{type(tool).__name__}", kind, Gating.CALL, path, "its tools are known in a run")
    if _is(tool, "preload_memory_tool", "PreloadMemoryTool"):
        return ToolFound(tool.name, "memory", Gating.NONE, path, "reads the user's memory before each turn, without a call")
    if isinstance(tool, BaseTool):
        if type(tool).run_async is BaseTool.run_async:
            return ToolFound(_OFFERED_AS.get(tool.name, tool.name), "hosted", Gating.OFFER, path)
        note = "the provider may run it, as `retrieval`" if _is(tool, "retrieval.base_retrieval_tool", "BaseRetrievalTool") else ""
        return ToolFound(tool.name, "mcp" if ".mcp_tool." in type(tool).__module__ else "function", Gating.CALL, path, note)
    name = str(getattr(tool, "name", None) or getattr(tool, "__name__", type(tool).__name__))
    return ToolFound(name, "node" if isinstance(tool, BaseNode) else "function", Gating.CALL, path)


def _is(tool: object, module: str, name: str) -> bool:
    """`isinstance` for a class of the kit that is not worth importing: nothing is an object of a module that is not there."""
    loaded = sys.modules.get(f"google.adk.tools.{module}")
    return loaded is not None and isinstance(tool, getattr(loaded, name))


def _nodes(node: Any, path: tuple[str, ...], seen: set[int]) -> Iterator[tuple[BaseNode, tuple[str, ...]]]:
    """An agent or a workflow, its sub-agents and nodes, and those behind its tools, each once, with the names on the way."""
    if not isinstance(node, BaseNode) or id(node) in seen:
        return
    seen.add(id(node))
    path = (*path, node.name)
    yield node, path
    held: list[Any] = [*node._iter_static_children()]
    for name, value in vars(node).items():
        if type(value) is list:
            held += value
        elif name != "parent_agent":
            held.append(value)
    for each in held:
        behind = each if isinstance(each, BaseNode) else getattr(each, "agent", None) or getattr(each, "node", None)
        if behind is not None:
            yield from _nodes(behind, path, seen)
