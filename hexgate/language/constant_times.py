"""Constant texts of timestamps and durations, which are known to be none when a policy is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hexgate.faults import EvaluationFault, Fault
from hexgate.language import checked
from hexgate.language.checked import Node
from hexgate.language.functions import Function
from hexgate.language.operations_time import parse_duration, parse_timestamp
from hexgate.language.tree import Call

if TYPE_CHECKING:
    from hexgate.language.check import Checker

_TIMES: dict[str, tuple[Callable[[str], object], str, str]] = {
    "to_timestamp": (parse_timestamp, "timestamp", "write RFC 3339, as in `2026-01-31T09:00:00Z`"),
    "to_duration": (parse_duration, "duration", "write numbers with units from `h` to `ns`, as in `1h30m`; a day is `24h`"),
}
"""By a function's id: how a text is read, what it should be, how to write it."""


def check_time(checker: Checker, function: Function, operands: tuple[Node, ...], call: Call) -> None:
    """Warns of a constant text that is no timestamp or no duration (L4.7, L4.8): it is a fault each time it is read."""
    found = _TIMES.get(function.id)
    text = operands[0].value if len(operands) == 1 and type(operands[0]) is checked.Constant else None
    if found is None or type(text) is not str:
        return
    parse, what, help_ = found
    try:
        parse(text)
    except EvaluationFault as fault:
        wrong = f"is no {what}" if fault.fault is Fault.INVALID_ARGUMENT else f"is a {what} out of range"
        checker.warn("HG122", f"`{text}` {wrong}", call.arguments[-1].span, help_)
