"""Time of one decision, in-process: `python -m benchmarks.decisions`, with pyperf's options.

Every contender answers the same question about the same call: a refund of 30 USD, allowed up to 500 USD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ormsgpack
import pyperf
import wasmtime

from benchmarks.policies import REFUNDS, checked, wide
from hexgate.compiler.compile import compile_policy
from hexgate.decision.decision import User
from hexgate.policy.interpret import InterpreterEngine
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


def ours() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Hexgate's engines, what a decision cannot be faster than, and how decisions grow."""
    store = wasmtime.Store(make_engine())
    store.set_fuel(10**15)
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, wasmtime.wat2wasm(EMPTY)), []).exports(store)
    memory, function = exports["memory"], exports["f"]
    assert isinstance(memory, wasmtime.Memory) and isinstance(function, wasmtime.Func)
    empty = _unchecked_call(store, function, memoryview(bytearray(65536)))
    assert empty is not None
    request = ("billing", "refund_order", "alice", {}, ARGUMENTS, {}, {}, None)
    yield "empty call + encode", lambda: empty(ormsgpack.packb(request))
    small = _wasm(REFUNDS)
    yield "wasm", _call(small, "refund_order", ARGUMENTS, USER)
    yield "interpreter", _call(InterpreterEngine(checked(REFUNDS)), "refund_order", ARGUMENTS, USER)
    yield "wasm, 1 MB unread argument", _call(small, "refund_order", {**ARGUMENTS, "note": "x" * 2**20}, USER)
    large = _wasm(wide(1000, 1000))
    yield "wasm, 1,000 roles x 1,000 tools", _call(large, "tool_500", ARGUMENTS, User("alice", "role_7"))


def peers() -> Iterator[tuple[str, Callable[[], Any]]]:
    """The same decision by others, as their documentation prepares it."""
    args = ARGUMENTS
    yield "hand-written if", lambda: args["amount"] <= 500 and args["currency"] == "USD"  # type: ignore[operator]
    yield "common-expression-language", _common_expression_language()
    yield "cel-expr-python (cel-cpp)", _cel_cpp()
    yield "casbin", _casbin()
    yield "cedarpy", _cedar()
    yield "regopy (rego-cpp)", _rego()


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


def main() -> None:
    """Measures each contender with pyperf."""
    runner = pyperf.Runner(values=5, processes=4)
    for name, function in (*ours(), *peers()):
        runner.bench_func(name, function)


if __name__ == "__main__":
    main()
