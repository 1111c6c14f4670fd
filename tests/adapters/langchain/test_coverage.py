"""What a graph can reach: the tools of its nodes, how each is gated, and what each role may do with them."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.pregel.remote import RemoteGraph

from hexgate.adapters.coverage import Gating
from hexgate.adapters.frameworks import coverage_of
from hexgate.adapters.guard import AdapterError, UngatedToolsError
from hexgate.adapters.langchain import coverage
from hexgate.adapters.langchain.offers import hosted_names
from tests.adapters.langchain.harness import ANYBODY, GO, NOBODY, make_agent, make_gate, make_wrapped, script

POLICY = """\
version: 1
roles:
  billing:
    tools:
      refund: {mode: allow, constraints: [args.amount <= 500]}
      wire: {mode: approval_required}
      web_search: {mode: allow}
  support:
    tools:
      list_files: {mode: allow}
"""


@tool
def refund(amount: int) -> str:
    """Refund."""
    return ""


@tool
def wire(to: str) -> str:
    """Wire."""
    return ""


class Own(BaseTool):
    """A tool that runs in its own way."""

    name: str = "own"
    description: str = "Own."

    def invoke(self, input: Any, config: Any = None, **options: Any) -> Any:  # noqa: A002
        return self._run()

    def _run(self) -> str:
        return str(wire)


async def _remote(**arguments: Any) -> str:
    return ""


_remote.__module__ = "langchain_mcp_adapters.tools"
LISTING = StructuredTool(name="list_files", description="List.", args_schema={"type": "object", "properties": {}}, coroutine=_remote)
INNER = make_agent(script(), wire, {"type": "code_interpreter"}, name="helper")


@tool
def ask_helper(question: str) -> str:
    """Ask."""
    return str(INNER.invoke({"messages": [("user", question)]}))


AGENT = make_agent(script(), refund, {"type": "web_search"}, LISTING, ask_helper, Own(), name="front")


def test_every_reachable_tool_is_a_row() -> None:
    gate = make_gate(POLICY)
    found = coverage_of(AGENT, gate)
    assert found == coverage(AGENT, gate)
    assert [(row.tool.name, row.tool.kind, row.tool.gating, row.tool.path, row.refused_for) for row in found.rows] == [
        ("refund", "function", Gating.CALL, ("front",), ()),
        ("list_files", "mcp", Gating.CALL, ("front",), ()),
        ("ask_helper", "agent", Gating.CALL, ("front",), ()),
        ("wire", "function", Gating.CALL, ("front", "helper"), ()),
        ("code_interpreter", "hosted", Gating.OFFER, ("front", "helper"), ("billing", "support")),
        ("own", "function", Gating.CALL, ("front",), ()),
        ("web_search", "hosted", Gating.OFFER, ("front",), ("support",)),
    ]
    assert [answer.text for answer in found.rows[0].answers] == ["allow if args.amount <= 500", "deny"]
    assert found.rows[-2].tool.note == "with a way to run of its own: calls outside of a `ToolNode` are not seen"


def node_of_a_module(state: Any) -> Any:
    """A node that names a tool of its module."""
    return {"messages": [wire.invoke({"to": "x"})]}


class Node:
    """A node that is an object."""

    def __init__(self, held: Any) -> None:
        self.held = [held]

    def __call__(self, state: Any) -> Any:
        return {}

    def method(self, state: Any) -> Any:
        """The same as a method."""
        return {}


def _closing(held: Any) -> Any:
    def node(state: Any) -> Any:
        return held.invoke(state)

    return node


BOUND = script().bind_tools([{"type": "web_search"}])
SUBGRAPH = make_agent(script(), refund, name="sub")
NODES = [
    # a node, what is found in it
    (ToolNode([refund]), ["refund"]),
    (node_of_a_module, ["wire"]),
    (_closing(refund), ["refund"]),
    (_closing(BOUND), ["web_search"]),
    (_closing({"tools": [refund, wire]}), ["refund", "wire"]),
    (functools.partial(lambda tool, state: {}, refund), ["refund"]),
    (Node(refund).method, ["refund"]),
    (RunnableLambda(_closing(refund)) | RunnableLambda(lambda state: {}), ["refund"]),
    (RunnableParallel(messages=RunnableLambda(_closing(refund)), other=BOUND), ["refund", "web_search"]),
    (BOUND, ["web_search"]),
    (SUBGRAPH, ["refund"]),
    (_closing(SUBGRAPH), ["refund"]),
    (RemoteGraph("elsewhere", url="http://localhost:1"), ["elsewhere"]),
]


@pytest.mark.parametrize(("node", "names"), NODES)
def test_what_a_node_reaches(node: Any, names: list[str]) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    assert [row.tool.name for row in coverage(graph.compile(), make_gate(POLICY)).rows] == names


def test_a_remote_graph_is_refused_before_the_run() -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("node", RemoteGraph("elsewhere", url="http://localhost:1"))
    graph.add_edge(START, "node")
    with pytest.raises(UngatedToolsError, match="`elsewhere`"):
        make_wrapped(graph.compile()).invoke(GO, user=NOBODY)
    (row,) = coverage(graph.compile(), make_gate(POLICY)).ungated
    assert (row.tool.gating, row.tool.kind, ANYBODY.role) == (Gating.NONE, "agent", "anybody")


def test_what_is_no_graph() -> None:
    with pytest.raises(AdapterError, match="this is no agent of a framework"):
        coverage_of(object(), make_gate(POLICY))


class Odd:
    """A tool of a form that no provider has."""

    name = "odd"


FORMS: list[tuple[Any, list[str]]] = [
    # a tool as a model is bound with it, what its provider runs
    (refund, []),
    (Own, []),
    (node_of_a_module, []),
    ({"type": "function", "function": {"name": "f"}}, []),
    ({"type": "function", "name": "f", "parameters": {}}, []),
    ({"type": "custom", "name": "f"}, []),
    ({"name": "f", "description": "d", "input_schema": {}}, []),
    ({"name": "f", "description": "d"}, []),
    ({"name": "f", "parameters": {}}, []),
    ({"title": "f", "type": "object", "properties": {}}, []),
    ({"toolSpec": {"name": "f"}}, []),
    ({"type": "bash_20250124", "name": "bash"}, []),
    ({"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}, []),
    ({"function_declarations": [{"name": "f"}]}, []),
    ({"function_declarations": [], "google_search": {}, "url_context": {}}, ["google_search", "url_context"]),
    ({"type": "web_search_preview"}, ["web_search_preview"]),
    ({"type": "web_fetch_20250910", "name": "web_fetch"}, ["web_fetch"]),
    ({"type": "computer_use_preview"}, ["computer_use_preview"]),
    ({"code_execution": {}}, ["code_execution"]),
    ({"type": "mcp", "server_label": "git"}, ["hosted_mcp.git"]),
    (Odd(), ["odd"]),
]


@pytest.mark.parametrize(("form", "names"), FORMS)
def test_forms_of_tools(form: Any, names: list[str]) -> None:
    assert hosted_names(form) == names
