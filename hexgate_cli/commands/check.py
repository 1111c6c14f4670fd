"""`hexgate check`: everything that is wrong with policies, and what is worth a second look."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from hexgate.diagnostics import Diagnostic, Severity
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.options import PolicyPaths, ToolSchemas
from hexgate_cli.output import format_json
from hexgate_cli.policies import inspect_policy
from hexgate_cli.rendering.diagnostics_github import format_github
from hexgate_cli.rendering.diagnostics_human import format_diagnostics
from hexgate_cli.rendering.diagnostics_json import diagnostics_to_dict, diagnostics_to_sarif
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, escape_text, screen_of


class DiagnosticsFormat(StrEnum):
    """For whom diagnostics are written."""

    HUMAN = "human"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


def command(
    paths: PolicyPaths,
    tools: ToolSchemas = None,
    format_: Annotated[
        DiagnosticsFormat, typer.Option("--format", help="For people, programs, code scanning or pull requests.")
    ] = DiagnosticsFormat.HUMAN,
) -> ExitCode:
    """Each PATH is one policy set. All errors are reported, and warnings and notes: where a role is wider than its
    parent, which rules can never decide. Only errors make the exit code 5.
    """
    diagnostics: list[Diagnostic] = []
    for path in paths:
        diagnostics += inspect_policy(path, tools).diagnostics
    sys.stdout.write(_format(diagnostics, format_, paths))
    failed = any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    return ExitCode.POLICY_INVALID if failed else ExitCode.OK


def _format(diagnostics: list[Diagnostic], format_: DiagnosticsFormat, paths: list[str]) -> str:
    match format_:
        case DiagnosticsFormat.JSON:
            return format_json(diagnostics_to_dict(diagnostics))
        case DiagnosticsFormat.SARIF:
            return format_json(diagnostics_to_sarif(diagnostics))
        case DiagnosticsFormat.GITHUB:
            return format_github(diagnostics)
        case DiagnosticsFormat.HUMAN:
            screen = screen_of(sys.stdout)
            text = format_diagnostics(diagnostics, SourceText(), screen)
            if any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
                return text
            names = ", ".join(escape_text(path) for path in paths)
            return text + ("\n" if text else "") + f"{screen.paint('ok', Colour.BOLD_GREEN)} {names}\n"
