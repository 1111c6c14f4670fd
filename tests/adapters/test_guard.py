"""The guard that every adapter shares: rulings, refusals, holds and pauses."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Generator, Iterator
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import Any

import pytest

from benchmarks.signed_policies import KEY, signed_policy
from hexgate.adapters.approvals import Answer, Standing
from hexgate.adapters.arguments import read_arguments
from hexgate.adapters.coverage import Gating, ToolFound, cover
from hexgate.adapters.guard import AdapterError, Guard, UngatedToolsError, UserRequiredError, current_guarded_run
from hexgate.adapters.pauses import HeldCall, Pauses, PausesInFile, PausesInMemory
from hexgate.adapters.private_context import drive, drive_sync, in_context
from hexgate.adapters.ruling import Outcome
from hexgate.approvals.evidence import by_key
from hexgate.approvals.store import ApprovalStore
from hexgate.bundle.keys import generate_key
from hexgate.runtime import Gate, User
from hexgate.runtime.held_calls import open_steps

POLICY = """\
version: 1
roles:
  billing:
    tools:
      refund: {mode: allow, constraints: [args.amount <= 500]}
      close: {mode: deny, message: closing is for people}
      wire: {mode: approval_required}
      gift: {mode: approval_required, message: ask your lead, constraints: [args.amount > 10]}
      vote: {mode: approval_required, approvers: [lead]}
      web_search: {mode: allow}
      read_page: {mode: allow, constraints: [args.host == "example.org"]}
      "notes.*": {mode: allow}
  clerk:
    default_policy: {mode: allow}
