"""A token's outer form: signed blocks, before anything in it is believed (docs/identity.md I2).

The schema is that of the Biscuit specification, version 3 (`schema.proto`, messages Biscuit, SignedBlock and Proof).
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.wire import BYTES, NUMBER, REPEATED, Fields, WireError

TOKEN_CHARACTERS = 8_192
"""Length of a token's text."""

TOKEN_BLOCKS = 8
"""Blocks of a token: the first, and how often it may be attenuated."""

_KEY_BYTES, _SIGNATURE_BYTES = 32, 64
_ED25519 = 0
_NEXT_SECRET = 1

_BISCUIT = {1: NUMBER, 2: BYTES, 3: REPEATED, 4: BYTES}
_SIGNED_BLOCK = {1: BYTES, 2: BYTES, 3: BYTES, 4: BYTES, 5: NUMBER}
_PUBLIC_KEY = {1: NUMBER, 2: BYTES}
_PROOF = {1: BYTES, 2: BYTES}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a token consists of: the blocks' contents, and their revocation ids, the hex of their signatures.

    `next_seed` is the secret that signs one more block, None where the token is sealed; `signature_version` is the highest of any block.
    """

    root_key_id: int | None
    blocks: tuple[bytes, ...]
    ids: tuple[str, ...]
    next_seed: bytes | None = field(repr=False)
    signature_version: int


def read_envelope(text: str) -> Envelope:
    """The outer form of a token in base64. Raises TokenRefusedError."""
    if len(text) > TOKEN_CHARACTERS:
        raise TokenRefusedError(TokenRefusal.TOO_LARGE, f"a token has at most {TOKEN_CHARACTERS:,} characters")
    try:
        token = Fields(decode_base64(text), _BISCUIT)
        proof, secret = Fields(token.data(4), _PROOF).one()
        signed_blocks = [Fields(data, _SIGNED_BLOCK) for data in (token.data(2), *token.all(3))]
        if len(signed_blocks) > TOKEN_BLOCKS:
            raise TokenRefusedError(TokenRefusal.TOO_MANY_BLOCKS, f"a token has at most {TOKEN_BLOCKS} blocks")
        ids = tuple(_signature_of(block) for block in signed_blocks)
        root_key_id = token.number(1) if 1 in token else None
        contents = tuple(block.data(1) for block in signed_blocks)
        version = max(block.number(5, 0) for block in signed_blocks)
        return Envelope(root_key_id, contents, ids, secret if proof == _NEXT_SECRET else None, version)
    except WireError:
        raise TokenRefusedError(TokenRefusal.MALFORMED, "the text is not a Biscuit token") from None


def decode_base64(text: str) -> bytes:
    """Bytes of padded base64url (RFC 4648, 5) in its one form. Raises WireError."""
    try:
        data = urlsafe_b64decode(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        raise WireError from None
    if urlsafe_b64encode(data).decode() != text:
        raise WireError
    return data


def _signature_of(block: Fields) -> str:
    """Raises WireError, and TokenRefusedError for a block of somebody else or of another algorithm.

    With ECDSA, `(r, -s)` is a second signature of the same block and so another revocation id: Ed25519 has one (RFC 8032, 5.1.7).
    """
    if 4 in block:
        raise TokenRefusedError(TokenRefusal.THIRD_PARTY, "the token has a block that a third party signed")
    key = Fields(block.data(2), _PUBLIC_KEY)
    if key.number(1) != _ED25519:
        raise TokenRefusedError(TokenRefusal.ALGORITHM, "a block of the token is signed with something else than Ed25519")
    if len(key.data(2)) != _KEY_BYTES or len(block.data(3)) != _SIGNATURE_BYTES:
        raise WireError
    return block.data(3).hex()
