"""`hexgate verify`: a bundle, checked as a runtime checks it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hexgate.bundle.state import StateDirectory, StateError, StateUnavailableError
from hexgate.bundle.trust import Floor
from hexgate.limits import BUNDLE_BYTES
from hexgate.runtime.source import SourceError, open_source
from hexgate_cli.bundle_files import fetch_bundle, name_of, trust_of
from hexgate_cli.bundle_report import compare_sources, examine
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import instant_or_now
from hexgate_cli.options import Format, FormatOption, Now, ToolSchemas, Trust
from hexgate_cli.output import format_json
from hexgate_cli.rendering.bundle_human import format_report
from hexgate_cli.rendering.bundle_json import report_to_dict
from hexgate_cli.terminal import screen_of


def command(
    bundle: Annotated[
        str | None,
        typer.Argument(metavar="[BUNDLE]", help="A file or https URL, NAME.hexgate; else what HEXGATE_KEY names.", show_default=False),
    ] = None,
    trust: Trust = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The name asked for; else the location's, without `.hexgate`.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="DIR", help="A runtime's state directory: what it accepted before.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="SOURCES", help="Policies: prove that the module is theirs.")
    ] = None,
    tools: ToolSchemas = None,
    now: Now = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """Says each check, who signed, and what would be trusted. The module is loaded and its signed answers are asked for
    again, in the sandbox. With --against, the policies are compiled again and must give the bundle's module byte for byte.
    """
    if against is None and tools is not None:
        raise InputError("--tools goes with --against", help="name the policies too: `--against SOURCES`")
    root, trusted_location = trust_of(trust)
    location = trusted_location or bundle
    if location is None:
        raise InputError("there is no bundle to verify", help="name its file")
    asked = name_of(location, name)
    seconds = instant_or_now(now) // 10**9
    report = examine(fetch_bundle(bundle or location), root, asked, seconds, _floor(state, asked, location))
    if against is not None and report.verified is not None:
        from hexgate_cli.bundle_contents import contents_of_policies  # the compiler, which nothing else here needs

        finding = compare_sources(report.verified, contents_of_policies(against, tools))
        report = replace(report, findings=(*report.findings, finding))
    if format_ is Format.JSON:
        sys.stdout.write(format_json(report_to_dict(bundle or location, report)))
    else:
        sys.stdout.write(format_report(bundle or location, report, screen_of(sys.stdout)))
    return ExitCode.OK if report.trusted else ExitCode.UNTRUSTED


def _floor(state: str | None, name: str, location: str) -> Floor | None:
    """What a runtime with this state directory accepted last from the location. Raises CommandError."""
    if state is None:
        return None
    try:
        source = open_source(location, limit=BUNDLE_BYTES)
        return StateDirectory(Path(state)).read(name, source.location)
    except (StateError, SourceError) as error:
        raise CommandError(error.sentence, help=error.help) from None
    except StateUnavailableError as error:
        raise CommandError(f"what was accepted before cannot be read, since {error.reason}", help="name a runtime's state directory") from None
