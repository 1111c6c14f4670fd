"""Allowed, denied, held, approved, resumed, streamed, and two users at once: `python -m examples.agents.langchain.demo`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from examples.agents import orders
from examples.agents.langchain.shop import make_shop
from hexgate.adapters.langchain import wrap
from hexgate.runtime import Gate, User

POLICIES = Path(__file__).parents[1] / "policies"
ALICE, SAM = User("alice", "billing"), User("sam", "support")
Calls = list[tuple[str, dict[str, Any]]]


class Says(GenericFakeChatModel):
    """LangChain's scripted model, which takes tools."""

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        """The script knows which to call."""
        return self


def says(calls: Calls) -> Says:
    """A model that makes each call in turn, and then ends."""

    def messages() -> Iterator[AIMessage]:
        for number, (name, args) in enumerate(calls):
            yield AIMessage("", tool_calls=[{"name": name, "args": args, "id": f"call-{number}"}])
        yield AIMessage("done")

    return Says(messages=messages())


def told(state: Any) -> list[str]:
    """What the model was told by its tools."""
    return [str(each.content) for each in state["messages"] if isinstance(each, ToolMessage)]


def asks(text: str) -> Any:
    """What a user says."""
    return {"messages": [("user", text)]}


def allowed_and_denied(gate: Gate, database: Path) -> list[str]:
    """A refund within the policy, one beyond it, and a deletion: the run goes on after each refusal."""
    model = says([
        ("find_order", {"order_id": 30}),
        ("refund_order", {"order_id": 30, "amount": 20}),
        ("refund_order", {"order_id": 30, "amount": 9000}),
        ("delete_order", {"order_id": 30}),
    ])  # fmt: skip
    shop = wrap(make_shop(database, model), gate)
    return told(shop.invoke(asks("refund order 30"), user=ALICE))


def held_and_approved(gate: Gate, database: Path, approve: bool = True) -> list[str]:
    """A large refund waits; whoever has the checkpoints can go on with it, in another process too, once somebody has answered."""
    model = says([("refund_order", {"order_id": 31, "amount": 900})])
    shop = wrap(make_shop(database, model, InMemorySaver()), gate, interrupts=True)
    thread: Any = {"configurable": {"thread_id": "order 31"}}
    held = shop.invoke(asks("refund order 31"), thread, user=ALICE)
    (question,) = held["__interrupt__"]
    answer = {"type": "approve"} if approve else {"type": "reject", "message": f"no: {question.value['description']}"}
    return told(shop.invoke(Command(resume=answer), thread, user=ALICE))


async def streamed(gate: Gate, database: Path) -> list[str]:
    """The same run as it goes."""
    model = says([("refund_order", {"order_id": 32, "amount": 5}), ("delete_order", {"order_id": 32})])
    shop = wrap(make_shop(database, model), gate)
    steps = [step async for step in shop.astream(asks("refund order 32"), user=ALICE, stream_mode="updates")]
    return [text for step in steps for update in step.values() for text in told(update)]


async def two_users_at_once(gate: Gate, database: Path) -> list[list[str]]:
    """One call by two people: each is decided for who is calling."""

    async def one(user: User) -> list[str]:
        shop = wrap(make_shop(database, says([("refund_order", {"order_id": 32, "amount": 1})])), gate)
        return told(await shop.ainvoke(asks("refund order 32"), user=user))

    return list(await asyncio.gather(one(ALICE), one(SAM)))


async def main() -> None:
    """Show all of it."""
    with tempfile.TemporaryDirectory() as folder, Gate.from_source(f"dev:{POLICIES}", refresh_seconds=None) as gate:
        database = Path(folder) / "orders.sqlite"
        orders.make_orders(database)
        print("allowed and denied:", *allowed_and_denied(gate, database), sep="\n  ")
        print("held and approved:", *held_and_approved(gate, database), sep="\n  ")
        print("held and rejected:", *held_and_approved(gate, database, approve=False), sep="\n  ")
        print("streamed:", *await streamed(gate, database), sep="\n  ")
        print("alice and sam at once:", *await two_users_at_once(gate, database), sep="\n  ")
        print("refunded in the end:", orders.refunds(database))


if __name__ == "__main__":
    asyncio.run(main())
