"""Reading audit logs for the commands: lines, events, filters. Logs may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from hexgate.audit.event import AuditEvent, EventMalformedError, read_event, read_record
from hexgate.audit.read import NoLogError, lines_of
from hexgate.decision.decision import Verdict
from hexgate.decision.tool_patterns import matches_pattern
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import describe_os_error

LogPath: TypeAlias = Annotated[
    str, typer.Argument(metavar="LOG", help="The log's directory, a strand of it, or one .ndjson file.", show_default=False)
]
UserFilter: TypeAlias = Annotated[str | None, typer.Option("--user", metavar="ID", help="Only this user's calls.")]
RoleFilter: TypeAlias = Annotated[str | None, typer.Option("--role", metavar="ROLE", help="Only calls in this role.")]
ToolFilter: TypeAlias = Annotated[
    str | None, typer.Option("--tool", metavar="TOOL", help="Only calls of this tool, or of those that a pattern covers.")
]
VerdictFilter: TypeAlias = Annotated[
    Verdict | None, typer.Option("--verdict", help="Only calls with this verdict.", case_sensitive=True)
]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to take: all that are asked for must fit."""

    user: str | None = None
    role: str | None = None
    tool: str | None = None
    verdict: Verdict | None = None

    def takes(self, event: AuditEvent) -> bool:
        """Whether an event fits."""
        outcome = event.outcome
        return (
            (self.user is None or event.user == self.user)
            and (self.role is None or outcome.role == self.role)
            and (self.tool is None or (outcome.tool is not None and matches_pattern(self.tool, outcome.tool)))
            and (self.verdict is None or outcome.verdict is self.verdict)
        )

    @property
    def takes_all(self) -> bool:
        """Whether nothing was asked for."""
        return self == Filter()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no record."""

    sentence: str


Entry: TypeAlias = "AuditEvent | Mapping[str, Any] | Unreadable"
"""A decision, a record of the log itself, or a line that is neither."""


def read_entry(line: bytes) -> Entry:
    """What a line holds. Never raises: a log that somebody wrote into is still shown."""
    try:
        record = read_record(line)
        return read_event(record) if record["type"] == "decision" else record
    except EventMalformedError as error:
        return Unreadable(str(error))


def read_entries(path: str) -> Iterator[Entry]:
    """Everything in a log, in the order of time. Raises CommandError where it cannot be read."""
    with explained(path):
        for line in lines_of(Path(path)):
            yield read_entry(line)


@dataclass(slots=True)
class EventReader:
    """The decisions of a log that a filter takes; counts what could not be read."""

    path: str
    filter: Filter
    unreadable: int = 0

    def __iter__(self) -> Iterator[AuditEvent]:
        for entry in read_entries(self.path):
            if isinstance(entry, Unreadable):
                self.unreadable += 1
            elif isinstance(entry, AuditEvent) and self.filter.takes(entry):
                yield entry

    def warning(self) -> str:
        """A sentence about lines that could not be read, or nothing."""
        if not self.unreadable:
            return ""
        lines = "1 line" if self.unreadable == 1 else f"{self.unreadable:,} lines"
        return f"{lines} could not be read; `hexgate audit verify` says why"


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turns what reading a log may raise into CommandError."""
    try:
        if not path:
            raise InputError("the path of the log is empty")
        yield
    except NoLogError as error:
        raise InputError(str(error), help="pass the log's directory, or one of its .ndjson files") from None
    except OSError as error:
        raise CommandError(f"cannot read `{path}`: {describe_os_error(error)}") from None
