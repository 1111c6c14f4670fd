"""Guarded functions: decided before they run, and run with what was decided."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hexgate.decision.decision import Reason, User
from hexgate.runtime.frozen_arguments import COPIED_DEPTH, frozen
from hexgate.runtime.gate import Gate
from hexgate.runtime.guarded_call import ApprovalRequiredError, ToolDeniedError

ALICE = User("alice", "billing")
POLICY = """version: 1
tools:
  refund:
    mode: allow
    message: ask a colleague
    constraints: [args.amount <= 500, '!has(args.items) || size(args.items) == 1']
  wire:
    mode: approval_required
  close:
    mode: deny
"""


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    (tmp_path / "billing.yaml").write_text(POLICY)
    return Gate.from_source(f"dev:{tmp_path}", refresh_seconds=None)


def refund(amount: int, currency: str = "USD", *, items: Any = (1,)) -> str:
    """Pay back."""
    return f"{amount} {currency} {items}"


def test_a_call_runs_when_it_is_allowed(gate: Gate) -> None:
    guarded = gate.guard(refund, user=ALICE)
    assert guarded(30) == "30 USD (1,)"
    assert guarded(amount=30, items=[5]) == "30 USD [5]"
    assert (guarded.__name__, guarded.__doc__, inspect.signature(guarded)) == ("refund", "Pay back.", inspect.signature(refund))


class Desk:
    """Methods of every kind, guarded or to be guarded."""

    def refund(self, amount: int) -> int:
        return amount

    async def refund_later(self, amount: int) -> int:
        return amount

    def __call__(self, amount: int) -> int:
        return amount

    @classmethod
    def of_class(cls, amount: int) -> int:
        return amount

    @staticmethod
    def of_nothing(amount: int) -> int:
        return amount


async def _refunds(amount: int) -> Any:
    yield amount


def _refunds_now(amount: int) -> Any:
    yield amount


async def _first_of(found: Any) -> Any:
    return await anext(found)


def test_callables_of_every_kind_are_guarded(gate: Gate) -> None:
    """By the arguments alone: what a method is bound to is none."""
    desk = Desk()
    kinds: list[Any] = [desk.refund, Desk.of_class, desk.of_class, Desk.of_nothing, desk, partial(refund, currency="X"), lambda amount: amount]
    for kind in kinds:
        guarded = gate.guard(kind, tool="refund", user=ALICE)
        assert guarded(500) == kind(500)
        with pytest.raises(ToolDeniedError):
            guarded(501)
    later = gate.guard(desk.refund_later, tool="refund", user=ALICE)
    assert inspect.iscoroutinefunction(later) and asyncio.run(later(500)) == 500
    with pytest.raises(ToolDeniedError):
        asyncio.run(later(501))
    for call, take in ((gate.guard(_refunds, tool="refund", user=ALICE), lambda found: asyncio.run(_first_of(found))),
                       (gate.guard(_refunds_now, tool="refund", user=ALICE), next)):  # fmt: skip
        assert take(call(500)) == 500
        with pytest.raises(ToolDeniedError):  # at the call, before anything is asked of the generator
            call(501)


def test_methods_are_guarded_in_their_class(gate: Gate) -> None:
    class Guarded:
        @partial(gate.guard, user=ALICE)
        def refund(self, amount: int) -> tuple[Guarded, int]:
            return self, amount

        @classmethod
        @partial(gate.guard, tool="refund", user=ALICE)
        def of_class(cls, amount: int) -> tuple[type, int]:
            return cls, amount

    one = Guarded()
    assert one.refund(500) == (one, 500)
    assert one.of_class(500) == Guarded.of_class(500) == (Guarded, 500)
    for call in (one.refund, Guarded.of_class):
        with pytest.raises(ToolDeniedError):
            call(501)


def test_a_decorator_with_options(gate: Gate) -> None:
    @gate.guard(tool="refund", user=ALICE)
    def pay_back(amount: int) -> int:
        return amount

    assert (pay_back(500), pay_back.__name__) == (500, "pay_back")
    with pytest.raises(ToolDeniedError):
        pay_back(501)


METHOD = "`guard` takes a function: let `classmethod` or `staticmethod` have what it returns"
NOT_GUARDED = (
    (lambda: partial(refund, currency="X"), None, "what is guarded has no name: pass the tool's as `tool=`"),
    (Desk, None, "what is guarded has no name: pass the tool's as `tool=`"),
    (lambda: 5, "refund", "`guard` takes a function"),
    (lambda: property(refund), "refund", "`guard` takes a function"),
    (lambda: classmethod(refund), "refund", METHOD),
    (lambda: staticmethod(refund), "refund", METHOD),
    (lambda: min, "refund", "what is guarded does not tell its parameters: guard a function that calls it"),
)


@pytest.mark.parametrize(("make", "tool", "message"), NOT_GUARDED, ids=range(len(NOT_GUARDED)))
def test_what_cannot_be_guarded_is_said_at_once(gate: Gate, make: Any, tool: str | None, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        gate.guard(make(), tool=tool, user=ALICE)
    assert str(caught.value) == message


def test_a_refusal_tells_the_policys_message_or_a_fixed_text_and_never_a_value(gate: Gate) -> None:
    ran = []
    cases = (("refund", ToolDeniedError, "ask a colleague"), ("close", ToolDeniedError, "this call is not permitted (rule)"),
             ("wire", ApprovalRequiredError, "this call needs an approval (rule)"),
             ("other", ToolDeniedError, "this call is not permitted (unknown_tool)"))  # fmt: skip
    for tool, error, text in cases:
        guarded = gate.guard(lambda amount: ran.append(amount), tool=tool, user=ALICE)
        with pytest.raises(error) as caught:
            guarded(987_654_321)
        assert str(caught.value) == text
        assert caught.value.decision.tool == tool
    assert ran == []


def test_the_user_is_given_found_or_the_runs(gate: Gate) -> None:
    assert gate.guard(refund, user=lambda: ALICE)(1)
    with pytest.raises(ToolDeniedError) as caught:
        gate.guard(refund)(1)
    assert caught.value.decision.reason is Reason.MISSING_USER
    with gate.run(ALICE):
        assert gate.guard(refund)(1)
        with gate.run(User("bob", "nobody")), pytest.raises(ToolDeniedError) as caught:
            gate.guard(refund)(1)
    assert caught.value.decision.reason is Reason.UNKNOWN_ROLE


def test_coroutines_stay_coroutines_and_their_run_follows_them(gate: Gate) -> None:
    async def refund(amount: int) -> int:
        await asyncio.sleep(0)
        return amount

    guarded = gate.guard(refund)
    assert inspect.iscoroutinefunction(guarded)

    async def run() -> list[Any]:
        with gate.run(ALICE):
            return await asyncio.gather(guarded(1), guarded(900), asyncio.create_task(guarded(2)), return_exceptions=True)

    first, second, third = asyncio.run(run())
    assert (first, third) == (1, 2) and isinstance(second, ToolDeniedError)


def test_what_was_decided_is_what_runs(gate: Gate) -> None:
    items: list[int] = [1]

    def swap() -> User:
        items.append(2)
        return ALICE

    assert gate.guard(refund, user=swap)(1, items=items) == "1 USD [1]"
    assert items == [1, 2]


def test_extra_keywords_are_arguments_by_their_own_names(gate: Gate) -> None:
    def refund(amount: int, /, **rest: Any) -> Any:
        return amount, rest

    guarded = gate.guard(refund, user=ALICE)
    assert guarded(1, items=[3]) == (1, {"items": [3]})
    with pytest.raises(ToolDeniedError):
        guarded(1, items=[3, 4])
    with pytest.raises(TypeError, match=r"^`amount` is given twice$"):
        guarded(1, amount=900)


def test_arguments_that_do_not_fit_raise_as_a_call_does(gate: Gate) -> None:
    with pytest.raises(TypeError):
        gate.guard(refund, user=ALICE)()  # type: ignore[call-arg]


def test_a_frozen_copy_shares_no_container() -> None:
    thing = object()
    inner: list[Any] = [1, {"a": [2]}, (3, [4]), bytearray(b"x"), thing]
    before = {"inner": inner, "again": inner, "plain": "text"}
    copied = frozen(before)
    assert copied == before
    assert copied["inner"] is copied["again"] is not inner
    assert copied["inner"][1]["a"] is not inner[1]["a"] and copied["inner"][2][1] is not inner[2][1]
    assert copied["inner"][3] is not inner[3] and copied["inner"][4] is thing


def test_a_frozen_copy_of_what_holds_itself_does_so_too() -> None:
    loop: dict[str, Any] = {"n": [1]}
    loop["self"] = loop
    copied = frozen(loop)
    assert copied is not loop and copied["self"] is copied and copied["n"] is not loop["n"]


def test_freezing_stops_where_the_language_does() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    copied, original = frozen({"deep": deep})["deep"], deep
    for _ in range(COPIED_DEPTH - 1):
        assert copied is not original
        copied, original = copied[0], original[0]
    while original:
        original, original[:] = original[0], []


def test_no_method_of_a_callers_object_runs() -> None:
    class Trap(dict):  # type: ignore[type-arg]
        def items(self) -> Any:
            raise AssertionError

    trap = Trap()
    view = memoryview(bytearray(b"abc"))
    copied = frozen({"trap": trap, "list": [trap], "view": view})
    assert copied["trap"] is trap and copied["list"][0] is trap
    view[0] = 120
    assert bytes(copied["view"]) == b"abc"
