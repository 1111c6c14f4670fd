"""The closed set of evaluation faults: why a constraint had no value.

Both engines use the same codes. The number of a code is part of the module's interface (`docs/abi.md`): the
WebAssembly prelude names faults by number, so numbers are never reused.
"""

from __future__ import annotations

from enum import IntEnum


class Fault(IntEnum):
    """A fault, by its number in the module's interface."""

    NO_SUCH_OVERLOAD = 1
    NO_SUCH_KEY = 2
    INDEX_OUT_OF_RANGE = 3
    DIVIDE_BY_ZERO = 4
    OVERFLOW = 5
    INVALID_ARGUMENT = 6
    DUPLICATE_KEY = 7
    UNSUPPORTED_VALUE = 8
    NOT_A_BOOL = 9
    UNDECLARED_REFERENCE = 10
    ITERATION_BUDGET_EXCEEDED = 11
    ALLOCATION_BUDGET_EXCEEDED = 12

    @property
    def code(self) -> str:
        """The stable text of the code, as decisions and documents show it."""
        return self.name.lower()


FATAL = frozenset({Fault.ITERATION_BUDGET_EXCEEDED, Fault.ALLOCATION_BUDGET_EXCEEDED})
"""Faults that `&&`, `||`, `all` and `exists` do not absorb: they end the constraint."""


class EvaluationFault(Exception):
    """An expression has no value. Raised inside the interpreter only; never leaves an engine."""

    __slots__ = ("fault",)

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault
