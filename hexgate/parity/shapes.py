"""What constraints say about the values they read: for each place in a request, what it is compared with and how it is used.

A heuristic: a shape decides which calls are tried, never what is right. A constant belongs to every place that is an
operand of the same comparison or call, however deep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hexgate.language.checked import (
    And,
    Bind,
    Comprehension,
    Conditional,
    Constant,
    Has,
    Invoke,
    Local,
    MakeList,
    MakeMap,
    Matches,
    Node,
    Or,
    Select,
    Variable,
    operands_of,
)
from hexgate.language.functions import FUNCTIONS
from hexgate.language.types import Type

_OPERAND_TYPES: dict[tuple[str, int], dict[Type, None]] = {}
for _function in FUNCTIONS:
    for _overload in _function.overloads:
        for _position, _type in enumerate(_overload.operands):
            _OPERAND_TYPES.setdefault((_function.id, _position), {})[_type] = None

_ELEMENTWISE = frozenset({"sort", "reverse", "distinct", "slice", "flatten", "flatten_depth", "dyn"})
"""Functions whose result has the elements of their first operand."""


@dataclass(slots=True)
class Shape:
    """A place. `constants` by type and text, in the order found; `types` and `functions`: what takes it as an operand;
    `patterns` it is matched against; `members` and `element`: places inside. `ranged`: a comprehension goes over it."""

    constants: dict[tuple[str, str], Any] = field(default_factory=dict)
    types: dict[Type, None] = field(default_factory=dict)
    functions: dict[str, None] = field(default_factory=dict)
    patterns: dict[str, None] = field(default_factory=dict)
    members: dict[str, Shape] = field(default_factory=dict)
    element: Shape | None = None
    ranged: bool = False
    values: tuple[Any, ...] | None = None
    """What `candidates` made of it, once all constraints are noted."""

    def member(self, name: str) -> Shape:
        """The place of a member."""
        return self.members.setdefault(name, Shape())

    def elements(self) -> Shape:
        """The place of an element of a list, or of a value of a map."""
        if self.element is None:
            self.element = Shape()
        return self.element

    def add(self, constants: Iterable[Any]) -> None:
        """Notes constants."""
        for constant in constants:
            self.constants.setdefault((type(constant).__name__, repr(constant)), constant)


@dataclass(frozen=True, slots=True)
class _Around:
    """What encloses a node up to the nearest logic: constants of the outermost call, and the ids of all calls."""

    constants: tuple[Any, ...] = ()
    functions: tuple[str, ...] = ()


_NOTHING = _Around()
_Scope = dict[int, Shape | tuple[Any, ...]]
"""What a local stands for: a place, or one of some constants."""


def shape_of(roots: Iterable[Node]) -> Shape:
    """The shape of a request as some constraints read it: a place whose members are the roots."""
    shape = Shape()
    for root in roots:
        _visit(root, _NOTHING, shape, {})
    return shape


def _visit(node: Node, around: _Around, request: Shape, scope: _Scope) -> Shape | None:
    """Notes what a node says. Returns the place that it reads."""
    place = _place(node, around, request, scope)
    if place is not None:
        place.add(around.constants)
        place.functions.update(dict.fromkeys(around.functions))
    return place


def _place(node: Node, around: _Around, request: Shape, scope: _Scope) -> Shape | None:
    match node:
        case Variable(name=name):
            return request.member(name)
        case Local(slot=slot):
            found = scope.get(slot)
            return found if isinstance(found, Shape) else None
        case Select(operand=operand, field=name) | Has(operand=operand, field=name):
            base = _visit(operand, _NOTHING, request, scope)
            return None if base is None else base.member(name)
        case Matches(operand=operand, pattern=pattern):
            place = _visit(operand, _Around(_constants(operand, scope), ("matches",)), request, scope)
            if place is not None:
                place.patterns[pattern] = None
            return None
        case Invoke():
            return _invoke(node, around, request, scope)
        case Conditional(test=test, then=then, otherwise=otherwise):
            _visit(test, _NOTHING, request, scope)
            places = [_visit(branch, around, request, scope) for branch in (then, otherwise)]
            return places[0] or places[1]
        case Comprehension():
            return _comprehension(node, around, request, scope)
        case Bind(slot=slot, value=value, body=body):
            bound = _visit(value, around, request, scope)
            return _visit(body, around, request, {**scope, slot: bound or _constants(value, scope)})
        case And() | Or():
            for operand in operands_of(node):
                _visit(operand, _NOTHING, request, scope)
            return None
        case _:
            for operand in operands_of(node):
                _visit(operand, around, request, scope)
            return None


def _invoke(node: Invoke, around: _Around, request: Shape, scope: _Scope) -> Shape | None:
    if node.function == "not":
        return _visit(node.operands[0], _NOTHING, request, scope)
    if node.function == "index":
        return _index(node, around, request, scope)
    inner = _Around(around.constants or _constants(node, scope), (*around.functions, node.function))
    places = [_visit(operand, inner, request, scope) for operand in node.operands]
    for position, place in enumerate(places):
        if place is not None:
            place.types.update(_OPERAND_TYPES.get((node.function, position), {}))
    if node.function == "in" and places[1] is not None:
        for constant in _constants(node.operands[0], scope):
            places[1].elements().add((constant,))
            if type(constant) is str:
                places[1].member(constant)
        places[1].elements()
    return places[0] if node.function in _ELEMENTWISE else None


def _index(node: Invoke, around: _Around, request: Shape, scope: _Scope) -> Shape | None:
    operand, key = node.operands
    base = _visit(operand, around, request, scope)
    _visit(key, _Around(_constants(operand, scope), ("index",)), request, scope)
    if base is None:
        return None
    if type(key) is Constant and type(key.value) is str:
        return base.member(key.value)
    base.add(_constants(key, scope))
    base.functions["index"] = None
    return base.elements()


def _comprehension(node: Comprehension, around: _Around, request: Shape, scope: _Scope) -> Shape | None:
    range_ = _visit(node.range, _NOTHING, request, scope)
    meant: list[Shape | tuple[Any, ...]] = [_constants(node.range, scope)]
    if range_ is not None:
        range_.ranged = True
        meant = [range_.elements()]
    elif isinstance(node.range, MakeList):
        meant = [_visit(element, _NOTHING, request, scope) or _constants(element, scope) for element in node.range.elements]
    for each in meant:
        inner = {**scope, node.slots[-1]: each}
        for part in (node.body, node.result):
            if part is not None:
                _visit(part, around if part is node.result else _NOTHING, request, inner)
    return range_


def _constants(node: Node, scope: _Scope) -> tuple[Any, ...]:
    """The constants below a node; of lists and maps also what is in them."""
    found: list[Any] = []
    pending = [node]
    while pending:
        current = pending.pop()
        whole = constant_value(current)
        if whole is not None:
            found.append(whole)
        if type(current) is Constant:
            found.extend(_inside(current.value))
        elif type(current) is Local:
            meant = scope.get(current.slot)
            found.extend(meant if isinstance(meant, tuple) else ())
        pending.extend(reversed(operands_of(current)))
    return tuple(found)


def constant_value(node: Node) -> Any:
    """The value of a list or map literal of constants; None for anything else."""
    if isinstance(node, MakeList):
        elements = [_literal(element) for element in node.elements]
        return None if _UNKNOWN in elements else tuple(elements)
    if isinstance(node, MakeMap):
        keys, values = [_literal(key) for key in node.keys], [_literal(value) for value in node.values]
        return None if _UNKNOWN in (*keys, *values) or not all(type(key) is str for key in keys) else dict(zip(keys, values, strict=True))
    return None


_UNKNOWN = object()


def _literal(node: Node) -> Any:
    if isinstance(node, Constant):
        return node.value
    whole = constant_value(node)
    return _UNKNOWN if whole is None else whole


def _inside(value: Any) -> Iterator[Any]:
    """A constant, then its elements, or its keys and values."""
    yield value
    if type(value) is tuple:
        for element in value:
            yield from _inside(element)
    elif type(value) is dict:
        yield from value
        for member in value.values():
            yield from _inside(member)
