"""What was accepted before bounds what may be accepted next: rules over plain values, without IO."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Floor:
    """The bundle accepted last under a name. `digest` is the hex SHA-256 of its payload; `seen` is the latest time known, in
    seconds since the epoch."""

    version: int
    digest: str
    seen: int
