"""Allowed, denied, held, approved, resumed, streamed, and two users at once: `python -m examples.agents.pydantic_ai.demo`."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from pydantic_ai import FunctionToolResultEvent
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, FunctionModel
from pydantic_ai.tools import DeferredToolRequests

from examples.agents import orders
from examples.agents.pydantic_ai.shop import make_shop
from hexgate.adapters.pydantic_ai import HexgateAgent
from hexgate.runtime import Gate, User

POLICIES = Path(__file__).parents[1] / "policies"
ALICE, SAM = User("alice", "billing"), User("sam", "support")

Call = tuple[str, dict[str, Any]]


def says(*calls: Call) -> FunctionModel:
    """A model that makes each call in turn, and then ends."""

    def following(messages: list[ModelMessage]) -> tuple[int, Call | None]:
        made = sum(isinstance(part, ToolCallPart) for message in messages for part in message.parts)
        return made, calls[made] if made < len(calls) else None

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        number, call = following(messages)
        return ModelResponse(parts=[TextPart("done") if call is None else ToolCallPart(*call, tool_call_id=f"call-{number}")])

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str | dict[int, DeltaToolCall]]:
        number, call = following(messages)
        if call is None:
            yield "done"
        else:
            yield {0: DeltaToolCall(name=call[0], json_args=json.dumps(call[1]), tool_call_id=f"call-{number}")}

    return FunctionModel(answer, stream_function=stream)


def told(result: Any) -> list[str]:
    """What the model was told by its tools."""
    return [part.content for message in result.all_messages() for part in message.parts if isinstance(part, ToolReturnPart)]


async def allowed_and_denied(shop: HexgateAgent) -> list[str]:
    """A refund within the policy, one beyond it, and a deletion: the run goes on after each refusal."""
    model = says(
        ("find_order", {"order_id": 30}),
        ("refund_order", {"order_id": 30, "amount": 20}),
        ("refund_order", {"order_id": 30, "amount": 9000}),
        ("delete_order", {"order_id": 30}),
    )
    return told(await shop.run("refund order 30", model=model, user=ALICE))


async def held_and_approved(shop: HexgateAgent, approve: bool = True) -> list[str]:
    """A large refund waits; its history is a text that another process can go on with, once somebody has answered."""
    model = says(("refund_order", {"order_id": 31, "amount": 900}))
    held = await shop.run("refund order 31", model=model, user=ALICE)
    text = held.all_messages_json()
    requests: DeferredToolRequests = held.output
    answers = requests.build_results(approvals={call.tool_call_id: approve for call in requests.approvals})
    history = ModelMessagesTypeAdapter.validate_json(text)
    return told(await shop.run(message_history=history, deferred_tool_results=answers, model=model, user=ALICE))


async def streamed(shop: HexgateAgent) -> list[str]:
    """A run as events."""
    model = says(("refund_order", {"order_id": 32, "amount": 5}), ("delete_order", {"order_id": 32}))
    async with shop.run_stream_events("refund order 32", model=model, user=ALICE) as events:
        return [str(event.part.content) async for event in events if isinstance(event, FunctionToolResultEvent)]


async def two_users_at_once(shop: HexgateAgent) -> list[list[str]]:
    """One call by two people, to one agent: each is decided for who is calling."""

    async def one(user: User) -> list[str]:
        model = says(("refund_order", {"order_id": 32, "amount": 1}))
        return told(await shop.run("refund order 32", model=model, user=user))

    return list(await asyncio.gather(one(ALICE), one(SAM)))


async def main() -> None:
    """Show all of it."""
    with tempfile.TemporaryDirectory() as folder, Gate.from_source(f"dev:{POLICIES}", refresh_seconds=None) as gate:
        database = Path(folder) / "orders.sqlite"
        orders.make_orders(database)
        shop = HexgateAgent(make_shop(database), gate)
        print("allowed and denied:", *await allowed_and_denied(shop), sep="\n  ")
        print("held and approved:", *await held_and_approved(shop), sep="\n  ")
        print("held and rejected:", *await held_and_approved(shop, approve=False), sep="\n  ")
        print("streamed:", *await streamed(shop), sep="\n  ")
        print("alice and sam at once:", *await two_users_at_once(shop), sep="\n  ")
        print("refunded in the end:", orders.refunds(database))


if __name__ == "__main__":
    asyncio.run(main())