"""
ALICE, BOB, CLERK = User("alice", "billing"), User("bob", "billing"), User("carol", "clerk")


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    path = tmp_path_factory.mktemp("guard") / "policy.yaml"
    path.write_text(POLICY)
    with Gate.from_source(f"dev:{path}", refresh_seconds=None) as made:
        yield made


@pytest.fixture
def guard(gate: Gate) -> Guard:
    return Guard(gate, pauses=PausesInMemory())


RULINGS = [
    # tool, arguments, outcome, text
    ("refund", {"amount": 30}, Outcome.RUN, ""),
    ("refund", {"amount": 900}, Outcome.REFUSE, "this call is not permitted (constraint_failed)"),
    ("refund", {}, Outcome.REFUSE, "this call is not permitted (evaluation_error)"),
    ("refund", "not json 900", Outcome.REFUSE, "this call is not permitted (evaluation_error)"),
    ("close", {"secret": "x"}, Outcome.REFUSE, "closing is for people"),
    ("unknown", {}, Outcome.REFUSE, "this call is not permitted (unknown_tool)"),
    ("wire", {"to": "x"}, Outcome.PAUSE, "this call needs an approval (approval_required)"),
    ("gift", {"amount": 11}, Outcome.PAUSE, "ask your lead"),
    ("gift", {"amount": 3}, Outcome.REFUSE, "ask your lead"),
    ("vote", {}, Outcome.REFUSE, "this call needs an approval by somebody whom the policy names (approver_required)"),
    ("wire", {"to": object()}, Outcome.REFUSE, "this call cannot be held for an approval (approval_unavailable)"),
]


@pytest.mark.parametrize(("tool", "arguments", "outcome", "text"), RULINGS)
def test_rulings(guard: Guard, tool: str, arguments: object, outcome: Outcome, text: str) -> None:
    ruling = guard.run(ALICE).admit(tool, arguments, call_id="c1", can_pause=True)
    assert (ruling.outcome, ruling.text) == (outcome, text)


TEXTS = [
    ("", {}),
    ("{}", {}),
    ('{"a": [1]}', {"a": [1]}),
    ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
    ('{"a": NaN}', '{"a": NaN}'),
    ("[1]", "[1]"),
    ("null", "null"),
    ("{", "{"),
]


@pytest.mark.parametrize(("text", "arguments"), TEXTS)
def test_a_text_has_one_reading_or_none(text: str, arguments: object) -> None:
    assert read_arguments(text) == arguments


def test_what_runs_is_a_copy(guard: Guard) -> None:
    arguments = {"amount": 30, "lines": [{"n": 1}]}
    ruling = guard.run(ALICE).admit("refund", arguments)
    arguments["amount"] = 9_999
    arguments["lines"][0]["n"] = 2  # type: ignore[index]
    assert ruling.arguments == {"amount": 30, "lines": [{"n": 1}]}


@pytest.mark.parametrize("other", ["dev:policies", ALICE, object()])
def test_what_is_no_gate(other: Any) -> None:
    with pytest.raises(AdapterError) as raised:
        Guard(other, pauses=PausesInMemory())
    assert str(raised.value) == '`gate=` takes a gate, as `Gate.from_env()` or `Gate.from_source("dev:policies")` makes it'


def test_nobody_is_calling(guard: Guard) -> None:
    with pytest.raises(UserRequiredError) as raised:
        guard.run(None)
    assert str(raised.value) == "nobody is calling: pass `user=`, a user or the user of a token"
    with pytest.raises(UserRequiredError) as raised:
        guard.run("alice")  # type: ignore[arg-type]
    assert str(raised.value) == "`user=` takes a user with an id and a role, or the user of a token"
    with guard.run(ALICE).current():
        assert guard.run(None).user == ALICE


OFFERS = [("web_search", True), ("read_page", False), ("unknown", False), ("notes.search", True), ("wire", False)]


@pytest.mark.parametrize(("tool", "offered"), OFFERS)
def test_offers(guard: Guard, tool: str, offered: bool) -> None:
    assert guard.run(ALICE).offer(tool).runs is offered


def test_a_default_names_no_tool(guard: Guard) -> None:
    run = guard.run(CLERK)
    assert run.admit("web_search", {}).runs
    assert not run.offer("web_search").runs
    with pytest.raises(UngatedToolsError) as raised:
        run.require_offered(["web_search", "code", "web_search"])
    assert str(raised.value) == (
        "nobody can decide on calls of `web_search`, `code` one by one: name each in the policy with `mode: allow` for the user's role, or "
        "take it from the agent"
    )
    guard.allow_ungated = True
    run.require_offered(["web_search"])


@pytest.fixture(params=["memory", "file"])
def pauses(request: pytest.FixtureRequest, tmp_path: Path) -> Pauses:
    return PausesInMemory() if request.param == "memory" else PausesInFile(tmp_path / "state" / "pauses.sqlite")


ARGUMENTS = {"to": "x", "amount": 1}
OTHERS = [
    # what comes back instead: tool, arguments, user, call id
    ("wire", {"to": "x", "amount": 31_337}, ALICE, "c1"),
    ("wire", {"to": "x", "amount": True}, ALICE, "c1"),
    ("wire", ARGUMENTS, BOB, "c1"),
    ("wire", ARGUMENTS, User("alice", "billing2"), "c1"),
    ("wire", ARGUMENTS, ALICE, "c2"),
    ("gift", {"to": "x", "amount": 11}, ALICE, "c1"),
]


@pytest.mark.parametrize(("tool", "arguments", "user", "call_id"), OTHERS)
def test_an_approval_fits_only_its_call(
    gate: Gate, pauses: Pauses, tool: str, arguments: dict[str, object], user: User, call_id: str
) -> None:
    guard = Guard(gate, pauses=pauses)
    assert guard.run(ALICE).admit("wire", ARGUMENTS, call_id="c1", can_pause=True).outcome is Outcome.PAUSE
    assert guard.run(user).admit(tool, arguments, call_id=call_id, approved=True, can_pause=True).outcome is Outcome.REFUSE
    resumed = Guard(gate, pauses=pauses).run(ALICE)
    assert resumed.admit("wire", ARGUMENTS, call_id="c1", approved=True).runs
    again = resumed.admit("wire", ARGUMENTS, call_id="c1", approved=True)
    assert again.text == "the approval is not for this call (approval_mismatch)"


def test_a_call_id_that_is_no_text_is_refused(guard: Guard) -> None:
    run = guard.run(ALICE)
    assert run.admit("wire", {}, call_id="\ud800", can_pause=True).text == "this call cannot be held for an approval (approval_unavailable)"
    assert run.admit("refund", {"amount": 1}, call_id="\ud800").runs
    assert run.foresee("refund", '{"amount": "\ud800"}', call_id="\ud800").outcome is Outcome.REFUSE


def test_a_pause_ends(pauses: Pauses) -> None:
    assert pauses.add(b"over", 0)
    assert not pauses.take(b"over")


def test_a_file_that_cannot_be_used_refuses(gate: Gate, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    guard = Guard(gate, pauses=PausesInFile(tmp_path / "file" / "pauses.sqlite"))
    ruling = guard.run(ALICE).admit("wire", ARGUMENTS, can_pause=True)
    assert ruling.text == "this call cannot be held for an approval (approval_unavailable)"
    (tmp_path / "open").touch(mode=0o644)
    assert not PausesInFile(tmp_path / "open").add(b"x", 1e12)
    assert not PausesInFile(tmp_path / "open").take(b"x")


class Store:
    """A store of approvals with one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.calls: list[HeldCall] = []

    def settle(self, call: HeldCall) -> Answer:
        self.calls.append(call)
        return self.answer


