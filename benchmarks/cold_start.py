"""A first decision in a new process: `python benchmarks/cold_start.py FOLDER`, with policy.wasm and policy.json in it."""

import sys
from pathlib import Path

from hexgate.decision.decision import User
from hexgate.decision.policy_table import read_table
from hexgate.runtime.wasm_engine import WasmEngine

folder = Path(sys.argv[1])
engine = WasmEngine((folder / "policy.wasm").read_bytes(), read_table((folder / "policy.json").read_bytes()))
assert engine.decide("refund_order", {"amount": 30, "currency": "USD"}, User("alice", "billing")).allowed
