"""Lower one checked expression to an instruction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hexgate.compiler.data_segment import TRUE_CELL, DataSegment, fault_cell
from hexgate.compiler.program import (
    Branch,
    BuildList,
    BuildMap,
    CallPrelude,
    Cell,
    Instruction,
    Let,
    LocalCell,
    Loop,
    RequestCell,
    ShortCircuit,
)  # fmt: skip
from hexgate.compiler.time_zone import encode_zone
from hexgate.language import checked
from hexgate.language.checked import KEEPING, Node, step_nodes
from hexgate.language.state import scan_steps
from hexgate.regex import compile_pattern, encode_dfa
from hexgate.values import Key, TypeValue, UInt, Value, key_of

USER_MEMBERS = {"id": 2, "role": 0, "attrs": 3}
"""Position in the request's array of each member of `user`."""

_COMPARISONS = frozenset({"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"})
_ORDER_FORMS: dict[type, str] = {int: "order_number", UInt: "order_number", float: "order_number", str: "order_text"}
_EQUAL_FORMS: dict[type, str] = {
    int: "equal_number", UInt: "equal_number", float: "equal_number", str: "equal_text", bytes: "equal_text",
    bool: "equal_single", type(None): "equal_single",
}  # fmt: skip


class ExpressionLowering:
    """Lowers expressions over one data segment. `variables` gives each root's position in the request's array."""

    def __init__(self, data: DataSegment, variables: Mapping[str, int]) -> None:
        self._data = data
        self._variables = variables
        self._by_type: dict[type, Callable[[Any], Instruction]] = {
            checked.Constant: self._constant,
            checked.Variable: self._variable,
            checked.Local: lambda node: LocalCell(node.slot),
            checked.Select: self._select,
            checked.Has: self._has,
            checked.Invoke: self._invoke,
            checked.Matches: self._matches,
            checked.And: lambda node: ShortCircuit(False, self.lower(node.left), self.lower(node.right)),
            checked.Or: lambda node: ShortCircuit(True, self.lower(node.left), self.lower(node.right)),
            checked.Conditional: self._conditional,
            checked.MakeList: self._make_list,
            checked.MakeMap: self._make_map,
            checked.Comprehension: self._comprehension,
            checked.Bind: lambda node: Let(node.slot, self.lower(node.value), self.lower(node.body)),
            checked.Faulty: lambda node: Cell(fault_cell(node.fault), f"fault:{node.fault.code}"),
        }

    def lower(self, node: Node) -> Instruction:
        """The instruction that yields the node's cell."""
        return self._by_type[type(node)](node)

    def _cell(self, value: Value, bytes_charged: int = 0) -> Cell:
        text = value.name if type(value) is TypeValue else repr(value)
        return Cell(self._data.cell(value), text, bytes_charged)

    def _constant(self, node: checked.Constant) -> Instruction:
        return self._cell(node.value)

    def _variable(self, node: checked.Variable) -> Instruction:
        position = self._variables.get(node.name)
        if position is not None:
            return RequestCell(position, node.name)
        parts = tuple(
            part
            for name, place in USER_MEMBERS.items()
            for part in (self._cell(name), RequestCell(place, f"user.{name}"))
        )
        return CallPrelude("user_map", parts)

    def _select(self, node: checked.Select) -> Instruction:
        member = self._user_member(node.operand, node.field)
        if member is not None:
            return member
        return CallPrelude(_by_length("select", node.field), (self.lower(node.operand), self._cell(node.field)))

    def _user_member(self, operand: Node, field: str) -> Instruction | None:
        """The direct place of `user.id`, `user.role`, `user.attrs`."""
        is_user = type(operand) is checked.Variable and operand.name == "user" and "user" not in self._variables
        return RequestCell(USER_MEMBERS[field], f"user.{field}") if is_user and field in USER_MEMBERS else None

    def _has(self, node: checked.Has) -> Instruction:
        if self._user_member(node.operand, node.field) is not None:
            return Cell(TRUE_CELL, "true")
        return CallPrelude(_by_length("has", node.field), (self.lower(node.operand), self._cell(node.field)))

    def _invoke(self, node: checked.Invoke) -> Instruction:
        operands = node.operands
        if node.function.endswith("_in") and len(operands) == 2 and type(operands[1]) is checked.Constant:
            zone = operands[1].value
            if type(zone) is str:
                table = self._data.place(encode_zone(zone), 8)
                return CallPrelude(f"{node.function.removesuffix('_in')}_zone", (self.lower(operands[0]),), (table,))
        if node.function in _COMPARISONS:
            compared = self._compare_with_constant(node)
            if compared is not None:
                return compared
        return CallPrelude(f"fn_{node.function}", tuple(map(self.lower, operands)))

    def _compare_with_constant(self, node: checked.Invoke) -> Instruction | None:
        """A comparison whose right side is a constant of a plain type, no long text: a smaller and faster form of the same."""
        left, right = node.operands
        if type(right) is not checked.Constant or (isinstance(right.value, (str, bytes)) and scan_steps(right.value)):
            return None
        kind = type(right.value)
        operands = self.lower(left), self._cell(right.value)
        if node.function in ("equal", "not_equal"):
            name = _EQUAL_FORMS.get(kind)
            if name is None:
                return None
            same = CallPrelude(name, operands)
            return same if node.function == "equal" else CallPrelude("opposite", (same,))
        order = _ORDER_FORMS.get(kind)
        return None if order is None else CallPrelude(f"is_{node.function}", (CallPrelude(order, operands),))

    def _matches(self, node: checked.Matches) -> Instruction:
        table = self._data.place(encode_dfa(compile_pattern(node.pattern)), 4)
        return CallPrelude("matches", (self.lower(node.operand),), (table,))

    def _conditional(self, node: checked.Conditional) -> Instruction:
        return Branch(self.lower(node.test), self.lower(node.then), self.lower(node.otherwise))

    def _make_list(self, node: checked.MakeList) -> Instruction:
        folded = _fold(node)
        if folded is not None:
            return self._cell(*folded)
        return BuildList(tuple(map(self.lower, node.elements)), node.optional)

    def _make_map(self, node: checked.MakeMap) -> Instruction:
        folded = _fold(node)
        if folded is not None:
            return self._cell(*folded)
        parts = tuple(
            self.lower(part) for pair in zip(node.keys, node.values, strict=True) for part in pair
        )
        return BuildMap(parts, node.optional)

    def _comprehension(self, node: checked.Comprehension) -> Instruction:
        nodes = step_nodes(node)
        return Loop(
            node.kind,
            self.lower(node.range),
            node.slots,
            None if node.body is None else self.lower(node.body),
            None if node.result is None else self.lower(node.result),
            1 + nodes // 16,
            16 * nodes if node.kind in KEEPING else 0,
        )


