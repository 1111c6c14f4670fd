"""How one decision grows with a policy and a call: `python -m benchmarks.growth`, with pyperf's options.

Each row is a decision of the module that allows; only what its name says grows. Compare inside one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pyperf

from benchmarks.policies import checked, wide
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import User
from hexgate.runtime.wasm_engine import WasmEngine

ARGUMENTS = {"amount": 30, "currency": "USD"}


def _deciding(files: dict[str, bytes], tool: str, args: dict[str, Any], role: str) -> Callable[[], Any]:
    compiled = compile_policy(checked(files))
    decide, user = WasmEngine(compiled.wasm, compiled.table).decide, User("alice", role)
    assert decide(tool, args, user).allowed
    return lambda: decide(tool, args, user)


def _rules(count: int) -> dict[str, bytes]:
    """One tool with so many rules, the last of which holds."""
    lines = ["version: 1", "tools:", "  t:", "    rules:"]
    for number in range(count):
        lines.append(f"      - {{mode: allow, constraints: [args.amount == {30 if number == count - 1 else number + 1000}]}}")
    return {"r.yaml": "\n".join(lines).encode()}


def _reading(constraint: str) -> dict[str, bytes]:
    return {"r.yaml": f"version: 1\ntools:\n  t:\n    mode: allow\n    constraints: ['{constraint}']\n".encode()}


def rows() -> dict[str, Callable[[], Callable[[], Any]]]:
    """Each row's preparation, which is not measured; it yields the decision, which is."""
    found: dict[str, Callable[[], Callable[[], Any]]] = {}
    for count in (1, 10, 100, 1000):
        found[f"{count:,} roles x 10 tools"] = partial(_deciding, wide(count, 10), "tool_5", ARGUMENTS, "role_0")
    for count in (2, 10, 100, 1000):
        found[f"10 roles x {count:,} tools"] = partial(_deciding, wide(10, count), "tool_1", ARGUMENTS, "role_0")
    for count in (1, 4, 16, 64):
        found[f"{count} rules of the tool, the last holds"] = partial(_deciding, _rules(count), "t", ARGUMENTS, "r")
    for size in (10, 1_000, 10_000, 60_000):
        text = {"text": "x" * size}
        found[f"an argument of {size:,} bytes, compared"] = partial(_deciding, _reading('args.text != "y"'), "t", text, "r")
        found[f"an argument of {size:,} bytes, searched"] = partial(_deciding, _reading('!args.text.contains("y")'), "t", text, "r")
    for size in (10, 1_000, 5_000):
        items = {"items": [1] * size}
        found[f"a list of {size:,} numbers, all looked at"] = partial(_deciding, _reading("args.items.all(i, i < 2)"), "t", items, "r")
    return found


def _timed(prepare: Callable[[], Callable[[], Any]]) -> Callable[[int], float]:
    ready = cache(prepare)

    def time_loops(loops: int) -> float:
        decide = ready()
        start = time.perf_counter()
        for _ in range(loops):
            decide()
        return time.perf_counter() - start

    return time_loops


def main() -> None:
    """Measures every row."""
    runner = pyperf.Runner(program_args=("-m", "benchmarks.growth"))
    for name, prepare in rows().items():
        runner.bench_time_func(name, _timed(prepare))


if __name__ == "__main__":
    main()
