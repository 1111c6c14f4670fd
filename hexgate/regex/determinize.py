"""From a nondeterministic automaton to a deterministic one that finds a match anywhere (subset construction).

A state of the result is the set of states the search may be in, with a new match beginning at every position. Two
states are fixed: once the search cannot match, or has matched, the rest of the text does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

from hexgate.regex.alphabet import Alphabet, partition
from hexgate.regex.limits import DFA_STATES, StepCounter, refuse
from hexgate.regex.named_classes import WORD
from hexgate.regex.nfa import MATCH, START, Nfa
from hexgate.regex.positions import Closures, Kind, members
from hexgate.regex.ranges import Ranges
from hexgate.regex.tree import Position

REJECT = 0
"""The state that no text leads out of, and that does not match."""

ACCEPT = 1
"""The state that no text leads out of, and that matches."""

MATCH_BIT = 1 << MATCH
ASCII: Ranges = ((0, 0x7F),)
NEWLINE: Ranges = ((10, 10),)


@dataclass(frozen=True, slots=True)
class Machine:
    """A deterministic automaton. `rows[s][symbol]` is the state after s; `matches[s]`: whether a text may end in s."""

    alphabet: Alphabet
    rows: tuple[tuple[int, ...], ...]
    matches: tuple[bool, ...]
    start: int


class _Search:
    """One subset construction. A key is a set of states and, where some of them wait, the kind of what came before."""

    def __init__(self, nfa: Nfa, counter: StepCounter) -> None:
        self.nfa, self.counter = nfa, counter
        used = {position for asserts in nfa.asserts for position, _ in asserts}
        self.lines = bool(used & {Position.BEGIN_LINE, Position.END_LINE})
        self.words = bool(used & {Position.WORD_BOUNDARY, Position.NO_WORD_BOUNDARY})
        extra = [NEWLINE] * self.lines + [WORD, ASCII] * self.words
        self.alphabet = partition([*nfa.sets, *extra], counter)
        self.kinds = self._kinds()
        self.closures = Closures(nfa, counter)
        self.moves = self._moves()
        kinds_after = sorted(set(self.kinds))
        self.symbols_by_kind = {kind: [s for s, k in enumerate(self.kinds) if k is kind] for kind in kinds_after}
        # A search begins anew after every character: these are the states it is in then, by the character's kind.
        self.restart = {kind: self.closures.before(START, kind) for kind in kinds_after}
        self.restarts = any(self.restart.values())
        self.chains = [(1 << head, sum(1 << state for state in others)) for head, others in nfa.chains]
        self.inside = self._matches_inside_characters()
        self.numbers: dict[tuple[int, Kind], int] = {}
        self.keys: list[tuple[int, Kind]] = []

    def _kinds(self) -> list[Kind]:
        kinds = [Kind.OTHER] * self.alphabet.count
        if self.words:
            for symbol in self.alphabet.symbols_of(WORD):
                kinds[symbol] = Kind.WORD
        if self.lines:
            kinds[self.alphabet.symbols_of(NEWLINE)[0]] = Kind.NEWLINE
        return kinds

    def _moves(self) -> list[dict[int, int]]:
        """For each state, where each symbol leads: the states after it as a mask."""
        symbols = [self.alphabet.symbols_of(ranges) for ranges in self.nfa.sets]
        moves: list[dict[int, int]] = []
        for state_moves in self.nfa.moves:
            by_symbol: dict[int, int] = {}
            for index, target in state_moves:
                self.counter.take(len(symbols[index]))
                for symbol in symbols[index]:
                    reached = self.closures.before(target, self.kinds[symbol])
                    by_symbol[symbol] = by_symbol.get(symbol, 0) | reached
            moves.append(by_symbol)
        return moves

    def _matches_inside_characters(self) -> list[int]:
        """Symbols of several bytes, where a match may be found between two bytes of one of them.

        RE2 searches bytes, and to it there is no word boundary between the bytes of a character. So an empty match of
        `\\B` is found within every character that is not ASCII, and only such a match.
        """
        if not self.words:
            return []
        if not self.closures.between(self.closures.before(START, Kind.OTHER), Kind.OTHER, Kind.OTHER) & MATCH_BIT:
            return []
        ascii_symbols = set(self.alphabet.symbols_of(ASCII))
        return [symbol for symbol in range(self.alphabet.count) if symbol not in ascii_symbols]

    def number(self, states: int, before: Kind) -> int:
        """The state of the result for a key; a new one where it is not known yet."""
        if states & MATCH_BIT:
            return ACCEPT
        if not states and not self.restarts:
            return REJECT
        for head, others in self.chains:
            # Of a chain, one state says it all: without this, `x.{0,60}y` would need a state for every set of x's.
            if states & others:
                kept = 0 if states & head else (states & others) & -(states & others)
                states = states & ~others | kept
        key = (states, before if states & self.closures.waiting_mask else Kind.OTHER)
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.keys) + 2
            self.keys.append(key)
            if len(self.keys) > DFA_STATES:
                raise refuse(
                    DFA_STATES, "automaton states", "anchor it with `^`, shorten its counted repetitions, or split it"
                )
        return number

    def build(self) -> Machine:
        start = self.number(self.closures.before(START, Kind.EDGE), Kind.EDGE)
        symbols = self.alphabet.count
        rows = [(REJECT,) * symbols, (ACCEPT,) * symbols]
        matches = [False, True]
        while len(rows) < len(self.keys) + 2:
            states, before = self.keys[len(rows) - 2]
            rows.append(self.row(states, before))
            matches.append(bool(self.closures.between(states, before, Kind.EDGE) & MATCH_BIT))
        return Machine(self.alphabet, tuple(rows), tuple(matches), start)

    def row(self, states: int, before: Kind) -> tuple[int, ...]:
        """Where each symbol leads from a key."""
        self.counter.take(self.alphabet.count)
        row = [REJECT] * self.alphabet.count
        for kind, symbols in self.symbols_by_kind.items():
            inside = self.closures.between(states, before, kind)
            if inside & MATCH_BIT:
                for symbol in symbols:
                    row[symbol] = ACCEPT
                continue
            again = self.restart[kind]
            elsewhere = self.number(again, kind)
            reached = self._step(inside)
            for symbol in symbols:
                row[symbol] = self.number(reached[symbol] | again, kind) if symbol in reached else elsewhere
        for symbol in self.inside:
            row[symbol] = ACCEPT
        return tuple(row)

    def _step(self, states: int) -> dict[int, int]:
        """Where each symbol leads from any of the states."""
        reached: dict[int, int] = {}
        steps = 0
        for state in members(states):
            moves = self.moves[state]
            steps += len(moves)
            for symbol, targets in moves.items():
                reached[symbol] = reached.get(symbol, 0) | targets
        self.counter.take(steps)
        return reached


def determinize(nfa: Nfa, counter: StepCounter) -> Machine:
    """The deterministic automaton of a search. Raises PatternError past a limit."""
    return _Search(nfa, counter).build()
