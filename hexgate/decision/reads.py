"""Which parts of a request the rules of a tool read: the projection that hosts encode and that limits measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Everything:
    """The whole of a root is read, not named members only."""


EVERYTHING = Everything()

Members: TypeAlias = frozenset[str] | Everything
"""Names of the top-level members of a root that are read, or all of it."""


def join_members(left: Members, right: Members) -> Members:
    """What is read when either is."""
    if isinstance(left, Everything) or isinstance(right, Everything):
        return EVERYTHING
    return left | right


_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read of each root: members of `args`, `user.attrs`, `ctx`, `resource`, and whether `now` is."""

    args: Members = _NOTHING
    attrs: Members = _NOTHING
    ctx: Members = _NOTHING
    resource: Members = _NOTHING
    now: bool = False

    def join(self, other: Reads) -> Reads:
        """What is read when either is."""
        return Reads(
            join_members(self.args, other.args),
            join_members(self.attrs, other.attrs),
            join_members(self.ctx, other.ctx),
            join_members(self.resource, other.resource),
            self.now or other.now,
        )
