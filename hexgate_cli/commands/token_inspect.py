"""`hexgate token inspect`: what a token says, and what it restricts."""

from __future__ import annotations

import sys

from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.inputs import instant_or_now
from hexgate_cli.options import Format, FormatOption, Now
from hexgate_cli.output import format_json
from hexgate_cli.rendering.token_human import format_summary
from hexgate_cli.rendering.token_json import summary_to_dict
from hexgate_cli.terminal import screen_of
from hexgate_cli.token_inputs import TokenFile, read_token
from hexgate_cli.token_summary import summarize_token


def command(token: TokenFile, now: Now = None, format_: FormatOption = Format.HUMAN) -> ExitCode:
    """The user, role and attributes, the time left, and each block with its revocation id and its restrictions in words. Needs no
    key, and verifies nothing: `hexgate token verify` does.
    """
    summary = summarize_token(read_token(token))
    if format_ is Format.JSON:
        sys.stdout.write(format_json(summary_to_dict(summary)))
    else:
        source = "standard input" if token == "-" else token
        sys.stdout.write(format_summary(source, summary, instant_or_now(now) // 10**9, screen_of(sys.stdout)))
    return ExitCode.OK
