"""`hexgate approvals list`: which calls wait for somebody."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from hexgate.approvals.request import State
from hexgate.runtime.held_calls import open_steps
from hexgate_cli.approval_inputs import LISTED, StorePath, refusals_reported, require_store, state_at
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.inputs import instant_or_now
from hexgate_cli.options import Format, FormatOption, Now
from hexgate_cli.output import format_json
from hexgate_cli.rendering.approvals import format_list, list_to_dict
from hexgate_cli.terminal import screen_of


class Shown(StrEnum):
    """Which requests."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CONSUMED = "consumed"
    ALL = "all"


def command(
    state: Annotated[Shown, typer.Option("--state", help="Which requests.")] = Shown.PENDING,
    store: StorePath = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LISTED, help="How many, at most.")] = 100,
    now: Now = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """The latest first. Whoever the policy names under `approvers` may decide; where it names nobody, anybody else with a token."""
    instant = instant_or_now(now)
    with refusals_reported():
        found = open_steps(require_store(store), None).all(None, LISTED)
    wanted = None if state is Shown.ALL else State(state.value)
    kept = [one for one in found if isinstance(one, str) or wanted is None or state_at(one, instant) is wanted][:limit]
    if format_ is Format.JSON:
        sys.stdout.write(format_json(list_to_dict(kept, instant)))
    else:
        sys.stdout.write(format_list(kept, instant, screen_of(sys.stdout)))
    return ExitCode.OK
