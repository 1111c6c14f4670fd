"""What an agent can reach, and what of it the provider runs: offered to the model, withheld, or refused before the run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

from agents import Agent, AgentBase
from agents.handoffs import Handoff
from agents.tool import (
    ApplyPatchTool,
    ComputerTool,
    CustomTool,
    FunctionTool,
    HostedMCPTool,
    LocalShellTool,
    ShellTool,
    get_function_tool_origin,
)

from hexgate.adapters.coverage import Coverage, Gating, ToolFound, cover
from hexgate.adapters.guard import AdapterError, current_guarded_run, open_gate

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

LOG = logging.getLogger("hexgate")

_OWN_WAYS: tuple[tuple[type[Any], str], ...] = (
    (CustomTool, "custom"),
    (ApplyPatchTool, "patch"),
    (LocalShellTool, "shell"),
    (ComputerTool, "computer"),
)


def coverage(agent: Agent[Any], gate: Gate | None = None) -> Coverage:
    """Every tool that an agent can reach, by the gate's policy (default: the gate that `HEXGATE_KEY` names). A server of local MCP tools
    is one row: its tools are known once it is connected (`coverage_with_servers`); so is a capability of a sandbox."""
    found = tools_found(agent)
    return cover(agent.name, found, open_gate() if gate is None else gate)


async def coverage_with_servers(agent: Agent[Any], gate: Gate | None = None) -> Coverage:
    """As `coverage`, with the tools of the MCP servers, which must be connected."""
    found: list[ToolFound] = []
    for each, path in _agents(agent, ()):
        for server in each.mcp_servers:
            found += [ToolFound(tool.name, "mcp", Gating.CALL, path, server.name) for tool in await server.list_tools()]
    rest = [tool for tool in tools_found(agent) if tool.kind != "mcp server"]
    return cover(agent.name, [*rest, *found], open_gate() if gate is None else gate)


def tools_found(agent: Agent[Any]) -> list[ToolFound]:
    """The tools and hand-offs of an agent and of all agents that it can reach, in the order of the agents. Raises AdapterError for what is
    no agent of the SDK."""
    if not isinstance(agent, AgentBase):
        raise AdapterError("this is no agent of the OpenAI Agents SDK: give an `Agent`")
    found: list[ToolFound] = []
    for each, path in _agents(agent, ()):
        found += [_found(tool, path) for tool in each.tools]
        found += [
            ToolFound(f"mcp:{server.name}", "mcp server", Gating.CALL, path, "its tools are known once it is connected")
            for server in each.mcp_servers
        ]
        found += [
            ToolFound(f"sandbox:{capability.type}", "sandbox", Gating.CALL, path, "its tools are known once the sandbox runs")
            for capability in getattr(each, "capabilities", ())
            if "tools" in vars(type(capability))  # others only instruct the model
        ]
        for item in getattr(each, "handoffs", ()):
            name = item.tool_name if isinstance(item, Handoff) else Handoff.default_tool_name(item)
            found.append(ToolFound(name, "hand-off", Gating.CALL, path))
    return found


def not_gated(agent: Agent[Any]) -> list[str]:
    """The names of reachable tools that nobody can gate call by call."""
    return [tool.name for tool in tools_found(agent) if tool.gating is not Gating.CALL]


def gate_offer(get_all_tools: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Awaitable[list[Any]]]:
    """The tools of a turn. What cannot be gated and was not seen before the run (made up on the way, or of an agent that a tool body
    runs) is withheld from the model unless the policy allows it by name."""

    @wraps(get_all_tools)
    async def gated(agent: Any, context_wrapper: Any) -> list[Any]:
        tools = await get_all_tools(agent, context_wrapper)
        run = current_guarded_run()
        if run is None or run.guard.allow_ungated:
            return tools
        withheld = []
        for tool in tools:
            if isinstance(tool, FunctionTool):
                continue
            found = _found(tool, ())
            if found.gating is not Gating.CALL and not run.offer(found.name).runs:
                withheld.append(tool)
                LOG.warning("`%s` is withheld from the model: the policy does not allow it by name", found.name)
        return [tool for tool in tools if not any(tool is each for each in withheld)] if withheld else tools

    return gated


def hosted_server_name(label: object) -> str:
    """What policies call the hosted MCP server of a label; a tool of it is `hosted_mcp.LABEL.TOOL`."""
    return f"hosted_mcp.{label}"


def _found(tool: Any, path: tuple[str, ...]) -> ToolFound:
    if isinstance(tool, FunctionTool):
        return _function_found(tool, path)
    if isinstance(tool, HostedMCPTool):
        name = hosted_server_name(tool.tool_config.get("server_label", ""))
        if tool.tool_config.get("require_approval") == "always":
            return ToolFound(name, "hosted mcp", Gating.CALL, path, f"each call asks first, as `{name}.TOOL`")
        return ToolFound(name, "hosted mcp", Gating.OFFER, path, "with `require_approval: always` each call is decided on")
    if isinstance(tool, ShellTool):
        local = tool.executor is not None
        return ToolFound(tool.name, "shell", Gating.CALL if local else Gating.OFFER, path, "" if local else "in the provider's container")
    for kind, word in _OWN_WAYS:
        if isinstance(tool, kind):
            return ToolFound(tool.name, word, Gating.CALL, path, "cannot pause" if word == "computer" else "")
    if type(tool).__module__.startswith("agents."):
        return ToolFound(tool.name, "hosted", Gating.OFFER, path)
    return ToolFound(str(getattr(tool, "name", type(tool).__name__)), "unknown", Gating.NONE, path, "a kind that the gate does not know")


def _function_found(tool: FunctionTool, path: tuple[str, ...]) -> ToolFound:
    origin = get_function_tool_origin(tool)
    if tool._is_agent_tool:
        kind = "agent"
    elif origin is not None and origin.type.value == "mcp":
        kind = "mcp"
    else:
        kind = "function"
    return ToolFound(tool.qualified_name, kind, Gating.CALL, path, "offered by a condition" if callable(tool.is_enabled) else "")


def _agents(agent: Any, path: tuple[str, ...], seen: set[int] | None = None) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """An agent, and those behind its hand-offs and its agents as tools, each once, with the names on the way."""
    seen = set() if seen is None else seen
    if not isinstance(agent, AgentBase) or id(agent) in seen:
        return
    seen.add(id(agent))
    path = (*path, agent.name)
    yield agent, path
    for item in getattr(agent, "handoffs", ()):
        target = item._agent_ref() if isinstance(item, Handoff) and item._agent_ref is not None else item
        yield from _agents(target, path, seen)
    for tool in agent.tools:
        if isinstance(tool, FunctionTool):
            yield from _agents(tool._agent_instance, path, seen)