def _by_length(function: str, field: str) -> str:
    """The form of a member access for a field's name: one long enough to take steps is charged (L2.9)."""
    return f"{function}_long" if scan_steps(field) else function


def _fold(node: Node) -> tuple[Value, int] | None:
    """The value of a literal all of whose parts are constants, and the bytes that building it charges; None otherwise,
    for a map literal that is a fault, and for one that takes steps."""
    if type(node) is checked.Constant:
        return node.value, 0
    if type(node) is checked.MakeList and not any(node.optional):
        parts = [_fold(element) for element in node.elements]
        if all(parts):
            values = tuple(part[0] for part in parts if part is not None)
            return values, 16 * len(values) + sum(part[1] for part in parts if part is not None)
    if type(node) is checked.MakeMap and not any(node.optional):
        return _fold_map(node)
    return None


def _fold_map(node: checked.MakeMap) -> tuple[Value, int] | None:
    entries: dict[Key, Value] = {}
    charged = 32 * len(node.keys)
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        key, value = _fold(key_node), _fold(value_node)
        if key is None or value is None:
            return None
        name = key_of(key[0])
        if name is None or name in entries or (type(name) is str and scan_steps(name)):
            return None
        entries[name] = value[0]
        charged += key[1] + value[1]
    return entries, charged


