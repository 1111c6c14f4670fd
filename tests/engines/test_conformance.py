"""CEL's conformance suite on every engine: as written, and with its literals lifted into variables of unknown type."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hexgate.faults import Fault
from hexgate.language.check import check
from hexgate.language.checked import CheckedExpression
from hexgate.language.environment import Environment
from hexgate.language.finding import ExpressionError
from hexgate.language.types import BOOL, BYTES, DURATION, DYN, INT, NULL, STRING, UINT, ListOf, MapOf, Type
from hexgate.values import Duration, TypeValue, UInt, Value, key_of
from tests.engines.engines import ENGINES, Engine
from tests.engines.lift import lift
from tests.engines.notation import same
from tests.shared_data import shared_data

UNSUPPORTED_GROUPS = frozenset({"ext:network", "ext:optionals"})
"""Extensions that the language does not have: their cases must not compile."""

_TYPES: dict[str, Type] = {
    "int64": INT, "uint64": UINT, "bool": BOOL, "string": STRING, "bytes": BYTES, "null": NULL,
}  # fmt: skip


def read_typed(typed: dict[str, Any]) -> Value:
    """The value of the suite's notation: one member, whose name is the type."""
    ((kind, content),) = typed.items()
    match kind:
        case "int":
            return int(content)
        case "uint":
            return UInt(int(content))
        case "double":
            return float(content)
        case "string" | "bool" | "null":
            return content  # type: ignore[no-any-return]
        case "bytes":
            return base64.b64decode(content)
        case "list":
            return tuple(map(read_typed, content))
        case "map":
            return {key_of(read_typed(key)): read_typed(member) for key, member in content}  # type: ignore[misc]
        case "duration":
            return Duration(int(content["s"]) * 10**9 + content["n"])
        case "type":
            return TypeValue(content)
    raise ValueError(f"unknown kind of value {kind!r}")


def read_type(described: Any) -> Type:
    """The static type of a variable in the suite's notation."""
    match described:
        case {"list": element}:
            return ListOf(read_type(element))
        case {"map": [key, value]}:
            return MapOf(read_type(key), read_type(value))
        case {"message": "google.protobuf.Duration"}:
            return DURATION
        case str():
            return _TYPES[described]
    raise ValueError(f"unknown type {described!r}")


def read_suite() -> list[dict[str, Any]]:
    """The cases of the suite."""
    text = shared_data("cel", "conformance.open.jsonl").read_text(encoding="utf-8")
    suite = [json.loads(line) for line in text.splitlines()]
    assert suite, "the suite is empty"
    return suite


def as_written(case: dict[str, Any]) -> tuple[CheckedExpression, dict[str, Value]]:
    """The case's expression, checked in the case's types, and its bindings."""
    bindings = {name: read_typed(value) for name, value in case.get("bindings", {}).items()}
    types = {variable["name"]: read_type(variable["ident"]) for variable in case.get("type_env", ())}
    environment = Environment(types, unchecked=case.get("disable_check", False))
    return check(case["expr"], environment), bindings


def lifted(case: dict[str, Any]) -> tuple[CheckedExpression, dict[str, Value]]:
    """The same with every literal in a variable of unknown type."""
    bindings = {name: read_typed(value) for name, value in case.get("bindings", {}).items()}
    text, literals = lift(case["expr"])
    bindings |= literals
    names = [*bindings, *(variable["name"] for variable in case.get("type_env", ()))]
    return check(text, Environment(dict.fromkeys(names, DYN), unchecked=True)), bindings


FORMS = {"as written": as_written, "lifted": lifted}


def holds(case: dict[str, Any], form: str, engine: Engine) -> bool:
    """Whether the case's answer is what the suite says. An error may already be found by the checker."""
    try:
        expression, bindings = FORMS[form](case)
    except ExpressionError:
        return "error" in case["expected"]
    answer = engine.evaluate(expression, bindings)
    if "error" in case["expected"]:
        return type(answer) is Fault
    return type(answer) is not Fault and same(answer, read_typed(case["expected"]["value"]), ordered=False)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_the_engine_conforms(engine: Engine, form: str) -> None:
    suite = [case for case in read_suite() if case["group"] not in UNSUPPORTED_GROUPS]
    failing = [f"{case['group']} {case['name']}: {case['expr']}" for case in suite if not holds(case, form, engine)]
    print(f"{engine.name}, {form}: {len(suite) - len(failing)} of {len(suite)} cases hold")
    assert failing == []


def test_unsupported_extensions_do_not_compile(capsys: pytest.CaptureFixture[str]) -> None:
    suite = [case for case in read_suite() if case["group"] in UNSUPPORTED_GROUPS]
    assert suite
    compiled = []
    for case in suite:
        try:
            as_written(case)
        except ExpressionError:
            continue
        compiled.append(f"{case['group']} {case['name']}: {case['expr']}")
    with capsys.disabled():
        print(f"\n{len(suite)} conformance cases of {', '.join(sorted(UNSUPPORTED_GROUPS))} are not supported")
    assert compiled == []
