"""The commonest constraint, `root.member <operator> constant`, decided in one step where both sides have one plain type.

Not a second meaning: everything but an int, a double or an ASCII string of a request, compared with a constant of the
same type, is left to the operations.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Mapping
from typing import Any

from hexgate.language import checked
from hexgate.language.checked import Node
from hexgate.language.freeze import RequestMap
from hexgate.language.state import scan_steps
from hexgate.limits import INT_MAX, INT_MIN

Holds = Callable[[Mapping[str, Any]], bool]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}
"""Python's operator for each comparison. It means the same where both operands are `int`, or both `str`, or both finite
`float`s; strings compare by code point in both languages."""


def compare_member(node: Node, general: Holds) -> Holds:
    """Whether the constraint holds: `general` itself, or for the commonest shape a function that asks `general` only
    where it has to."""
    if type(node) is not checked.Invoke or node.function not in COMPARISONS:
        return general
    member, constant = node.operands
    if type(member) is not checked.Select or type(constant) is not checked.Constant:
        return general
    if type(member.operand) is not checked.Variable:
        return general
    root, field, compare, value = member.operand.name, member.field, COMPARISONS[node.function], constant.value
    if type(value) is int:
        return _compare_number(root, field, compare, value, (INT_MIN, INT_MAX), general)
    if type(value) is float:
        return _compare_number(root, field, compare, value, (-sys.float_info.max, sys.float_info.max), general)
    if type(value) is str and not scan_steps(value):
        return _compare_text(root, field, compare, value, general)
    return general


def _compare_number(
    root: str, field: str, compare: Callable[[Any, Any], bool], constant: Any, limits: tuple[Any, Any], general: Holds
) -> Holds:
    kind, (lowest, highest) = type(constant), limits

    def holds(variables: Mapping[str, Any]) -> bool:
        if root in variables:
            source = variables[root]
            if type(source) is RequestMap and type(source.source) is dict and field in source.source:
                value = source.source[field]
                if type(value) is kind and lowest <= value <= highest:
                    return compare(value, constant)
        return general(variables)

    return holds


def _compare_text(
    root: str, field: str, compare: Callable[[Any, Any], bool], constant: str, general: Holds
) -> Holds:
    def holds(variables: Mapping[str, Any]) -> bool:
        if root in variables:
            source = variables[root]
            if type(source) is RequestMap and type(source.source) is dict and field in source.source:
                value = source.source[field]
                if type(value) is str and value.isascii():
                    return compare(value, constant)
        return general(variables)

    return holds
