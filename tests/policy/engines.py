"""The engines that decide with a policy: every row of every table in this folder is run on each of `ENGINES`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import Decision, User
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.runtime.wasm_engine import WasmEngine


class Decider(Protocol):
    """What engines are."""

    def decide(
        self, tool: Any, args: Any, user: User | None, *, ctx: Any = None, resource: Any = None, now: int | None = None
    ) -> Decision: ...


def open_wasm(policy: CheckedPolicy) -> Decider:
    """The engine over the compiled module."""
    compiled = compile_policy(policy)
    return WasmEngine(compiled.wasm, compiled.table)


ENGINES: dict[str, Callable[[CheckedPolicy], Decider]] = {"interpreter": InterpreterEngine, "wasm": open_wasm}
