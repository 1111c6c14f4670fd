"""`hexgate diff`: what a change of policies lets through, holds and denies, each with a call that shows it."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from typing import Annotated

import typer

from hexgate.difference.change import Effect
from hexgate.difference.compare import Budget, Progress, Report, find_differences
from hexgate_cli.diff_sides import OpenedSide, open_sides
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.options import ToolSchemas, Trust, require_finite
from hexgate_cli.output import format_json
from hexgate_cli.rendering.diff_github import format_diff_github
from hexgate_cli.rendering.diff_human import format_diff
from hexgate_cli.rendering.diff_json import diff_to_dict
from hexgate_cli.terminal import screen_of

PROGRESS_SECONDS = 0.2
"""How often the count is shown on a terminal."""

_WHAT = "A directory, a policy file, a git revision's (`HEAD~1:policies`), or a bundle."


class DiffFormat(StrEnum):
    """For whom the differences are written."""

    HUMAN = "human"
    JSON = "json"
    GITHUB = "github"


class FailOn(StrEnum):
    """Which differences make the exit code 1."""

    NONE = "none"
    WIDENING = "widening"
    ANY = "any"


def command(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_WHAT, show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same, after the change.", show_default=False)],
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit 1 for these: what lets more through, or any difference.")
    ] = FailOn.NONE,
    cases: Annotated[
        int | None,
        typer.Option("--cases", metavar="N", min=1, help="Try so many calls; else all derived ones, and 20,000 random ones."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Other random calls for another number.")] = 1,
    seconds: Annotated[
        float | None,
        typer.Option("--time", metavar="SECONDS", min=0.1, callback=require_finite, help="Stop trying after so long, however many calls."),
    ] = None,
    tools: ToolSchemas = None,
    trust: Trust = None,
    format_: Annotated[
        DiffFormat, typer.Option("--format", help="For people, programs or pull requests.")
    ] = DiffFormat.HUMAN,
) -> ExitCode:
    """What becomes newly allowed, newly held for approval and newly denied, per role and tool, what widens first; each with the
    smallest call that was found, decided by both engines of both sides. The calls are made from both sides' policies. It
    shows differences that were found: where it finds none, there may still be some. A bundle (NAME.hexgate) is verified first.
    """
    before, after = open_sides(old, new, trust, tools)
    with _Counting() as counting:
        report = find_differences(before.side, after.side, Budget(cases, seconds, seed), counting.show)
    sys.stdout.write(_format(report, before, after, format_))
    return _exit_code(report, fail_on)


def _exit_code(report: Report, fail_on: FailOn) -> ExitCode:
    counted = {FailOn.NONE: 0, FailOn.WIDENING: report.count(Effect.WIDENING), FailOn.ANY: len(report.differences)}[fail_on]
    return ExitCode.FAILURE if counted or report.disagreement is not None else ExitCode.OK


def _format(report: Report, before: OpenedSide, after: OpenedSide, format_: DiffFormat) -> str:
    match format_:
        case DiffFormat.JSON:
            return format_json(diff_to_dict(report, before, after))
        case DiffFormat.GITHUB:
            return format_diff_github(report, before, after)
        case DiffFormat.HUMAN:
            return format_diff(report, before, after, screen_of(sys.stdout))


class _Counting:
    """Counts on standard error while the command runs, where that is a terminal; gone when it is done."""

    def __init__(self) -> None:
        self._shown = False
        self._next = time.monotonic() if sys.stderr.isatty() else None

    def show(self, progress: Progress) -> None:
        if self._next is None or time.monotonic() < self._next:
            return
        sys.stderr.write(f"\r\x1b[Ktried {progress.cases:,} calls, {len(progress.found):,} differences")
        sys.stderr.flush()
        self._shown = True
        self._next = time.monotonic() + PROGRESS_SECONDS

    def __enter__(self) -> _Counting:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
