"""From a verified bundle to decisions that name it: its table, its limits, its vectors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.policies import REFUNDS, checked
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.compiler.assemble import assemble
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import BundleReference, Reason, User
from hexgate.decision.policy_table import write_table
from hexgate.decision.request import encode_request
from hexgate.limits import MODULE_FUEL, MODULE_FUNCTIONS, MODULE_MEMORY_BYTES
from hexgate.runtime import bundle_engine
from hexgate.runtime.bundle_engine import REPLAY_INSTANCES, load

COMPILED = compile_policy(checked(REFUNDS))
TABLE = write_table(COMPILED.table)
ALICE = User("alice", "billing")
DIGEST = "5f" * 32
HOSTILE = Path(__file__).parent / "hostile"


def _request(amount: int, tool: str = "refund_order") -> bytes:
    args = {"amount": amount, "currency": "USD"}
    return encode_request(COMPILED.table.reads_for(tool), "billing", tool, ALICE, args, {}, {}, 0)


VECTORS = ((_request(30), 9), (_request(900), 10), (_request(1, "get_order"), 8))


@dataclass(frozen=True)
class _Verified:
    """What `load` reads of a verified bundle, so that the tables here can hold what verification would refuse."""

    wasm: bytes = COMPILED.wasm
    table_json: bytes = TABLE
    vectors: tuple[tuple[bytes, int], ...] = VECTORS
    fuel: int = MODULE_FUEL
    memory: int = MODULE_MEMORY_BYTES
    functions: int = MODULE_FUNCTIONS
    digest: str = DIGEST
    statement: Any = field(init=False)

    def __post_init__(self) -> None:
        vectors = tuple(SimpleNamespace(request=request, answer=answer) for request, answer in self.vectors)
        limits = SimpleNamespace(fuel=self.fuel, memory=self.memory, functions=self.functions)
        predicate = SimpleNamespace(name="refunds", version=7, limits=limits, vectors=vectors)
        object.__setattr__(self, "statement", SimpleNamespace(predicate=predicate))


VERIFIED = _Verified()


def _hostile(name: str) -> bytes:
    return assemble((HOSTILE / f"{name}.wat").read_text(encoding="utf-8"))


def test_every_decision_names_the_bundle() -> None:
    engine = load(VERIFIED)
    reference = BundleReference("refunds", 7, DIGEST)
    calls = [
        ("refund_order", {"amount": 30, "currency": "USD"}, ALICE, Reason.RULE),
        ("refund_order", {"amount": 30, "currency": "USD"}, ALICE, Reason.RULE),
        ("refund_order", {"amount": 900, "currency": "USD"}, ALICE, Reason.CONSTRAINT_FAILED),
        ("refund_order", {"amount": "x"}, ALICE, Reason.EVALUATION_ERROR),
        ("refund_order", {"amount": "x" * 70_000}, ALICE, Reason.REQUEST_TOO_LARGE),
        ("refund_order", {}, None, Reason.MISSING_USER),
        ("refund_order", {}, User("alice", "nobody"), Reason.UNKNOWN_ROLE),
        (None, {}, ALICE, Reason.UNKNOWN_TOOL),
        ("other", {}, User("alice", "read_only"), Reason.UNKNOWN_TOOL),
    ]
    for tool, args, user, reason in calls:
        decision = engine.decide(tool, args, user)
        assert (decision.reason, decision.bundle) == (reason, reference), tool
    trapping = load(replace(VERIFIED, wasm=_hostile("traps_always"), vectors=()))
    denied = trapping.decide("refund_order", {}, ALICE)
    assert (denied.reason, denied.bundle) == (Reason.ENGINE_FAULT, reference)


def test_decisions_are_built_once() -> None:
    engine = load(VERIFIED)
    first = engine.decide("refund_order", {"amount": 30, "currency": "USD"}, ALICE)
    assert engine.decide("refund_order", {"amount": 31, "currency": "USD"}, ALICE) is first


AGAIN = ": compile and sign the policies again"
RELEASE = ": compile and sign the policies again with the same release"

REFUSED: dict[str, tuple[_Verified, Refusal, str]] = {
    "a table that is none": (replace(VERIFIED, table_json=b"{}"), Refusal.TABLE, f"the policy table is malformed{AGAIN}"),
    "a table with a space": (
        replace(VERIFIED, table_json=TABLE + b" "), Refusal.TABLE, f"the policy table is not in its one form{AGAIN}",
    ),
    "the table comes before the module": (
        replace(VERIFIED, table_json=b"", wasm=b""), Refusal.TABLE, f"the policy table is malformed{AGAIN}",
    ),
    "a module that is none": (
        replace(VERIFIED, wasm=b"x"), Refusal.MODULE, f"it is no WebAssembly module of version 1{AGAIN}",
    ),
    "a module with imports": (
        replace(VERIFIED, wasm=_hostile("imports")), Refusal.MODULE, f"the module has imports{AGAIN}",
    ),
    "the module comes before the vectors": (
        replace(VERIFIED, wasm=_hostile("start"), vectors=((b"", 1),)), Refusal.MODULE, f"the module has a start function{AGAIN}",
    ),
    "more functions than signed": (
        replace(VERIFIED, functions=5), Refusal.MODULE, f"the module has more than 5 functions{AGAIN}",
    ),
    "more memory than signed": (
        replace(VERIFIED, wasm=_hostile("traps_always"), memory=65_536), Refusal.MODULE,
        f"the memory has 131072 bytes, more than 65536{AGAIN}",
    ),
    "less fuel than the vectors need": (
        replace(VERIFIED, fuel=100), Refusal.VECTORS, f"the module gives no answer at vector 1{RELEASE}",
    ),
    "another answer": (
        replace(VERIFIED, vectors=(*VECTORS, (_request(30), 10))), Refusal.VECTORS,
        f"the module answers 9, not the signed 10 at vector 4{RELEASE}",
    ),
    "a request that is none": (
        replace(VERIFIED, vectors=((b"", 9),)), Refusal.VECTORS, f"the module answers 2, not the signed 9 at vector 1{RELEASE}",
    ),
    "a request that is too large": (
        replace(VERIFIED, vectors=((bytes(65_537), 2),)), Refusal.VECTORS,
        f"the module is asked more than a request may hold at vector 1{RELEASE}",
    ),
    "a trap": (
        replace(VERIFIED, wasm=_hostile("traps_on_the_second_call"), vectors=((b"", 8), (b"", 8))), Refusal.VECTORS,
        f"the module gives no answer at vector 2{RELEASE}",
    ),
    "an endless loop": (
        replace(VERIFIED, wasm=_hostile("infinite_loop")), Refusal.VECTORS, f"the module gives no answer at vector 1{RELEASE}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bundle_is_refused(name: str) -> None:
    verified, refusal, detail = REFUSED[name]
    with pytest.raises(BundleRefusedError) as caught:
        load(verified)
    assert (caught.value.refusal, caught.value.detail) == (refusal, detail)


def test_vectors_may_be_none() -> None:
    assert load(replace(VERIFIED, vectors=())).decide("get_order", {}, ALICE).allowed


def test_vectors_that_each_spend_their_fuel_end() -> None:
    """Each call counts down from nearly all of its instance's fuel, so that the next one needs another instance."""
    loop = (
        '(module (memory (export "memory") 2 2) (global (export "input") i32 (i32.const 1024))'
        ' (global (export "capacity") i32 (i32.const 65536)) (global (export "abi") i32 (i32.const 1))'
        ' (func (export "decide") (param i32) (result i32) (local $n i32) (local.set $n (i32.const 10000))'
        " (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (i32.const 8)))"
    )
    heavy = replace(VERIFIED, wasm=assemble(loop), fuel=80_000, vectors=((b"", 8),) * 64)
    with pytest.raises(BundleRefusedError) as caught:
        load(heavy)
    number = REPLAY_INSTANCES + 1
    assert caught.value.refusal is Refusal.VECTORS
    assert caught.value.detail == f"the module has spent the fuel for all of them at vector {number}{RELEASE}"
    assert load(replace(heavy, vectors=((b"", 8),) * REPLAY_INSTANCES)).answer(b"") == 8


def test_signed_limits_above_the_runtimes_own_do_not_raise_them() -> None:
    engine = load(replace(VERIFIED, fuel=2**53, memory=2**53, functions=2**53))
    assert engine._compiled.limits == bundle_engine.RUNTIME_LIMITS
