"""`hexgate audit export`: events for other systems."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate_cli.audit_formats import ExportFormat, export_header, export_line
from hexgate_cli.audit_records import EventReader, Filter, LogPath, RoleFilter, ToolFilter, UserFilter, VerdictFilter
from hexgate_cli.exit_codes import ExitCode


def command(
    log: LogPath,
    to: Annotated[ExportFormat, typer.Option("--to", help="The format.")],
    user: UserFilter = None,
    role: RoleFilter = None,
    tool: ToolFilter = None,
    verdict: VerdictFilter = None,
) -> ExitCode:
    """Writes decisions to standard output, one line each: CSV with a head line, OCSF 1.3 API Activity, or CloudEvents 1.0
    in JSON. In CSV a text that a spreadsheet would take for a formula begins with `'`.
    """
    reader = EventReader(log, Filter(user, role, tool, verdict))
    events = iter(reader)
    first = next(events, None)  # an unreadable log fails before anything is written
    sys.stdout.write(export_header(to))
    if first is not None:
        sys.stdout.write(export_line(first, to))
    for event in events:
        sys.stdout.write(export_line(event, to))
    if reader.unreadable:
        sys.stderr.write(reader.warning() + "\n")
        return ExitCode.FAILURE
    return ExitCode.OK
