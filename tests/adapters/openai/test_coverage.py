"""What an agent can reach: the tools of its agents, how each is gated, and what each role may do with them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from agents import CodeInterpreterTool, HostedMCPTool, ShellTool, WebSearchTool, function_tool
from agents.sandbox import SandboxAgent
from agents.sandbox.capabilities import Compaction, Filesystem, Shell
from jsonschema import Draft202012Validator

from hexgate.adapters.coverage import Gating
from hexgate.adapters.guard import AdapterError
from hexgate.adapters.openai import coverage, coverage_with_servers
from hexgate.runtime import User
from hexgate_cli.main import run_command
from tests.adapters.openai.harness import ToolServer, make_agent, make_gate, make_runner, script

SCHEMAS = Path(__file__).parents[3] / "schemas"
POLICY = """\
version: 1
roles:
  billing:
    tools:
      refund: {mode: allow, constraints: [args.amount <= 500]}
      wire: {mode: approval_required}
      transfer_to_helper: {mode: allow}
      web_search: {mode: allow}
  support:
    tools:
      list_files: {mode: allow}
"""


@function_tool
def refund(amount: int) -> str:
    """Refund."""
    return ""


@function_tool(is_enabled=lambda context, agent: True)
def wire(to: str) -> str:
    """Wire."""
    return ""


@dataclass
class Odd:
    """A tool of a kind that no release has."""

    name: str = "odd"


def build() -> Any:
    """An agent that reaches tools of many kinds."""
    helper = make_agent(script(), wire, CodeInterpreterTool(tool_config={"type": "code_interpreter", "container": "x"}), name="helper")
    inner = make_agent(script(), ShellTool(executor=lambda request: ""), name="inner")
    hosted: Any = {"type": "mcp", "server_label": "git", "server_url": "https://example.org", "require_approval": "always"}
    return make_agent(
        script(), refund, WebSearchTool(), HostedMCPTool(tool_config=hosted), Odd(), inner.as_tool("ask_inner", "Ask."),
        handoffs=[helper], mcp_servers=[ToolServer("list_files", [])], name="front",
    )  # fmt: skip


AGENT = build()


def test_every_reachable_tool_is_a_row() -> None:
    found = coverage(AGENT, make_gate(POLICY))
    assert [(row.tool.name, row.tool.kind, row.tool.gating, row.tool.path, row.refused_for) for row in found.rows] == [
        ("refund", "function", Gating.CALL, ("front",), ()),
        ("web_search", "hosted", Gating.OFFER, ("front",), ("support",)),
        ("hosted_mcp.git", "hosted mcp", Gating.CALL, ("front",), ()),
        ("odd", "unknown", Gating.NONE, ("front",), ("billing", "support")),
        ("ask_inner", "agent", Gating.CALL, ("front",), ()),
        ("mcp:local", "mcp server", Gating.CALL, ("front",), ()),
        ("transfer_to_helper", "hand-off", Gating.CALL, ("front",), ()),
        ("wire", "function", Gating.CALL, ("front", "helper"), ()),
        ("code_interpreter", "hosted", Gating.OFFER, ("front", "helper"), ("billing", "support")),
        ("shell", "shell", Gating.CALL, ("front", "inner"), ()),
    ]
    assert [answer.text for answer in found.rows[0].answers] == ["allow if args.amount <= 500", "deny"]


def test_what_a_sandbox_gives_an_agent_is_a_row_for_each_capability() -> None:
    agent = SandboxAgent("boxed", capabilities=[Shell(), Filesystem(), Compaction()])
    rows = coverage(agent, make_gate(POLICY)).rows
    assert [(row.tool.name, row.tool.kind, row.tool.gating, row.tool.note) for row in rows] == [
        (name, "sandbox", Gating.CALL, "its tools are known once the sandbox runs") for name in ("sandbox:shell", "sandbox:filesystem")
    ]


@pytest.mark.parametrize("other", [refund, "front", None, [AGENT]])
def test_what_is_no_agent_is_neither_covered_nor_run(other: Any) -> None:
    for use in (lambda: coverage(other, make_gate(POLICY)), lambda: make_runner().run_sync(other, "go", user=User("alice", "billing"))):
        with pytest.raises(AdapterError) as raised:
            use()
        assert str(raised.value) == "this is no agent of the OpenAI Agents SDK: give an `Agent`"


def test_tools_of_servers_are_listed_once_they_are_connected() -> None:
    found = asyncio.run(coverage_with_servers(AGENT, make_gate(POLICY)))
    assert [(row.tool.name, [answer.text for answer in row.answers]) for row in found.rows if row.tool.kind == "mcp"] == [
        ("list_files", ["deny", "allow"])
    ]


HUMAN = """\
tool                kind        agent           gated                billing                      support
refund              function    front           each call            allow if args.amount <= 500  deny
web_search          hosted      front           offered or withheld  allow                        deny
hosted_mcp.git      hosted mcp  front           each call            deny                         deny
odd                 unknown     front           NOT GATED            deny                         deny
ask_inner           agent       front           each call            deny                         deny
mcp:local           mcp server  front           each call            deny                         deny
transfer_to_helper  hand-off    front           each call            allow                        deny
wire                function    front > helper  each call            approval                     deny
code_interpreter    hosted      front > helper  offered or withheld  deny                         deny
shell               shell       front > inner   each call            deny                         deny

hosted_mcp.git: each call asks first, as `hosted_mcp.git.TOOL`
odd: a kind that the gate does not know
mcp:local: its tools are known once it is connected
wire: offered by a condition

web_search: an agent with it does not run for support

odd: an agent with it does not run for billing, support

code_interpreter: an agent with it does not run for billing, support

9 of 10 tools are gated
"""


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    monkeypatch.setitem(__import__("sys").modules, "front_agents", __import__("types").SimpleNamespace(AGENT=AGENT))
    assert run_command(["coverage", "front_agents:AGENT", "--policy", str(policy)]) == 1
    assert capsys.readouterr().out == HUMAN
    monkeypatch.setenv("FORCE_COLOR", "1")
    run_command(["coverage", "front_agents:AGENT", "--policy", str(policy)])
    assert "\x1b[1;31modd\x1b[0m" in capsys.readouterr().out
    assert run_command(["coverage", "front_agents:AGENT", "--policy", str(policy), "--format", "json"]) == 1
    written = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads((SCHEMAS / "coverage.schema.json").read_text(encoding="utf-8"))).validate(written)
    assert written["tools"][0]["roles"]["billing"] == {"says": "depends", "text": "allow if args.amount <= 500"}


WRONG = [
    ("front_agents", "`front_agents` names no agent"),
    ("no_such_module:agent", "there is no module `no_such_module`"),
    ("json:nothing", "`json` has no `nothing`"),
    ("json:dumps", "this is no agent of a framework that has an adapter"),
]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_what_is_no_agent(name: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    assert run_command(["coverage", name, "--policy", str(policy)]) == 2
    assert text in capsys.readouterr().err
