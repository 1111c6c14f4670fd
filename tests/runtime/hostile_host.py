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
"""Bytes that the process may have written to."""

CALLS = 4
ALICE = User("alice", "billing")
ARGUMENTS = {"amount": 1, "currency": "USD"}


def run(folder: Path) -> dict[str, object]:
    """`refused`, or the decisions as `verdict/reason`; seconds of the longest step; whether another module still decides."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    table = read_table((folder / "table.json").read_bytes())
    good = WasmEngine((folder / "good.wasm").read_bytes(), table)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    wasm = (folder / "hostile.wasm").read_bytes()
    seconds, start = [], time.process_time()
    came: dict[str, object] = {}
    try:
        engine = WasmEngine(wasm, table)
        seconds.append(time.process_time() - start)
        decisions = []
        for _ in range(CALLS):
            start = time.process_time()
            decision = engine.decide("refund_order", ARGUMENTS, ALICE)
            seconds.append(time.process_time() - start)
            decisions.append(f"{decision.verdict.value}/{decision.reason.value}")
        came["expect"] = "decides " + " ".join(decisions)
    except ModuleRefusedError as error:
        seconds.append(time.process_time() - start)
        came["expect"] = f"refused {error}"
    came["seconds"] = [round(second, 3) for second in seconds]
    came["mebibytes"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    came["alive"] = good.decide("refund_order", ARGUMENTS, ALICE).allowed
    return came


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
