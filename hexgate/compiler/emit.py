"""Emit a program as the text of one WebAssembly module, prelude included. The interface is docs/abi.md.

Memory, from low to high: canonical cells, the program's data, the dispatch tables, the input region, scratch, heap.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hexgate.compiler.data_segment import DATA_START, DataSegment, name_table
from hexgate.compiler.emit_expression import ExpressionEmitter
from hexgate.compiler.link import link_prelude
from hexgate.compiler.program import ConstraintCode, Dispatch, EntryCode, Program
from hexgate.decision.decision import Reason, Verdict
from hexgate.decision.outcomes import FIRST_OUTCOME, PolicyTable
from hexgate.limits import ABI_VERSION, ALLOCATION_BUDGET, ITERATION_BUDGET, REQUEST_BYTES

SCRATCH_BYTES = 4096
HEAP_BYTES = 5 * 2**20
"""Twice the allocation budget for values, the cells of the largest request (32 bytes for each of its bytes, where lists
of one element nest), and what a call takes and gives back."""

OUTPUT_BYTES = 2**20
PAGE = 65536
CHUNK = 64
"""Tools per chunk of the dispatch matrix. Equal chunks are stored once, so that roles that inherit the same entries share them."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Addresses of the regions after the data, and the memory's size in pages."""

    input: int
    scratch: int
    output: int
    heap: int
    heap_end: int
    pages: int


