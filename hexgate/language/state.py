"""The state of one evaluation in the interpreter: variables, locals, and what is left of the budgets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hexgate.faults import EvaluationFault, Fault
from hexgate.limits import ALLOCATION_BUDGET, ITERATION_BUDGET

_NO_LOCALS: list[Any] = []


def utf8_length(text: str) -> int:
    """What a string counts against the allocation budget: its length in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def scan_steps(text: str | bytes) -> int:
    """The steps of looking through a text, a string or bytes (L2.9): its length in bytes / 64."""
    return (utf8_length(text) if type(text) is str else len(text)) // 64


class State:
    """One evaluation of one constraint. `variables` maps roots to values, or to `RequestMap`s."""

    __slots__ = ("bytes_left", "locals", "steps_left", "variables")

    def __init__(self, variables: Mapping[str, Any], slots: int) -> None:
        self.variables = variables
        self.locals: list[Any] = [None] * slots if slots else _NO_LOCALS
        self.steps_left = ITERATION_BUDGET
        self.bytes_left = ALLOCATION_BUDGET

    def charge_steps(self, steps: int) -> None:
        """Takes steps from the iteration budget (L2.9). Raises the fatal fault where it does not suffice."""
        if steps > self.steps_left:
            raise EvaluationFault(Fault.ITERATION_BUDGET_EXCEEDED)
        self.steps_left -= steps

    def charge_scan(self, text: str | bytes) -> None:
        """Takes the steps of looking through a text (L2.9)."""
        if len(text) >= 16:
            self.charge_steps(scan_steps(text))

    def charge_keys(self, keys: Iterable[Any]) -> None:
        """Takes the steps of putting the keys of a map in order (L2.9): those of looking through its texts."""
        self.charge_steps(sum([scan_steps(key) for key in keys if type(key) is str]))

    def charge_bytes(self, count: int) -> None:
        """Takes bytes from the allocation budget (L2.10). Raises the fatal fault where it does not suffice."""
        if count > self.bytes_left:
            raise EvaluationFault(Fault.ALLOCATION_BUDGET_EXCEEDED)
        self.bytes_left -= count

    def new_text(self, text: str) -> str:
        """A new string, charged."""
        self.charge_bytes(utf8_length(text))
        return text

    def new_bytes(self, data: bytes) -> bytes:
        """A new bytes value, charged."""
        self.charge_bytes(len(data))
        return data

    def new_list(self, elements: tuple[Any, ...]) -> tuple[Any, ...]:
        """A new list, charged."""
        self.charge_bytes(16 * len(elements))
        return elements
