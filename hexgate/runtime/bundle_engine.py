"""From a verified bundle to an engine: its table read, its module compiled within its signed limits, its vectors replayed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.decision.decision import BundleReference
from hexgate.decision.policy_table import PolicyTableError, read_table
from hexgate.limits import REQUEST_BYTES
from hexgate.runtime.module_limits import RUNTIME_LIMITS, ModuleRefusedError
from hexgate.runtime.sandbox import TrapError
from hexgate.runtime.wasm_engine import WasmEngine

if TYPE_CHECKING:
    from hexgate.bundle.verify import VerifiedBundle

REPLAY_INSTANCES = 8
"""Instances that the replay of all vectors may use up, so that it takes no longer than so many endless loops."""


def load(verified: VerifiedBundle, clock: Callable[[], int] = time.time_ns) -> WasmEngine:
    """The engine of a bundle; every decision of it names the bundle. `clock` gives nanoseconds since the epoch.

    Raises BundleRefusedError with `table`, `module` or `vectors`, in this order.
    """
    predicate = verified.statement.predicate
    try:
        table = read_table(verified.table_json)
    except PolicyTableError as error:
        raise BundleRefusedError(Refusal.TABLE, f"{error}; compile and sign the policies again") from error
    signed = predicate.limits
    limits = replace(RUNTIME_LIMITS, fuel=signed.fuel, memory=signed.memory, functions=signed.functions)
    reference = BundleReference(predicate.name, predicate.version, verified.digest)
    try:
        engine = WasmEngine(verified.wasm, table, clock, limits=limits, bundle=reference)
    except ModuleRefusedError as error:
        raise BundleRefusedError(Refusal.MODULE, f"{error}; compile and sign the policies again") from error
    _replay(engine, ((vector.request, vector.answer) for vector in predicate.vectors))
    return engine


def _replay(engine: WasmEngine, vectors: Iterable[tuple[bytes, int]]) -> None:
    """Every vector's request through the module itself; its answer must be the signed one. Raises BundleRefusedError."""
    for number, (request, signed) in enumerate(vectors, 1):
        try:
            answer = engine.answer(request) if len(request) <= REQUEST_BYTES else None
        except TrapError as error:
            raise BundleRefusedError(Refusal.VECTORS, _sentence(number, "gives no answer")) from error
        if answer is None:
            raise BundleRefusedError(Refusal.VECTORS, _sentence(number, "is asked more than a request may hold"))
        if answer != signed:
            raise BundleRefusedError(Refusal.VECTORS, _sentence(number, f"answers {answer}, not the signed {signed}"))
        if engine.instances > REPLAY_INSTANCES:
            raise BundleRefusedError(Refusal.VECTORS, _sentence(number, "has spent the fuel for all of them"))


def _sentence(number: int, fault: str) -> str:
    return f"the module {fault} at vector {number}; compile and sign the policies again with the same release"
