"""From a checked policy to a module and its table: lower, emit, assemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hexgate.collector_pause import collector_paused
from hexgate.compiler.assemble import assemble
from hexgate.compiler.data_segment import DataSegment
from hexgate.compiler.emit import emit, emit_expression
from hexgate.compiler.lower import lower
from hexgate.compiler.lower_expression import ExpressionLowering
from hexgate.compiler.program import ConstraintCode, Program
from hexgate.decision.outcomes import PolicyTable
from hexgate.language.checked import CheckedExpression
from hexgate.policy.checked import CheckedPolicy


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A module with what it came from. `wasm` and `table` are what a host needs."""

    wasm: bytes
    table: PolicyTable
    wat: str
    program: Program


@dataclass(frozen=True, slots=True)
class CompiledExpression:
    """A module that evaluates one expression over the values of `variables`, in order."""

    wasm: bytes
    variables: tuple[str, ...]
    wat: str


@collector_paused
def compile_policy(policy: CheckedPolicy) -> CompiledPolicy:
    """Compile a policy. The same policy gives the same bytes on any machine."""
    program = lower(policy)
    wat = emit(program)
    return CompiledPolicy(assemble(wat), program.table, wat, program)


def compile_expression(expression: CheckedExpression, variables: Sequence[str]) -> CompiledExpression:
    """Compile one expression, whose free variables are among `variables`."""
    data = DataSegment()
    lowering = ExpressionLowering(data, {name: position for position, name in enumerate(variables)})
    instruction = lowering.lower(expression.root)
    code = ConstraintCode(instruction, expression.slots, expression.text)
    wat = emit_expression(code, data.content, len(variables))
    return CompiledExpression(assemble(wat), tuple(variables), wat)
