"""The example server behind the proxy, with the `mcp` package's own client, in the protocol's present form and in the one before."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import pytest
from mcp import Client

from examples.agents import orders
from examples.mcp import demo
from tests.mcp_proxy.test_http_upstream import served

REFUSED = "error: this call is not permitted"
SUPPORT = [
    "tools: find_order",
    "resources: ",
    "prompts: apology",
    "order 30 of alice: paid 120, refunded 0",
    *[f"{REFUSED} (unknown_tool)"] * 4,
    "order 32 of carol: paid 60, refunded 0",
    f"{REFUSED} (constraint_failed)",
    f"{REFUSED} (constraint_failed)",
]
BILLING = [
    "tools: find_order refund_order",
    "resources: ",
    "prompts: apology",
    "order 30 of alice: paid 120, refunded 0",
    "refunded 20 of order 30",
    "error: this call needs an approval by somebody whom the policy names (approver_required)",
    "error: a refund of more than 500 needs the approval of a person",
    "error: orders are never deleted; cancel the order instead",
    "order 32 of carol: paid 60, refunded 0",
    f"{REFUSED} (constraint_failed)",
    f"{REFUSED} (constraint_failed)",
]
CASES: list[tuple[str, Literal["auto", "legacy"], list[str], int]] = [
    # role, how the client begins, what is said, what is refunded of order 30
    ("support", "auto", SUPPORT, 0),
    ("billing", "legacy", BILLING, 20),
]


@pytest.mark.parametrize(("role", "mode", "said", "refunded"), CASES)
def test_what_a_client_is_told(role: str, mode: Literal["auto", "legacy"], said: list[str], refunded: int, tmp_path: Path) -> None:
    async def converse() -> list[str]:
        parameters = demo.behind_the_proxy(role, demo.orders_server(tmp_path / "orders.sqlite"), state=tmp_path / "state")
        async with Client(parameters, mode=mode) as client:
            return await demo.work(client)

    assert asyncio.run(converse()) == said
    assert orders.refunds(tmp_path / "orders.sqlite") == {30: refunded, 31: 0, 32: 0}


def test_the_same_over_http(tmp_path: Path) -> None:
    async def converse(url: str) -> list[str]:
        async with Client(demo.behind_the_proxy("billing", [url], state=tmp_path / "state")) as client:
            return await demo.work(client)

    with served(tmp_path / "orders.sqlite") as url:
        assert asyncio.run(converse(url)) == BILLING
