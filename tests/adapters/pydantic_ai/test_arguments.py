"""What is decided on is what the tool runs with: whatever hooks, toolsets around a toolset and validators do with the arguments."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, AnyUrl, BaseModel, Field, RootModel, SecretStr, field_serializer, model_validator
from pydantic_ai import Tool
from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering, Toolset
from pydantic_ai.toolsets import AbstractToolset, FunctionToolset, WrapperToolset

from hexgate.adapters.pydantic_ai.plain_arguments import take
from hexgate.runtime import User
from tests.adapters.pydantic_ai.harness import ALICE, Script, make_agent, make_gate, run, told
from tests.adapters.pydantic_ai.test_deny_all import Files

RAN: list[Any] = []
TOO_MUCH = "this call is not permitted (constraint_failed)"


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def refund(order: str, amount: int, tags: list[str] | None = None) -> str:
    """Refund an order."""
    RAN.append(amount)
    return "refunded"


CALL = ("refund", {"order": "1", "amount": 10, "tags": []})


@dataclass
class Editing(AbstractCapability[Any]):
    """A capability that edits arguments in one of the hooks around a call."""

    hook: str = ""
    amount: int = 9_999
    position: Any = None

    def get_ordering(self) -> CapabilityOrdering | None:
        return None if self.position is None else CapabilityOrdering(position=self.position)

    async def before_tool_execute(self, ctx: Any, *, call: Any, tool_def: Any, args: Any) -> Any:
        if self.hook == "in place":
            args["amount"] = self.amount
        return {**args, "amount": self.amount} if self.hook == "before" else args

    async def wrap_tool_execute(self, ctx: Any, *, call: Any, tool_def: Any, args: Any, handler: Any) -> Any:
        return await handler({**args, "amount": self.amount} if self.hook == "wrap" else args)

    async def after_tool_validate(self, ctx: Any, *, call: Any, tool_def: Any, args: Any) -> Any:
        return {**args, "amount": self.amount} if self.hook == "validated" else args


@pytest.mark.parametrize("position", [None, "outermost", "innermost"])
@pytest.mark.parametrize("hook", ["before", "in place", "wrap", "validated"])
@pytest.mark.parametrize("where", ["agent", "run"])
def test_hooks_of_other_capabilities(hook: str, position: Any, where: str) -> None:
    for amount, text in ((9_999, TOO_MUCH), (20, "refunded")):
        RAN.clear()
        edits = [Editing(hook=hook, amount=amount, position=position)]
        agent = make_agent(Script(CALL), refund, capabilities=edits if where == "agent" else [])
        result = run(agent, ALICE, capabilities=edits if where == "run" else [])
        assert (told(result), RAN) == ([text], [] if amount > 500 else [amount])


class Before(WrapperToolset[Any]):
    """Makes other arguments, and calls what it wraps through its base."""

    amount = 9_999

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
        return await super().call_tool(name, {**tool_args, "amount": self.amount}, ctx, tool)


class InPlace(Before):
    """Changes the arguments that it is given, and calls what it wraps itself."""

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
        tool_args["amount"] = self.amount
        return await self.wrapped.call_tool(name, tool_args, ctx, tool)


class WithState(Before):
    """Has more to be made with than what it wraps, and counts."""

    def __init__(self, wrapped: AbstractToolset[Any], *, log: list[str]) -> None:
        super().__init__(wrapped)
        self.log = log
        self.calls = 0

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
        self.calls += 1
        return await super().call_tool(name, tool_args, ctx, tool)


class OfItsOwn(FunctionToolset[Any]):
    """A toolset of functions that changes the arguments of its own calls."""

    amount = 9_999

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
        return await super().call_tool(name, {**tool_args, "amount": self.amount}, ctx, tool)


def _tools() -> FunctionToolset[Any]:
    return FunctionToolset[Any]([Tool(refund)])


AROUND = {
    "through its base": lambda: Before(_tools()),
    "in place": lambda: InPlace(_tools()),
    "with a state": lambda: WithState(_tools(), log=[]),
    "two": lambda: Before(InPlace(_tools())),
    "under a prefix": lambda: Before(_tools()).prefixed("my"),
    "over a prefix": lambda: Before(_tools().prefixed("my")),
    "renamed": lambda: Before(_tools()).renamed({"my_refund": "refund"}),
    "made in the run": lambda: lambda ctx: Before(_tools()),
    "made in the run, wrapped": lambda: Before(_tools()).filtered(lambda ctx, tool: True),
    "a toolset of functions": lambda: OfItsOwn([Tool(refund)]),
}


@pytest.mark.parametrize("name", list(AROUND))
def test_toolsets_around_a_toolset(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = make_gate("version: 1\nroles:\n  billing:\n    tools:\n      '*': {mode: allow, constraints: [args.amount <= 500]}\n")
    called = "my_refund" if "prefix" in name or name == "renamed" else "refund"
    assert told(run(make_agent(Script((called, CALL[1])), toolsets=[AROUND[name]()]), ALICE, gate=gate)) == [TOO_MUCH]
    assert RAN == []
    monkeypatch.setattr(Before, "amount", 20)
    monkeypatch.setattr(OfItsOwn, "amount", 20)
    assert told(run(make_agent(Script((called, CALL[1])), toolsets=[AROUND[name]()]), ALICE, gate=gate)) == ["refunded"]
    assert RAN == [20]


def test_a_toolset_around_that_a_capability_brings() -> None:
    agent = make_agent(Script(CALL), capabilities=[Toolset(Before(_tools()))])
    assert (told(run(agent, ALICE)), RAN) == ([TOO_MUCH], [])


def test_a_toolset_with_a_state_keeps_it() -> None:
    toolset = WithState(_tools(), log=[])
    for _ in range(2):
        run(make_agent(Script(CALL), toolsets=[toolset]), ALICE)
    assert toolset.calls == 2


class AroundFiles(WrapperToolset[Any]):
    """Changes the arguments of a toolset of its own kind."""

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
        return await super().call_tool(name, {"path": "/etc"}, ctx, tool)


def test_a_toolset_around_one_of_another_kind() -> None:
    gate = make_gate("version: 1\nroles:\n  r:\n    tools:\n      list_files: {mode: allow, constraints: [\"args.path == '/home'\"]}\n")
    for toolset, expected in ((Files(), "ran"), (AroundFiles(Files()), TOO_MUCH)):
        agent = make_agent(Script(("list_files", {"path": "/home"})), toolsets=[toolset])
        assert told(run(agent, User("u", "r"), gate=gate)) == [expected]


def test_arguments_that_somebody_keeps_and_changes_later() -> None:
    """Another thread has the very dict and list that the model's call was validated to."""

    class Keeping(WrapperToolset[Any]):
        async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: Any, tool: Any) -> Any:
            KEPT.append(tool_args)
            return await super().call_tool(name, tool_args, ctx, tool)

    async def refund(order: str, amount: int, tags: list[str]) -> str:
        def change() -> None:
            for kept in KEPT:
                kept["tags"].append("changed")
                kept["amount"] = 9_999

        thread = threading.Thread(target=change)
        thread.start()
        await asyncio.to_thread(thread.join)
        RAN.append((amount, tags))
        return "refunded"

    kept: list[Any] = []
    KEPT[:] = []

    class Hook(AbstractCapability[Any]):
        async def before_tool_execute(self, ctx: Any, *, call: Any, tool_def: Any, args: Any) -> Any:
            KEPT.append(args)
            return args

    toolset = Keeping(FunctionToolset[Any]([Tool(refund)]))
    assert told(run(make_agent(Script(CALL), toolsets=[toolset], capabilities=[Hook()]), ALICE)) == ["refunded"]
    assert (RAN, len(KEPT), kept) == ([(10, [])], 2, [])


