"""From the tree of a pattern to a nondeterministic automaton over code points (Thompson's construction)."""

from __future__ import annotations

from dataclasses import dataclass

from hexgate.regex.limits import NFA_STATES, refuse
from hexgate.regex.ranges import Ranges
from hexgate.regex.tree import (
    Alternation,
    AnyCharacter,
    Assertion,
    Capture,
    CharacterClass,
    Concatenation,
    Node,
    Position,
    Repetition,
    Text,
)

MATCH = 0
"""The state in which the pattern has matched."""

START = 1
"""The state in which a match begins."""


@dataclass(frozen=True, slots=True)
class Nfa:
    """States count from 0. `empty[s]` are the states that s reaches for nothing, `asserts[s]` those it reaches where a
    position holds, `moves[s]` those it reaches over one character of a set, given by its index in `sets`.

    A chain is what optional copies leave behind, as in `x{0,3}`: a state before each copy. Whatever leads to a match
    from one of them does so from any before it. `chains` gives the first state, and the range of the others in order.
    """

    empty: tuple[tuple[int, ...], ...]
    asserts: tuple[tuple[tuple[Position, int], ...], ...]
    moves: tuple[tuple[tuple[int, int], ...], ...]
    sets: tuple[Ranges, ...]
    chains: tuple[tuple[int, range], ...]


class _Builder:
    """Lays nodes between pairs of states, from a list of those still to be laid: patterns nest deeper than Python."""

    def __init__(self) -> None:
        self.empty: list[list[int]] = []
        self.asserts: list[list[tuple[Position, int]]] = []
        self.moves: list[list[tuple[int, int]]] = []
        self.sets: dict[Ranges, int] = {}
        self.chains: list[tuple[int, range]] = []
        self.pending: list[tuple[Node, int, int]] = []

    def state(self) -> int:
        if len(self.empty) > NFA_STATES:
            raise refuse(NFA_STATES, "states", "shorten it, or its counted repetitions")
        self.empty.append([])
        self.asserts.append([])
        self.moves.append([])
        return len(self.empty) - 1

    def build(self, root: Node) -> Nfa:
        match, start = self.state(), self.state()
        self.pending.append((root, start, match))
        while self.pending:
            self.lay(*self.pending.pop())
        return Nfa(
            tuple(map(tuple, self.empty)),
            tuple(map(tuple, self.asserts)),
            tuple(map(tuple, self.moves)),
            tuple(self.sets),
            tuple(self.chains),
        )

    def lay(self, node: Node, start: int, end: int) -> None:
        """Adds the paths of a node from start to end. None leads into start or out of end, unless they are one."""
        match node:
            case Text():
                self.lay_text(node, start, end)
            case CharacterClass() | AnyCharacter():
                self.move(start, node.ranges, end)
            case Assertion():
                self.asserts[start].append((node.position, end))
            case Capture():
                self.pending.append((node.child, start, end))
            case Alternation():
                self.pending += [(child, start, end) for child in reversed(node.children)]
            case Concatenation():
                self.lay_in_a_row(node.children, start, end)
            case Repetition():
                self.lay_repetition(node, start, end)
            case _:
                self.empty[start].append(end)

    def move(self, start: int, ranges: Ranges, end: int) -> None:
        self.moves[start].append((self.sets.setdefault(ranges, len(self.sets)), end))

    def lay_text(self, node: Text, start: int, end: int) -> None:
        last = len(node.text) - 1
        for i, character in enumerate(node.text):
            after = end if i == last else self.state()
            code_point = ord(character)
            ranges: Ranges = ((code_point, code_point),)
            if node.folded and "a" <= character <= "z":
                ranges = ((code_point - 32, code_point - 32), *ranges)
            self.move(start, ranges, after)
            start = after

    def lay_in_a_row(self, nodes: tuple[Node, ...], start: int, end: int) -> None:
        laid: list[tuple[Node, int, int]] = []
        for node in nodes[:-1]:
            after = self.state()
            laid.append((node, start, after))
            start = after
        laid.append((nodes[-1], start, end))
        self.pending += reversed(laid)

    def lay_repetition(self, node: Repetition, start: int, end: int) -> None:
        """The copies that must be, then those that may be or the loop."""
        required = node.minimum if node.maximum is not None else max(node.minimum - 1, 0)
        for _ in range(required):
            after = self.state()
            self.pending.append((node.child, start, after))
            start = after
        if node.maximum is None:
            # One or more: a loop of its own states. None or more may also leave it out.
            first, last = self.state(), self.state()
            self.empty[start].append(first)
            self.pending.append((node.child, first, last))
            self.empty[last] += [first, end]
            if node.minimum == 0:
                self.empty[start].append(end)
            return
        head, copies = start, node.maximum - node.minimum
        for _ in range(copies):
            after = self.state()
            self.empty[start].append(end)
            self.pending.append((node.child, start, after))
            start = after
        self.empty[start].append(end)
        if copies > 1:
            self.chains.append((head, range(start - copies + 1, start + 1)))


def build_nfa(root: Node) -> Nfa:
    """The automaton of a tree. Raises PatternError past NFA_STATES."""
    return _Builder().build(root)
