"""Emit one instruction tree as folded WAT. The text of an instruction leaves exactly one i32: a cell's address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hexgate.compiler.data_segment import DATA_START, FALSE_CELL, TRUE_CELL
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
from hexgate.language.checked import ComprehensionKind

_FOLDS = {ComprehensionKind.ALL: (TRUE_CELL, "and"), ComprehensionKind.EXISTS: (FALSE_CELL, "or")}


class ExpressionEmitter:
    """Emits the body of one function. `locals` names the i32 locals that the body needs, in order of first use.

    With `constants`, the addresses of the policy's own constants are gathered there, and the body reads them from the array
    at its parameter `$constants`: expressions that differ in nothing else have one body.
    """

    def __init__(self, constants: list[int] | None = None) -> None:
        self._constants = constants
        self._locals: dict[str, None] = {}
        self._loops = 0
        self._temporaries = 0

    @property
    def locals(self) -> tuple[str, ...]:
        return tuple(self._locals)

    def emit(self, instruction: Instruction) -> str:
        """The folded WAT of an instruction."""
        return _EMIT[type(instruction)](self, instruction)

    def _local(self, name: str) -> str:
        self._locals[name] = None
        return name

    def _slot(self, slot: int) -> str:
        return self._local(f"$s{slot}")

    def _temporary(self) -> str:
        self._temporaries += 1
        return self._local(f"$t{self._temporaries}")

    def _address(self, address: int) -> str:
        """An address in the policy's data; a canonical cell is part of the expression."""
        if self._constants is None or address < DATA_START:
            return f"(i32.const {address})"
        self._constants.append(address)
        return f"(i32.load offset={4 * len(self._constants) - 4} (local.get $constants))"

    def _cell(self, cell: Cell) -> str:
        if cell.bytes_charged:
            return f"(call $charged_literal {self._address(cell.address)} (i32.const {cell.bytes_charged}))"
        return self._address(cell.address)

    def _call(self, call: CallPrelude) -> str:
        text = f"(call ${call.name}"
        for operand in call.operands:
            text += " " + _EMIT[type(operand)](self, operand)
        for immediate in call.immediates:
            text += " " + self._address(immediate)
        return text + ")"

    def _short_circuit(self, node: ShortCircuit) -> str:
        left = self._temporary()
        decided = TRUE_CELL if node.decided_by else FALSE_CELL
        join = "$or_join" if node.decided_by else "$and_join"
        return (
            f"(if (result i32) (i32.eq (local.tee {left} {self.emit(node.left)}) (i32.const {decided}))"
            f" (then (i32.const {decided}))"
            f" (else (call {join} (local.get {left}) {self.emit(node.right)})))"
        )

    def _branch(self, node: Branch) -> str:
        test = self._temporary()
        return (
            f"(if (result i32) (i32.eq (local.tee {test} {self.emit(node.test)}) (i32.const {TRUE_CELL}))"
            f" (then {self.emit(node.then)})"
            f" (else (if (result i32) (i32.eq (local.get {test}) (i32.const {FALSE_CELL}))"
            f" (then {self.emit(node.otherwise)}) (else (call $not_a_test (local.get {test}))))))"
        )

    def _stored(self, operands: tuple[Instruction, ...], target: str) -> str:
        """Stores of operands' cells into the array of the list or map cell in a local, in order."""
        return "".join(
            f" (i32.store offset={4 * position} (call $address (local.get {target})) {self.emit(operand)})"
            for position, operand in enumerate(operands)
        )

    def _build_list(self, node: BuildList) -> str:
        made = self._temporary()
        finish = "$finish_list"
        return (
            f"(block (result i32) (local.set {made} (call $new_list (i32.const {len(node.operands)})))"
            f"{self._stored(node.operands, made)} (call {finish} (local.get {made})))"
        )

    def _build_map(self, node: BuildMap) -> str:
        made = self._temporary()
        return (
            f"(block (result i32) (local.set {made} (call $new_map (i32.const {len(node.operands) // 2})))"
            f"{self._stored(node.operands, made)} (call $finish_map (local.get {made})))"
        )

    def _let(self, node: Let) -> str:
        return (
            f"(block (result i32) (local.set {self._slot(node.slot)} {self.emit(node.value)}) {self.emit(node.body)})"
        )

    def _loop(self, node: Loop) -> str:
        """Counts `$i` over the range; `$acc` is the answer so far, and the answer once the loop is left."""
        self._loops += 1
        n = self._loops
        over, count, i, acc, mark = (self._local(f"${name}{n}") for name in ("over", "count", "i", "acc", "mark"))
        return (
            f"(block (result i32) (local.set {over} {self.emit(node.range)})"
            f" (local.set {count} (call $range_count (local.get {over})))"
            f" (if (i32.lt_s (local.get {count}) (i32.const 0))"
            f" (then (local.set {acc} (call $not_a_test (local.get {over}))))"
            f" (else (local.set {i} (i32.const 0)) (local.set {acc} {self._start(node, count)})"
            f" (block $done{n} (loop $next{n}"
            f" (if (i32.ge_u (local.get {i}) (local.get {count}))"
            f" (then (local.set {acc} {self._finish(node, acc)}) (br $done{n})))"
            f" {self._charge(node, acc, n)} (local.set {mark} (global.get $heap))"
            f" {self._bind_slots(node, over, i)}"
            f" {self._step(node, n, over, i, acc, mark)}"
            f" (local.set {i} (i32.add (local.get {i}) (i32.const 1))) (br $next{n})))))"
            f" (local.get {acc}))"
        )

    def _start(self, node: Loop, count: str) -> str:
        match node.kind:
            case ComprehensionKind.ALL | ComprehensionKind.EXISTS:
                return f"(i32.const {_FOLDS[node.kind][0]})"
            case ComprehensionKind.EXISTS_ONE:
                return "(i32.const 0)"
            case ComprehensionKind.TRANSFORM_MAP:
                return f"(call $start_map (local.get {count}))"
            case _:
                return f"(call $start_list (local.get {count}))"

    def _finish(self, node: Loop, acc: str) -> str:
        match node.kind:
            case ComprehensionKind.ALL | ComprehensionKind.EXISTS:
                return f"(local.get {acc})"
            case ComprehensionKind.EXISTS_ONE:
                return f"(call $bool (i32.eq (local.get {acc}) (i32.const 1)))"
            case ComprehensionKind.TRANSFORM_MAP:
                return f"(call $end_map (local.get {acc}))"
            case ComprehensionKind.TRANSFORM_MAP_ENTRY:
                return f"(call $join_maps (local.get {acc}))"
            case _:
                return f"(call $end_list (local.get {acc}))"

    def _charge(self, node: Loop, acc: str, n: int) -> str:
        charged = f"(call $charge_steps (i32.const {node.step_steps}))"
        if node.step_bytes:
            charged = f"(i32.and {charged} (call $charge_bytes (i32.const {node.step_bytes})))"
        return f"(if (i32.eqz {charged}) (then (local.set {acc} (global.get $fatal)) (br $done{n})))"

    def _bind_slots(self, node: Loop, over: str, i: str) -> str:
        if len(node.slots) == 1:
            return f"(local.set {self._slot(node.slots[0])} (call $range_key (local.get {over}) (local.get {i})))"
        first, second = map(self._slot, node.slots)
        return (
            f"(local.set {first} (call $range_index (local.get {over}) (local.get {i})))"
            f" (local.set {second} (call $range_value (local.get {over}) (local.get {i})))"
        )

    def _step(self, node: Loop, n: int, over: str, i: str, acc: str, mark: str) -> str:
        reset = f"(global.set $heap (local.get {mark}))"
        if node.kind in _FOLDS:
            decided, join = (FALSE_CELL, "and") if node.kind is ComprehensionKind.ALL else (TRUE_CELL, "or")
            assert node.body is not None
            return (
                f"(local.set {acc} (call ${join}_join (local.get {acc}) {self.emit(node.body)})) {reset}"
                f" (br_if $done{n} (i32.eq (local.get {acc}) (i32.const {decided})))"
            )
        if node.kind in (ComprehensionKind.EXISTS_ONE, ComprehensionKind.FILTER):
            if node.kind is ComprehensionKind.EXISTS_ONE:
                keep = f"(local.set {acc} (i32.add (local.get {acc}) (i32.const 1)))"
            else:
                element = f"(call $range_key (local.get {over}) (local.get {i}))"
                keep = f"(call $append (local.get {acc}) {element})"
            return self._where(node.body, keep, n, acc, reset)
        return self._where(node.body, self._keep_result(node, n, over, i, acc), n, acc, "")

    def _where(self, body: Instruction | None, keep: str, n: int, acc: str, reset: str) -> str:
        """Runs `keep` at a step whose body is true; leaves the loop with a fault."""
        if body is None:
            return keep
        value = self._temporary()
        return (
            f"(local.set {value} {self.emit(body)}) {reset}"
            f" (if (i32.eq (local.get {value}) (i32.const {TRUE_CELL})) (then {keep})"
            f" (else (if (i32.ne (local.get {value}) (i32.const {FALSE_CELL}))"
            f" (then (local.set {acc} (call $not_a_test (local.get {value}))) (br $done{n})))))"
        )

    def _keep_result(self, node: Loop, n: int, over: str, i: str, acc: str) -> str:
        value = self._temporary()
        assert node.result is not None
        if node.kind is ComprehensionKind.TRANSFORM_MAP:
            key = f"(call $range_index (local.get {over}) (local.get {i}))"
            append = f"(call $append_entry (local.get {acc}) {key} (local.get {value}))"
        else:
            append = f"(call $append (local.get {acc}) (local.get {value}))"
        return (
            f"(local.set {value} {self.emit(node.result)})"
            f" (if (call $is_fault (local.get {value})) (then (local.set {acc} (local.get {value})) (br $done{n})))"
            f" {append}"
        )


_EMIT: dict[type, Callable[[ExpressionEmitter, Any], str]] = {
    Cell: ExpressionEmitter._cell,
    RequestCell: lambda _, i: f"(i32.load offset={4 * i.position} (global.get $request))",
    LocalCell: lambda emitter, i: f"(local.get {emitter._slot(i.slot)})",
    CallPrelude: ExpressionEmitter._call,
    ShortCircuit: ExpressionEmitter._short_circuit,
    Branch: ExpressionEmitter._branch,
    BuildList: ExpressionEmitter._build_list,
    BuildMap: ExpressionEmitter._build_map,
    Loop: ExpressionEmitter._loop,
    Let: ExpressionEmitter._let,
}
