"""The example server behind the proxy, with the `mcp` package's own client."""

from __future__ import annotations

import asyncio
from pathlib import Path

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


def converse(role: str, server: list[str], state: Path) -> list[str]:
    """What the example's client is told behind a proxy."""

    async def talk() -> list[str]:
        async with Client(demo.behind_the_proxy(role, server, state=state)) as client:
            return await demo.work(client)

    return asyncio.run(talk())


def test_over_stdio(tmp_path: Path) -> None:
    database = tmp_path / "orders.sqlite"
    assert converse("support", demo.orders_server(database), tmp_path / "state") == SUPPORT
    assert orders.refunds(database) == {30: 0, 31: 0, 32: 0}


def test_over_http(tmp_path: Path) -> None:
    database = tmp_path / "orders.sqlite"
    with served(database) as url:
        assert converse("billing", [url], tmp_path / "state") == BILLING
    assert orders.refunds(database) == {30: 20, 31: 0, 32: 0}
