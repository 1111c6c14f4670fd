"""What a graph can reach: the tools of its nodes, of graphs inside of it and behind its tools, and what the provider runs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables import RunnableBinding, RunnableLambda, RunnableParallel, RunnableSequence
from langchain_core.tools.base import BaseTool
from langgraph._internal._runnable import RunnableCallable, RunnableSeq
from langgraph.prebuilt.tool_node import ToolNode
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol

from hexgate.adapters.coverage import Coverage, Gating, ToolFound, cover
from hexgate.adapters.guard import open_gate
from hexgate.adapters.langchain.calls import runs_by_itself
from hexgate.adapters.langchain.offers import OFFERS

if TYPE_CHECKING:
    from hexgate.runtime.gate import Gate

_OWN = ("langchain", "langgraph", "langchain_core", "pydantic", "typing", "builtins", "asyncio", "functools")
"""Packages whose functions and objects are not looked into, but for what they close over."""

DEPTH = 12
"""How far objects in objects are followed."""


def coverage(graph: Pregel[Any, Any, Any, Any], gate: Gate | None = None) -> Coverage:
    """Every tool that a compiled graph can reach, by the gate's policy (default: the gate that `HEXGATE_KEY` names). Tools are found in
    the graph's nodes and in what their functions name; one that is made up in a run is not, and its calls are decided on all the same."""
    return cover(str(graph.name), tools_found(graph), open_gate() if gate is None else gate)


def not_gated(graph: Pregel[Any, Any, Any, Any]) -> list[str]:
    """The names of reachable tools that nobody can gate call by call."""
    return [tool.name for tool in tools_found(graph) if tool.gating is not Gating.CALL]


def tools_found(graph: Any) -> list[ToolFound]:
    """The tools of a graph and of all graphs that it can reach, each once per graph, in the order of the nodes."""
    return list(dict.fromkeys(_walk(graph, (), set(), 0)))


def _walk(value: Any, path: tuple[str, ...], seen: set[int], depth: int) -> Iterator[ToolFound]:
    if depth > DEPTH or id(value) in seen or isinstance(value, str | bytes | int | float | type | BaseLanguageModel) or value is None:
        return
    seen.add(id(value))
    if isinstance(value, Pregel):
        inside = (*path, str(value.name))
        for node in value.nodes.values():
            yield from _walk(node.bound, inside, seen, 0)
            for each in node.subgraphs or ():
                yield from _walk(each, inside, seen, 0)
    elif isinstance(value, PregelProtocol):
        yield ToolFound(str(getattr(value, "name", "graph")), "agent", Gating.NONE, path, "its tools are called elsewhere")
    elif isinstance(value, BaseTool):
        inner = list(_walk_all(_body(value), path, seen, depth))
        graphs = any(len(tool.path) > len(path) for tool in inner)
        yield _found(value, path, graphs)
        yield from inner
    else:
        yield from _walk_all(_parts(value, path), path, seen, depth)


def _walk_all(values: Iterator[Any], path: tuple[str, ...], seen: set[int], depth: int) -> Iterator[ToolFound]:
    for each in values:
        if isinstance(each, ToolFound):
            yield each
        else:
            yield from _walk(each, path, seen, depth + 1)


def _parts(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What to look into next; what a provider runs is found here."""
    if isinstance(value, ToolNode):
        yield from value.tools_by_name.values()
    elif isinstance(value, RunnableBinding):
        yield from _offered(value.kwargs, path)
        yield value.bound
    elif isinstance(value, RunnableSequence | RunnableSeq):
        yield from value.steps
    elif isinstance(value, RunnableParallel):
        yield from value.steps__.values()
    elif isinstance(value, RunnableCallable | RunnableLambda):
        yield getattr(value, "func", None)
        yield getattr(value, "afunc", None)
    elif isinstance(value, functools.partial):
        yield from (value.func, *value.args, *value.keywords.values())
    elif inspect.ismethod(value):
        yield from (value.__func__, value.__self__)
    elif inspect.isfunction(value):
        yield from _named(value, path)
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif not _is_own(type(value).__module__) and hasattr(value, "__dict__") and not inspect.ismodule(value):
        yield from vars(value).values()


def _named(function: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What a function closes over, and the globals that it names. An agent's own function closes over the tools of its model."""
    function = inspect.unwrap(function)
    names = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    for name, cell in names.items():
        try:
            value = cell.cell_contents
        except ValueError:  # empty: the function is inside its own definition
            continue
        if name == "default_tools" and function.__module__ == "langchain.agents.factory":
            yield from _offered({"tools": value}, path)
        else:
            yield value
    if not _is_own(function.__module__ or ""):
        yield from (function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__)


def _body(tool: BaseTool) -> Iterator[Any]:
    """What a tool's own code is."""
    yield from (getattr(tool, "func", None), getattr(tool, "coroutine", None))
    if not _is_own(type(tool).__module__):
        yield from (getattr(type(tool), name) for name in ("_run", "_arun", "run", "arun", "invoke", "ainvoke"))
        yield from vars(tool).values()


def _offered(options: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[ToolFound]:
    for key, read in OFFERS.items():
        if options.get(key) is not None:
            for name in read(options[key]):
                yield ToolFound(name, "hosted mcp" if name.startswith("hosted_mcp.") else "hosted", Gating.OFFER, path)


def _found(tool: BaseTool, path: tuple[str, ...], graphs: bool) -> ToolFound:
    coroutine = getattr(tool, "coroutine", None)
    if "mcp" in (getattr(coroutine, "__module__", None) or ""):
        kind = "mcp"
    else:
        kind = "agent" if graphs else "function"
    note = "with a way to run of its own: calls outside of a `ToolNode` are not seen" if runs_by_itself(type(tool)) else ""
    return ToolFound(tool.name, kind, Gating.CALL, path, note)


def _is_own(module: str) -> bool:
    return module.partition(".")[0] in _OWN