KEPT: list[Any] = []


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Address(BaseModel):
    """A model whose serializers hide and leave out, which a policy must not depend on."""

    street: str = Field(alias="streetName")
    city: str = Field(default="x", validation_alias=AliasChoices("town", "city"))
    secret: str = Field(default="s", exclude=True)

    @field_serializer("street")
    def _hide(self, value: str) -> str:
        return "***"


class Loose(BaseModel, extra="allow"):
    """Takes whatever it is given."""


class Numbers(RootModel[list[int]]):
    """A list."""


@dataclass
class Point:
    x: int
    y: list[int]


class Pair(NamedTuple):
    left: int
    right: int


class Text(str):
    """A text of its own kind."""


ADDRESS = Address(streetName="main")
INSTANT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAIN = [
    (1, 1), ("a", "a"), (None, None), (True, True), (1.5, 1.5), ([1, (2,)], [1, [2]]), ({"a": {"b": [1]}}, {"a": {"b": [1]}}),
    ({3, 1, 2}, [1, 2, 3]), (frozenset({2, 1}), [1, 2]),
    (Color.RED, "red"), (Level.HIGH, 3), (Text("t"), "t"), (Pair(1, 2), [1, 2]),
    (Decimal("19.99"), 19.99), (Decimal("500"), 500), (Decimal("1E+3"), 1000),
    (INSTANT, "2026-01-02T03:04:05Z"), (date(2026, 1, 2), "2026-01-02"), (timedelta(hours=1), "PT1H"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"), (PurePosixPath("/a"), "/a"), (b"text", "text"), (b"\xff", b"\xff"),
    (AnyUrl("https://example.org/a"), "https://example.org/a"), (IPv4Address("10.0.0.1"), "10.0.0.1"), (time(1, 2), "01:02:00"),
    (SecretStr("hidden"), "hidden"), (Point(1, [2]), {"x": 1, "y": [2]}), (Numbers([1, 2]), [1, 2]),
    (ADDRESS, {"streetName": "main", "town": "x", "secret": "s"}), (Loose(a=1, b=[2]), {"a": 1, "b": [2]}),
    ({Color.RED: 1}, {"red": 1}), ({"a": [ADDRESS]}, {"a": [{"streetName": "main", "town": "x", "secret": "s"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "plain"), PLAIN, ids=repr)
def test_plain_data(value: Any, plain: Any) -> None:
    own, found = take(value)
    assert (found, type(found), own, type(own)) == (plain, type(plain), value, type(value))


NO_FORM = [object(), threading.Lock(), Decimal("NaN"), Decimal("500.00000000000000001"), Decimal("1E+1000000"), int]


@pytest.mark.parametrize("value", NO_FORM, ids=lambda value: type(value).__name__)
def test_what_has_no_form_in_json_stays_what_it_is(value: Any) -> None:
    own, plain = take({"value": [value]})
    assert own["value"][0] is value and plain["value"][0] is value


def test_an_object_that_cannot_be_copied_is_not_read() -> None:
    """A constraint on it would be on what another thread can still change."""
    model = Loose(amount=1, lock=threading.Lock())
    assert take([model]) == ([model], [model])


def test_copies_share_nothing() -> None:
    value = {"list": [1], "model": Loose(inner=[1]), "point": Point(1, [2]), "set": {1}}
    own, plain = take(value)
    value["list"].append(2)
    value["model"].inner.append(2)
    value["point"].y.append(3)
    value["set"].add(2)
    assert (own["list"], own["model"].inner, own["point"].y, own["set"]) == ([1], [1], [2], {1})
    assert plain == {"list": [1], "model": {"inner": [1]}, "point": {"x": 1, "y": [2]}, "set": [1]}


def test_nested_without_end() -> None:
    value: list[Any] = []
    value.append(value)
    own, plain = take(value)
    assert isinstance(own, list) and isinstance(plain, list)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4))
def test_json_is_plain_data(value: dict[str, Any]) -> None:
    assert take(value) == (value, value)


class Payment(BaseModel):
    """An argument that is an object, which its own validator can keep."""

    amount: Decimal
    currency: str = "USD"
    due: date | None = None

    @model_validator(mode="after")
    def _keep(self) -> Payment:
        KEPT.append(self)
        return self


POLICY = """\
version: 1
roles:
  billing:
    tools:
      pay:
        mode: allow
        constraints:
          - args.payment.amount <= 500
          - args.payment.currency == "USD"
          - timestamp(args.payment.due + "T00:00:00Z") < timestamp("2027-01-01T00:00:00Z")
"""


@pytest.mark.parametrize(
    ("payment", "text"),
    [({"amount": "19.99", "due": "2026-01-02"}, "paid"), ({"amount": 501, "due": "2026-01-02"}, TOO_MUCH),
     ({"amount": 1, "currency": "EUR", "due": "2026-01-02"}, TOO_MUCH), ({"amount": 1, "due": "2027-01-02"}, TOO_MUCH),
     ({"amount": 1}, "this call is not permitted (evaluation_error)")],
)  # fmt: skip
def test_a_policy_reads_the_fields_of_a_model(payment: Any, text: str) -> None:
    async def pay(payment: Payment) -> str:
        for kept in KEPT:
            kept.amount = Decimal(31_337)
        RAN.append(payment.amount)
        return "paid"

    KEPT.clear()
    assert told(run(make_agent(Script(("pay", {"payment": payment})), pay), ALICE, gate=make_gate(POLICY))) == [text]
    assert ([Decimal("19.99")] if text == "paid" else []) == RAN


def test_what_the_framework_validates_is_what_a_policy_sees() -> None:
    """A text for an integer is one by then, and a default is there."""

    def refund(order: str, amount: Annotated[int, Field(le=1000)] = 7) -> str:
        RAN.append(amount)
        return "refunded"

    calls = [("refund", {"order": "1", "amount": "9"}), ("refund", {"order": "1"}), ("refund", {"order": "1", "amount": "900"})]
    assert told(run(make_agent(Script(*calls), refund), ALICE)) == ["refunded", "refunded", TOO_MUCH]
    assert RAN == [9, 7]
