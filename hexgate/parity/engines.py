"""The engines that a parity run compares, by name. Each takes calls in batches, so that one in another process can be among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from hexgate.compiler.compile import CompiledPolicy
from hexgate.decision.decision import Decision
from hexgate.parity.call import Call
from hexgate.parity.coverage import Coverage, ObservedInterpreter
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.runtime.wasm_engine import WasmEngine


class EngineUnavailableError(Exception):
    """An engine cannot run here. `help` says what it needs."""

    def __init__(self, message: str, help: str) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help


class BatchEngine(Protocol):
    """An engine over one policy."""

    def decide_all(self, calls: Sequence[Call]) -> list[Decision]:
        """The decision on each call, in order. Never raises for anything in a call."""

    def close(self) -> None:
        """Gives back what the engine holds."""


class InProcessEngine:
    """An engine of this process."""

    def __init__(self, engine: InterpreterEngine | WasmEngine) -> None:
        self._decide = engine.decide

    def decide_all(self, calls: Sequence[Call]) -> list[Decision]:
        decide = self._decide
        return [
            decide(tool, args, user, ctx=ctx, resource=resource, now=now)
            for tool, args, user, ctx, resource, now in calls
        ]

    def close(self) -> None:
        return None


OpenEngine: TypeAlias = Callable[[CheckedPolicy, CompiledPolicy, Coverage], BatchEngine]
"""Makes an engine over a policy. The interpreter notes in the coverage what it evaluates. Raises EngineUnavailableError."""


def _javascript(_: CheckedPolicy, compiled: CompiledPolicy, __: Coverage) -> BatchEngine:
    from hexgate.parity.javascript_engine import JavaScriptEngine  # only where it is asked for: it starts a process

    return JavaScriptEngine(compiled)


ENGINES: dict[str, OpenEngine] = {
    "interpreter": lambda policy, _, coverage: InProcessEngine(ObservedInterpreter(policy, coverage)),
    "wasm": lambda _, compiled, __: InProcessEngine(WasmEngine(compiled.wasm, compiled.table)),
    "js": _javascript,
}
"""Every engine that `test-parity` can compare, by the name of its `--engines` option."""

DEFAULT_ENGINES = ("interpreter", "wasm")
