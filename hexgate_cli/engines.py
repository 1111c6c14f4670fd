"""The engines that a command decides with, and what happens where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hexgate.decision.decision import Decision, User
from hexgate.decision.engine import DecisionEngine
from hexgate.decision.reads import Reads
from hexgate.policy.checked import CheckedPolicy
from hexgate_cli.options import Engine
from hexgate_cli.source_text import SourceText


@dataclass(frozen=True, slots=True)
class Request:
    """One call, as it is handed to every engine. `now` is in nanoseconds since the epoch."""

    tool: str
    args: dict[str, Any]
    user: User
    ctx: dict[str, Any]
    resource: dict[str, Any]
    now: int

    @property
    def roots(self) -> dict[str, Any]:
        """What constraints read, by root; `now` as text."""
        from hexgate.language.operations_time import format_timestamp
        from hexgate.values import Timestamp

        return {
            "args": self.args,
            "user": {"id": self.user.user_id, "role": self.user.role, "attrs": dict(self.user.attrs)},
            "tool": self.tool,
            "ctx": self.ctx,
            "resource": self.resource,
            "now": format_timestamp(Timestamp(self.now)),
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """What a command decides with, and shows beside its decisions: the policy, the engines by name, the lines of its files, and what
    is read of a tool's calls."""

    policy: CheckedPolicy
    engines: dict[str, DecisionEngine]
    sources: SourceText
    reads_for: Callable[[str], Reads]


def open_engines(policy: CheckedPolicy, engine: Engine) -> dict[str, DecisionEngine]:
    """The engines asked for, by name, the interpreter first."""
    engines: dict[str, DecisionEngine] = {}
    if engine in (Engine.INTERPRETER, Engine.BOTH):
        from hexgate.policy.interpret import InterpreterEngine

        engines["interpreter"] = InterpreterEngine(policy)
    if engine in (Engine.WASM, Engine.BOTH):
        from hexgate.compiler.compile import compile_policy
        from hexgate.runtime.wasm_engine import WasmEngine

        compiled = compile_policy(policy)
        engines["wasm"] = WasmEngine(compiled.wasm, compiled.table)
    return engines


def decide_with(engines: Mapping[str, DecisionEngine], request: Request) -> dict[str, Decision]:
    """Every engine's decision on a request, by the engine's name."""
    return {
        name: engine.decide(
            request.tool, request.args, request.user, ctx=request.ctx, resource=request.resource, now=request.now
        )
        for name, engine in engines.items()
    }


def agree(answers: Mapping[str, object]) -> bool:
    """Whether all engines answered the same."""
    first, *rest = answers.values()
    return all(answer == first for answer in rest)
