"""Which members of a request an expression reads: the projection of docs/abi.md A2.4."""

from __future__ import annotations

from collections.abc import Iterable

from hexgate.decision.reads import EVERYTHING, Members, Reads, join_members
from hexgate.language import checked
from hexgate.language.checked import Node, operands_of

_ROOTS = ("args", "ctx", "resource")


def reads_of(roots: Iterable[Node]) -> Reads:
    """What expressions read together."""
    found: dict[str, Members] = {}
    for root in roots:
        _visit(root, found)
    none: frozenset[str] = frozenset()
    return Reads(
        found.get("args", none), found.get("attrs", none), found.get("ctx", none), found.get("resource", none), "now" in found
    )


def _note(found: dict[str, Members], root: str, members: Members) -> None:
    found[root] = join_members(found.get(root, frozenset()), members)


def _visit(node: Node, found: dict[str, Members]) -> None:
    access = _member_access(node)
    if access is not None:
        _note(found, access[0], frozenset((access[1],)))
        return
    if _is_attrs(node):
        _note(found, "attrs", EVERYTHING)
        return
    if type(node) is checked.Variable:
        if node.name in _ROOTS:
            _note(found, node.name, EVERYTHING)
        elif node.name == "user":
            _note(found, "attrs", EVERYTHING)
        elif node.name == "now":
            _note(found, "now", frozenset())
        return
    if type(node) in (checked.Select, checked.Has) and _is_user(node.operand):  # type: ignore[union-attr]
        return
    for operand in operands_of(node):
        _visit(operand, found)


def _member_access(node: Node) -> tuple[str, str] | None:
    """Root and member of `root.name`, `has(root.name)`, `root["name"]`, `"name" in root`; None for anything else."""
    operand: Node
    if type(node) is checked.Select or type(node) is checked.Has:
        operand, name = node.operand, node.field
    elif type(node) is checked.Invoke and node.function in ("index", "in"):
        operand, key = node.operands if node.function == "index" else node.operands[::-1]
        if type(key) is not checked.Constant or type(key.value) is not str:
            return None
        name = key.value
    else:
        return None
    if type(operand) is checked.Variable and operand.name in _ROOTS:
        return operand.name, name
    return ("attrs", name) if _is_attrs(operand) else None


def _is_user(node: Node) -> bool:
    return type(node) is checked.Variable and node.name == "user"


def _is_attrs(node: Node) -> bool:
    return type(node) is checked.Select and node.field == "attrs" and _is_user(node.operand)
