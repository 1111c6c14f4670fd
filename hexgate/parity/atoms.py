"""The parts of a constraint that logic joins, and the places of a request that a constraint reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hexgate.language.checked import And, CheckedExpression, Conditional, Invoke, Node, Or
from hexgate.limits import TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.parity.call import Path
from hexgate.parity.candidates import CANDIDATES, candidates, fewer
from hexgate.parity.near_times import NOW
from hexgate.parity.shapes import Shape, shape_of
from hexgate.values import Timestamp

_NOT_SETTABLE = {("tool",), ("user",), ("user", "role")}


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a constraint reads, what is known of it, and the values to try there."""

    path: Path
    shape: Shape
    values: tuple[Any, ...]
    is_leaf: bool


def places_of(nodes: tuple[Node, ...], limit: int = CANDIDATES) -> tuple[Place, ...]:
    """The places that expressions read, outer ones first, with at most so many values each."""
    return tuple(_places(shape_of(nodes), (), limit))


def _places(shape: Shape, path: Path, limit: int) -> Iterator[Place]:
    inside: list[tuple[str | int, Shape]] = [*shape.members.items()]
    if shape.element is not None and not shape.members:
        inside.append((0, shape.element))
    for name, member in inside:
        inner = (*path, name)
        if inner == ("now",):
            yield Place(inner, member, _instants(member)[:limit], True)
        elif inner not in _NOT_SETTABLE:
            yield Place(inner, member, fewer(candidates(member), limit), not member.members and member.element is None)
        yield from _places(member, inner, limit)


def _instants(shape: Shape) -> tuple[int, ...]:
    """Clocks, in nanoseconds since the epoch."""
    found = [value.nanoseconds for value in candidates(shape) if type(value) is Timestamp and TIMESTAMP_MIN <= value.nanoseconds <= TIMESTAMP_MAX]
    return tuple(dict.fromkeys((NOW, *found)))


def atoms_of(node: Node) -> tuple[Node, ...]:
    """The operands of a constraint's `&&`, `||`, `!` and `? :` that are none of these themselves, left to right."""
    match node:
        case And(left=left, right=right) | Or(left=left, right=right):
            return (*atoms_of(left), *atoms_of(right))
        case Conditional(test=test, then=then, otherwise=otherwise):
            return (*atoms_of(test), *atoms_of(then), *atoms_of(otherwise))
        case Invoke(function="not", operands=(operand,)):
            return atoms_of(operand)
        case _:
            return (node,)


def expression_of(whole: CheckedExpression, atom: Node) -> CheckedExpression:
    """An atom of an expression as an expression. It must not stand inside a macro."""
    return CheckedExpression(whole.text, whole.tree, atom, whole.slots)
