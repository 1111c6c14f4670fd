"""`hexgate audit replay`: every recorded decision, decided again under another policy."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from hexgate.decision.engine import DecisionEngine
from hexgate.decision.reads import Reads
from hexgate_cli.audit_records import EventReader, Filter, LogPath, RoleFilter, ToolFilter, UserFilter, VerdictFilter
from hexgate_cli.audit_replay import Replay
from hexgate_cli.engines import open_engines
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import is_bundle, refuse_trust_in_policies
from hexgate_cli.options import Engine, Format, FormatOption, ToolSchemas, Trust
from hexgate_cli.output import format_json
from hexgate_cli.policies import require_policy
from hexgate_cli.rendering.audit_replay import format_replayed, replayed_to_dict
from hexgate_cli.terminal import screen_of


def command(
    log: LogPath,
    policy: Annotated[str, typer.Option("--policy", metavar="PATH", help="A directory of role files, one policy file, or a bundle.")],
    user: UserFilter = None,
    role: RoleFilter = None,
    tool: ToolFilter = None,
    verdict: VerdictFilter = None,
    engine: Annotated[Engine, typer.Option("--engine", help="Both: decide twice, and compare.")] = Engine.BOTH,
    tools: ToolSchemas = None,
    trust: Trust = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """What would have changed: each call is decided with the values and at the time of its record. Where the policy reads
    what the record does not hold, because it was masked, too long, or read by no constraint at the time, the command says so
    and decides nothing. The exit code is 1 where a verdict differs.
    """
    engines, reads_for = _open(policy, trust, engine, tools)
    reader = EventReader(log, Filter(user, role, tool, verdict))
    found = Replay()
    for event in reader:
        found.add(event, engines, reads_for)
    if not found.events:
        raise InputError("no decision in the log fits" if not reader.filter.takes_all else f"there is no decision in `{log}`")
    if format_ is Format.JSON:
        sys.stdout.write(format_json(replayed_to_dict(found, list(engines))))
    else:
        sys.stdout.write(format_replayed(found, list(engines), screen_of(sys.stdout)))
    if reader.unreadable:
        sys.stderr.write(reader.warning() + "\n")
    return ExitCode.FAILURE if found.changed or found.disagreements else ExitCode.OK


def _open(path: str, trust: str | None, engine: Engine, tools: str | None) -> tuple[dict[str, DecisionEngine], Callable[[str], Reads]]:
    """The engines of a policy or of a bundle, and what they read of a tool's calls. Raises CommandError."""
    if is_bundle(path):
        from hexgate_cli.bundled_policy import open_bundle  # policies alone need no keys and no signatures

        bundle = open_bundle(path, trust, engine, tools)
        return bundle.engines, bundle.reads_for
    refuse_trust_in_policies(trust)
    policy = require_policy(path, tools)
    return open_engines(policy, engine), policy.reads_for
