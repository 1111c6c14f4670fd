"""Who is calling, by a token: the identity of a signed bundle, asked at every call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hexgate.bundle.statement import IdentitySettings
from hexgate.decision.decision import Reason, TokenUser
from hexgate.identity.refusal import TokenRefusedError
from hexgate.runtime.snapshot import Caller, Identify

if TYPE_CHECKING:
    from hexgate.identity.verifier import IdentityVerifier


def open_verifier(settings: IdentitySettings, revocations: Path | None) -> IdentityVerifier | None:
    """The reader of tokens under a bundle's root keys, and under a file with revocation ids if there is one. None where the bundle
    has no root keys: then no token is good, and the library for tokens is not loaded."""
    if not settings.root_keys:
        return None
    from hexgate.identity.revocation import RevocationFile
    from hexgate.identity.verifier import IdentityVerifier

    return IdentityVerifier(settings, None if revocations is None else RevocationFile(revocations).ids)


def identify_by(verifier: IdentityVerifier | None) -> Identify | None:
    """How callers are known by their tokens; None where no token is good."""
    if verifier is None:
        return None

    def identify(user: TokenUser, tool: Any, args: Any, at: int) -> Caller:
        try:
            verified = verifier.caller(user, at)
        except TokenRefusedError as error:
            return Caller(None, error.token_id, Reason.TOKEN_REFUSED, error.refusal)
        refusal = verified.permits(tool, args, at)
        return Caller(verified.user, verified.token_id, None if refusal is None else Reason.TOKEN_REFUSED, refusal)

    return identify
