"""Why a token, or a call under it, is refused: a closed vocabulary (docs/identity.md I5)."""

from __future__ import annotations

from enum import Enum


class TokenRefusal(Enum):
    """One word for each reason, in the order in which they are looked for."""

    TOO_LARGE = "too_large"
    """The text is longer than `TOKEN_CHARACTERS`."""
    MALFORMED = "malformed"
    """The text is not a Biscuit in its one form."""
    TOO_MANY_BLOCKS = "too_many_blocks"
    """There are more than `TOKEN_BLOCKS` blocks."""
    THIRD_PARTY = "third_party"
    """Somebody else than a holder added a block."""
    ALGORITHM = "algorithm"
    """A block is signed with something else than Ed25519."""
    UNKNOWN_KEY = "unknown_key"
    """No root key has the id that the token names."""
    KEY_NOT_VALID = "key_not_valid"
    """The root key is not valid yet, or no longer."""
    SIGNATURE = "signature"
    """A signature does not verify."""
    REVOCATIONS_UNAVAILABLE = "revocations_unavailable"
    """It is unknown which tokens are revoked."""
    REVOKED = "revoked"
    """A block's revocation id is in the list."""
    RULE = "rule"
    """A block derives facts, or chooses whom to trust."""
    FACT = "fact"
    """A block after the first states a fact."""
    CHECK = "check"
    """A check has a form that is not evaluated."""
    IDENTITY = "identity"
    """There is not exactly one user and one role, or an attribute cannot be read."""
    AUDIENCE = "audience"
    """The token is for somebody else."""
    NOT_YET_VALID = "not_yet_valid"
    """A check on the time does not hold yet."""
    EXPIRED = "expired"
    """A check on the time holds no longer."""
    ROLE_NOT_GRANTED = "role_not_granted"
    """The caller asks for a role that the token does not grant."""
    ATTENUATION = "attenuation"
    """A check does not hold for this call."""
    LIBRARY_FAULT = "library_fault"
    """The token library failed in a way that it does not explain."""


class TokenRefusedError(Exception):
    """A token is refused. `detail` is one sentence, made of nothing that the token says. `token_id` is the revocation id of its first
    block where its signatures were verified."""

    def __init__(self, refusal: TokenRefusal, detail: str, token_id: str | None = None) -> None:
        super().__init__(detail)
        self.refusal = refusal
        self.detail = detail
        self.token_id = token_id
