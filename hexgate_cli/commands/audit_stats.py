"""`hexgate audit stats`: what a log's decisions come to."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate_cli.audit_records import EventReader, Filter, LogPath, RoleFilter, ToolFilter, UserFilter, VerdictFilter
from hexgate_cli.audit_statistics import Statistics
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.options import Format, FormatOption
from hexgate_cli.output import format_json
from hexgate_cli.rendering.audit_statistics import format_statistics, statistics_to_dict
from hexgate_cli.terminal import screen_of


def command(
    log: LogPath,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="How many causes of denials to list.")] = 10,
    user: UserFilter = None,
    role: RoleFilter = None,
    tool: ToolFilter = None,
    verdict: VerdictFilter = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """Verdicts by tool and by role, the constraints that denied most, and how long decisions took. Percentiles are exact
    to 1.1 %.
    """
    reader = EventReader(log, Filter(user, role, tool, verdict))
    found = Statistics()
    for event in reader:
        found.add(event)
    if not found.events:
        raise InputError("no decision in the log fits" if not reader.filter.takes_all else f"there is no decision in `{log}`")
    if format_ is Format.JSON:
        sys.stdout.write(format_json(statistics_to_dict(found, top)))
    else:
        sys.stdout.write(format_statistics(found, top, screen_of(sys.stdout)))
    if reader.unreadable:
        sys.stderr.write(reader.warning() + "\n")
    return ExitCode.OK
