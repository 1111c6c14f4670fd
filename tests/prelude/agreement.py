"""The prelude held against the interpreter: value to the bit, fault, what is taken from the budgets, and heap kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hexgate.faults import EvaluationFault, Fault
from hexgate.language.interpret import OPERATIONS
from hexgate.language.state import State
from hexgate.limits import ALLOCATION_BUDGET, ITERATION_BUDGET
from hexgate.values import Value
from tests.engines.notation import same
from tests.prelude.harness import Outcome, Prelude

Operand = Value | Fault


def interpreted(
    id_: str, operands: Sequence[Operand], budget: int = ALLOCATION_BUDGET, iterations: int = ITERATION_BUDGET
) -> tuple[Operand, int, int]:
    """What the interpreter's operation gives, strictly (L2.2), with steps and bytes taken."""
    state = State({}, 0)
    state.bytes_left, state.steps_left = budget, iterations
    first = next((operand for operand in operands if type(operand) is Fault), None)
    if first is not None:
        return first, 0, 0
    answer: Operand
    try:
        answer = OPERATIONS[id_](state, *operands)
    except EvaluationFault as error:
        answer = error.fault
    return answer, iterations - state.steps_left, budget - state.bytes_left


def disagreements(
    module: Prelude,
    id_: str,
    cases: Iterable[Sequence[Operand]],
    budget: int = ALLOCATION_BUDGET,
    iterations: int = ITERATION_BUDGET,
) -> list[str]:
    """What differs, case by case, with budgets in bytes and in steps; also a heap that outgrows its charge. No cases are
    an error."""
    found = []
    tried = list(cases)
    if not tried:
        raise ValueError(f"no cases for `{id_}`")
    module.budgets = (iterations, budget)
    for operands in tried:
        expected, steps, size = interpreted(id_, operands, budget, iterations)
        got = module.apply(f"fn_{id_}", *operands)
        if not (same(got.value, expected) and (got.steps, got.bytes) == (steps, size)):
            found.append(f"{id_}{tuple(operands)!r}: {got}, interpreted {expected!r}, {steps} steps, {size} bytes")
        elif not within_heap(got):
            found.append(f"{id_}{tuple(operands)!r}: keeps {got.heap} bytes of heap for {got.bytes} charged")
    module.budgets = (ITERATION_BUDGET, ALLOCATION_BUDGET)
    return found


def within_heap(outcome: Outcome) -> bool:
    """Twice what is charged for the node (16), its steps and its value pays for the heap that a call keeps, and for one
    cell more."""
    return outcome.heap <= 48 + 16 * outcome.steps + 2 * outcome.bytes
