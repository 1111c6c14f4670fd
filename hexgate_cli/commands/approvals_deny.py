"""`hexgate approvals deny`: say no to one call."""

from __future__ import annotations

import sys

from hexgate_cli.approval_inputs import (
    Audience,
    BundleOption,
    KeyOption,
    LogDirectory,
    RequestId,
    RootKeys,
    Signatory,
    StorePath,
    TokenOption,
    find_request,
    require_store,
    steps_on,
)
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.inputs import instant_or_now
from hexgate_cli.options import Format, FormatOption, Now, Trust
from hexgate_cli.output import format_json
from hexgate_cli.rendering.approvals import format_request, request_to_dict
from hexgate_cli.terminal import screen_of


def command(
    request: RequestId,
    token: TokenOption = None,
    key: KeyOption = None,
    root_key: RootKeys = None,
    bundle: BundleOption = None,
    trust: Trust = None,
    audience: Audience = None,
    store: StorePath = None,
    log: LogDirectory = None,
    now: Now = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """The same call of the same user is not asked about again until the time of the request is over. Who may approve may deny, and may
    take an approval back that was not used yet.
    """
    instant = instant_or_now(now)
    opened = require_store(store)
    signatory = Signatory(token, key, root_key, bundle, trust, audience, instant)
    with steps_on(opened, log) as steps:
        found = find_request(steps, request).request
        decided = steps.deny(found.id, signatory.evidence(found), signatory.verifier, instant)
    if format_ is Format.JSON:
        sys.stdout.write(format_json(request_to_dict(decided, instant)))
    else:
        sys.stdout.write(format_request(decided, instant, screen_of(sys.stdout)))
    return ExitCode.OK
