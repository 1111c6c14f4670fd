"""Expressions outside of policies: checked against bindings, evaluated on each engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hexgate.diagnostics import Diagnostic
from hexgate.faults import EvaluationFault, Fault
from hexgate.language.check import check
from hexgate.language.checked import CheckedExpression
from hexgate.language.environment import Environment
from hexgate.language.finding import ExpressionError, Finding
from hexgate.language.freeze import freeze
from hexgate.language.types import DYN
from hexgate.place import Place
from hexgate.strict_json import Json
from hexgate.values import Value
from hexgate_cli.failures import CommandError
from hexgate_cli.options import Engine

SOURCE_NAME = "<expression>"
"""The file that findings in an expression name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A value or a fault."""

    value: Value = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of an expression: an answer by engine, or why there is none."""

    answers: Mapping[str, Answer]
    diagnostics: tuple[Diagnostic, ...] = ()


def evaluate(text: str, bindings: Mapping[str, Json], engine: Engine, unchecked: bool = False) -> Evaluation:
    """Evaluate an expression over bindings, which are variables of unknown type."""
    try:
        expression = check(text, Environment(dict.fromkeys(bindings, DYN), unchecked=unchecked))
    except ExpressionError as error:
        return Evaluation({}, tuple(_diagnostic(text, finding) for finding in error.findings))
    answers: dict[str, Answer] = {}
    if engine in (Engine.INTERPRETER, Engine.BOTH):
        answers["interpreter"] = _interpret(expression, bindings)
    if engine in (Engine.WASM, Engine.BOTH):
        answers["wasm"] = _run(expression, bindings)
    return Evaluation(answers)


def _interpret(expression: CheckedExpression, bindings: Mapping[str, Json]) -> Answer:
    from hexgate.language.interpret import interpret

    try:
        return Answer(interpret(expression, {name: freeze(value) for name, value in bindings.items()}))
    except EvaluationFault as fault:
        return Answer(fault=fault.fault)


def _run(expression: CheckedExpression, bindings: Mapping[str, Json]) -> Answer:
    from hexgate.compiler.compile import compile_expression
    from hexgate.runtime.expression_engine import ExpressionEngine
    from hexgate.runtime.sandbox import TrapError

    compiled = compile_expression(expression, tuple(bindings))
    try:
        return Answer(ExpressionEngine(compiled.wasm).evaluate(tuple(bindings.values())))
    except EvaluationFault as fault:
        return Answer(fault=fault.fault)
    except TrapError as error:
        raise CommandError(f"the module gave no answer: {error}") from None


def _diagnostic(text: str, finding: Finding) -> Diagnostic:
    start, end = finding.span.start, finding.span.end
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    stop = text.find("\n", start)
    length = max(1, min(end, len(text) if stop < 0 else stop) - start)
    place = Place(SOURCE_NAME, line, column, length)
    return Diagnostic(finding.code, finding.message, place, finding.help, severity=finding.severity)
