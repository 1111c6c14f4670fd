"""What an agent can reach: the tools of its toolsets, its output functions, and what the model's provider runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, get_args

from pydantic_ai.agent import AbstractAgent
from pydantic_ai.native_tools import AbstractNativeTool, MCPServerTool
from pydantic_ai.native_tools._tool_search import ToolSearchTool
from pydantic_ai.output import NativeOutput, OutputContext, PromptedOutput, TextOutput, ToolOutput
from pydantic_ai.toolsets import (
    AbstractToolset,
    CombinedToolset,
    DynamicToolset,
    ExternalToolset,
    FunctionToolset,
    PrefixedToolset,
    RenamedToolset,
    WrapperToolset,
)

from hexgate.adapters.coverage import Coverage, Gating, ToolFound, cover
from hexgate.adapters.guard import open_gate

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

FINAL_RESULT = "final_result"
"""What policies call an output function that has no name of its own: the framework's name of an output tool."""

Rename = Callable[[str], str]


def coverage(agent: AbstractAgent[Any, Any], gate: Gate | None = None) -> Coverage:
    """Every tool that an agent can reach, by the gate's policy (default: the gate that `HEXGATE_KEY` names). A toolset that lists its tools in a
    run only is one row: each of their calls is decided on by its own name."""
    return cover(agent.name or "agent", tools_found(agent), open_gate() if gate is None else gate)


def tools_found(agent: AbstractAgent[Any, Any]) -> list[ToolFound]:
    """The tools, output functions and provider-run tools of an agent."""
    path = (agent.name or "agent",)
    found = [tool for toolset in agent.toolsets for tool in _in_toolset(toolset, path, lambda name: name)]
    for name in _output_functions(agent.output_type):
        found.append(ToolFound(name, "output function", Gating.CALL, path, "a refusal counts as a retry of the output"))
    for native in agent.root_capability.get_native_tools():
        if not isinstance(native, AbstractNativeTool):
            name = str(getattr(native, "__name__", type(native).__name__))
            found.append(ToolFound(name, "native", Gating.OFFER, path, "made in a run: policies name the tool that is made"))
        elif not runs_no_tool(native):
            note = "left out where it is refused" if native.optional else ""
            found.append(ToolFound(native_name(native), "native", Gating.OFFER, path, note))
    return found


def native_name(tool: AbstractNativeTool) -> str:
    """What policies call a tool that the model's provider runs: its kind, or `hosted_mcp.ID`."""
    return f"hosted_mcp.{tool.id}" if isinstance(tool, MCPServerTool) else tool.kind


def runs_no_tool(tool: AbstractNativeTool) -> bool:
    """Whether the provider only searches among the definitions of tools that are called here."""
    return isinstance(tool, ToolSearchTool)


def output_name(output: OutputContext) -> str:
    """What policies call an output function: its name, or the output tool's where several share one."""
    return output.function_name or (FINAL_RESULT if output.tool_call is None else output.tool_call.tool_name)


def output_arguments(output: OutputContext, plain: Any) -> dict[str, Any]:
    """An output function's arguments under the names of its schema: a single one comes to the hooks without its name. The text of a
    function of text is `output`."""
    schema = output.tool_def.parameters_json_schema if output.tool_def is not None else getattr(output.object_def, "json_schema", {})
    names = list(schema.get("properties", {}))
    if type(plain) is dict and (len(names) != 1 or set(plain) <= set(names)):
        return plain
    return {names[0] if len(names) == 1 else "output": plain}


def _in_toolset(toolset: AbstractToolset[Any], path: tuple[str, ...], rename: Rename) -> Iterator[ToolFound]:
    if isinstance(toolset, CombinedToolset):
        for each in toolset.toolsets:
            yield from _in_toolset(each, path, rename)
    elif isinstance(toolset, PrefixedToolset):
        prefix = toolset.prefix
        yield from _in_toolset(toolset.wrapped, path, lambda name: rename(f"{prefix}_{name}"))
    elif isinstance(toolset, RenamedToolset):
        names = {old: new for new, old in toolset.name_map.items()}
        yield from _in_toolset(toolset.wrapped, path, lambda name: rename(names.get(name, name)))
    elif isinstance(toolset, WrapperToolset):
        yield from _in_toolset(toolset.wrapped, path, rename)
    elif isinstance(toolset, FunctionToolset):
        for name, tool in toolset.tools.items():
            note = "offered by a condition" if tool.prepare is not None else ""
            yield ToolFound(rename(name), "function", Gating.CALL, path, note)
    elif isinstance(toolset, ExternalToolset):
        for definition in toolset.tool_defs:
            yield ToolFound(rename(definition.name), "external", Gating.CALL, path, "the caller runs it")
    else:
        yield _unlisted(toolset, path, rename)


def _unlisted(toolset: AbstractToolset[Any], path: tuple[str, ...], rename: Rename) -> ToolFound:
    """A toolset that is asked for its tools in a run."""
    mcp = any(each.__module__ == "pydantic_ai.mcp" for each in type(toolset).__mro__)
    kind = "mcp" if mcp else "toolset"
    made = getattr(toolset.toolset_func, "__name__", None) if isinstance(toolset, DynamicToolset) else None
    name = rename(toolset.id or made or type(toolset).__name__)
    return ToolFound(f"{kind}:{name}", kind, Gating.CALL, path, "its tools are known in a run")


def _output_functions(output: Any) -> Iterator[str]:
    """The names of functions among output types."""
    if isinstance(output, TextOutput):
        yield from _output_functions(output.output_function)
    elif isinstance(output, ToolOutput):
        yield from _output_functions(output.output)
    elif isinstance(output, NativeOutput | PromptedOutput):
        yield from _output_functions(output.outputs)
    elif isinstance(output, Sequence) and not isinstance(output, str):
        for each in output:
            yield from _output_functions(each)
    elif inspect.isroutine(output):
        yield getattr(output, "__name__", FINAL_RESULT)
    else:
        for each in get_args(output):
            yield from _output_functions(each)
