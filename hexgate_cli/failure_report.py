"""Say on standard error why a command stops."""

from __future__ import annotations

import contextlib
import sys

from hexgate_cli.failures import CommandError


def report_failure(error: CommandError) -> int:
    """Say on standard error why the command stops; the exit status."""
    from hexgate_cli.terminal import (  # only where there is something to say: start-up
        MESSAGE_COLUMNS,
        Colour,
        escape_text,
        screen_of,
        shorten,
    )

    with contextlib.suppress(OSError):
        sys.stdout.flush()
    screen = screen_of(sys.stderr)
    head = screen.paint("error:", Colour.BOLD_RED)
    sys.stderr.write(f"hexgate: {head} {shorten(escape_text(error.message), MESSAGE_COLUMNS)}\n")
    if error.help:
        help_ = shorten(escape_text(error.help), MESSAGE_COLUMNS)
        sys.stderr.write(f"  {screen.paint('help:', Colour.BOLD_GREEN)} {help_}\n")
    return error.code
