"""The examples against the whole of the data that they were written from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hexgate.decision.decision import User
from hexgate.decision.engine import DecisionEngine
from hexgate_cli.engines import Request, open_engines
from hexgate_cli.inputs import parse_instant
from hexgate_cli.options import Engine
from tests.examples.checked_sets import check_set
from tests.examples.example_sets import EXAMPLES, NOW
from tests.shared_data import shared_data

READING = {
    "calculate", "find_user_id_by_email", "find_user_id_by_name_zip", "get_item_details", "get_order_details",
    "get_product_details", "get_reservation_details", "get_user_details", "search_direct_flight",
    "transfer_to_human_agents",
}  # fmt: skip
"""Tools of the two support domains that change nothing."""

MEMBERSHIPS = {"mia_kim_4397": "silver"}
"""Who cannot be a regular member, judging by the free bags of the correct calls."""

PAYEES = ["GB29NWBK60161331926819"]
"""Whom the legitimate tasks of the banking suite pay as a matter of course."""

BANKING = {"send_money": "allow", "update_scheduled_transaction": "allow"}
"""Verdicts for the customer of the banking suite's legitimate calls; reading is allowed as well."""

engines = pytest.mark.parametrize("engine", [Engine.INTERPRETER, Engine.WASM], ids=lambda engine: engine.value)


def read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def open_example(name: str, engine: Engine) -> DecisionEngine:
    folder = EXAMPLES / name
    (decider,) = open_engines(check_set(folder / "policies", folder / "tools.json")[0], engine).values()
    return decider


def verdict_of(engine: DecisionEngine, request: Request) -> str:
    return engine.decide(request.tool, request.args, request.user, now=request.now).verdict.value


@engines
def test_every_correct_support_call_is_let_through(engine: Engine) -> None:
    """Allowed where it only reads, approved by the customer where it changes something; no exceptions."""
    calls = read_lines(shared_data("tau2/calls.jsonl"))
    assert len(calls) > 300
    decider = open_example("support", engine)
    surprises = []
    for call in calls:
        customer = call["args"].get("user_id", "someone_else_0000")
        attrs = {"customer_id": customer, "membership": MEMBERSHIPS.get(customer, "regular")}
        user = User("desk", f"{call['domain']}_agent", attrs)
        verdict = verdict_of(decider, Request(call["tool"], call["args"], user, {}, {}, NOW))
        if verdict != ("allow" if call["tool"] in READING else "approval_required"):
            surprises.append((verdict, call))
    assert surprises == []


@engines
def test_every_legitimate_banking_call_is_let_through(engine: Engine) -> None:
    calls = [call for call in read_lines(shared_data("agentdojo/user_calls.jsonl")) if call["suite"] == "banking"]
    assert calls
    decider = open_example("bank", engine)
    user = User("emma.johnson", "customer", {"payees": PAYEES, "payment_limit": 3000})
    surprises = []
    for call in calls:
        now = parse_instant(f"{call['args'].get('date', '2022-04-01')}T09:30:00Z")
        verdict = verdict_of(decider, Request(call["tool"], call["args"], user, {}, {}, now))
        if verdict != BANKING.get(call["tool"], "allow"):
            surprises.append((verdict, call))
    assert surprises == []


@pytest.mark.parametrize(
    ("example", "mark", "file", "select"),
    [
        ("support", "(tau2 retail)", "tau2/calls.jsonl", {"domain": "retail"}),
        ("support", "(tau2 airline)", "tau2/calls.jsonl", {"domain": "airline"}),
        ("bank", "(AgentDojo banking)", "agentdojo/user_calls.jsonl", {"suite": "banking"}),
    ],
)
def test_a_call_marked_as_taken_is_in_the_data(example: str, mark: str, file: str, select: dict[str, str]) -> None:
    known = [
        (call["tool"], call["args"])
        for call in read_lines(shared_data(file))
        if all(call[key] == value for key, value in select.items())
    ]
    marked = [call for call in read_lines(EXAMPLES / example / "calls.jsonl") if mark in call["note"]]
    assert marked
    assert [call for call in marked if (call["tool"], call["args"]) not in known] == []


def test_the_servers_tools_are_restated_as_they_are() -> None:
    servers = json.loads(shared_data("mcp_tools.json").read_text(encoding="utf-8"))
    found = [tool for name in ("filesystem", "github") for tool in _tools(servers[name])]
    assert _inputs(EXAMPLES / "filesystem_github" / "tools.json") == {
        tool["name"]: _shape(tool["inputSchema"]) for tool in found
    }


def test_the_banks_tools_are_restated_as_they_are() -> None:
    suites = json.loads(shared_data("agentdojo/tools.json").read_text(encoding="utf-8"))
    assert _inputs(EXAMPLES / "bank" / "tools.json") == {
        tool["name"]: _shape(tool["parameters"]) for tool in suites["banking"]
    }


def test_the_support_tools_take_the_arguments_of_the_calls() -> None:
    inputs = _inputs(EXAMPLES / "support" / "tools.json")
    for call in read_lines(shared_data("tau2/calls.jsonl")):
        assert call["args"].keys() <= inputs[call["tool"]].keys(), call


def _tools(server: Any) -> list[dict[str, Any]]:
    tools: list[dict[str, Any]] = server["tools"] if isinstance(server, dict) else server
    return tools


def _inputs(file: Path) -> dict[str, dict[str, Any]]:
    return {tool["name"]: _shape(tool["inputSchema"]) for tool in json.loads(file.read_text())["tools"]}


def _shape(schema: dict[str, Any]) -> dict[str, Any]:
    """Each property's type, and whether it is required."""
    required = schema.get("required", [])
    return {
        name: (part.get("type", [option["type"] for option in part.get("anyOf", [])]), name in required)
        for name, part in schema.get("properties", {}).items()
    }
