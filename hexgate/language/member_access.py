"""Variables and their members in the interpreter (docs/language.md L1.6, L3.5).

A root of a request is a `RequestMap`: `args.amount`, `args["amount"]`, `has(args.amount)` and `"amount" in args` look at
that member only. Every other use takes the root's whole value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hexgate.faults import EvaluationFault, Fault
from hexgate.language import checked
from hexgate.language.checked import Node
from hexgate.language.freeze import MISSING, RequestMap
from hexgate.language.operations_collections import contains_element, index
from hexgate.language.operations_numbers import read
from hexgate.language.state import State, scan_steps
from hexgate.values import Unsupported

Evaluate = Callable[[State], Any]
Prepare = Callable[[Node], Evaluate]


def variable(node: checked.Variable) -> Evaluate:
    """A root, read whole."""
    return _whole(_variable_unread(node))


def _variable_unread(node: checked.Variable) -> Evaluate:
    name = node.name

    def run(state: State) -> Any:
        try:
            value = state.variables[name]
        except KeyError:
            raise EvaluationFault(Fault.UNDECLARED_REFERENCE) from None
        return read(value)

    return run


def _whole(unread: Evaluate) -> Evaluate:
    def run(state: State) -> Any:
        value = unread(state)
        return read(value.whole()) if type(value) is RequestMap else value

    return run


def select(node: checked.Select, prepare: Prepare) -> Evaluate:
    """`operand.field`. Only `user.attrs` can be a root itself."""
    unread = _select_unread(node, prepare)
    return _whole(unread) if _may_be_root(node) else unread


def _may_be_root(node: Node) -> bool:
    return type(node) is checked.Variable or (type(node) is checked.Select and type(node.operand) is checked.Variable)


def _select_unread(node: checked.Select, prepare: Prepare) -> Evaluate:
    operand, field, steps = _unread(node.operand, prepare), node.field, scan_steps(node.field)

    def run(state: State) -> Any:
        value = operand(state)
        if type(value) is RequestMap:
            member = value.member(field)
        elif type(value) is dict:
            member = value.get(field, MISSING)
        else:
            raise EvaluationFault(Fault.NO_SUCH_OVERLOAD)
        if steps:
            state.charge_steps(steps)
        if member is MISSING:
            raise EvaluationFault(Fault.NO_SUCH_KEY)
        if type(member) is Unsupported:
            raise EvaluationFault(Fault.UNSUPPORTED_VALUE)
        return member

    return run


def _unread(node: Node, prepare: Prepare) -> Evaluate:
    """A node whose value, where it is a root, stays one."""
    if type(node) is checked.Variable:
        return _variable_unread(node)
    if type(node) is checked.Select and _may_be_root(node):
        return _select_unread(node, prepare)
    return prepare(node)


def has(node: checked.Has, prepare: Prepare) -> Evaluate:
    """`has(operand.field)`: the member itself is not read."""
    operand, field, steps = _unread(node.operand, prepare), node.field, scan_steps(node.field)

    def run(state: State) -> bool:
        value = operand(state)
        if type(value) is RequestMap:
            present = value.has(field)
        elif type(value) is dict:
            present = field in value
        else:
            raise EvaluationFault(Fault.NO_SUCH_OVERLOAD)
        if steps:
            state.charge_steps(steps)
        return present

    return run


def is_named_member(node: checked.Invoke) -> bool:
    """Whether it is `root["name"]` or `"name" in root`."""
    if node.function not in ("index", "in"):
        return False
    root, key = node.operands if node.function == "index" else node.operands[::-1]
    return _may_be_root(root) and type(key) is checked.Constant and type(key.value) is str


def named_member(node: checked.Invoke, prepare: Prepare) -> Evaluate:
    """`root["name"]` or `"name" in root`, which look at one member as `root.name` and `has(root.name)` do."""
    if node.function == "index":
        root, key = node.operands
    else:
        key, root = node.operands
    unread, name_of = _unread(root, prepare), prepare(key)

    def member(state: State) -> Any:
        value, name = unread(state), name_of(state)
        if type(value) is not RequestMap:
            return index(state, value, name)
        state.charge_scan(name)
        found = value.member(name)
        if found is MISSING:
            raise EvaluationFault(Fault.NO_SUCH_KEY)
        return read(found)

    def presence(state: State) -> bool:
        value, name = unread(state), name_of(state)
        if type(value) is not RequestMap:
            return contains_element(state, name, value)
        state.charge_scan(name)
        return value.has(name)

    return _whole(member) if node.function == "index" else presence
