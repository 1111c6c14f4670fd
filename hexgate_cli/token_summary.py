"""What is in a token, whether or not anybody would accept it."""

from __future__ import annotations

from dataclasses import dataclass

from hexgate.identity.block import Block, read_blocks
from hexgate.identity.envelope import Envelope, read_envelope
from hexgate.identity.profile import FOREVER, Claims, read_claims
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.wire import WireError
from hexgate_cli.token_inputs import untrusted

_SECOND = 10**9


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """A token as its bytes say; nothing of it is verified. `claims` is None where it is refused whoever signed it."""

    characters: int
    envelope: Envelope
    blocks: tuple[Block, ...]
    claims: Claims | None
    refusal: TokenRefusal | None
    detail: str

    @property
    def until(self) -> int | None:
        """Seconds since the epoch from which on it is expired; None for never, or where nothing is known."""
        return None if self.claims is None or self.claims.until >= FOREVER else self.claims.until // _SECOND

    @property
    def since(self) -> int | None:
        """Seconds since the epoch before which it is not valid; None where there is no such time."""
        return None if self.claims is None or self.claims.since <= 0 else self.claims.since // _SECOND


def summarize_token(token: str) -> TokenSummary:
    """Raises CommandError with the exit code of what is not trusted, for a text that is no token."""
    try:
        envelope = read_envelope(token)
        blocks = read_blocks(envelope.blocks)
    except TokenRefusedError as error:
        raise untrusted(f"the token is refused ({error.refusal.value}): {error.detail}", help="`hexgate token mint` makes a token") from None
    except WireError:
        raise untrusted("the token is refused (malformed): a block of the token is malformed", help="`hexgate token mint` makes a token") from None
    try:
        return TokenSummary(len(token), envelope, blocks, read_claims(blocks), None, "")
    except TokenRefusedError as error:
        return TokenSummary(len(token), envelope, blocks, None, error.refusal, error.detail)
