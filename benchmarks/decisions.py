"""Time of one decision, in-process: `python -m benchmarks.decisions`, with pyperf's options.

Every contender answers the same question about the same call: a refund of 30 USD, allowed up to 500 USD.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import ormsgpack
import pyperf
import wasmtime

from benchmarks.policies import REFUNDS, checked, wide
from benchmarks.signed_policies import KEY, signed_policy
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import User
from hexgate.policy.interpret import InterpreterEngine
from hexgate.runtime.gate import Gate
from hexgate.runtime.sandbox import _unchecked_call, make_engine
from hexgate.runtime.wasm_engine import WasmEngine

ARGUMENTS = {"amount": 30, "currency": "USD"}
USER = User("alice", "billing")
EMPTY = '(module (memory (export "memory") 1 1) (func (export "f") (param i32) (result i32) (local.get 0)))'


def _call(engine: Any, tool: str, args: Any, user: User) -> Callable[[], Any]:
    decide = engine.decide
    assert decide(tool, args, user).allowed
    return lambda: decide(tool, args, user)


def _wasm(files: dict[str, bytes]) -> WasmEngine:
    compiled = compile_policy(checked(files))
    return WasmEngine(compiled.wasm, compiled.table)


def _empty() -> Callable[[], Any]:
    """What a decision cannot be faster than: encoding the request, and a call of a module that does nothing."""
    store = wasmtime.Store(make_engine())
    store.set_fuel(10**15)
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, wasmtime.wat2wasm(EMPTY)), []).exports(store)
    memory, function = exports["memory"], exports["f"]
    assert isinstance(memory, wasmtime.Memory) and isinstance(function, wasmtime.Func)
    empty = _unchecked_call(store, function, memoryview(bytearray(65536)))
    assert empty is not None
    request = ("billing", "refund_order", "alice", {}, ARGUMENTS, {}, {}, None)
    return lambda: empty(ormsgpack.packb(request))


def _plain_if() -> Callable[[], Any]:
    args: dict[str, Any] = ARGUMENTS
    return lambda: args["amount"] <= 500 and args["currency"] == "USD"


def _unread() -> dict[str, Any]:
    return {**ARGUMENTS, "note": "x" * 2**20}


def _common_expression_language() -> Callable[[], Any]:
    import cel

    program = cel.compile('args.amount <= 500 && args.currency == "USD"')
    return lambda: program.execute({"args": ARGUMENTS})


def _cel_cpp() -> Callable[[], Any]:
    from cel_expr_python import cel

    environment = cel.NewEnv(variables={"amount": cel.Type.INT, "currency": cel.Type.STRING})
    program = environment.compile('amount <= 500 && currency == "USD"')
    return lambda: program.eval(data=ARGUMENTS)


def _casbin() -> Callable[[], Any]:
    import casbin

    model = casbin.Model()
    model.load_model_from_text(
        "[request_definition]\nr = sub, obj, act\n[policy_definition]\np = sub_rule, obj, act\n"
        "[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = eval(p.sub_rule) && r.obj == p.obj && r.act == p.act"
    )
    enforcer = casbin.Enforcer(model)
    enforcer.add_policy('r.sub.amount <= 500 && r.sub.currency == "USD"', "refund_order", "call")
    subject = type("Arguments", (), ARGUMENTS)()
    return lambda: enforcer.enforce(subject, "refund_order", "call")


def _cedar() -> Callable[[], Any]:
    import cedarpy

    policy = 'permit(principal == Role::"billing", action == Action::"refund_order", resource) when {context.amount <= 500 && context.currency == "USD"};'
    request = {"principal": 'Role::"billing"', "action": 'Action::"refund_order"', "resource": 'Tool::"t"', "context": ARGUMENTS}
    entities: list[Any] = []
    return lambda: cedarpy.is_authorized(request, policy, entities)


def _rego() -> Callable[[], Any]:
    import regopy

    engine = regopy.Interpreter()
    engine.add_module("p", 'package p\nimport rego.v1\nallow if { input.amount <= 500; input.currency == "USD" }')

    def decide() -> Any:
        engine.set_input(ARGUMENTS)
        return engine.query("data.p.allow")

    return decide


def _gate() -> Callable[[], Any]:
    """What an application waits for: the gate of a signed bundle, with the log off."""
    folder = Path(tempfile.mkdtemp())
    (folder / "policy.hexgate").write_bytes(signed_policy(REFUNDS, 1, not_after=4_000_000_000))
    gate = Gate.from_bundle(folder / "policy.hexgate", [KEY.public], state=folder / "state", audit=False, refresh_seconds=None)
    decide, user = gate.decide, USER
    assert decide("refund_order", ARGUMENTS, user=user).allowed
    return lambda: decide("refund_order", ARGUMENTS, user=user)


CONTENDERS: dict[str, Callable[[], Callable[[], Any]]] = {
    "empty call + encode": _empty,
    "wasm": lambda: _call(_wasm(REFUNDS), "refund_order", ARGUMENTS, USER),
    "Gate.decide, signed bundle, log off": _gate,
    "interpreter": lambda: _call(InterpreterEngine(checked(REFUNDS)), "refund_order", ARGUMENTS, USER),
    "wasm, 1 MB unread argument": lambda: _call(_wasm(REFUNDS), "refund_order", _unread(), USER),
    "wasm, 1,000 roles x 1,000 tools": lambda: _call(_wasm(wide(1000, 1000)), "tool_500", ARGUMENTS, User("alice", "role_7")),
    "hand-written if": _plain_if,
    "common-expression-language": _common_expression_language,
    "cel-expr-python (cel-cpp)": _cel_cpp,
    "casbin": _casbin,
    "cedarpy": _cedar,
    "regopy (rego-cpp)": _rego,
}
"""Each one's preparation, which is not measured; it yields the decision, which is."""


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
    """Measures each contender with pyperf."""
    runner = pyperf.Runner(values=3, processes=2, program_args=("-m", "benchmarks.decisions"))
    for name, prepare in CONTENDERS.items():
        runner.bench_time_func(name, _timed(prepare))


if __name__ == "__main__":
    main()
