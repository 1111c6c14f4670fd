"""The example agent, on its policies: what it is told, and what is in the database afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.agents import orders
from examples.agents.google_adk import demo
from hexgate.runtime import Gate
from hexgate_cli.main import run_command


@pytest.fixture
def database(tmp_path: Path) -> Path:
    orders.make_orders(tmp_path / "orders.sqlite")
    return tmp_path / "orders.sqlite"


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # of the pauses
    with Gate.from_source(f"dev:{demo.POLICIES}", refresh_seconds=None) as gate:
        yield gate


def test_allowed_and_denied(gate: Gate, database: Path) -> None:
    assert asyncio.run(demo.allowed_and_denied(gate, database)) == [
        "order 30 of alice: paid 120, refunded 0",
        "refunded 20 of order 30",
        "a refund of more than 500 needs the approval of a person",
        "orders are never deleted; cancel the order instead",
    ]
    assert orders.refunds(database) == {30: 20, 31: 0, 32: 0}


def test_held_approved_and_rejected(gate: Gate, database: Path) -> None:
    assert asyncio.run(demo.held_and_approved(gate, database)) == ["refunded 900 of order 31"]
    assert asyncio.run(demo.held_and_approved(gate, database, approve=False)) == ["This tool call is rejected."]
    assert orders.refunds(database) == {30: 0, 31: 900, 32: 0}


def test_streamed(gate: Gate, database: Path) -> None:
    assert asyncio.run(demo.streamed(gate, database)) == ["refunded 5 of order 32", "orders are never deleted; cancel the order instead"]
    assert orders.refunds(database)[32] == 5


def test_two_users_at_once(gate: Gate, database: Path) -> None:
    assert asyncio.run(demo.two_users_at_once(gate, database)) == [
        ["refunded 1 of order 32"], ["this call is not permitted (unknown_tool)"],
    ]  # fmt: skip
    assert orders.refunds(database)[32] == 1


def test_coverage_of_the_shop(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["coverage", "examples.agents.google_adk.shop:SHOP", "--policy", str(demo.POLICIES)]) == 0
    assert capsys.readouterr().out.endswith("\n3 of 3 tools are gated\n")
