"""The shop's agent, as anybody writes one with the OpenAI Agents SDK: nothing in it knows of a gate."""

from __future__ import annotations

import os
from pathlib import Path

from agents import Agent, Model, function_tool

from examples.agents import orders

DATABASE = Path(os.environ.get("SHOP_DATABASE", "orders.sqlite"))


def make_shop(database: Path, model: Model | None = None) -> Agent[None]:
    """The agent on a database. Without a model it uses the SDK's default one."""

    @function_tool
    def find_order(order_id: int) -> str:
        """Look an order up."""
        return orders.find_order(database, order_id)

    @function_tool
    def refund_order(order_id: int, amount: int) -> str:
        """Refund a part of an order, in USD."""
        return orders.refund_order(database, order_id, amount)

    @function_tool
    def delete_order(order_id: int) -> str:
        """Delete an order."""
        return orders.delete_order(database, order_id)

    return Agent(name="shop", instructions="Help with orders.", model=model, tools=[find_order, refund_order, delete_order])


SHOP = make_shop(DATABASE)
