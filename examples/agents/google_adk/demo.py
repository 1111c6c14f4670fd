"""Allowed, denied, held, approved, resumed, streamed, and two users at once: `python -m examples.agents.google_adk.demo`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.events.event import Event
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_request import LlmRequest
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.genai import types

from examples.agents import orders
from examples.agents.google_adk.shop import make_shop
from hexgate.adapters.google_adk import HexgateRunner
from hexgate.runtime import Gate, User

POLICIES = Path(__file__).parents[1] / "policies"
ALICE, SAM = User("alice", "billing"), User("sam", "support")

Call = tuple[str, dict[str, Any]]


class Says(BaseLlm):
    """A model that makes each call in turn, and then ends."""

    model: str = "script"
    calls: list[Call]

    async def generate_content_async(self, llm_request: LlmRequest, stream: bool = False) -> AsyncGenerator[LlmResponse, None]:
        """The next call."""
        parts = [part for content in llm_request.contents for part in content.parts or ()]
        made = sum(part.function_response is not None for part in parts)
        part = types.Part(text="done")
        if made < len(self.calls):
            name, arguments = self.calls[made]
            part = types.Part(function_call=types.FunctionCall(id=f"call-{made}", name=name, args=arguments))
        usage = types.GenerateContentResponseUsageMetadata(prompt_token_count=1, candidates_token_count=1)
        yield LlmResponse(content=types.Content(role="model", parts=[part]), usage_metadata=usage)


def says(*calls: Call) -> Says:
    """A script."""
    return Says(calls=list(calls))


def shop_of(gate: Gate, database: Path, model: Says) -> HexgateRunner:
    """A runner of the kit, wrapped once; its callers answer held calls."""
    runner = Runner(app_name="shop", agent=make_shop(database, model), session_service=InMemorySessionService(), auto_create_session=True)
    return HexgateRunner(runner, gate, confirmations=True)


def text(words: str) -> types.Content:
    """What a user says."""
    return types.Content(role="user", parts=[types.Part(text=words)])


async def ask(shop: HexgateRunner, new: types.Content, user: User, **options: Any) -> list[Event]:
    """The events of one message, in the session of a user."""
    run = shop.run_async(user=user, user_id=user.user_id, session_id="orders", new_message=new, **options)
    return [event async for event in run]


def told(events: list[Event]) -> list[str]:
    """What the model was told by its tools."""
    found = [each.response or {} for event in events for each in event.get_function_responses()]
    return [str(each.get("error", each.get("result"))) for each in found]


async def allowed_and_denied(gate: Gate, database: Path) -> list[str]:
    """A refund within the policy, one beyond it, and a deletion: the run goes on after each refusal."""
    model = says(
        ("find_order", {"order_id": 30}),
        ("refund_order", {"order_id": 30, "amount": 20}),
        ("refund_order", {"order_id": 30, "amount": 9000}),
        ("delete_order", {"order_id": 30}),
    )
    return told(await ask(shop_of(gate, database, model), text("refund order 30"), ALICE))


async def held_and_approved(gate: Gate, database: Path, approve: bool = True) -> list[str]:
    """A large refund waits in the session; whoever has the session can go on with it, in another process too, once somebody has
    answered."""
    shop = shop_of(gate, database, says(("refund_order", {"order_id": 31, "amount": 900})))
    held = await ask(shop, text("refund order 31"), ALICE)
    (request,) = [call for event in held for call in event.get_function_calls() if call.name == "adk_request_confirmation"]
    answer = types.FunctionResponse(id=request.id, name=request.name, response={"confirmed": approve})
    return told(await ask(shop, types.Content(role="user", parts=[types.Part(function_response=answer)]), ALICE))


async def streamed(gate: Gate, database: Path) -> list[str]:
    """A run as it goes."""
    model = says(("refund_order", {"order_id": 32, "amount": 5}), ("delete_order", {"order_id": 32}))
    return told(await ask(shop_of(gate, database, model), text("refund order 32"), ALICE, run_config=RunConfig(streaming_mode=StreamingMode.SSE)))


async def two_users_at_once(gate: Gate, database: Path) -> list[list[str]]:
    """One call by two people, to one runner: each is decided for who is calling."""
    shop = shop_of(gate, database, says(("refund_order", {"order_id": 32, "amount": 1})))
    return [told(events) for events in await asyncio.gather(*(ask(shop, text("refund order 32"), user) for user in (ALICE, SAM)))]


async def main() -> None:
    """Show all of it."""
    with tempfile.TemporaryDirectory() as folder, Gate.from_source(f"dev:{POLICIES}", refresh_seconds=None) as gate:
        database = Path(folder) / "orders.sqlite"
        orders.make_orders(database)
        print("allowed and denied:", *await allowed_and_denied(gate, database), sep="\n  ")
        print("held and approved:", *await held_and_approved(gate, database), sep="\n  ")
        print("held and rejected:", *await held_and_approved(gate, database, approve=False), sep="\n  ")
        print("streamed:", *await streamed(gate, database), sep="\n  ")
        print("alice and sam at once:", *await two_users_at_once(gate, database), sep="\n  ")
        print("refunded in the end:", orders.refunds(database))


if __name__ == "__main__":
    asyncio.run(main())
