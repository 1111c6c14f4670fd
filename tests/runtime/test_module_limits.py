"""The limits of a module are for hostile ones: what the compiler makes of the largest policies is well within them."""

from __future__ import annotations

import json

import pytest

from benchmarks.policies import checked, grid
from hexgate.compiler.compile import compile_policy
from hexgate.limits import EXPRESSION_CHARACTERS
from hexgate.runtime.module_headers import read_header
from hexgate.runtime.module_limits import POLICY_INTERFACE, RUNTIME_LIMITS, ModuleLimits, ModuleRefusedError

HALF = ModuleLimits(
    body=RUNTIME_LIMITS.body // 2,
    locals=RUNTIME_LIMITS.locals // 2,
    depth=RUNTIME_LIMITS.depth // 2,
    types=RUNTIME_LIMITS.types // 2,
    globals=RUNTIME_LIMITS.globals // 2,
    segments=RUNTIME_LIMITS.segments // 2,
)
"""Half of each limit that an expression's size could reach."""


def _nested(head: str, innermost: str, count: int) -> str:
    return "".join(head.replace("@", str(n)) for n in range(count)) + innermost + ")" * count


LARGEST = {
    # one constraint each, as long or as deep as the language allows
    "conjunction": " && ".join(["args.a > 1"] * 90),
    "conditionals": " ? true : ".join(["args.a>1"] * 45) + " ? true : false",
    "nested conditionals": "args.a > 1 ? (" * 90 + "true" + ") : false" * 90,
    "nested comprehensions": _nested("args.l.all(x@, ", "true", 40),
    "nested bindings": _nested("cel.bind(x@, args.a, ", "x0 == x1", 60),
    "many comprehensions": " && ".join(["args.l.all(x, x > 1)"] * 90),
    "comprehensions in comprehensions": " && ".join(["args.l.exists_one(x, args.l.exists(y, x == y))"] * 85),
    "a large list": "args.a in [" + ",".join(map(str, range(1_500))) + "]",
    "a large map": "{" + ",".join(f"'k{i}': args.b{i % 9}" for i in range(430)) + "}.size() > 0",
    "a large pattern": "args.s.matches('(a|b|c|[d-z0-9]{1,40}x){1,20}')",
}


@pytest.mark.parametrize("name", LARGEST)
def test_the_largest_constraints_are_within_half_of_the_limits(name: str) -> None:
    assert len(LARGEST[name]) <= EXPRESSION_CHARACTERS
    policy = {"version": 1, "tools": {"t": {"mode": "allow", "constraints": [LARGEST[name]]}}}
    read_header(compile_policy(checked({"billing.yaml": json.dumps(policy).encode()})).wasm, POLICY_INTERFACE, HALF)


def test_the_largest_entry_is_within_half_of_the_limits() -> None:
    rules = [{"mode": "allow", "constraints": [f"args.a{i} > {64 * i + j}" for j in range(64)]} for i in range(64)]
    policy = {"version": 1, "tools": {"t": {"rules": rules}}}
    read_header(compile_policy(checked({"billing.yaml": json.dumps(policy).encode()})).wasm, POLICY_INTERFACE, HALF)


def test_a_thousand_rules_are_within_the_limits() -> None:
    wasm = compile_policy(checked(grid(20, 50))).wasm
    assert len(read_header(wasm, POLICY_INTERFACE, RUNTIME_LIMITS).functions) <= RUNTIME_LIMITS.functions // 2


def test_what_is_lowered_is_checked() -> None:
    wasm = compile_policy(checked(grid(2, 2))).wasm
    with pytest.raises(ModuleRefusedError) as caught:
        read_header(wasm, POLICY_INTERFACE, ModuleLimits(body=100))
    assert str(caught.value).endswith(" bytes, more than 100")