def _layout(data_length: int, output_bytes: int = 0) -> _Layout:
    start = -(-(DATA_START + data_length) // 16) * 16
    scratch = start + REQUEST_BYTES
    output = scratch + SCRATCH_BYTES
    heap = output + output_bytes
    pages = -(-(heap + HEAP_BYTES) // PAGE)
    return _Layout(start, scratch, output, heap, pages * PAGE, pages)


def emit(program: Program) -> str:
    """The WAT of a policy module: one function for each shape of constraint, and the entries as data that `$run_entry` reads."""
    data = DataSegment.continuing(program.data)
    numbers: dict[str, int] = {}
    functions: list[str] = []
    constraints = [_constraint(code, numbers, functions, data) for code in program.constraints]
    entries = [_place_entry(entry, constraints, data) for entry in program.entries]
    listing = [f";; {number}: {_printable(entry.text)}" for number, entry in zip(entries, program.entries, strict=True)]
    tables = _DispatchTables.build(data, program.dispatch, (0, *entries))
    ranks = data.place(_ranks(program.table)) if program.dispatch.has_boundary else 0
    decide = _decide(program.dispatch, tables, ranks)
    layout = _layout(len(data.content))
    body = [*functions, *_constraint_table(len(functions)), *listing, *decide]
    exports = ['(export "decide" (func $decide))']
    return _module(body, exports, data.content, layout)


def emit_expression(code: ConstraintCode, data: bytes, variables: int) -> str:
    """The WAT of an expression module (A1.2) over an input array of that many values."""
    layout = _layout(len(data), OUTPUT_BYTES)
    emitter = ExpressionEmitter()
    body = emitter.emit(code.instruction)
    constraint = f";; {_comment(code)}\n(func $constraint (result i32){_declared(emitter)}\n  {body})"
    evaluate = (
        "(func $evaluate (param $length i32) (result i32) (local $cell i32)\n"
        f"  (global.set $heap (i32.const {layout.heap}))\n"
        "  (drop (call $settle (i32.const 528)))\n"
        "  (global.set $request (call $decode_array"
        f" (i32.const {layout.input}) (local.get $length) (i32.const {variables})))\n"
        "  (if (i32.eqz (global.get $request)) (then (return (i32.const 0))))\n"
        "  (local.set $cell (call $constraint))\n"
        "  (if (global.get $fatal) (then (local.set $cell (global.get $fatal))))\n"
        f"  (i32.sub (call $encode_value (local.get $cell) (i32.const {layout.output})"
        f" (i32.const {layout.heap})) (i32.const {layout.output})))"
    )
    exports = [
        '(export "evaluate" (func $evaluate))',
        f'(global (export "output") i32 (i32.const {layout.output}))',
    ]
    return _module([constraint, evaluate], exports, data, layout)


def _module(body: list[str], exports: list[str], data: bytes, layout: _Layout) -> str:
    text = "\n".join(body).replace("@heap", str(layout.heap)).replace("@input", str(layout.input))
    prelude = link_prelude(text)
    everything = text + prelude
    globals_ = {
        "$heap": f"(mut i32) (i32.const {layout.heap})",
        "$base": f"(mut i32) (i32.const {layout.heap})",
        "$heap_end": f"i32 (i32.const {layout.heap_end})",
        "$steps": f"(mut i32) (i32.const {ITERATION_BUDGET})",
        "$bytes": f"(mut i32) (i32.const {ALLOCATION_BUDGET})",
        "$fatal": "(mut i32) (i32.const 0)",
        "$scratch": f"i32 (i32.const {layout.scratch})",
        "$request": "(mut i32) (i32.const 0)",
    }
    parts = [
        "(module",
        f'(memory (export "memory") {layout.pages} {layout.pages})',
        f'(global (export "input") i32 (i32.const {layout.input}))',
        f'(global (export "capacity") i32 (i32.const {REQUEST_BYTES}))',
        f'(global (export "abi") i32 (i32.const {ABI_VERSION}))',
        *(f"(global {name} {kind})" for name, kind in globals_.items() if f" {name}" in everything),
        *exports,
        text,
        prelude,
        f'(data (i32.const 512) "{_escape(_canonical_cells())}")',
        f'(data (i32.const {DATA_START}) "{_escape(data)}")',
        ")",
    ]
    return "\n".join(parts) + "\n"


def _canonical_cells() -> bytes:
    """null, false and true (A4.2). Faults are all zero but for numbers that their addresses give already."""
    return struct.pack("<iiq", 1, 0, 0) + struct.pack("<iiq", 2, 0, 0) + struct.pack("<iiq", 2, 0, 1)


def _escape(data: bytes) -> str:
    return data.decode("latin-1").translate(_ESCAPED)


_ESCAPED = [chr(b) if 32 <= b < 127 and b not in (34, 92) else f"\\{b:02x}" for b in range(256)]


def _constraint(
    code: ConstraintCode, numbers: dict[str, int], functions: list[str], data: DataSegment
) -> tuple[int, int]:
    """The number of a constraint's function, and the address of its constants. `numbers` is by the functions' bodies: the same
    body is emitted once."""
    constants: list[int] = []
    emitter = ExpressionEmitter(constants)
    body = emitter.emit(code.instruction)
    number = numbers.get(body)
    if number is None:
        number = numbers[body] = len(functions)
        functions.append(
            f";; {_comment(code)}\n(func $constraint{number} (param $constants i32) (result i32)"
            f"{_declared(emitter)}\n  {body})"
        )
    return number, data.place(struct.pack(f"<{len(constants)}i", *constants), 4)


def _declared(emitter: ExpressionEmitter) -> str:
    return "".join(f" (local {name} i32)" for name in emitter.locals)


def _comment(code: ConstraintCode) -> str:
    return _printable(" ".join(code.text.split()))


_UNPRINTABLE = dict.fromkeys((*range(32), 127), "?")


def _printable(text: str) -> str:
    """A text that can stand in a line comment: no control characters, nothing that is not ASCII."""
    if text.isascii() and text.isprintable():
        return text
    return text.encode("ascii", "backslashreplace").decode().translate(_UNPRINTABLE)


def _place_entry(entry: EntryCode, constraints: list[tuple[int, int]], data: DataSegment) -> int:
    """An entry as $run_entry takes it. What follows a rule that always holds is left out."""
    rules = list(entry.rules)
    if not rules[0].constraints:
        return 2 * rules[0].held + 1
    always = next((at for at, rule in enumerate(rules) if not rule.constraints), None)
    if always is not None:
        del rules[always + 1 :]
    numbers = [len(rules), 0 if entry.otherwise is None else entry.otherwise]
    for rule in rules:
        numbers += (len(rule.constraints), rule.held)
        for constraint, failed, faulted in zip(rule.constraints, rule.failed, rule.faulted, strict=True):
            noted = 0 if failed is None or entry.otherwise is not None else failed
            numbers += (*constraints[constraint], noted, faulted)
    return data.place(struct.pack(f"<{len(numbers)}i", *numbers), 4)


def _constraint_table(count: int) -> list[str]:
    """The table that $run_entry calls constraints through."""
    names = " ".join(f"$constraint{number}" for number in range(count))
    elements = [f"(elem (i32.const 0) {names})"] if count else []
    return ["(type $constraint (func (param i32) (result i32)))", f"(table {count} {count} funcref)", *elements]


def _ranks(table: PolicyTable) -> bytes:
    """How strict each outcome is: 0 allow, 1 approval, 2 deny. By outcome number."""
    strictness = {Verdict.ALLOW: 0, Verdict.APPROVAL_REQUIRED: 1, Verdict.DENY: 2}
    own = [
        strictness[table.rules[outcome.rule].mode] if outcome.reason is Reason.RULE else 2
        for outcome in table.outcomes
    ]
    return bytes([2] * FIRST_OUTCOME + own)


@dataclass(frozen=True, slots=True)
class _DispatchTables:
    """Addresses: name tables, the rows of chunk numbers, the chunks of entries, the rows of patterns."""

    roles: int
    tools: int
    rows: int
    row_bytes: int
    chunks: int
    chunk_tools: int
    patterns: int

    @classmethod
    def build(cls, data: DataSegment, dispatch: Dispatch, entries: tuple[int, ...]) -> _DispatchTables:
        """`entries` has what $run_entry takes for each entry by its number, 0 at 0."""
        chunk_tools = min(CHUNK, max(1, len(dispatch.tools)))
        chunks: dict[tuple[int, ...], int] = {}
        rows = bytearray()
        per_row = -(-len(dispatch.tools) // chunk_tools)
        for exact in dispatch.exact:
            for start in range(0, len(exact), chunk_tools):
                chunk = exact[start : start + chunk_tools]
                chunk += (0,) * (chunk_tools - len(chunk))
                rows += struct.pack("<i", chunks.setdefault(chunk, len(chunks)))
        packed = b"".join(struct.pack(f"<{chunk_tools}i", *[entries[entry] for entry in chunk]) for chunk in chunks)
        patterns = b"".join(
            struct.pack("<i", _pattern_row(data, row, default, entries))
            for row, default in zip(dispatch.patterns, dispatch.default, strict=True)
        )
        return cls(
            name_table(data, dispatch.roles),
            name_table(data, dispatch.tools),
            data.place(bytes(rows), 4),
            4 * per_row,
            data.place(packed, 4),
            chunk_tools,
            data.place(patterns, 4),
        )


def _pattern_row(
    data: DataSegment, patterns: tuple[tuple[str, int], ...], default: int, entries: tuple[int, ...]
) -> int:
    """The address of one role's patterns, as $find_pattern reads them."""
    row = struct.pack("<i", len(patterns))
    for pattern, entry in patterns:
        text = pattern.encode()
        row += struct.pack("<iii", data.place(text), len(text), entries[entry])
    return data.place(row + struct.pack("<i", entries[default]), 4)


def _decide(dispatch: Dispatch, tables: _DispatchTables, ranks: int) -> list[str]:
    return [
        _row_outcome(dispatch, tables),
        _decide_function(dispatch, tables, ranks),
    ]


def _row_outcome(dispatch: Dispatch, tables: _DispatchTables) -> str:
    """The function from a row of the dispatch matrix, and the tool's index, to the outcome. Parts that the policy does not need are left out."""
    by_name = any(map(any, dispatch.exact))
    others = any(dispatch.patterns) or any(dispatch.default)
    place = f"(i32.add (i32.const {tables.rows}) (i32.mul (local.get $row) (i32.const {tables.row_bytes})))"
    within = "(local.get $tool)"
    if tables.row_bytes > 4:
        chunk = f"(i32.div_u (local.get $tool) (i32.const {tables.chunk_tools}))"
        place = f"(i32.add {place} (i32.shl {chunk} (i32.const 2)))"
        within = f"(i32.rem_u (local.get $tool) (i32.const {tables.chunk_tools}))"
    exact = (
        f"(i32.load (i32.add (i32.const {tables.chunks}) (i32.shl (i32.add\n"
        f"      (i32.mul (i32.load {place}) (i32.const {tables.chunk_tools}))\n"
        f"      {within}) (i32.const 2))))"
    )
    row = f"(i32.load (i32.add (i32.const {tables.patterns}) (i32.shl (local.get $row) (i32.const 2))))"
    if any(dispatch.patterns):
        other = (
            f"(call $find_pattern {row} (i32.load offset=4 (global.get $request)))"
        )
    else:
        other = f"(i32.load offset=4 {row})"
    lines = [
        ";; The outcome of a row of the dispatch matrix for the tool asked for; -2 where the row has no entry.",
        "(func $row_outcome (param $row i32) (param $tool i32) (result i32) (local $entry i32)",
    ]
    if by_name:
        lines.append(f"  (if (i32.ge_s (local.get $tool) (i32.const 0)) (then (local.set $entry {exact})))")
    if others:
        lines.append(f"  (if (i32.lt_s (local.get $tool) (i32.const 0)) (then (local.set $entry {other})))")
    lines.append("  (if (i32.eqz (local.get $entry)) (then (return (i32.const -2))))")
    lines.append("  (call $run_entry (local.get $entry)))" if by_name or others else "  (i32.const -2))")
    return "\n".join(lines)


def _decide_function(dispatch: Dispatch, tables: _DispatchTables, ranks: int) -> str:
    role_outcome = (
        "  (local.set $outcome (call $row_outcome (local.get $role) (local.get $tool)))\n"
        "  (if (i32.eq (local.get $outcome) (i32.const -2)) (then (local.set $outcome (i32.const 1))))\n"
    )
    boundary = limits = ""
    if dispatch.has_boundary:
        limits = " (local $limit i32) (local $strict i32)"
        boundary = (
            f"  (local.set $limit (call $row_outcome (i32.const {len(dispatch.roles)}) (local.get $tool)))\n"
            "  (if (i32.ge_s (local.get $limit) (i32.const 0))\n"
            f"    (then (local.set $strict (call $strictness (local.get $limit)))\n"
            "      (if (i32.eq (local.get $strict) (i32.const 2)) (then (return (local.get $limit))))))\n"
        )
        role_outcome += (
            "  (if (i32.and (i32.eq (local.get $strict) (i32.const 1))\n"
            "        (i32.lt_u (call $strictness (local.get $outcome)) (i32.const 2)))\n"
            "    (then (return (local.get $limit))))\n"
        )
    strictness = (
        "\n;; How strict an outcome is: 0 allow, 1 approval, 2 deny.\n"
        "(func $strictness (param $outcome i32) (result i32)\n"
        f"  (i32.load8_u (i32.add (i32.const {ranks})"
        " (i32.and (local.get $outcome) (i32.const 0xffffff)))))"
    )
    return (
        ";; docs/abi.md A1.1: the answer to the request of that many bytes at `input`.\n"
        "(func $decide (param $length i32) (result i32)\n"
        f"  (local $role i32) (local $tool i32) (local $outcome i32){limits}\n"
        "  (global.set $heap (i32.const @heap))\n"
        "  (global.set $request (call $decode_request (i32.const @input) (local.get $length)))\n"
        "  (if (i32.eqz (global.get $request)) (then (return (i32.const 2))))\n"
        "  (global.set $base (global.get $heap))\n"
        "  (drop (call $settle (i32.const 528)))\n"
        "  (if (i32.eqz (call $is_name (i32.load offset=8 (global.get $request)))) (then (return (i32.const 3))))\n"
        f"  (local.set $role (call $find_name (i32.const {tables.roles}) (i32.load (global.get $request))))\n"
        "  (if (i32.lt_s (local.get $role) (i32.const 0)) (then (return (i32.const 0))))\n"
        f"  (local.set $tool (call $find_name (i32.const {tables.tools}) (i32.load offset=4 (global.get $request))))\n"
        f"{boundary}{role_outcome}"
        "  (local.get $outcome))" + (strictness if dispatch.has_boundary else "")
    )
