"""Alternations the way RE2 builds them.

RE2 rewrites an alternation while it parses: common beginnings are taken out, then neighbours that are single
characters become one class. That keeps automata small. It also shows in one place, so it is done here step by step as
RE2 does it: a class of the two cases of one ASCII letter, such as `[Kk]`, is text without case to RE2, and when such a
text becomes part of a class it takes in all that folds to it. So `[Kk]` does not match U+212A (the Kelvin sign), and
`[Kk]|x` does; U+017F and `[Ss]` likewise.
"""

from __future__ import annotations

from collections.abc import Sequence

from hexgate.regex.ranges import Ranges, normalise
from hexgate.regex.tree import (
    Alternation,
    AnyCharacter,
    Assertion,
    CharacterClass,
    Concatenation,
    Empty,
    Node,
    Repetition,
    Text,
    alternation,
    concatenation,
)
from hexgate.regex.unicode_data import fold


def join(nodes: Sequence[Node]) -> Node:
    """Nodes in a row, concatenations among them opened once."""
    if len(nodes) == 1:
        return nodes[0]
    flat: list[Node] = []
    for node in nodes:
        if type(node) is Concatenation:
            flat += node.children
        else:
            flat.append(node)
    return concatenation(tuple(flat))


def add_alternative(alternatives: list[Node], node: Node) -> None:
    """Appends an alternative, unless it or the one before is any character and takes in the other."""
    if alternatives and type(alternatives[-1]) is AnyCharacter and _is_character(node):
        return
    if alternatives and type(node) is AnyCharacter and _is_character(alternatives[-1]):
        alternatives.pop()
    alternatives.append(node)


def alternate(alternatives: Sequence[Node]) -> Node:
    """One of the nodes, alternations among them opened once, and factored."""
    if len(alternatives) == 1:
        return alternatives[0]
    flat: list[Node] = []
    for node in alternatives:
        if type(node) is Alternation:
            flat += node.children
        else:
            flat.append(node)
    return alternation(tuple(_factor(flat)))


def _factor(nodes: list[Node]) -> list[Node]:
    return _merge_characters(_factor_pieces(_factor_texts(nodes)))


def _factor_texts(nodes: list[Node]) -> list[Node]:
    """Takes common leading text out of neighbours."""
    result: list[Node] = []
    start, shared, folded = 0, "", False
    for i in range(len(nodes) + 1):
        text, text_folded = _leading_text(nodes[i]) if i < len(nodes) else ("", False)
        if i < len(nodes) and text_folded == folded:
            same = 0
            while same < min(len(shared), len(text)) and shared[same] == text[same]:
                same += 1
            if same:
                shared = shared[:same]
                continue
        if i - start > 1:
            rest = _factor([_without_leading_text(node, len(shared)) for node in nodes[start:i]])
            result.append(concatenation((Text(shared, folded), alternation(tuple(rest)))))
        else:
            result += nodes[start:i]
        start, shared, folded = i, text, text_folded
    return result


def _leading_text(node: Node) -> tuple[str, bool]:
    while type(node) is Concatenation:
        node = node.children[0]
    return (node.text, node.folded) if type(node) is Text else ("", False)


def _without_leading_text(node: Node, length: int) -> Node:
    if type(node) is Concatenation:
        first = _without_leading_text(node.children[0], length)
        rest = node.children[1:]
        return concatenation(rest) if type(first) is Empty else concatenation((first, *rest))
    if type(node) is Text and length < len(node.text):
        return Text(node.text[length:], node.folded)
    return Empty()


def _factor_pieces(nodes: list[Node]) -> list[Node]:
    """Takes common leading assertions, classes, and fixed repetitions of a character out of neighbours."""
    result: list[Node] = []
    start = 0
    shared: Node | None = None
    for i in range(len(nodes) + 1):
        piece = _leading_piece(nodes[i]) if i < len(nodes) else None
        if i < len(nodes) and shared is not None and _may_be_shared(shared) and shared == piece:
            continue
        if i - start > 1 and shared is not None:
            rest = _factor([_without_leading_piece(node) for node in nodes[start:i]])
            result.append(concatenation((shared, alternation(tuple(rest)))))
        else:
            result += nodes[start:i]
        start, shared = i, piece
    return result


def _leading_piece(node: Node) -> Node | None:
    if type(node) is Concatenation:
        node = node.children[0]
    return None if type(node) is Empty else node


def _without_leading_piece(node: Node) -> Node:
    return concatenation(node.children[1:]) if type(node) is Concatenation else Empty()


def _may_be_shared(node: Node) -> bool:
    if type(node) is Repetition:
        return node.counted and node.minimum == node.maximum and _is_character(node.child)
    return type(node) in (Assertion, CharacterClass, AnyCharacter)


def _is_character(node: Node) -> bool:
    """Whether a node is one character: of a text, of a class, or any."""
    return type(node) in (CharacterClass, AnyCharacter) or (type(node) is Text and len(node.text) == 1)


def _merge_characters(nodes: list[Node]) -> list[Node]:
    """Makes one class of neighbours that are single characters. Any character (`(?s).`) stays apart."""
    result: list[Node] = []
    run: list[Node] = []
    for node in nodes:
        if _is_character(node) and type(node) is not AnyCharacter:
            run.append(node)
            continue
        result += _merged(run)
        run = []
        result.append(node)
    return result + _merged(run)


def _merged(run: list[Node]) -> list[Node]:
    if len(run) < 2:
        return run
    return [CharacterClass(normalise(pair for node in run for pair in _characters(node)))]


def _characters(node: Node) -> Ranges:
    if type(node) is Text:
        only = ((ord(node.text), ord(node.text)),)
        return fold(only) if node.folded else only
    return node.ranges if type(node) is CharacterClass else ()