STANDINGS = [
    (Standing.APPROVED, Outcome.RUN, ""),
    (Standing.PENDING, Outcome.PAUSE, "this call needs an approval (approval_required)"),
    (Standing.REJECTED, Outcome.REFUSE, "this call was not approved (approval_rejected)"),
    (Standing.REFUSED, Outcome.REFUSE, "this call cannot be held for an approval (approval_unavailable)"),
]


@pytest.mark.parametrize(("standing", "outcome", "text"), STANDINGS)
def test_a_store_has_the_last_word(gate: Gate, standing: Standing, outcome: Outcome, text: str) -> None:
    store = Store(Answer(standing, "r1"))
    run = Guard(gate, approvals=store, pauses=PausesInMemory()).run(ALICE)
    ruling = run.admit("vote", {}, call_id="c", can_pause=True)
    assert (ruling.outcome, ruling.text, ruling.request_id) == (outcome, text, "r1")
    assert run.admit("vote", {}, call_id="c", approved=True).runs is (standing is Standing.APPROVED)
    assert [call.user for call in store.calls] == [ALICE, ALICE]


def test_what_was_foreseen_is_decided_once(guard: Guard) -> None:
    run = guard.run(ALICE)
    foreseen = run.foresee("refund", '{"amount": 30}', call_id="c")
    assert run.admit_text("refund", '{"amount": 30}', call_id="c") is foreseen
    assert run.admit_text("refund", '{"amount": 30}', call_id="c") is not foreseen
    foreseen = run.foresee("refund", {"amount": 30, "x": 1}, call_id="c")
    assert run.admit("refund", {"x": 1, "amount": 30}, call_id="c") is foreseen
    run.foresee("refund", {"amount": 30}, call_id="d")
    assert not run.admit("refund", {"amount": 900}, call_id="d").runs
    assert run.foresee("wire", {}, call_id="e").outcome is Outcome.PAUSE
    assert run.admit("wire", {}, call_id="e", approved=True).runs


def test_what_was_foreseen_ends_with_the_bundle(tmp_path: Path) -> None:
    key, bundle, now = generate_key(), tmp_path / "policy.hexgate", [time.time_ns()]
    bundle.write_bytes(signed_policy({"billing.yaml": b"version: 1\ntools:\n  pay: {mode: allow}\n"}, 1, keys=(key,), not_after=4_000_000_000))
    with Gate.from_bundle(bundle, [key.public], state=tmp_path, audit=False, refresh_seconds=None, clock=lambda: now[0]) as gate:
        run = Guard(gate, pauses=PausesInMemory()).run(ALICE)
        told = [run.foresee("pay", arguments, call_id=call_id) for arguments, call_id in (("{}", "c"), ({}, "d"))]
        now[0] = 4_000_000_001 * 10**9
        told += [run.admit_text("pay", "{}", call_id="c"), run.admit("pay", {}, call_id="d")]
    assert [each.text for each in told] == ["", "", *["this call is not permitted (bundle_expired)"] * 2]


def test_a_run_is_current_for_what_it_starts(guard: Guard) -> None:
    seen: list[User | None] = []

    async def tool() -> None:
        await asyncio.to_thread(lambda: seen.append(getattr(current_guarded_run(), "user", None)))

    async def main() -> None:
        async def one(user: User) -> None:
            with guard.run(user).current():
                await asyncio.gather(tool(), tool())

        await asyncio.gather(one(ALICE), one(BOB))

    asyncio.run(main())
    assert sorted(user.user_id for user in seen if user is not None) == ["alice", "alice", "bob", "bob"]
    assert current_guarded_run() is None


