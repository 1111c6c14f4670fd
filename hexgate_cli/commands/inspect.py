"""`hexgate inspect`: what is in a bundle, without trusting or running it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate_cli.bundle_content_summary import summarize
from hexgate_cli.bundle_files import fetch_bundle, refusals_reported
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.options import Format, FormatOption
from hexgate_cli.output import format_json
from hexgate_cli.rendering.bundle_human import format_summary
from hexgate_cli.rendering.bundle_json import summary_to_dict
from hexgate_cli.terminal import screen_of


def command(
    bundle: Annotated[
        str, typer.Argument(metavar="BUNDLE", help="A bundle's file, - for standard input, or https URL.", show_default=False)
    ],
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """Its statement, artifacts, signatures, roles and rules, as the bundle says them: `hexgate verify` says whether it is
    to be believed.
    """
    with refusals_reported(bundle):
        summary = summarize(fetch_bundle(bundle))
    if format_ is Format.JSON:
        sys.stdout.write(format_json(summary_to_dict(bundle, summary)))
    else:
        sys.stdout.write(format_summary(bundle, summary, screen_of(sys.stdout)))
    return ExitCode.OK
