"""From a verified bundle to decisions that name it: its table, its limits, its vectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.policies import REFUNDS, checked
from hexgate.bundle.keys import generate_key
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.sign import candidate, sign_bundle
from hexgate.bundle.statement import SignedLimits, Vector
from hexgate.bundle.trust_root import TrustRoot
from hexgate.bundle.verify import VerifiedBundle, verify
from hexgate.compiler.assemble import assemble
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import BundleReference, Reason, User
from hexgate.decision.policy_table import write_table
from hexgate.decision.request import encode_request
from hexgate.limits import MODULE_FUEL, MODULE_FUNCTIONS, MODULE_MEMORY_BYTES
from hexgate.runtime.bundle_engine import REPLAY_INSTANCES, load

COMPILED = compile_policy(checked(REFUNDS))
TABLE = write_table(COMPILED.table)
ALICE = User("alice", "billing")
HOSTILE = Path(__file__).parent / "hostile"


def _request(amount: int, tool: str = "refund_order") -> bytes:
    args = {"amount": amount, "currency": "USD"}
    return encode_request(COMPILED.table.reads_for(tool), "billing", tool, ALICE, args, {}, {}, 0)


VECTORS = ((_request(30), 9), (_request(900), 10), (_request(1, "get_order"), 8))


KEY = generate_key()
LIMITS = SignedLimits(MODULE_FUEL, MODULE_MEMORY_BYTES, MODULE_FUNCTIONS)


def _verified(
    wasm: bytes = COMPILED.wasm,
    table_json: bytes = TABLE,
    vectors: tuple[tuple[bytes, int], ...] = VECTORS,
    **limits: int,
) -> VerifiedBundle:
    """What verification makes of a bundle signed over these artifacts."""
    data = candidate(
        wasm,
        table_json,
        name="refunds",
        version=7,
        issued_at=1_790_000_000,
        not_after=1_800_000_000,
        sources=REFUNDS,
        vectors=tuple(Vector(request, answer) for request, answer in vectors),
        limits=replace(LIMITS, **limits),
    )
    trust = TrustRoot(1, (KEY.public,))
    return verify(sign_bundle(data, [KEY]), trust, name="refunds", now=1_790_000_000, floor=None)


VERIFIED = _verified()


def _hostile(name: str) -> bytes:
    return assemble((HOSTILE / f"{name}.wat").read_text(encoding="utf-8"))


def test_every_decision_names_the_bundle() -> None:
    engine = load(VERIFIED)
    reference = BundleReference("refunds", 7, VERIFIED.digest)
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
    trapping = load(_verified(wasm=_hostile("traps_always"), vectors=()))
    denied = trapping.decide("refund_order", {}, ALICE)
    assert (denied.reason, denied.bundle.name, denied.bundle.version) == (Reason.ENGINE_FAULT, "refunds", 7)


def test_decisions_are_built_once() -> None:
    engine = load(VERIFIED)
    first = engine.decide("refund_order", {"amount": 30, "currency": "USD"}, ALICE)
    assert engine.decide("refund_order", {"amount": 31, "currency": "USD"}, ALICE) is first


AGAIN = "; compile and sign the policies again"
RELEASE = "; compile and sign the policies again with the same release"

REFUSED: dict[str, tuple[VerifiedBundle, Refusal, str]] = {
    "a table that is none": (_verified(table_json=b"{}"), Refusal.TABLE, f"the policy table is malformed{AGAIN}"),
    "a table with a space": (
        _verified(table_json=TABLE + b" "), Refusal.TABLE, f"the policy table is not in its one form{AGAIN}",
    ),
    "the table comes before the module": (
        _verified(table_json=b"", wasm=b""), Refusal.TABLE, f"the policy table is malformed{AGAIN}",
    ),
    "a module that is none": (
        _verified(wasm=b"x"), Refusal.MODULE, f"it is no WebAssembly module of version 1{AGAIN}",
    ),
    "a module with imports": (
        _verified(wasm=_hostile("imports")), Refusal.MODULE, f"the module has imports{AGAIN}",
    ),
    "the module comes before the vectors": (
        _verified(wasm=_hostile("start"), vectors=((b"\x90", 1),)), Refusal.MODULE, f"the module has a start function{AGAIN}",
    ),
    "more functions than signed": (
        _verified(functions=5), Refusal.MODULE, f"the module has more than 5 functions{AGAIN}",
    ),
    "more memory than signed": (
        _verified(wasm=_hostile("traps_always"), memory=65_536), Refusal.MODULE,
        f"the memory has 131072 bytes, more than 65536{AGAIN}",
    ),
    "less fuel than the vectors need": (
        _verified(fuel=100), Refusal.VECTORS, f"the module gives no answer at vector 1{RELEASE}",
    ),
    "another answer": (
        _verified(vectors=(*VECTORS, (_request(30), 10))), Refusal.VECTORS,
        f"the module answers 9, not the signed 10 at vector 4{RELEASE}",
    ),
    "a request that is none": (
        _verified(vectors=((b"\x90", 9),)), Refusal.VECTORS, f"the module answers 2, not the signed 9 at vector 1{RELEASE}",
    ),
    "a request that is too large": (
        _verified(vectors=((bytes(65_537), 2),)), Refusal.VECTORS,
        f"the module is asked more than a request may hold at vector 1{RELEASE}",
    ),
    "a trap": (
        _verified(wasm=_hostile("traps_on_the_second_call"), vectors=((b"\x90", 8), (b"\x90", 8))), Refusal.VECTORS,
        f"the module gives no answer at vector 2{RELEASE}",
    ),
    "an endless loop": (
        _verified(wasm=_hostile("infinite_loop")), Refusal.VECTORS, f"the module gives no answer at vector 1{RELEASE}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_bundle_is_refused(name: str) -> None:
    verified, refusal, detail = REFUSED[name]
    with pytest.raises(BundleRefusedError) as caught:
        load(verified)
    assert (caught.value.refusal, caught.value.detail) == (refusal, detail)


def test_vectors_may_be_none() -> None:
    assert load(_verified(vectors=())).decide("get_order", {}, ALICE).allowed


def test_vectors_that_each_spend_their_fuel_end() -> None:
    """Each call counts down from nearly all of its instance's fuel, so that the next one needs another instance."""
    loop = (
        '(module (memory (export "memory") 2 2) (global (export "input") i32 (i32.const 1024))'
        ' (global (export "capacity") i32 (i32.const 65536)) (global (export "abi") i32 (i32.const 1))'
        ' (func (export "decide") (param i32) (result i32) (local $n i32) (local.set $n (i32.const 10000))'
        " (loop $again (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))) (i32.const 8)))"
    )
    wasm = assemble(loop)
    with pytest.raises(BundleRefusedError) as caught:
        load(_verified(wasm, vectors=((b"\x90", 8),) * 64, fuel=80_000))
    number = REPLAY_INSTANCES + 1
    assert caught.value.refusal is Refusal.VECTORS
    assert caught.value.detail == f"the module has spent the fuel for all of them at vector {number}{RELEASE}"
    assert load(_verified(wasm, vectors=((b"\x90", 8),) * REPLAY_INSTANCES, fuel=80_000)).answer(b"") == 8


def test_the_signed_limits_apply() -> None:
    engine = load(_verified(fuel=10**6, memory=10**7, functions=100))
    limits = engine._compiled.limits
    assert (limits.fuel, limits.memory, limits.functions) == (10**6, 10**7, 100)
