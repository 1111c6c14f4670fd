"""The checked tree: what `check` makes of a syntax tree. Both the interpreter and the compiler read this tree.

Names are resolved, macros expanded, constants substituted, regular expressions proved to compile, function calls
bound to an entry of the functions table. Only `check` makes a `CheckedExpression`.

Evaluation rules that the nodes share (`docs/language.md`):
* A node yields a value or a fault. Strict nodes (`Select`, `Has`, `Invoke`, `MakeList`, `MakeMap`, `Matches`)
  evaluate every operand, left to right; the fault of the first faulty operand is the node's.
* `And`, `Or` and the `ALL` and `EXISTS` comprehensions absorb faults, except the fatal ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, Union

from hexgate.faults import Fault
from hexgate.language.tree import Expr, Span
from hexgate.language.types import Type
from hexgate.values import Value


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known at compile time: a literal, a type name, a `consts.name`. Lists and maps only from `consts`."""

    value: Value
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A root of the environment, for example `args`."""

    name: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Local:
    """A variable of a comprehension or of `cel.bind`. `slot` is unique within the expression, from 0."""

    slot: int
    name: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field` on a map: `no_such_key` where absent, `no_such_overload` where the operand is no map."""

    operand: Node
    field: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Has:
    """`has(operand.field)`: whether the map has the key. The member itself is not read."""

    operand: Node
    field: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Invoke:
    """A strict function of the table, by its id, on its operands (a method's target first)."""

    function: str
    operands: tuple[Node, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Matches:
    """`operand.matches(pattern)`. The pattern has been proved to compile to a DFA and to be valid RE2."""

    operand: Node
    pattern: str
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class And:
    left: Node
    right: Node
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Or:
    left: Node
    right: Node
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """Only the branch taken is evaluated. A test that is no bool is `no_such_overload`."""

    test: Node
    then: Node
    otherwise: Node
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class MakeList:
    """A list literal. `optional[i]` marks an element written `?value`: left out where the optional is none."""

    elements: tuple[Node, ...]
    optional: tuple[bool, ...]
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class MakeMap:
    """A map literal; a repeated key is `duplicate_key`, a key of another type `no_such_overload`."""

    keys: tuple[Node, ...]
    values: tuple[Node, ...]
    optional: tuple[bool, ...]
    type: Type
    span: Span


class ComprehensionKind(Enum):
    """What a comprehension does with the body's value at each step.

    ALL, EXISTS: fold with `&&`, `||`, stopping as soon as the answer is known; faults are absorbed.
    EXISTS_ONE: whether exactly one step is true; MAP: the list of `result`s of the steps whose `body` is true
    (always, where `body` is None); FILTER: the list of elements (of keys, for a map) whose `body` is true;
    TRANSFORM_LIST as MAP for two variables; TRANSFORM_MAP: a map of the same keys and `result`s;
    TRANSFORM_MAP_ENTRY: the map of all entries of the `result` maps. These stop at the first fault.
    """

    ALL = "all"
    EXISTS = "exists"
    EXISTS_ONE = "exists_one"
    MAP = "map"
    FILTER = "filter"
    TRANSFORM_LIST = "transform_list"
    TRANSFORM_MAP = "transform_map"
    TRANSFORM_MAP_ENTRY = "transform_map_entry"


KEEPING = frozenset({
    ComprehensionKind.MAP, ComprehensionKind.TRANSFORM_LIST,
    ComprehensionKind.TRANSFORM_MAP, ComprehensionKind.TRANSFORM_MAP_ENTRY,
})  # fmt: skip
"""Kinds whose steps keep results: each step charges 16 bytes per node of `body` and `result` to the allocation budget."""


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A macro over `range`, a list or a map (else `no_such_overload`). Each step charges one iteration first.

    One slot: the element of a list, the key of a map. Two slots: index and element, or key and value.
    Maps are ranged over in the order of their entries.
    """

    kind: ComprehensionKind
    range: Node
    slots: tuple[int, ...]
    body: Node | None
    result: Node | None
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Bind:
    """`cel.bind(name, value, body)`: `value` is evaluated once, first; its fault is the fault of each read of `slot`,
    not of the node."""

    slot: int
    value: Node
    body: Node
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Faulty:
    """What has no meaning but was let through by an unchecked run: always the fault, operands not evaluated."""

    fault: Fault
    type: Type
    span: Span


Node: TypeAlias = Union[
    Constant, Variable, Local, Select, Has, Invoke, Matches, And, Or, Conditional,
    MakeList, MakeMap, Comprehension, Bind, Faulty,
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class CheckedExpression:
    """An expression that has been checked against an environment. `slots` counts its `Local` slots."""

    text: str
    tree: Expr
    root: Node
    slots: int


def operands_of(node: Node) -> tuple[Node, ...]:
    """The direct operands of a node, in evaluation order."""
    match node:
        case Constant() | Variable() | Local() | Faulty():
            return ()
        case Select(operand=operand) | Has(operand=operand) | Matches(operand=operand):
            return (operand,)
        case Invoke(operands=operands):
            return operands
        case And(left=left, right=right) | Or(left=left, right=right):
            return (left, right)
        case Conditional(test=test, then=then, otherwise=otherwise):
            return (test, then, otherwise)
        case MakeList(elements=elements):
            return elements
        case MakeMap(keys=keys, values=values):
            return tuple(node for pair in zip(keys, values, strict=True) for node in pair)
        case Comprehension(range=range_, body=body, result=result):
            return tuple(node for node in (range_, body, result) if node is not None)
        case Bind(value=value, body=body):
            return (value, body)


def count_nodes(node: Node) -> int:
    """The number of nodes of a tree, the root included."""
    return 1 + sum(map(count_nodes, operands_of(node)))


def step_nodes(node: Comprehension) -> int:
    """The number of nodes of a comprehension's body: what one of its steps may evaluate (L2.9, L2.10)."""
    return sum([count_nodes(part) for part in (node.body, node.result) if part is not None])
