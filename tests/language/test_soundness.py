"""The checker against the interpreter: no expression of a table has a value that its static type excludes."""

from __future__ import annotations

from typing import Any

import pytest

from hexgate.faults import EvaluationFault
from hexgate.language.check import check
from hexgate.language.environment import Environment, type_of_value
from hexgate.language.finding import ExpressionError
from hexgate.language.interpret import interpret
from hexgate.language.print import format_expression
from hexgate.language.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    UINT,
    ListOf,
    MapOf,
    Simple,
    Type,
    TypeOf,
    format_type,
)  # fmt: skip
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Unsupported, Value, value_of_key
from tests.engines.tables import Case, read_cases
from tests.engines.test_conformance import UNSUPPORTED_GROUPS, as_written, read_suite

_KINDS: dict[Simple, tuple[type, ...]] = {
    NULL: (type(None),), BOOL: (bool,), INT: (int,), UINT: (UInt,), DOUBLE: (float,), STRING: (str,), BYTES: (bytes,),
    TIMESTAMP: (Timestamp,), DURATION: (Duration,), NUMBER: (int, UInt, float),
}  # fmt: skip


def is_of(value: Value, type_: Type) -> bool:
    """Whether a value is one of a static type's."""
    if type_ == DYN:
        return True
    match type_:
        case ListOf(element):
            return type(value) is tuple and all(is_of(part, element) for part in value)
        case MapOf(key, member):
            return type(value) is dict and all(
                is_of(value_of_key(k), key) and is_of(v, member) for k, v in value.items()
            )
        case TypeOf():
            return type(value) is TypeValue
        case Simple():
            return type(value) in _KINDS[type_]
    return False


def test_conformance_cases_have_values_of_their_types() -> None:
    wrong = []
    for case in read_suite():
        try:
            expression, bindings = as_written(case)
            value = interpret(expression, bindings)
        except (ExpressionError, EvaluationFault):
            continue
        if not is_of(value, expression.root.type):
            wrong.append(f"{case['expr']}: {value!r} is no {format_type(expression.root.type)}")
    assert wrong == []


def types_of(bindings: dict[str, Value]) -> dict[str, Type]:
    """The exact static types of variables; of no type where a value is unsupported."""
    return {name: DYN if _has_unsupported(value) else type_of_value(value) for name, value in bindings.items()}


def _has_unsupported(value: Any) -> bool:
    if type(value) is tuple:
        return any(map(_has_unsupported, value))
    if type(value) is dict:
        return any(map(_has_unsupported, value.values()))
    return type(value) is Unsupported


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.place)
def test_table_cases_have_values_of_their_types(case: Case) -> None:
    """Also with the variables' types known: what is refused then has a fault, or compares what is never equal."""
    bindings = dict(case.bindings)
    for types in (dict.fromkeys(bindings, DYN), types_of(bindings)):
        try:
            expression = check(case.expression, Environment(types))
            value = interpret(expression, bindings)
        except (ExpressionError, EvaluationFault):
            continue
        assert is_of(value, expression.root.type), format_type(expression.root.type)


def test_the_suite_parses_checks_and_prints() -> None:
    """Every case of a supported part checks, but where the suite expects an error."""
    counts = {"parsed and printed": 0, "checked": 0, "refused, as expected": 0}
    wrong = []
    for case in read_suite():
        try:
            expression = as_written(case)[0]
        except ExpressionError:
            if case["group"] in UNSUPPORTED_GROUPS:
                continue
            counts["refused, as expected"] += "error" in case["expected"]
            if "error" not in case["expected"]:
                wrong.append(case["expr"])
            continue
        counts["checked"] += 1
        printed = format_expression(expression.tree)
        counts["parsed and printed"] += format_expression(check(printed, Environment({}, unchecked=True)).tree) == printed
    print(counts)
    assert wrong == []
    assert counts["checked"] == counts["parsed and printed"] > 700
