"""`hexgate approvals expire`: end what is overdue, and forget what ended long ago."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate_cli.approval_inputs import LogDirectory, StorePath, require_store, steps_on
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.inputs import instant_or_now
from hexgate_cli.options import Now
from hexgate_cli.token_inputs import parse_duration


def command(
    forget: Annotated[
        str | None, typer.Option("--forget", metavar="TIME", help="Also remove requests that were over so long ago: `30d`, `8w`.")
    ] = None,
    store: StorePath = None,
    log: LogDirectory = None,
    now: Now = None,
) -> ExitCode:
    """An overdue request is refused whether it is marked or not; this records its end. The log keeps what the store forgets."""
    instant = instant_or_now(now)
    seconds = None if forget is None else parse_duration("--forget", forget)
    with steps_on(require_store(store), log) as steps:
        said = f"{_count(steps.expire(instant))} expired"
        if seconds is not None:
            said += f", {_count(steps.forget(instant - seconds * 10**9))} removed"
    sys.stdout.write(said + "\n")
    return ExitCode.OK


def _count(requests: int) -> str:
    return "1 request" if requests == 1 else f"{requests:,} requests"
