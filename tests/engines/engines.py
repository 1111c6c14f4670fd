"""The engines, behind one question: what is the value of a checked expression over bindings?

Every row of every table in this folder is run on each of `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hexgate.compiler.compile import compile_expression
from hexgate.faults import EvaluationFault, Fault
from hexgate.language.checked import CheckedExpression
from hexgate.language.freeze import RequestMap
from hexgate.language.interpret import prepare
from hexgate.runtime.expression_engine import ExpressionEngine
from hexgate.values import Value


class Engine(Protocol):
    """An engine. `evaluate` answers with the value, or the fault that there is instead of one."""

    name: str

    def evaluate(self, expression: CheckedExpression, bindings: Mapping[str, Value]) -> Value | Fault: ...


class Interpreter:
    """The interpreter over values; also asks whether the expression holds, which must agree with its value."""

    name = "interpreter"

    def evaluate(self, expression: CheckedExpression, bindings: Mapping[str, Value]) -> Value | Fault:
        variables = self.variables(bindings)
        evaluator = prepare(expression)
        answer: Value | Fault
        try:
            answer = evaluator.evaluate(variables)
        except EvaluationFault as error:
            answer = error.fault
        held: bool | Fault
        try:
            held = evaluator.holds(self.variables(bindings))
        except EvaluationFault as error:
            held = error.fault
        expected = answer if type(answer) in (bool, Fault) else Fault.NOT_A_BOOL
        if held is not expected:
            raise AssertionError(f"the value is {answer!r}, and as a constraint it is {held!r}")
        return answer

    def variables(self, bindings: Mapping[str, Value]) -> Mapping[str, Value | RequestMap]:
        """The variables as the engine takes them."""
        return bindings


class InterpreterOverRequest(Interpreter):
    """The interpreter over roots whose members are frozen when they are read, as in a request."""

    name = "interpreter over a request"

    def variables(self, bindings: Mapping[str, Value]) -> Mapping[str, Value | RequestMap]:
        return {name: RequestMap(value) if type(value) is dict else value for name, value in bindings.items()}


class Module:
    """The compiled expression's module in the sandbox."""

    name = "wasm"

    def evaluate(self, expression: CheckedExpression, bindings: Mapping[str, Value]) -> Value | Fault:
        compiled = compile_expression(expression, tuple(bindings))
        try:
            return ExpressionEngine(compiled.wasm).evaluate(tuple(bindings.values()))
        except EvaluationFault as error:
            return error.fault


ENGINES: tuple[Engine, ...] = (Interpreter(), InterpreterOverRequest(), Module())
