"""`hexgate approvals show`: one request in full."""

from __future__ import annotations

import sys

from hexgate.runtime.held_calls import open_steps
from hexgate_cli.approval_inputs import RequestId, StorePath, find_request, refusals_reported, require_store
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.inputs import instant_or_now
from hexgate_cli.options import Format, FormatOption, Now
from hexgate_cli.output import format_json
from hexgate_cli.rendering.approvals import format_request, request_to_dict
from hexgate_cli.terminal import screen_of


def command(request: RequestId, store: StorePath = None, now: Now = None, format_: FormatOption = Format.HUMAN) -> ExitCode:
    """The call, the arguments as the policy masks them, the rule that holds it, who may decide and who has."""
    instant = instant_or_now(now)
    with refusals_reported():
        found = find_request(open_steps(require_store(store), None), request)
    if format_ is Format.JSON:
        sys.stdout.write(format_json(request_to_dict(found, instant)))
    else:
        sys.stdout.write(format_request(found, instant, screen_of(sys.stdout)))
    return ExitCode.OK
