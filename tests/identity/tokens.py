"""Tokens for tests, made with the Biscuit library itself: also those that nothing of ours would make."""

from __future__ import annotations

from typing import Any

import biscuit_auth

from hexgate.bundle.keys import PublicKey, SigningKey, signing_key_of
from hexgate.bundle.statement import IdentitySettings, TokenRootKey
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.verifier import IdentityVerifier

SECOND = 10**9
NOW_SECONDS = 1_795_000_000
NOW = NOW_SECONDS * SECOND
"""2026-11-18T11:06:40Z"""

ROOT: SigningKey = signing_key_of(bytes(range(32)))
ALICE = 'user("alice"); role("billing");'


def private_key(seed: bytes) -> Any:
    return biscuit_auth.PrivateKey.from_bytes(seed, biscuit_auth.Algorithm.Ed25519)  # type: ignore[call-arg, attr-defined]


def token(code: str = ALICE, *blocks: str, key_id: int | None = 1, root: SigningKey = ROOT, parameters: Any = None) -> Any:
    """A token of Datalog: the first block, and those that holders added."""
    builder = biscuit_auth.BiscuitBuilder(code, parameters)
    if key_id is not None:
        builder.set_root_key_id(key_id)
    made = builder.build(private_key(root.seed))
    for block in blocks:
        made = made.append(biscuit_auth.BlockBuilder(block))
    return made


def text(code: str = ALICE, *blocks: str, **options: Any) -> str:
    return str(token(code, *blocks, **options).to_base64())


def settings(*keys: TokenRootKey, public: PublicKey = ROOT.public, **members: Any) -> IdentitySettings:
    return IdentitySettings(True, keys or (TokenRootKey(1, public),), **members)


def verifier(**members: Any) -> IdentityVerifier:
    return IdentityVerifier(settings(**members))


def refusal_of(found: str, reader: IdentityVerifier | None = None, now: int = NOW) -> tuple[TokenRefusal, str] | None:
    """Why a token is refused, and the sentence; None where it is not."""
    try:
        (reader or verifier()).user(found, now)
    except TokenRefusedError as error:
        assert str(error) == error.detail
        return error.refusal, error.detail
    return None
