"""`hexgate test-parity`: calls that a policy itself suggests, and random ones, decided by every engine and compared."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from typing import Annotated

import typer

from hexgate.parity.engines import DEFAULT_ENGINES, ENGINES, EngineUnavailableError
from hexgate.parity.run import Budget, Report, run_parity
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError, help_for_unknown
from hexgate_cli.options import PolicyPath, ToolSchemas, require_finite
from hexgate_cli.output import format_json
from hexgate_cli.policies import require_policy
from hexgate_cli.rendering.parity_human import format_parity
from hexgate_cli.rendering.parity_json import parity_to_dict
from hexgate_cli.rendering.parity_junit import format_junit
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import screen_of

PROGRESS_SECONDS = 0.2
"""How often the count is shown on a terminal."""


class ParityFormat(StrEnum):
    """For whom the report is written."""

    HUMAN = "human"
    JSON = "json"
    JUNIT = "junit"


def command(
    path: PolicyPath,
    cases: Annotated[
        int | None,
        typer.Option("--cases", metavar="N", min=1, help="So many calls; else all derived ones, and 100,000 at least."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Other random calls for another number.")] = 1,
    seconds: Annotated[
        float | None,
        typer.Option("--time", metavar="SECONDS", min=0.1, callback=require_finite, help="Stop after so long, however many calls."),
    ] = None,
    engines: Annotated[
        str, typer.Option("--engines", metavar="NAMES", help=f"Two or more of {', '.join(ENGINES)}.")
    ] = ",".join(DEFAULT_ENGINES),
    tools: ToolSchemas = None,
    format_: Annotated[
        ParityFormat, typer.Option("--format", help="For people, programs or test reports.")
    ] = ParityFormat.HUMAN,
) -> ExitCode:
    """For every role, tool, rule and constraint, calls on every side of what the constraint says; then random calls on
    top. All engines must decide every call alike, reasons and faults included. A disagreement is shown as the smallest
    call that has it, and makes the exit code 1.
    """
    names = _engine_names(engines)
    policy = require_policy(path, tools)
    with _Progress() as progress:
        try:
            report = run_parity(policy, Budget(cases, seconds, seed), names, watch=progress.show)
        except EngineUnavailableError as error:
            raise CommandError(error.message, help=error.help) from None
    sys.stdout.write(_format(report, format_))
    return ExitCode.OK if report.disagreement is None else ExitCode.FAILURE


def _engine_names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in ENGINES:
            raise InputError(f"there is no engine `{name}`", help=help_for_unknown(name, ENGINES, "engine"))
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise InputError(f"`{text}` is not two or more different engines", help=f"engines: {', '.join(ENGINES)}")
    return names


def _format(report: Report, format_: ParityFormat) -> str:
    match format_:
        case ParityFormat.JSON:
            return format_json(parity_to_dict(report))
        case ParityFormat.JUNIT:
            return format_junit(report)
        case ParityFormat.HUMAN:
            return format_parity(report, SourceText(), screen_of(sys.stdout))


class _Progress:
    """Counts on standard error while the command runs, where that is a terminal; gone when it is done."""

    def __init__(self) -> None:
        self._shown = False
        self._next = time.monotonic() if sys.stderr.isatty() else None

    def show(self, report: Report) -> None:
        if self._next is None or time.monotonic() < self._next:
            return
        line = f"compared {report.cases:,} calls, {report.cases / max(report.seconds, 1e-9):,.0f}/s"
        if report.coverage is not None:
            seen, missed, _ = report.coverage.branches
            line += f", {seen:,} of {seen + missed:,} outcomes of constraints seen"
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()
        self._shown = True
        self._next = time.monotonic() + PROGRESS_SECONDS

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