NAME: ContextVar[str] = ContextVar("name", default="outside")


def test_generators_keep_their_context_to_themselves() -> None:
    closed: list[str] = []

    async def inner(name: str) -> AsyncGenerator[str, None]:
        try:
            for _ in range(3):
                await asyncio.sleep(0)
                yield NAME.get()
                NAME.set(name + "!")
        finally:
            closed.append(NAME.get())

    async def main() -> list[str]:
        contexts = {name: copy_context() for name in "ab"}
        for name, context in contexts.items():
            context.run(NAME.set, name)
        streams = {name: drive(inner(name), context) for name, context in contexts.items()}
        seen = [await anext(streams["a"]), await anext(streams["b"]), await anext(streams["a"]), NAME.get()]
        await streams["a"].aclose()
        seen += [item async for item in streams["b"]]
        return seen

    assert asyncio.run(main()) == ["a", "b", "a!", "outside", "b!", "b!"]
    assert closed == ["a!", "b!"]


def test_cancellation_and_errors_reach_what_is_driven() -> None:
    reached: list[str] = []

    async def body() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            reached.append("cancelled")
            raise

    async def main() -> None:
        task = asyncio.create_task(in_context(body(), copy_context()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(KeyError):
            await in_context(fail(), copy_context())

    async def fail() -> None:
        raise KeyError("x")

    asyncio.run(main())
    assert reached == ["cancelled"]


def test_plain_generators_are_driven_from_any_thread() -> None:
    def inner() -> Generator[str, None, None]:
        try:
            while True:
                yield NAME.get()
        finally:
            NAME.set("closed")

    context = copy_context()
    context.run(NAME.set, "inside")
    stream = drive_sync(inner(), context)
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append(next(stream)))
    thread.start()
    thread.join()
    seen.append(next(stream))
    stream.close()
    assert (seen, context[NAME], NAME.get()) == (["inside", "inside"], "closed", "outside")


def test_coverage(gate: Gate) -> None:
    names = [("refund", Gating.CALL), ("web_search", Gating.OFFER), ("notes.search", Gating.NONE), ("wire", Gating.CALL), ("x", Gating.NONE)]
    covered = cover("billing agent", [ToolFound(name, "function", gating) for name, gating in names], gate)
    assert [(row.tool.name, [answer.text for answer in row.answers], row.refused_for) for row in covered.rows] == [
        ("refund", ["allow if args.amount <= 500", "allow"], ()),
        ("web_search", ["allow", "allow"], ("clerk",)),
        ("notes.search", ["allow", "allow"], ("clerk",)),
        ("wire", ["approval", "allow"], ()),
        ("x", ["deny", "allow"], ("billing", "clerk")),
    ]
    assert [row.tool.name for row in covered.ungated] == ["notes.search", "x"]
    assert covered.to_dict()["tools"][0]["roles"]["billing"] == {"says": "depends", "text": "allow if args.amount <= 500"}


ENTRIES = [
    # the entry of `search`, what coverage says of it, whether a search by the provider is offered
    ("{mode: allow}", "allow", True),
    ("{mode: deny}", "deny", False),
    ("{mode: approval_required}", "approval", False),
    ("{mode: allow, constraints: [has(args.q)]}", "allow if has(args.q)", False),
    ("{mode: allow, constraints: ['!has(args.q)']}", "allow if !has(args.q)", False),
    ("{mode: allow, constraints: [user.id == 'bob']}", "allow if user.id == 'bob'", False),
    ("{mode: allow, constraints: [user.id == 'alice']}", "allow if user.id == 'alice'", True),
    ("{rules: [{mode: deny, constraints: [has(args.q)]}, {mode: allow}]}", "deny if has(args.q), else allow", False),
    ("{rules: [{mode: allow, constraints: [has(args.q), args.q != '']}, {mode: deny}]}", "allow if has(args.q) && args.q != '', else deny", False),
    ("{rules: [{mode: deny, constraints: [size(args) > 3]}, {mode: approval_required}]}", "deny if size(args) > 3, else approval", False),
    ("{rules: [{mode: allow}, {mode: deny, constraints: [has(args.q)]}]}", "allow", True),
]


@pytest.mark.parametrize(("entry", "text", "offered"), ENTRIES)
def test_what_depends_on_arguments_that_nobody_sees_is_not_offered(tmp_path: Path, entry: str, text: str, offered: bool) -> None:
    _check_offer(tmp_path, {"billing.yaml": f"version: 1\ntools:\n  search: {entry}\n"}, text, offered)


BOUNDARIES = [
    # the boundary's tools, what coverage says of a tool that the role allows, whether it is offered
    ("{search: {mode: allow}}", "allow", True),
    ("{'*': {mode: allow}, 'x*': {mode: deny, constraints: [has(args.q)]}}", "allow", True),
    ("{'*': {rules: [{mode: deny, constraints: [has(args.q)]}, {mode: allow}]}}", "allow (within the boundary)", False),
    ("{search: {mode: allow, constraints: [args.q == 'x']}}", "allow if args.q == 'x' (the boundary)", False),
]


@pytest.mark.parametrize(("tools", "text", "offered"), BOUNDARIES)
def test_boundaries_that_depend_on_arguments_offer_nothing(tmp_path: Path, tools: str, text: str, offered: bool) -> None:
    role = "version: 1\ntools:\n  search: {mode: allow}\n"
    _check_offer(tmp_path, {"billing.yaml": role, "boundary.yaml": f"version: 1\ntools: {tools}\n"}, text, offered)


def _check_offer(folder: Path, files: dict[str, str], text: str, offered: bool) -> None:
    sources = folder / "policies"
    sources.mkdir()
    for name, content in files.items():
        (sources / name).write_text(content)
    bundle = folder / "policy.hexgate"
    bundle.write_bytes(signed_policy({name: content.encode() for name, content in files.items()}, 1, not_after=4_000_000_000))
    with (
        Gate.from_source(f"dev:{sources}", refresh_seconds=None) as interpreted,
        Gate.from_bundle(bundle, [KEY.public], state=folder / "state", audit=False, refresh_seconds=None) as compiled,
    ):
        for made in (interpreted, compiled):
            (row,) = cover("agent", [ToolFound("search", "hosted", Gating.OFFER)], made).rows
            assert [answer.text for answer in row.answers] == [text]
            assert Guard(made, pauses=PausesInMemory()).run(ALICE).offer("search").runs is offered


def test_the_gates_own_store_decides_on_a_call_that_names_its_approvers(tmp_path: Path) -> None:
    key = generate_key()
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"version: 1\nroles:\n  billing:\n    tools:\n      vote: {{mode: approval_required, approvers: ['{key.public.text}']}}\n")
    store = ApprovalStore(tmp_path / "approvals.sqlite")
    with Gate.from_source(f"dev:{policy}", approvals=store, refresh_seconds=None) as gate:
        guard = Guard(gate, pauses=PausesInMemory())
        held = guard.run(ALICE).admit("vote", {"for": "x"}, call_id="c", can_pause=True)
        assert held.outcome is Outcome.PAUSE and held.request_id is not None and gate.approvals is not None
        early = guard.run(ALICE).admit("vote", {"for": "x"}, call_id="c", approved=True)
        assert early.text == "this call needs an approval (approval_required)"
        request = gate.approvals.get(held.request_id).request
        open_steps(store, None).approve(request.id, by_key(key, request), None, time.time_ns())
        assert guard.run(ALICE).admit("vote", {"for": "y"}, call_id="c", approved=True).outcome is Outcome.REFUSE
        assert guard.run(BOB).admit("vote", {"for": "x"}, call_id="c", approved=True).outcome is Outcome.REFUSE
        assert guard.run(ALICE).admit("vote", {"for": "x"}, call_id="d").runs
        assert not guard.run(ALICE).admit("vote", {"for": "x"}, call_id="d").runs


def test_a_store_that_cannot_be_used_refuses(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("version: 1\nroles:\n  billing:\n    tools:\n      vote: {mode: approval_required}\n")
    store = tmp_path / "approvals.sqlite"
    with Gate.from_source(f"dev:{policy}", approvals=ApprovalStore(store), refresh_seconds=None) as gate:
        store.unlink(missing_ok=True)
        store.mkdir()
        ruling = Guard(gate, pauses=PausesInMemory()).run(ALICE).admit("vote", {}, can_pause=True)
        assert ruling.text == "this call cannot be held for an approval (approval_unavailable)"
