"""From a pattern in RE2's syntax (https://github.com/google/re2/wiki/Syntax) to its tree.

Accepts what RE2 accepts with its default options, except `\\C` and patterns past a limit. Repetition binds to the last
node of the current concatenation, so what adds no node (`(?i)`, `\\Q\\E`) may stand between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hexgate.regex.factor import add_alternative, alternate, join
from hexgate.regex.limits import CLASS_RANGES, NFA_STATES, PATTERN_CHARACTERS, RE2_INSTRUCTIONS, REPETITIONS, refuse
from hexgate.regex.parse_class import parse_class
from hexgate.regex.parse_escape import parse_class_escape, parse_escape
from hexgate.regex.parse_group import Flags, parse_group_head
from hexgate.regex.pattern_error import PatternError
from hexgate.regex.ranges import Ranges, complement, contains, count
from hexgate.regex.tree import (
    AnyCharacter,
    Assertion,
    CharacterClass,
    Node,
    Position,
    Repetition,
    Text,
    capture,
    children_of,
    repetition,
)
from hexgate.regex.unicode_data import orbit

NOT_NEWLINE = complement(((10, 10),))
POSITION_ESCAPES = {
    "A": Position.BEGIN_TEXT,
    "z": Position.END_TEXT,
    "b": Position.WORD_BOUNDARY,
    "B": Position.NO_WORD_BOUNDARY,
}
SIMPLE_LOOPS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(slots=True)
class _Group:
    """A group that is still open: where it began, the flags to go back to, and what it holds so far."""

    start: int
    flags: Flags
    captures: bool
    alternatives: list[Node] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)

    def push(self, node: Node) -> None:
        """Appends a node. The two before it become one text where both are text with one kind of case."""
        self.join_texts()
        self.nodes.append(node)

    def join_texts(self) -> None:
        if len(self.nodes) > 1:
            left, right = self.nodes[-2:]
            if type(left) is Text and type(right) is Text and left.folded == right.folded:
                self.nodes[-2:] = [Text(left.text + right.text, left.folded)]

    def end_alternative(self) -> None:
        self.join_texts()
        add_alternative(self.alternatives, join(self.nodes))
        self.nodes = []

    def finish(self) -> Node:
        self.end_alternative()
        node = alternate(self.alternatives)
        return capture(node) if self.captures else node


class _Parser:
    """One pass over a pattern. `at` is the code point to read next."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = Flags()
        self.groups = [_Group(0, self.flags, captures=False)]
        self.ranges_left = CLASS_RANGES
        self.repeated_from: int | None = None

    def parse(self) -> Node:
        while self.at < len(self.pattern):
            before = self.at
            # Where the repetition just before began: another one straight after it is refused.
            stacked_on, self.repeated_from = self.repeated_from, None
            letter = self.pattern[self.at]
            if letter in SIMPLE_LOOPS:
                self.at += 1
                self.repeat(before, *SIMPLE_LOOPS[letter], stacked_on, counted=False)
            elif letter == "{" and (bounds := self.counts()) is not None:
                self.repeat(before, *bounds, stacked_on, counted=True)
            else:
                self.step(letter)
        if len(self.groups) > 1:
            raise PatternError(
                "the group has no closing `)`", self.groups[-1].start, "close it, or write `\\(` for a parenthesis"
            )
        return self.groups[0].finish()

    def step(self, letter: str) -> None:
        """Reads one element that is no repetition."""
        start = self.at
        self.at += 1
        if letter == "(":
            self.open_group(start)
        elif letter == ")":
            self.close_group(start)
        elif letter == "|":
            self.groups[-1].end_alternative()
        elif letter == "^":
            self.push(Assertion(Position.BEGIN_LINE if self.flags.multiline else Position.BEGIN_TEXT))
        elif letter == "$":
            self.push(Assertion(Position.END_LINE if self.flags.multiline else Position.END_TEXT))
        elif letter == ".":
            self.push(AnyCharacter() if self.flags.dot_newline else CharacterClass(NOT_NEWLINE))
        elif letter == "[":
            ranges, self.at, made_from = parse_class(self.pattern, start, self.flags.folded)
            self.push_class(ranges, made_from, start)
        elif letter == "\\":
            self.escape(start)
        else:
            self.push_character(ord(letter))

    def push(self, node: Node) -> None:
        self.groups[-1].push(node)

    def push_character(self, code_point: int) -> None:
        members = orbit(code_point) if self.flags.folded else (code_point,)
        if len(members) == 1:
            self.push(Text(chr(code_point), self.flags.folded))
        else:
            self.push_class(tuple((member, member) for member in members), 1, self.at)

    def push_class(self, ranges: Ranges, made_from: int, start: int) -> None:
        """Appends a class. One of a single character, or of the two cases of an ASCII letter, is text."""
        self.ranges_left -= made_from
        if self.ranges_left < 0:
            raise refuse(
                CLASS_RANGES, "ranges in its character classes", "name the same class once, in a repeated group", start
            )
        size = count(ranges) if len(ranges) <= 2 else 0
        first = ranges[0][0] if size else 0
        if size == 1:
            self.push(Text(chr(first), self.flags.folded))
        elif size == 2 and 65 <= first <= 90 and contains(ranges, first + 32):
            self.push(Text(chr(first + 32), True))
        else:
            self.push(CharacterClass(ranges))

    def escape(self, start: int) -> None:
        letter = self.pattern[start + 1 : start + 2]
        if letter in POSITION_ESCAPES:
            self.at = start + 2
            self.push(Assertion(POSITION_ESCAPES[letter]))
        elif letter == "C":
            raise PatternError(
                "`\\C` matches one byte, and texts are made of characters", start, "write `(?s:.)` for any character"
            )
        elif letter == "Q":
            end = self.pattern.find("\\E", start + 2)
            literal = self.pattern[start + 2 : end if end >= 0 else len(self.pattern)]
            for character in literal:
                self.push_character(ord(character))
            self.at = end + 2 if end >= 0 else len(self.pattern)
        elif (found := parse_class_escape(self.pattern, start, self.flags.folded)) is not None:
            ranges, self.at = found
            self.push_class(ranges, len(ranges), start)
        else:
            code_point, self.at = parse_escape(self.pattern, start)
            self.push_character(code_point)

    def open_group(self, start: int) -> None:
        if not self.pattern.startswith("?", self.at):
            self.groups.append(_Group(start, self.flags, captures=True))
            return
        head = parse_group_head(self.pattern, start, self.flags)
        if head.opens:
            self.groups.append(_Group(start, self.flags, head.captures))
        self.flags, self.at = head.flags, head.end

    def close_group(self, start: int) -> None:
        if len(self.groups) == 1:
            raise PatternError("`)` closes no group", start, "write `\\)` for a parenthesis")
        group = self.groups.pop()
        self.flags = group.flags
        self.push(group.finish())

    def counts(self) -> tuple[int, int | None] | None:
        """Reads `{n}`, `{n,}` or `{n,m}`; any other text after a brace is literal, `{,m}` and `{01}` too."""
        close = self.pattern.find("}", self.at)
        if close < 0:
            return None
        low, comma, high = self.pattern[self.at + 1 : close].partition(",")
        if not _is_count(low) or not (high == "" or _is_count(high)):
            return None
        self.at = close + 1
        if not comma:
            return int(low), int(low)
        return int(low), int(high) if high else None

    def repeat(self, start: int, low: int, high: int | None, stacked_on: int | None, *, counted: bool) -> None:
        """Repeats the last node of the current concatenation. start: where the operator begins."""
        lazy = self.flags.ungreedy
        if self.pattern.startswith("?", self.at):
            self.at += 1
            lazy = not lazy
        if stacked_on is not None:
            raise PatternError(
                f"`{self.pattern[stacked_on : self.at]}` repeats a repetition, which RE2 takes only of a group",
                stacked_on,
                "put the repeated part in a group, as in `(?:a*)*`",
            )
        operator = self.pattern[start : self.at]
        if max(low, high or 0) > REPETITIONS:
            raise PatternError(
                f"`{operator}` repeats more than {REPETITIONS:,} times",
                start,
                "use `+` or `*`, and `size()` for length",
            )
        if high is not None and high < low:
            raise PatternError(
                f"the bounds of `{operator}` are in the wrong order", start, "write the smaller one first"
            )
        nodes = self.groups[-1].nodes
        if not nodes:
            raise PatternError(
                f"`{operator}` has nothing to repeat", start, f"write `\\{operator}` to match it as it is"
            )
        node = repetition(nodes[-1], low, high, counted, lazy)
        if counted and max(low, high or 0) >= 2 and _largest_product(node) > REPETITIONS:
            raise PatternError(
                f"counted repetitions inside each other come to more than {REPETITIONS:,}",
                start,
                "use smaller counts, or `+` or `*` for one of them",
            )
        if node.size > NFA_STATES:
            raise refuse(NFA_STATES, "states of repeated parts", "shorten its counted repetitions", start)
        nodes[-1] = node
        self.repeated_from = start


