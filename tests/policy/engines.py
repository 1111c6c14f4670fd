"""The engines that decide with a policy: every row of every table in this folder is run on each of `ENGINES`."""

from __future__ import annotations

from collections.abc import Callable

from hexgate.compiler.compile import compile_policy
from hexgate.decision.engine import DecisionEngine
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.runtime.wasm_engine import WasmEngine


def open_wasm(policy: CheckedPolicy) -> DecisionEngine:
    """The engine over the compiled module."""
    compiled = compile_policy(policy)
    return WasmEngine(compiled.wasm, compiled.table)


ENGINES: dict[str, Callable[[CheckedPolicy], DecisionEngine]] = {"interpreter": InterpreterEngine, "wasm": open_wasm}
