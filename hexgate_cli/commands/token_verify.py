"""`hexgate token verify`: whether a token is trusted, as a runtime judges."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hexgate.decision.decision import User
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.revocation import RevocationFile
from hexgate.identity.verifier import IdentityVerifier
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import instant_or_now, parse_json_object
from hexgate_cli.options import Format, FormatOption, Now, Trust
from hexgate_cli.output import format_json
from hexgate_cli.rendering.token_human import format_refused, format_verified
from hexgate_cli.rendering.token_json import refused_to_dict, verified_to_dict
from hexgate_cli.terminal import screen_of
from hexgate_cli.token_inputs import TokenFile, identity_settings, read_token


def command(
    token: TokenFile,
    root_key: Annotated[
        list[str] | None, typer.Option("--root-key", metavar="[ID=]KEY", help="A public key `ed25519:…` that signs tokens, and its id.")
    ] = None,
    bundle: Annotated[
        str | None, typer.Option("--bundle", metavar="BUNDLE", help="A bundle whose `identity` says whom to trust; verified first.")
    ] = None,
    trust: Trust = None,
    audience: Annotated[str | None, typer.Option("--audience", metavar="NAME", help="The runtime's audience, with --root-key.")] = None,
    revoked: Annotated[
        str | None, typer.Option("--revoked", metavar="FILE", help="Revocation ids in hex, one on each line.")
    ] = None,
    role: Annotated[str | None, typer.Option("--role", metavar="ROLE", help="Narrowed to this role, as a caller may ask.")] = None,
    tool: Annotated[str | None, typer.Option("--tool", metavar="TOOL", help="Does the token permit a call of this tool?")] = None,
    args: Annotated[str | None, typer.Option("--args", metavar="JSON", help="The call's arguments, `@FILE`, or `-`.")] = None,
    now: Now = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """Signatures, form, identity, audience, time and revocation, as a runtime checks them. With --tool, also whether the blocks that
    narrow the token permit a call; what the policy says of it is `hexgate decide`.
    """
    if tool is None and args is not None:
        raise InputError("--args goes with --tool", help="name the tool too: `--tool NAME`")
    if "-" in (token, args) and token == args:
        raise InputError("standard input has the token or the arguments", help="put one of them in a file")
    instant = instant_or_now(now)
    arguments = {} if args is None else parse_json_object("--args", args)
    settings = identity_settings(root_key, bundle, trust, audience, instant)
    verifier = IdentityVerifier(settings, None if revoked is None else RevocationFile(Path(revoked)).ids)
    screen = screen_of(sys.stdout)
    try:
        verified = verifier.caller(User.from_token(read_token(token), role=role), instant)
    except TokenRefusedError as error:
        if error.refusal is TokenRefusal.REVOCATIONS_UNAVAILABLE:
            raise InputError(f"`{revoked}` is no list of revoked tokens that can be read", help="it has a revocation id in hex on each line") from None
        refused = format_json(refused_to_dict(error)) if format_ is Format.JSON else format_refused(error.refusal.value, error.detail, screen)
        sys.stdout.write(refused)
        return ExitCode.UNTRUSTED
    refusal = None if tool is None else verifier_answer(verified.permits(tool, arguments, instant))
    if format_ is Format.JSON:
        sys.stdout.write(format_json(verified_to_dict(verified, tool, refusal)))
    else:
        sys.stdout.write(format_verified(verified, tool, refusal, screen))
    return ExitCode.OK if refusal is None else ExitCode.DENIED


def verifier_answer(refusal: TokenRefusal | None) -> str | None:
    """The word for why a call is not permitted, if it is not."""
    return None if refusal is None else refusal.value
