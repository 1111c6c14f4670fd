"""What an agent can reach: its tools, how each is gated, and what each role may do with them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from google.adk.agents import LlmAgent
from google.adk.apps.app import App
from google.adk.code_executors.built_in_code_executor import BuiltInCodeExecutor
from google.adk.examples.base_example_provider import BaseExampleProvider
from google.adk.runners import InMemoryRunner
from google.adk.tools import VertexAiSearchTool, google_search, load_memory, preload_memory
from google.adk.tools.agent_tool import AgentTool
from google.adk.tools.example_tool import ExampleTool
from google.adk.tools.function_tool import FunctionTool
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams
from google.adk.tools.retrieval.base_retrieval_tool import BaseRetrievalTool
from google.adk.workflow import Workflow, node
from mcp import StdioServerParameters

from hexgate.adapters.coverage import Gating
from hexgate.adapters.frameworks import coverage_of
from hexgate.adapters.google_adk import coverage, reach
from hexgate_cli.main import run_command
from tests.adapters.google_adk.harness import make_agent, make_gate, script
from tests.adapters.google_adk.test_deny_all import Executor, Toolset
from tests.adapters.google_adk.test_nodes import Elsewhere, flow

POLICY = """\
version: 1
roles:
  billing:
    tools:
      refund: {mode: allow, constraints: [args.amount <= 500]}
      google_search: {mode: allow}
      code_execution: {mode: approval_required}
  support:
    tools:
      list_files: {mode: allow}
"""


def refund(amount: int) -> str:
    """Refund."""
    return ""


def first(node_input: str) -> str:
    """Begin."""
    return ""


class Documents(BaseRetrievalTool):
    """A retrieval tool."""

    async def run_async(self, *, args: dict[str, Any], tool_context: Any) -> Any:
        return ""


class NoExamples(BaseExampleProvider):
    """Has none."""

    def get_examples(self, query: str) -> list[Any]:
        return []


def build() -> LlmAgent:
    """An agent that reaches tools of many kinds."""
    server = McpToolset(connection_params=StdioConnectionParams(server_params=StdioServerParameters(command="true")))
    helper = make_agent(script(), refund, name="helper", code_executor=Executor())
    clerk = make_agent(script(), google_search, name="clerk", code_executor=BuiltInCodeExecutor())
    task = LlmAgent(name="task", mode="task", model=script(), tools=[FunctionTool(refund)], description="does")
    return make_agent(
        script(), refund, AgentTool(helper), Toolset(), server, VertexAiSearchTool(data_store_id="d"), preload_memory, load_memory,
        ExampleTool(NoExamples()), Documents(name="documents", description=""), node(first), name="front",
        sub_agents=[clerk, task, Elsewhere(name="far")],
    )  # fmt: skip


FRONT, BOTH = ("front",), ("billing", "support")
ROWS = [
    ("refund", "function", Gating.CALL, (), FRONT, ""),
    ("helper", "agent", Gating.CALL, (), FRONT, ""),
    ("toolset:Toolset", "toolset", Gating.CALL, (), FRONT, "its tools are known in a run"),
    ("mcp:McpToolset", "mcp", Gating.CALL, (), FRONT, "its tools are known in a run"),
    ("retrieval", "hosted", Gating.OFFER, BOTH, FRONT, ""),
    ("preload_memory", "memory", Gating.NONE, BOTH, FRONT, "reads the user's memory before each turn, without a call"),
    ("load_memory", "function", Gating.CALL, (), FRONT, ""),
    ("documents", "function", Gating.CALL, (), FRONT, "the provider may run it, as `retrieval`"),
    ("first", "node", Gating.CALL, (), FRONT, ""),
    ("task", "agent", Gating.CALL, (), FRONT, ""),
    ("transfer_to_agent", "transfer", Gating.CALL, (), FRONT, "`args.agent_name` says to whom"),
    ("google_search", "hosted", Gating.OFFER, ("support",), ("front", "clerk"), ""),
    ("code_execution", "code", Gating.OFFER, BOTH, ("front", "clerk"), ""),
    ("refund", "function", Gating.CALL, (), ("front", "task"), ""),
    ("far", "agent", Gating.NONE, BOTH, ("front", "far"), "its tools are called elsewhere"),
    ("refund", "function", Gating.CALL, (), ("front", "helper"), ""),
    ("code_execution", "code", Gating.CALL, (), ("front", "helper"), "`args.code` is the code"),
]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "ELSEWHERE", reach.ELSEWHERE | {Elsewhere.__module__})


def rows(found: Any) -> list[Any]:
    """The rows, as those above."""
    return [(row.tool.name, row.tool.kind, row.tool.gating, row.refused_for, row.tool.path, row.tool.note) for row in found.rows]


def test_every_reachable_tool_is_a_row() -> None:
    found = coverage(build(), make_gate(POLICY))
    assert rows(found) == ROWS
    assert [answer.text for answer in found.rows[0].answers] == ["allow if args.amount <= 500", "deny"]
    assert [row.tool.name for row in found.ungated] == ["preload_memory", "far"]


@pytest.mark.filterwarnings("ignore")
def test_an_app_and_a_runner_reach_what_their_agent_does() -> None:
    agent, gate = build(), make_gate(POLICY)
    app = App(name="shop", root_agent=agent)
    assert coverage_of(app, gate) == coverage_of(InMemoryRunner(app=app), gate) == coverage_of(agent, gate)


def test_a_workflow() -> None:
    clerk = make_agent(script(), google_search, name="clerk")
    found = coverage_of(Workflow(name="outer", edges=[("START", flow(first, clerk, FunctionTool(refund)))]), make_gate(POLICY))
    assert found.agent == "outer"
    assert [(row.tool.name, row.tool.gating, row.tool.path[-2:]) for row in found.rows] == [
        ("google_search", Gating.OFFER, ("flow", "clerk")), ("refund", Gating.CALL, ("flow", "refund")),
    ]  # fmt: skip


def test_agents_in_fields_of_an_agent_of_ones_own() -> None:
    class Own(Elsewhere):
        """Runs an agent that it does not list among its sub-agents."""

        inner: LlmAgent

    reach.ELSEWHERE = frozenset()  # put back by the fixture
    found = coverage(Own(name="own", inner=make_agent(script(), refund, name="inner")), make_gate(POLICY))
    assert [(row.tool.name, row.tool.path) for row in found.rows] == [("refund", ("own", "inner"))]


HUMAN = """\
tool            kind      agent  gated                billing                      support
refund          function  front  each call            allow if args.amount <= 500  deny
google_search   hosted    front  offered or withheld  allow                        deny
preload_memory  memory    front  NOT GATED            deny                         deny

preload_memory: reads the user's memory before each turn, without a call

google_search: an agent with it does not run for support

preload_memory: an agent with it does not run for billing, support

2 of 3 tools are gated
"""


def test_the_command(tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    agent = make_agent(script(), refund, google_search, preload_memory, name="front")
    monkeypatch.setitem(__import__("sys").modules, "front_agents", SimpleNamespace(AGENT=agent))
    code = run_command(["coverage", "front_agents:AGENT", "--policy", str(policy)])
    assert (capsys.readouterr().out, code) == (HUMAN, 1)
