"""The shop's agent, as anybody writes one with the Google Agent Development Kit: nothing in it knows of a gate."""

from __future__ import annotations

import os
from pathlib import Path

from google.adk.agents import LlmAgent
from google.adk.models.base_llm import BaseLlm

from examples.agents import orders

DATABASE = Path(os.environ.get("SHOP_DATABASE", "orders.sqlite"))


def make_shop(database: Path, model: str | BaseLlm = "gemini-2.5-flash") -> LlmAgent:
    """The agent on a database."""

    def find_order(order_id: int) -> str:
        """Look an order up."""
        return orders.find_order(database, order_id)

    def refund_order(order_id: int, amount: int) -> str:
        """Refund a part of an order, in USD."""
        return orders.refund_order(database, order_id, amount)

    def delete_order(order_id: int) -> str:
        """Delete an order."""
        return orders.delete_order(database, order_id)

    return LlmAgent(name="shop", model=model, instruction="Help with orders.", tools=[find_order, refund_order, delete_order])


SHOP = make_shop(DATABASE)
