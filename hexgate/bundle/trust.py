"""What was accepted before bounds what may be accepted next: rules over plain values, without IO (docs/bundle.md B5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.statement import Predicate
from hexgate.bundle.strict_members import format_time

if TYPE_CHECKING:
    from hexgate.bundle.verify import VerifiedBundle

CLOCK_SKEW_SECONDS = 300
"""How far a signer's clock may be ahead of this one."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The bundle accepted last under a name. `digest` is the hex SHA-256 of its payload; `seen` is the latest time known, in
    seconds since the epoch."""

    version: int
    digest: str
    seen: int


def require_current(predicate: Predicate, digest: str, now: int, floor: Floor | None) -> None:
    """The bundle is valid at a time, in seconds since the epoch, and is not behind the floor. A clock that was moved back counts as
    the latest time known. Raises BundleRefusedError."""
    if predicate.issued_at > now + CLOCK_SKEW_SECONDS:
        raise BundleRefusedError(
            Refusal.NOT_YET_VALID,
            f"the bundle was issued at {format_time(predicate.issued_at)}, which is in the future; set the clock of this machine, or the signer's",
        )
    latest = now if floor is None else max(now, floor.seen)
    if latest >= predicate.not_after:
        raise BundleRefusedError(
            Refusal.EXPIRED, f"the bundle expired at {format_time(predicate.not_after)}; sign the policies again"
        )
    if floor is None:
        return
    if predicate.version < floor.version:
        raise BundleRefusedError(
            Refusal.ROLLBACK,
            f"the bundle has version {predicate.version}, and version {floor.version} has been accepted before; publish the old content under a later version",
        )
    if predicate.version == floor.version and digest != floor.digest:
        raise BundleRefusedError(
            Refusal.SAME_VERSION_OTHER_CONTENT,
            f"another content has been accepted as version {floor.version} before; publish this one under a later version",
        )


def advance(floor: Floor | None, verified: VerifiedBundle, now: int) -> Floor:
    """The floor once a bundle is accepted at a time. Raises BundleRefusedError where the floor has moved above it."""
    predicate = verified.statement.predicate
    require_current(predicate, verified.digest, now, floor)
    seen = max(now, predicate.issued_at, 0 if floor is None else floor.seen)
    return Floor(predicate.version, verified.digest, seen)
