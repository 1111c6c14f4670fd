"""Zero-width assertions: what a position is like, and which states hold there.

A position lies between two characters. What counts about each is its kind; the ends of the text are kinds too.
"""

from __future__ import annotations

from enum import IntEnum

from hexgate.regex.limits import StepCounter
from hexgate.regex.nfa import MATCH, Nfa
from hexgate.regex.tree import Position


class Kind(IntEnum):
    """What a character, or an end of the text, is to an assertion."""

    EDGE = 0
    NEWLINE = 1
    WORD = 2
    OTHER = 3


def holds(position: Position, before: Kind, after: Kind | None) -> bool:
    """Whether an assertion holds between two kinds. `after` may be None where it does not count."""
    match position:
        case Position.BEGIN_TEXT:
            return before is Kind.EDGE
        case Position.END_TEXT:
            return after is Kind.EDGE
        case Position.BEGIN_LINE:
            return before in (Kind.EDGE, Kind.NEWLINE)
        case Position.END_LINE:
            return after in (Kind.EDGE, Kind.NEWLINE)
        case Position.WORD_BOUNDARY:
            return (before is Kind.WORD) != (after is Kind.WORD)
        case Position.NO_WORD_BOUNDARY:
            return (before is Kind.WORD) == (after is Kind.WORD)


BACKWARD = frozenset({Position.BEGIN_TEXT, Position.BEGIN_LINE})
"""Assertions that are decided by what came before."""


class Closures:
    """Sets of states as bit masks: which states an automaton is in without reading, at a position."""

    def __init__(self, nfa: Nfa, counter: StepCounter) -> None:
        self._nfa, self._counter = nfa, counter
        self._known: dict[tuple[int, Kind, Kind | None], int] = {}
        self.waiting_mask = 0
        """States from which an assertion on what comes next leads on."""
        for state, asserts in enumerate(nfa.asserts):
            if any(position not in BACKWARD for position, _ in asserts):
                self.waiting_mask |= 1 << state

    def before(self, state: int, before: Kind) -> int:
        """The states reached from one when only what came before is known; the others wait for what comes next."""
        return self._closure(state, before, None)

    def between(self, states: int, before: Kind, after: Kind) -> int:
        """A mask with all that its waiting states lead to when what comes next is known too."""
        reached = states
        for state in members(states & self.waiting_mask):
            reached |= self._closure(state, before, after)
        return reached

    def _closure(self, state: int, before: Kind, after: Kind | None) -> int:
        key = (state, before, after)
        if key not in self._known:
            self._known[key] = self._reach(state, before, after)
        return self._known[key]

    def _reach(self, state: int, before: Kind, after: Kind | None) -> int:
        nfa, reached, seen, pending = self._nfa, 0, {state}, [state]
        while pending:
            one = pending.pop()
            targets = list(nfa.empty[one])
            for position, target in nfa.asserts[one]:
                if after is None and position not in BACKWARD:
                    reached |= 1 << one
                elif holds(position, before, after):
                    targets.append(target)
            self._counter.take(1 + len(targets))
            if nfa.moves[one] or one == MATCH:
                reached |= 1 << one
            for target in targets:
                if target not in seen:
                    seen.add(target)
                    pending.append(target)
        return reached


def members(mask: int) -> list[int]:
    """The states of a mask, in order."""
    digits = bin(mask)[:1:-1]
    found: list[int] = []
    at = digits.find("1")
    while at >= 0:
        found.append(at)
        at = digits.find("1", at + 1)
    return found
