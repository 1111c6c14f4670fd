"""Signing vectors: a few requests and answers that a runtime replays before it trusts a module."""

from __future__ import annotations

from typing import TypeAlias

from hexgate.compiler.compile import CompiledPolicy
from hexgate.decision.decision import Decision, Reason
from hexgate.decision.outcomes import FIRST_OUTCOME, FIXED_OUTCOMES, PolicyTable
from hexgate.decision.request import encode_request, refuse_names
from hexgate.parity.call import Call
from hexgate.parity.derive import Derivation
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.interpret import InterpreterEngine
from hexgate.runtime.wasm_engine import WasmEngine

VECTOR_BYTES = 1_024
"""Length of a vector's request in bytes, at most."""

IDLE_CALLS = 2_500
"""Derived calls in a row without a new outcome after which the search ends."""

Vector: TypeAlias = tuple[bytes, int]
"""A request in MessagePack (docs/abi.md A2) and the answer that the module must give (A3.1)."""


class VectorError(Exception):
    """The module answers a vector's request differently from the interpreter: a fault of the compiler. Nothing is signed."""


def signing_vectors(policy: CheckedPolicy, compiled: CompiledPolicy, limit: int) -> tuple[Vector, ...]:
    """At most `limit` vectors, each with an answer of its own: those that let a call through first, then a constraint that
    is false, then faults. The answers are the interpreter's and the module's. Deterministic.

    Raises VectorError where the two differ, ModuleRefusedError for a module that does not load.
    """
    if limit <= 0:
        return ()
    engine = InterpreterEngine(policy)
    module = WasmEngine(compiled.wasm, compiled.table)
    answers = _Answers(compiled.table)
    found: dict[int, bytes] = {}
    idle = 0
    for call in Derivation(policy, with_huge=False).calls():
        idle += 1
        if idle > IDLE_CALLS:
            break
        decision = engine.decide(call.tool, call.args, call.user, ctx=call.ctx, resource=call.resource, now=call.now)
        expected = answers.of(decision)
        if expected in found:
            continue
        request = _request(policy, call)
        if request is None or len(request) > VECTOR_BYTES:
            continue
        if module.answer(request) != expected:
            raise VectorError(f"the interpreter and the module differ on a call of `{call.tool}`")
        found[expected] = request
        idle = 0
    chosen = sorted(found, key=answers.rank)[:limit]
    return tuple((found[answer], answer) for answer in sorted(chosen))


def _request(policy: CheckedPolicy, call: Call) -> bytes | None:
    """What a host sends to the module for a call; None for one that it denies by itself."""
    user = call.user
    if user is None or refuse_names(user, call.tool) is not None:
        return None
    reads = policy.reads_for(call.tool)
    return encode_request(reads, user.role, call.tool, user, call.args, call.ctx, call.resource, call.now, careful=True)


class _Answers:
    """From decisions back to the module's answers."""

    def __init__(self, table: PolicyTable) -> None:
        self._table = table
        self._numbers = {
            (outcome.reason, id(table.rules[outcome.rule]), outcome.constraint): FIRST_OUTCOME + number
            for number, outcome in enumerate(table.outcomes)
        }

    def of(self, decision: Decision) -> int:
        """The answer that stands for a decision."""
        rule = decision.rule
        if rule is None:
            return FIXED_OUTCOMES.index(decision.reason)
        position = None if decision.constraint is None else next(n for n, c in enumerate(rule.constraints) if c is decision.constraint)
        number = self._numbers[decision.reason, id(rule), position]
        return number + ((0 if decision.fault is None else int(decision.fault)) << 24)

    def rank(self, answer: int) -> tuple[int, int, int]:
        """Which answers come first: each rule's own verdict, each false constraint, one fault of each constraint, the rest."""
        number, fault = answer & 0xFFFFFF, answer >> 24
        if number < FIRST_OUTCOME:
            return 0, 0, answer
        reason = self._table.outcomes[number - FIRST_OUTCOME].reason
        order = (Reason.RULE, Reason.CONSTRAINT_FAILED, Reason.EVALUATION_ERROR).index(reason)
        return order, fault, number
