"""`hexgate eval`: expressions, outside of any policy."""

from __future__ import annotations

import re
import sys
from typing import Annotated

import typer

from hexgate.policy.reading import RESERVED_NAMES
from hexgate.strict_json import Json, StrictJsonError, parse_json
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.expressions import Evaluation, evaluate
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import INPUT_BYTES, name_json, open_standard_input, parse_json_option
from hexgate_cli.options import Engine, Format, FormatOption
from hexgate_cli.output import format_json, format_json_line
from hexgate_cli.rendering.evaluation import answers_agree, evaluation_to_dict, format_evaluation
from hexgate_cli.terminal import screen_of

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def command(
    expression: Annotated[
        str | None, typer.Argument(metavar="EXPR", help="The expression.", show_default=False)
    ] = None,
    bind: Annotated[
        list[str] | None,
        typer.Option("--bind", metavar="NAME=JSON", help="A variable; more than once for more. JSON may be @FILE or -."),
    ] = None,
    batch: Annotated[
        bool, typer.Option("--batch", help="Read JSON lines from standard input, write a JSON line for each.")
    ] = False,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="What has no meaning is a fault when it is evaluated, not before.")
    ] = False,
    engine: Annotated[Engine, typer.Option("--engine", help="Both: evaluate twice, and compare.")] = Engine.BOTH,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """Prints the value in the language's own spelling, which tells `1`, `1u` and `1.0` apart. A fault makes the exit
    code 1, an expression that does not check 5.

    A line of --batch is an object with `expr` and optionally `bindings`; its answer has `value`, `type` and `text`, or
    `fault`, or `diagnostics`. Then the exit code is 1 only where the engines disagree.
    """
    if batch:
        if expression is not None or bind:
            raise InputError("--batch takes expressions and bindings from standard input only")
        return _evaluate_lines(engine, unchecked)
    if expression is None:
        raise InputError("missing argument `EXPR`", help="`hexgate eval --help` shows how")
    evaluation = evaluate(expression, _bindings(bind or []), engine, unchecked)
    if format_ is Format.JSON:
        sys.stdout.write(format_json(evaluation_to_dict(evaluation)))
    else:
        stream = sys.stderr if evaluation.diagnostics else sys.stdout
        stream.write(format_evaluation(expression, evaluation, screen_of(stream)))
    return _exit_code(evaluation)


def _exit_code(evaluation: Evaluation) -> ExitCode:
    if evaluation.diagnostics:
        return ExitCode.POLICY_INVALID
    answered = all(answer.fault is None for answer in evaluation.answers.values())
    return ExitCode.OK if answered and answers_agree(evaluation) else ExitCode.FAILURE


def _bindings(options: list[str]) -> dict[str, Json]:
    bindings: dict[str, Json] = {}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals:
            raise InputError(f"`{option}` is no binding", help="write `--bind NAME=JSON`")
        _require_name(name)
        if name in bindings:
            raise InputError(f"`{name}` is bound twice")
        bindings[name] = parse_json_option(f"--bind {name}", text)
    return bindings


def _require_name(name: str) -> None:
    if name in RESERVED_NAMES:
        raise InputError(f"`{name}` is a word of the language and cannot be a variable")
    if not _NAME.fullmatch(name):
        raise InputError(f"`{name}` cannot be a variable", help="a name has letters, digits and `_`")


def _evaluate_lines(engine: Engine, unchecked: bool) -> ExitCode:
    """Answers each line before it reads the next, so that another program can hold a conversation."""
    agreed = True
    number = 0
    stream = open_standard_input()
    while line := stream.readline(INPUT_BYTES + 1):
        number += 1
        if len(line) > INPUT_BYTES:
            raise InputError(f"line {number} is longer than {INPUT_BYTES} bytes")
        if not line.strip():
            continue
        text, bindings = _parse_line(line, number)
        evaluation = evaluate(text, bindings, engine, unchecked)
        agreed = agreed and answers_agree(evaluation)
        sys.stdout.write(format_json_line(evaluation_to_dict(evaluation)))
        sys.stdout.flush()
    return ExitCode.OK if agreed else ExitCode.FAILURE


def _parse_line(line: bytes, number: int) -> tuple[str, dict[str, Json]]:
    try:
        request = parse_json(line)
    except StrictJsonError as error:
        raise InputError(f"line {number}: {error.message}") from None
    if not isinstance(request, dict):
        raise InputError(f"line {number}: a request is an object, not {name_json(request)}")
    unknown = sorted(set(request) - {"expr", "bindings"})
    if unknown:
        raise InputError(f"line {number}: unknown key `{unknown[0]}`", help="a line has `expr` and `bindings`")
    text, bindings = request.get("expr"), request.get("bindings", {})
    if not isinstance(text, str):
        raise InputError(f"line {number}: `expr` is a string, not {name_json(text)}")
    if not isinstance(bindings, dict):
        raise InputError(f"line {number}: `bindings` is an object, not {name_json(bindings)}")
    for name in bindings:
        _require_name(name)
    return text, bindings
