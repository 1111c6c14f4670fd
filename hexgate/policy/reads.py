"""Which members of a request an expression reads: the projection of docs/abi.md A2.4."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hexgate.decision.reads import EVERYTHING, Members, Reads, join_members
from hexgate.decision.tool_patterns import matches_pattern
from hexgate.language import checked
from hexgate.language.checked import Node, operands_of
from hexgate.policy.checked import CheckedEntry, CheckedRole

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


def joined_reads(
    rows: Sequence[CheckedRole],
) -> tuple[dict[str, Reads], tuple[tuple[str, Reads], ...], Reads]:
    """What all roles and the boundary read: for each tool that one names exactly, for each pattern, by default."""
    alike = {(id(row.exact), id(row.patterns), id(row.default)): row for row in rows}
    holders = list(alike.values())
    covered = _Covering()
    tools = dict.fromkeys(name for row in holders for name in row.exact)
    tool_reads = {tool: _joined(covered.entry_for(row, tool) for row in holders) for tool in tools}
    patterns: dict[str, list[CheckedEntry | None]] = {}
    for row in holders:
        for entry in row.patterns:
            patterns.setdefault(entry.pattern, []).append(entry)
    pattern_reads = tuple((pattern, _joined(entries)) for pattern, entries in patterns.items())
    return tool_reads, pattern_reads, _joined(row.default for row in holders)


class _Covering:
    """`CheckedRole.entry_for` over many roles and tools: whether a pattern covers a tool is asked once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    def entry_for(self, row: CheckedRole, tool: str) -> CheckedEntry | None:
        entry = row.exact.get(tool)
        if entry is not None:
            return entry
        for candidate in row.patterns:
            key = (candidate.pattern, tool)
            covers = self._known.get(key)
            if covers is None:
                covers = self._known[key] = matches_pattern(*key)
            if covers:
                return candidate
        return row.default


def _joined(entries: Iterable[CheckedEntry | None]) -> Reads:
    """What entries read together; one that several roles share counts once."""
    reads = Reads()
    for entry in {id(entry): entry for entry in entries}.values():
        if entry is not None:
            reads = reads.join(entry.reads)
    return reads


def _note(found: dict[str, Members], root: str, members: Members) -> None:
    known = found.get(root)
    found[root] = members if known is None else join_members(known, members)


def _visit(node: Node, found: dict[str, Members]) -> None:
    kind = type(node)
    if kind is checked.Constant:
        return
    if kind is checked.Variable:
        _note_root(node.name, found)  # type: ignore[union-attr]
        return
    if kind is checked.Select or kind is checked.Has or kind is checked.Invoke:
        access = _member_access(node)
        if access is not None:
            _note(found, access[0], frozenset((access[1],)))
            return
        if _is_attrs(node):
            _note(found, "attrs", EVERYTHING)
            return
        if kind is not checked.Invoke and _is_user(node.operand):  # type: ignore[union-attr]
            return
    for operand in operands_of(node):
        _visit(operand, found)


def _note_root(name: str, found: dict[str, Members]) -> None:
    """A root that is read whole."""
    if name in _ROOTS:
        _note(found, name, EVERYTHING)
    elif name == "user":
        _note(found, "attrs", EVERYTHING)
    elif name == "now":
        _note(found, "now", frozenset())


def _member_access(node: Node) -> tuple[str, str] | None:
    """Root and member of `root.name`, `has(root.name)`, `root["name"]`, `"name" in root`; None for anything else."""
    operand: Node
    if type(node) is checked.Invoke:
        if node.function not in ("index", "in"):
            return None
        operand, key = node.operands if node.function == "index" else node.operands[::-1]
        if type(key) is not checked.Constant or type(key.value) is not str:
            return None
        name = key.value
    else:
        operand, name = node.operand, node.field  # type: ignore[union-attr]
    if type(operand) is checked.Variable and operand.name in _ROOTS:
        return operand.name, name
    return ("attrs", name) if _is_attrs(operand) else None


def _is_user(node: Node) -> bool:
    return type(node) is checked.Variable and node.name == "user"


def _is_attrs(node: Node) -> bool:
    return type(node) is checked.Select and node.field == "attrs" and _is_user(node.operand)
