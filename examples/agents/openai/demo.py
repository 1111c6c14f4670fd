"""Allowed, denied, held, approved, resumed, streamed, and two users at once: `python -m examples.agents.openai.demo`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from agents import RunState, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call

from examples.agents import orders
from examples.agents.openai.shop import make_shop
from hexgate.adapters.openai import HexgateRunner
from hexgate.runtime import Gate, User

POLICIES = Path(__file__).parents[1] / "policies"
ALICE, SAM = User("alice", "billing"), User("sam", "support")


def says(*calls: tuple[str, dict[str, Any]]) -> ScriptedModel:
    """A model that makes each call in turn, and then ends."""
    steps = [[function_call(name, arguments, call_id=f"call-{number}")] for number, (name, arguments) in enumerate(calls)]
    return ScriptedModel([*steps, [assistant_message("done")]])


def told(result: Any) -> list[str]:
    """What the model was told by its tools."""
    return [item.output for item in result.new_items if item.type == "tool_call_output_item"]


async def allowed_and_denied(runner: HexgateRunner, database: Path) -> list[str]:
    """A refund within the policy, one beyond it, and a deletion: the run goes on after each refusal."""
    model = says(
        ("find_order", {"order_id": 30}),
        ("refund_order", {"order_id": 30, "amount": 20}),
        ("refund_order", {"order_id": 30, "amount": 9000}),
        ("delete_order", {"order_id": 30}),
    )
    return told(await runner.run(make_shop(database, model), "refund order 30", user=ALICE))


async def held_and_approved(runner: HexgateRunner, database: Path, approve: bool = True) -> list[str]:
    """A large refund waits; its state is a text that another process can go on with, once somebody has answered."""
    shop = make_shop(database, says(("refund_order", {"order_id": 31, "amount": 900})))
    held = await runner.run(shop, "refund order 31", user=ALICE)
    text = held.to_state().to_string()
    state = await RunState.from_string(shop, text)
    for call in state.get_interruptions():
        if approve:
            state.approve(call)
        else:
            state.reject(call)
    return told(await runner.run(shop, state, user=ALICE))


async def streamed(runner: HexgateRunner, database: Path) -> list[str]:
    """The same run as events."""
    shop = make_shop(database, says(("refund_order", {"order_id": 32, "amount": 5}), ("delete_order", {"order_id": 32})))
    result = runner.run_streamed(shop, "refund order 32", user=ALICE)
    return [event.item.output async for event in result.stream_events() if event.type == "run_item_stream_event" and event.name == "tool_output"]  # type: ignore[union-attr]


async def two_users_at_once(runner: HexgateRunner, database: Path) -> list[list[str]]:
    """One call by two people: each is decided for who is calling."""

    async def one(user: User) -> list[str]:
        shop = make_shop(database, says(("refund_order", {"order_id": 32, "amount": 1})))
        return told(await runner.run(shop, "refund order 32", user=user))

    return list(await asyncio.gather(one(ALICE), one(SAM)))


async def main() -> None:
    """Show all of it."""
    set_tracing_disabled(True)
    with tempfile.TemporaryDirectory() as folder, Gate.from_source(f"dev:{POLICIES}", refresh_seconds=None) as gate:
        database = Path(folder) / "orders.sqlite"
        orders.make_orders(database)
        runner = HexgateRunner(gate)
        print("allowed and denied:", *await allowed_and_denied(runner, database), sep="\n  ")
        print("held and approved:", *await held_and_approved(runner, database), sep="\n  ")
        print("held and rejected:", *await held_and_approved(runner, database, approve=False), sep="\n  ")
        print("streamed:", *await streamed(runner, database), sep="\n  ")
        print("alice and sam at once:", *await two_users_at_once(runner, database), sep="\n  ")
        print("refunded in the end:", orders.refunds(database))


if __name__ == "__main__":
    asyncio.run(main())
