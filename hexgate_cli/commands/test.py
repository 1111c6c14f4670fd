"""`hexgate test`: the tests beside the policies, every case on both engines."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hexgate.policy_tests.update import apply_edits, plan_update
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failure_report import report_failure
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.options import ToolSchemas
from hexgate_cli.output import format_json, write_file
from hexgate_cli.policy_test_files import FileResults, TestRun, find_test_files, named_policies
from hexgate_cli.rendering.tests_github import format_tests_github
from hexgate_cli.rendering.tests_human import format_tests, format_update
from hexgate_cli.rendering.tests_json import tests_to_dict
from hexgate_cli.rendering.tests_junit import format_tests_junit
from hexgate_cli.terminal import screen_of
from hexgate_cli.watching import watch_files


class TestFormat(StrEnum):
    """For whom the report is written."""

    __test__ = False

    HUMAN = "human"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"


def command(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A directory of policies, a policy file, or a file of tests.", show_default=False)],
    update: Annotated[bool, typer.Option("--update", help="Show what was got, then write it in place of what was expected.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Run again whenever a file changes, until Ctrl-C.")] = False,
    tools: ToolSchemas = None,
    format_: Annotated[TestFormat, typer.Option("--format", help="For people, programs, test reports or pull requests.")] = TestFormat.HUMAN,
) -> ExitCode:
    """Runs every file named `*_test.yaml` beside the policies: each case is decided by the interpreter and the module, which must agree
    with each other and with what the case expects. Says which rules no test makes hold. The exit code is 1 where a case fails.
    """
    if watch and (update or format_ is not TestFormat.HUMAN):
        raise InputError("`--watch` goes with neither `--update` nor `--format`", help="leave one of them out")
    if update and format_ is not TestFormat.HUMAN:
        raise InputError("`--update` does not go with `--format`", help="leave one of them out")
    if watch:
        return _watch(path, tools)
    return _run_once(path, tools, format_, update)


def _run_once(path: str, tools: str | None, format_: TestFormat, update: bool) -> ExitCode:
    run = TestRun(tools)
    files = [run.run(file) for file in find_test_files(path)]
    if update:
        return _update(files)
    sys.stdout.write(_format(files, run, format_))
    failed = any(not result.passed for file in files for result in file.results)
    return ExitCode.FAILURE if failed else ExitCode.OK


def _format(files: list[FileResults], run: TestRun, format_: TestFormat) -> str:
    match format_:
        case TestFormat.JSON:
            return format_json(tests_to_dict(files, run.policies))
        case TestFormat.JUNIT:
            return format_tests_junit(files)
        case TestFormat.GITHUB:
            return format_tests_github(files)
        case TestFormat.HUMAN:
            return format_tests(files, run.policies, screen_of(sys.stdout))


def _update(files: list[FileResults]) -> ExitCode:
    """Shows and writes. What engines disagree on is never written down as expected."""
    if any(not result.engines_agree for file in files for result in file.results):
        raise CommandError("the engines disagree on a case, and nothing was updated", help="run `hexgate test` without `--update` to see it")
    plans = [(file, *plan_update(file.data.decode("utf-8"), file.results)) for file in files]
    for file, edits, stuck in plans:
        sys.stdout.write(format_update(file.suite.file, edits, stuck, screen_of(sys.stdout)))
    if any(stuck for _, _, stuck in plans):
        raise CommandError("not everything can be updated, and nothing was written", help="write those values yourself, then run it again")
    sys.stdout.flush()
    for file, edits, _ in plans:
        if edits:
            write_file(file.suite.file, apply_edits(file.data.decode("utf-8"), edits).encode())
    sys.stdout.write(f"{sum(len(edits) for _, edits, _ in plans):,} updated\n")
    return ExitCode.OK


def _watch(path: str, tools: str | None) -> ExitCode:
    """Runs now, and after every change. What is wrong is shown and waited for, as a failing test is."""
    for _ in watch_files(lambda: _watched(path, tools)):
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[2J\x1b[H")
        try:
            _run_once(path, tools, TestFormat.HUMAN, update=False)
        except CommandError as error:
            report_failure(error)
        sys.stdout.write("\nwaiting for a change; Ctrl-C ends\n")
        sys.stdout.flush()
    return ExitCode.OK


def _watched(path: str, tools: str | None) -> list[Path]:
    """The folders of the tests and of the policies that they name, and the schemas."""
    folders = {place if place.is_dir() else place.parent for place in (Path(path), *named_policies(path))}
    return [*folders, *([Path(tools)] if tools is not None else [])]
