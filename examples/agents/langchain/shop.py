"""The shop's agent, as anybody writes one with LangChain: nothing in it knows of a gate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.tools import tool
from langgraph.checkpoint.base import BaseCheckpointSaver

from examples.agents import orders

DATABASE = Path(os.environ.get("SHOP_DATABASE", "orders.sqlite"))


class Silent(FakeListChatModel):
    """A stand-in for a model where nobody asks: to list the agent's tools."""

    responses: list[str] = ["There is no model here."]  # noqa: RUF012 - pydantic copies it

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        """It calls none."""
        return self


def make_shop(database: Path, model: BaseChatModel | None = None, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Any:
    """The agent on a database."""

    @tool
    def find_order(order_id: int) -> str:
        """Look an order up."""
        return orders.find_order(database, order_id)

    @tool
    def refund_order(order_id: int, amount: int) -> str:
        """Refund a part of an order, in USD."""
        return orders.refund_order(database, order_id, amount)

    @tool
    def delete_order(order_id: int) -> str:
        """Delete an order."""
        return orders.delete_order(database, order_id)

    return create_agent(
        model or Silent(), [find_order, refund_order, delete_order], system_prompt="Help with orders.", checkpointer=checkpointer, name="shop"
    )


SHOP = make_shop(DATABASE)
