"""Token text to verified user: one reader, which keeps what it verified (docs/identity.md I2)."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

from hexgate.bundle.statement import IdentitySettings, TokenRootKey
from hexgate.decision.decision import TokenUser, User
from hexgate.decision.request import is_name
from hexgate.identity.biscuit import CallChecks, VerifiedToken
from hexgate.identity.block import read_blocks
from hexgate.identity.envelope import Envelope, read_envelope
from hexgate.identity.profile import FOREVER, Claims, read_claims
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.revocation import RevocationsUnavailableError
from hexgate.identity.wire import WireError

KEPT_TOKENS = 4_096
"""Verified tokens that are kept ready, at least; at most twice as many."""

_SECOND = 10**9
_NO_ARGUMENTS: dict[str, Any] = {}

Revocations = Callable[[], AbstractSet[str]]
"""Gives the revocation ids of now, in hex. Raises RevocationsUnavailableError where they are not to be had."""


def _none_revoked() -> AbstractSet[str]:
    return frozenset()


class VerifiedUser:
    """A user whose token was verified. What may change with time or with the call is asked of `permits`, at every call."""

    __slots__ = ("_checks", "_claims", "_ids", "_narrowed", "_revocations", "_revoked", "_since", "_until", "roles", "token_id", "user")

    def __init__(
        self,
        claims: Claims,
        envelope: Envelope,
        key: TokenRootKey,
        revoked: AbstractSet[str],
        revocations: Revocations,
    ) -> None:
        """Made by IdentityVerifier only. Raises TokenRefusedError."""
        self.user = claims.user
        self.roles = frozenset((claims.user.role, *claims.narrower_roles))
        """The roles that the caller may choose among."""
        self.token_id = envelope.ids[0]
        """The revocation id of the first block, in hex: the same for all that was attenuated from one token."""
        self._claims = claims
        self._checks = CallChecks(claims.call_checks, claims.arguments) if claims.call_checks else None
        self._ids = frozenset(envelope.ids)
        self._revoked = revoked
        self._revocations = revocations
        self._since = max(claims.since, 0 if key.not_before is None else key.not_before * _SECOND)
        self._until = min(claims.until, FOREVER if key.not_after is None else key.not_after * _SECOND)
        self._narrowed: dict[str, VerifiedUser] = {claims.user.role: self}

    @property
    def expires(self) -> int | None:
        """Seconds since the epoch from which on the token is expired; None for never."""
        return None if self._claims.until >= FOREVER else -(-self._claims.until // _SECOND)

    def as_role(self, role: str) -> VerifiedUser:
        """The same user in a narrower role that the token grants. Raises TokenRefusedError."""
        found = self._narrowed.get(role) if type(role) is str else None
        if found is not None:
            return found
        if type(role) is not str or role not in self.roles:
            detail = "the token does not grant the role that is asked for"
            raise TokenRefusedError(TokenRefusal.ROLE_NOT_GRANTED, detail, self.token_id)
        made = VerifiedUser.__new__(VerifiedUser)
        for name in VerifiedUser.__slots__:
            setattr(made, name, getattr(self, name))
        made.user = User(self.user.user_id, role, self.user.attrs)
        self._narrowed[role] = made
        return made

    def standing(self, now: int) -> TokenRefusal | None:
        """Why the token is worth nothing at a time, whatever the call; None where it is good. Nanoseconds since the epoch."""
        if not self._since <= now < self._until:
            return self._time_refusal(now)
        try:
            revoked = not (self._ids.isdisjoint(self._revoked) and self._ids.isdisjoint(self._revocations()))
        except RevocationsUnavailableError:
            return TokenRefusal.REVOCATIONS_UNAVAILABLE
        return TokenRefusal.REVOKED if revoked else None

    def permits(self, tool: str, args: Any, now: int) -> TokenRefusal | None:
        """Why the token does not permit a call now, or None. Nanoseconds since the epoch. Never raises for anything in the call."""
        refusal = self.standing(now)
        if refusal is not None or self._checks is None:
            return refusal
        if not is_name(tool):
            return TokenRefusal.ATTENUATION
        if type(args) is not dict or not all(type(name) is str for name in args):
            args = _NO_ARGUMENTS
        try:
            self._checks.authorize(tool, args, now // _SECOND)
        except TokenRefusedError as error:
            return error.refusal
        return None

    def permits_some(self, tool: str, now: int) -> bool:
        """Whether the token may permit some call of a tool now, its arguments not being known. Nanoseconds since the epoch."""
        if self._claims.arguments:
            return self.standing(now) is None
        return self.permits(tool, _NO_ARGUMENTS, now) is None

    def _time_refusal(self, now: int) -> TokenRefusal:
        if now >= self._claims.until:
            return TokenRefusal.EXPIRED
        return TokenRefusal.NOT_YET_VALID if now < self._claims.since else TokenRefusal.KEY_NOT_VALID


class IdentityVerifier:
    """Reads tokens by the settings of one bundle. Safe to use from several threads and in forked children."""

    def __init__(
        self, settings: IdentitySettings, revocations: Revocations | None = None, *, kept: int = KEPT_TOKENS
    ) -> None:
        """`revocations` gives more revoked ids than the settings have, and is asked on every use of a token."""
        self._keys = {key.id: key for key in settings.root_keys}
        self._audience = settings.audience
        self._revoked = frozenset(settings.revoked)
        self._revocations = revocations or _none_revoked
        self._limit = kept
        # Two generations instead of an order of use: no lock, which a forked child could inherit held.
        self._recent: dict[str, VerifiedUser] = {}
        self._older: dict[str, VerifiedUser] = {}

    def caller(self, user: TokenUser, now: int) -> VerifiedUser:
        """The verified user of a token, in the role that is asked for. Nanoseconds since the epoch. Raises TokenRefusedError."""
        verified = self.user(user.token, now)
        return verified if user.role is None else verified.as_role(user.role)

    def user(self, token: str, now: int) -> VerifiedUser:
        """The verified user of a token's text. Nanoseconds since the epoch. Raises TokenRefusedError and nothing else."""
        if type(token) is not str:
            raise TokenRefusedError(TokenRefusal.MALFORMED, "the text is not a Biscuit token")
        found = self._recent.get(token)
        if found is None:
            found = self._older.get(token) or self._read(token, now)
            self._keep(token, found)
        refusal = found.standing(now)
        if refusal is not None:
            raise TokenRefusedError(refusal, _STANDING[refusal], found.token_id)
        return found

    def _keep(self, token: str, user: VerifiedUser) -> None:
        if len(self._recent) >= self._limit:
            self._older, self._recent = self._recent, {}
        self._recent[token] = user

    def _read(self, text: str, now: int) -> VerifiedUser:
        """Raises TokenRefusedError."""
        envelope = read_envelope(text)
        key = self._root_key(envelope.root_key_id)
        if not (key.not_before or 0) * _SECOND <= now < (FOREVER if key.not_after is None else key.not_after * _SECOND):
            raise TokenRefusedError(TokenRefusal.KEY_NOT_VALID, _STANDING[TokenRefusal.KEY_NOT_VALID])
        token = VerifiedToken(text, key.key.raw)
        try:
            blocks = read_blocks(envelope.blocks)
        except WireError:
            raise TokenRefusedError(TokenRefusal.MALFORMED, "a block of the token is malformed") from None
        claims = read_claims(blocks)
        token.require_readable()
        if (self._audience is not None or claims.audiences) and self._audience not in claims.audiences:
            raise TokenRefusedError(TokenRefusal.AUDIENCE, "the token is not for this audience")
        return VerifiedUser(claims, envelope, key, self._revoked, self._revocations)

    def _root_key(self, key_id: int | None) -> TokenRootKey:
        """The key that a token names; the only one where it names none. Raises TokenRefusedError."""
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        key = None if key_id is None else self._keys.get(key_id)
        if key is None:
            raise TokenRefusedError(TokenRefusal.UNKNOWN_KEY, "the token names no root key that is trusted")
        return key


_STANDING = {
    TokenRefusal.EXPIRED: "the token is expired",
    TokenRefusal.NOT_YET_VALID: "the token is not valid yet",
    TokenRefusal.KEY_NOT_VALID: "the root key of the token is not valid at this time",
    TokenRefusal.REVOKED: "the token is revoked",
    TokenRefusal.REVOCATIONS_UNAVAILABLE: "the list of revoked tokens cannot be read",
}
