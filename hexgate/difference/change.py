"""What changed for a call: the verdict that it had and the one that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hexgate.decision.decision import Decision, Verdict
from hexgate.parity.call import Call


class Effect(Enum):
    """Whether a change lets more through. In the order in which changes are listed."""

    WIDENING = "widening"
    TERMS = "terms"
    """Held before and after, on other terms: whether that is wider is for people to judge."""
    NARROWING = "narrowing"


class Change(Enum):
    """What became of a call."""

    NEWLY_ALLOWED = "newly_allowed"
    NEWLY_HELD = "newly_held"
    """Held until somebody approves."""
    HELD_OTHERWISE = "held_otherwise"
    """Held as before, but by other approvers, or for another time."""
    NEWLY_DENIED = "newly_denied"


_LOOSENESS = {Verdict.DENY: 0, Verdict.APPROVAL_REQUIRED: 1, Verdict.ALLOW: 2}
_CHANGES = {Verdict.ALLOW: Change.NEWLY_ALLOWED, Verdict.APPROVAL_REQUIRED: Change.NEWLY_HELD, Verdict.DENY: Change.NEWLY_DENIED}


def change_between(old: Decision, new: Decision) -> tuple[Effect, Change] | None:
    """How two decisions on one call differ; None where they let the same through on the same terms."""
    if old.verdict is not new.verdict:
        wider = _LOOSENESS[new.verdict] > _LOOSENESS[old.verdict]
        return Effect.WIDENING if wider else Effect.NARROWING, _CHANGES[new.verdict]
    if old.verdict is Verdict.APPROVAL_REQUIRED and _terms(old) != _terms(new):
        return Effect.TERMS, Change.HELD_OTHERWISE
    return None


def _terms(decision: Decision) -> tuple[tuple[str, ...], int | None]:
    rule = decision.rule
    return ((), None) if rule is None else (tuple(sorted(rule.approvers)), rule.expires_in)


@dataclass(frozen=True, slots=True)
class Difference:
    """A call that the two sides decide differently, confirmed on every engine of both. `role` and `tool` say where in the policies it
    belongs: `tool` is an exact name, a pattern, or `ANY_OTHER`; the call has the name that was called."""

    role: str
    tool: str
    effect: Effect
    change: Change
    call: Call
    old: Decision
    new: Decision

    @property
    def order(self) -> tuple[int, int, str, str, int]:
        """Where it is listed: what widens first."""
        effects, changes = list(Effect), list(Change)
        return effects.index(self.effect), changes.index(self.change), self.role, self.tool, _LOOSENESS[self.old.verdict]