def _is_count(text: str) -> bool:
    """Whether text is a decimal number as RE2 reads one: ASCII, no leading zero, below a billion."""
    return text.isascii() and text.isdecimal() and (text == "0" or text[0] != "0") and len(text) <= 9


def _largest_product(node: Node) -> int:
    """The largest product of nested counts. A count of none does not multiply; `{n,}` counts as n."""
    largest = 1
    pending = [(node, 1)]
    while pending:
        one, product = pending.pop()
        if type(one) is Repetition and one.counted:
            bound = one.minimum if one.maximum is None else one.maximum
            product *= max(bound, 1)
            largest = max(largest, product)
        pending += [(child, product) for child in children_of(one)]
    return largest


def parse_pattern(pattern: str) -> Node:
    """The tree of a pattern. Raises PatternError where RE2 rejects it, for `\\C`, and past a limit."""
    if len(pattern) > PATTERN_CHARACTERS:
        raise PatternError(
            f"the pattern is longer than {PATTERN_CHARACTERS:,} characters",
            PATTERN_CHARACTERS,
            "split it into several `matches`",
        )
    for offset, character in enumerate(pattern):
        if "\ud800" <= character <= "\udfff":
            raise PatternError("the pattern has half of a surrogate pair", offset, "write the whole character")
    tree = _Parser(pattern).parse()
    if tree.instructions > RE2_INSTRUCTIONS:
        raise refuse(RE2_INSTRUCTIONS, "instructions in RE2", "repeat classes such as `\\pL` fewer times")
    return tree
