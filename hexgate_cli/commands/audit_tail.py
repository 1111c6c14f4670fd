"""`hexgate audit tail`: a log as it grows."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from hexgate.audit.event import AuditEvent
from hexgate_cli.audit_follow import Follower
from hexgate_cli.audit_records import (
    Entry,
    Filter,
    LogPath,
    RoleFilter,
    ToolFilter,
    UserFilter,
    VerdictFilter,
    explained,
    read_entry,
)
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.options import Format, FormatOption
from hexgate_cli.rendering.audit_line import format_entry
from hexgate_cli.terminal import screen_of

LOOK_SECONDS = 0.2
"""How often a log is looked at."""


def command(
    log: LogPath,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many records to begin with.")] = 10,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on until interrupted.")] = True,
    user: UserFilter = None,
    role: RoleFilter = None,
    tool: ToolFilter = None,
    verdict: VerdictFilter = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """Shows the last records of the newest segments, then every record as it is written, over new segments and over
    processes that join. With --format json the exact lines of the log.
    """
    asked = Filter(user, role, tool, verdict)
    follower = Follower(Path(log))
    with explained(log):
        last: deque[bytes] = deque(maxlen=lines)
        for line in follower.begin():
            if _is_taken(read_entry(line), asked):
                last.append(line)
        _show(last, format_)
        try:
            while follow:
                time.sleep(LOOK_SECONDS)
                _show((line for line in follower.look() if _is_taken(read_entry(line), asked)), format_)
        except KeyboardInterrupt:
            pass
    return ExitCode.OK


def _is_taken(entry: Entry, asked: Filter) -> bool:
    """The log's own records, and what cannot be read, are shown where nothing is filtered."""
    return asked.takes(entry) if isinstance(entry, AuditEvent) else asked.takes_all


def _show(lines: Iterable[bytes], format_: Format) -> None:
    screen = screen_of(sys.stdout)
    for line in lines:
        if format_ is Format.JSON:
            sys.stdout.write(line.decode("ascii", "backslashreplace") + "\n")
        else:
            sys.stdout.write(format_entry(read_entry(line), screen) + "\n")
    sys.stdout.flush()
