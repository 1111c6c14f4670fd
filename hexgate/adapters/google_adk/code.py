"""Code that a model writes into its answer: a call of `code_execution` with the code, where an executor of the agent runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from google.adk.code_executors.base_code_executor import BaseCodeExecutor
from google.adk.code_executors.built_in_code_executor import BuiltInCodeExecutor
from google.adk.code_executors.code_execution_utils import CodeExecutionInput, CodeExecutionResult

from hexgate.adapters.google_adk.reach import CODE
from hexgate.adapters.google_adk.whose_run import find_run
from hexgate.adapters.guard import GuardedRun

Resolve = Callable[[Any, object], BaseCodeExecutor | None]


def gate_executor(resolve: Resolve) -> Resolve:
    """The executor of an agent in an invocation. One of the provider is offered or withheld (`offers`)."""

    @wraps(resolve)
    def gated(invocation_context: Any, agent: object) -> BaseCodeExecutor | None:
        executor = resolve(invocation_context, agent)
        run, _ = find_run(invocation_context)
        if run is None or executor is None or isinstance(executor, BuiltInCodeExecutor):
            return executor
        twin = executor.model_copy()
        object.__setattr__(twin, "execute_code", _decided(executor, run))  # pydantic has no such field
        return twin

    return gated


def _decided(executor: BaseCodeExecutor, run: GuardedRun) -> Callable[[Any, CodeExecutionInput], CodeExecutionResult]:
    def execute_code(invocation_context: Any, code_execution_input: CodeExecutionInput) -> CodeExecutionResult:
        ruling = run.admit(CODE, {"code": code_execution_input.code})
        if not ruling.runs:
            return CodeExecutionResult(stdout=ruling.text)  # in `stderr` it would count as a failed attempt
        with run.current():
            return executor.execute_code(invocation_context, replace(code_execution_input, code=ruling.arguments["code"]))

    return execute_code
