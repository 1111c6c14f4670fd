"""The tree of a parsed pattern.

Groups that capture are kept, and so are the marks of folded text, although a search needs neither: RE2 rewrites
alternations while it parses, and what it may rewrite depends on them (see factor.py). Of each node, `size` is the
number of states that it comes to in the nondeterministic automaton, and `instructions` at least the number of
instructions that it comes to in RE2's program.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from hexgate.regex.program_size import class_instructions, text_instructions
from hexgate.regex.ranges import ALL, Ranges


class Position(Enum):
    """What a zero-width assertion asks of a position. Words are of ASCII letters, digits and `_`."""

    BEGIN_TEXT = "\\A"
    END_TEXT = "\\z"
    BEGIN_LINE = "(?m:^)"
    END_LINE = "(?m:$)"
    WORD_BOUNDARY = "\\b"
    NO_WORD_BOUNDARY = "\\B"


@dataclass(frozen=True, slots=True)
class Empty:
    """The empty text."""

    size: int = 1
    instructions: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """One or more characters in a row. `folded`: ASCII letters stand for both cases."""

    text: str
    folded: bool

    @property
    def size(self) -> int:
        return len(self.text)

    @property
    def instructions(self) -> int:
        return text_instructions(self.text)


@dataclass(frozen=True, slots=True)
class CharacterClass:
    """One character of a set, which may be empty."""

    ranges: Ranges
    size: int = 1

    @property
    def instructions(self) -> int:
        return class_instructions(self.ranges)


@dataclass(frozen=True, slots=True)
class AnyCharacter:
    """One character whatever it is: `.` under (?s)."""

    ranges: Ranges = ALL
    size: int = 1

    @property
    def instructions(self) -> int:
        return class_instructions(self.ranges)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A condition on a position."""

    position: Position
    size: int = 1
    instructions: int = 1


@dataclass(frozen=True, slots=True)
class Capture:
    """A capturing group."""

    child: Node
    size: int = field(default=0, compare=False)
    instructions: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Two or more nodes in a row."""

    children: tuple[Node, ...]
    size: int = field(default=0, compare=False)
    instructions: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Alternation:
    """One of two or more nodes."""

    children: tuple[Node, ...]
    size: int = field(default=0, compare=False)
    instructions: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Repetition:
    """`minimum` to `maximum` of a node in a row (None: any number). `counted`: written with braces."""

    child: Node
    minimum: int
    maximum: int | None
    counted: bool
    lazy: bool
    size: int = field(default=0, compare=False)
    instructions: int = field(default=0, compare=False)


Node: TypeAlias = (
    Empty | Text | CharacterClass | AnyCharacter | Assertion | Capture | Concatenation | Alternation | Repetition
)


def children_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node."""
    match node:
        case Concatenation() | Alternation():
            return node.children
        case Capture() | Repetition():
            return (node.child,)
        case _:
            return ()


def capture(child: Node) -> Node:
    """A capturing group around a node."""
    return Capture(child, child.size, child.instructions + 2)


def concatenation(children: tuple[Node, ...]) -> Node:
    """Nodes in a row; of one, itself."""
    if not children:
        return Empty()
    if len(children) == 1:
        return children[0]
    return Concatenation(children, sum(child.size for child in children), sum(child.instructions for child in children))


def alternation(children: tuple[Node, ...]) -> Node:
    """One or more alternatives as they are; of one, itself."""
    if len(children) == 1:
        return children[0]
    instructions = sum(child.instructions + 1 for child in children)
    return Alternation(children, sum(child.size for child in children), instructions)


def repetition(child: Node, minimum: int, maximum: int | None, counted: bool, lazy: bool) -> Node:
    """A repetition. One of `*`, `+`, `?` of another of them is one loop."""
    if not counted and type(child) is Repetition and not child.counted:
        if (child.minimum, child.maximum) == (minimum, maximum):
            return child
        child, minimum, maximum = child.child, 0, None
    copies = max(minimum, 1) if maximum is None else maximum
    size, instructions = child.size * copies + 2, (child.instructions + 2) * copies + 2
    return Repetition(child, minimum, maximum, counted, lazy, size, instructions)
