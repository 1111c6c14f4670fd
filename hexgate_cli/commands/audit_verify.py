"""`hexgate audit verify`: is a log what its key vouched for?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hexgate.audit.checkpoint import CheckpointMalformedError
from hexgate.audit.verify import verify_log
from hexgate_cli.audit_records import explained
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import read_bytes
from hexgate_cli.options import Format, FormatOption
from hexgate_cli.output import format_json
from hexgate_cli.rendering.audit_verification import format_verification, verification_to_dict
from hexgate_cli.terminal import screen_of


def command(
    log: Annotated[str, typer.Argument(metavar="LOG", help="The log's directory, or a strand of it.", show_default=False)],
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="The log's public key, `NAME+HASH+KEY`, as you keep it.")
    ] = None,
    anchor: Annotated[
        list[str] | None,
        typer.Option("--anchor", metavar="FILE", help="A file with checkpoints kept elsewhere; more than once for more."),
    ] = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """Finds edited, deleted, repeated, moved and cut off records, missing segments and checkpoints that were exchanged.
    The exit code is 1 where something is wrong.

    Without --key the log's own word says which key signs it. Without --anchor nobody can tell a log that was cut to an
    earlier checkpoint from one that was never longer.
    """
    try:
        with explained(log):
            found = verify_log(Path(log), key=key, anchors=[read_bytes(path) for path in anchor or []])
    except CheckpointMalformedError as error:
        raise InputError(str(error), help="the key and the checkpoints are those that the log wrote") from None
    if format_ is Format.JSON:
        sys.stdout.write(format_json(verification_to_dict(found)))
    else:
        sys.stdout.write(format_verification(found, trusted=key is not None, screen=screen_of(sys.stdout)))
    return ExitCode.OK if found.sound else ExitCode.FAILURE
