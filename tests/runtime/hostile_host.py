"""Load a module and decide four times under hard limits: `python -m tests.runtime.hostile_host FOLDER`.

Reads `hostile.wasm`, `good.wasm` and `table.json`; prints what came of it as JSON. A process of its own, because what a
hostile module breaks may be the process.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from hexgate.decision.decision import User
from hexgate.decision.policy_table import read_table
from hexgate.runtime.module_limits import ModuleRefusedError
from hexgate.runtime.wasm_engine import WasmEngine

MEMORY = 400 * 2**20
"""Bytes of writable memory that the process may have; beyond it, it ends."""

CALLS = 4
ALICE = User("alice", "billing")
ARGUMENTS = {"amount": 1, "currency": "USD"}


def run(folder: Path) -> dict[str, object]:
    """What `expect` says in the module's file; seconds of the processor for loading, and for the longest call; whether
    another module still decides."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    table = read_table((folder / "table.json").read_bytes())
    good = WasmEngine((folder / "good.wasm").read_bytes(), table)
    wasm = (folder / "hostile.wasm").read_bytes()
    load, calls, start = 0.0, [], time.process_time()
    came: dict[str, object] = {}
    try:
        engine = WasmEngine(wasm, table)
        load = time.process_time() - start
        decisions = []
        for _ in range(CALLS):
            start = time.process_time()
            decision = engine.decide("refund_order", ARGUMENTS, ALICE)
            calls.append(time.process_time() - start)
            decisions.append(f"{decision.verdict.value}/{decision.reason.value}")
        came["expect"] = "decides " + " ".join(decisions)
    except ModuleRefusedError as error:
        load = time.process_time() - start
        came["expect"] = f"refused {error}"
    came["load"], came["calls"] = load, max(calls, default=0.0)
    came["alive"] = good.decide("refund_order", ARGUMENTS, ALICE).allowed
    return came


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
