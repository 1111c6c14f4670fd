"""Named limits of patterns and of the automata made from them, with their units.

They bound the time that a pattern takes to compile (well under a second) and the room it takes in a module. RE2's own
limit on counted repetitions is among them; the others are ours.
"""

from __future__ import annotations

from hexgate.regex.pattern_error import PatternError

PATTERN_CHARACTERS = 8_192
"""Length in code points of one pattern."""

REPETITIONS = 1_000
"""The largest count of a counted repetition, and the largest product of counts nested in each other (RE2)."""

CLASS_RANGES = 100_000
"""Ranges of code points that the character classes of one pattern name, all together."""

RE2_INSTRUCTIONS = 690_000
"""Instructions of RE2's own program, which RE2 holds to two thirds of 8 MiB, at 8 bytes each: classes of far-flung
characters, repeated several hundred times, come to that."""

NFA_STATES = 16_384
"""States of the nondeterministic automaton: roughly the characters of the pattern with its repetitions written out."""

DFA_STATES = 4_096
"""States of the deterministic automaton before it is minimised."""

SYMBOLS = 2_048
"""Classes of characters that a pattern tells apart."""

CONSTRUCTION_STEPS = 1_500_000
"""Elementary moves of the construction from pattern to automaton."""

TABLE_BYTES = 65_536
"""Length in bytes of an encoded automaton."""


def refuse(limit: int, unit: str, way_forward: str, offset: int = 0) -> PatternError:
    """The error of a pattern that is past one of these limits."""
    return PatternError(f"the pattern needs more than {limit:,} {unit}", offset, way_forward)


class StepCounter:
    """Counts the steps of one construction. `take` raises PatternError past CONSTRUCTION_STEPS."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = CONSTRUCTION_STEPS

    def take(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise refuse(
                CONSTRUCTION_STEPS, "construction steps", "shorten its counted repetitions, or anchor it with `^`"
            )
