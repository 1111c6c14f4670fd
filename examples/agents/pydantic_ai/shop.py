"""The shop's agent, as anybody writes one with Pydantic AI: nothing in it knows of a gate."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.models import Model
from pydantic_ai.tools import DeferredToolRequests

from examples.agents import orders

DATABASE = Path(os.environ.get("SHOP_DATABASE", "orders.sqlite"))


def make_shop(database: Path, model: Model | None = None) -> Agent[None, str | DeferredToolRequests]:
    """The agent on a database. Without a model, its runs name one. Its caller takes calls that wait for an approval."""
    agent = Agent(model, output_type=[str, DeferredToolRequests], name="shop", instructions="Help with orders.")

    @agent.tool_plain
    def find_order(order_id: int) -> str:
        """Look an order up."""
        return orders.find_order(database, order_id)

    @agent.tool_plain
    def refund_order(order_id: int, amount: int) -> str:
        """Refund a part of an order, in USD."""
        return orders.refund_order(database, order_id, amount)

    @agent.tool_plain
    def delete_order(order_id: int) -> str:
        """Delete an order."""
        return orders.delete_order(database, order_id)

    return agent


SHOP = make_shop(DATABASE)
