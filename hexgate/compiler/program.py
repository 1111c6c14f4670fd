"""The program: what `lower` makes of a checked policy and `emit` turns into WebAssembly.

An instruction yields one cell (docs/abi.md A4). Instructions are trees, evaluated operands first, left to right.
Addresses are those of the module's data, which `DataSegment` has laid out. A program prints readably
(`hexgate compile --emit program`, `format_program`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, Union

from hexgate.decision.outcomes import PolicyTable
from hexgate.language.checked import ComprehensionKind


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that exists already: a constant, null, a bool or a fault. `bytes_charged` is what a literal costs (L2.10)."""

    address: int
    text: str
    bytes_charged: int = 0


@dataclass(frozen=True, slots=True)
class RequestCell:
    """A value of the request's array, by position."""

    position: int
    text: str


@dataclass(frozen=True, slots=True)
class LocalCell:
    """A variable of a macro."""

    slot: int


@dataclass(frozen=True, slots=True)
class CallPrelude:
    """A prelude function: its name without `$`, operands, and addresses of tables that follow them."""

    name: str
    operands: tuple[Instruction, ...]
    immediates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ShortCircuit:
    """`&&` where `decided_by` is False, `||` where it is True (L2.3)."""

    decided_by: bool
    left: Instruction
    right: Instruction


@dataclass(frozen=True, slots=True)
class Branch:
    """`test ? then : otherwise` (L2.4)."""

    test: Instruction
    then: Instruction
    otherwise: Instruction


@dataclass(frozen=True, slots=True)
class BuildList:
    """A list of the operands' values; `optional[i]` leaves a none out."""

    operands: tuple[Instruction, ...]
    optional: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class BuildMap:
    """A map; `operands` are key, value, key, value."""

    operands: tuple[Instruction, ...]
    optional: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A comprehension (L2.5, L2.6). Each step takes `step_steps`, and `step_bytes` where the kind keeps results."""

    kind: ComprehensionKind
    range: Instruction
    slots: tuple[int, ...]
    body: Instruction | None
    result: Instruction | None
    step_steps: int
    step_bytes: int


@dataclass(frozen=True, slots=True)
class Let:
    """`cel.bind` (L2.7)."""

    slot: int
    value: Instruction
    body: Instruction


Instruction: TypeAlias = Union[
    Cell, RequestCell, LocalCell, CallPrelude, ShortCircuit, Branch, BuildList, BuildMap, Loop, Let
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConstraintCode:
    """One constraint: its instruction, how many slots it uses, and its text for listings."""

    instruction: Instruction
    slots: int
    text: str


@dataclass(frozen=True, slots=True)
class RuleCode:
    """A rule: constraints by index, and the outcomes for held, for each one false (None: not reported), for each faulty."""

    constraints: tuple[int, ...]
    held: int
    failed: tuple[int | None, ...]
    faulted: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EntryCode:
    """An entry: rules in order. `otherwise` is -1 where an entry of the boundary has no opinion when none holds,
    None where the last reporting rule's failure is the answer."""

    rules: tuple[RuleCode, ...]
    otherwise: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Dispatch:
    """How names lead to entries. Entry numbers are 1-based; 0 is none.

    `roles`, `tools`: names in index order. `exact[r][t]`: entry for role r and tool t. `patterns[r]`: (pattern, entry) in the order
    tried, and `default[r]`. Row `len(roles)` is the boundary's, where there is one.
    """

    roles: tuple[str, ...]
    tools: tuple[str, ...]
    exact: tuple[tuple[int, ...], ...]
    patterns: tuple[tuple[tuple[str, int], ...], ...]
    default: tuple[int, ...]
    has_boundary: bool


@dataclass(frozen=True, slots=True)
class Program:
    """A whole policy: code, dispatch, and the table of its outcomes. `data` is the constants' memory, from address 1024."""

    constraints: tuple[ConstraintCode, ...]
    entries: tuple[EntryCode, ...]
    dispatch: Dispatch
    data: bytes
    table: PolicyTable


def format_instruction(instruction: Instruction, indent: int = 0) -> str:
    """An instruction as an indented S-expression."""
    pad = "  " * indent

    def block(head: str, *parts: Instruction | None) -> str:
        inner = [format_instruction(part, indent + 1) for part in parts if part is not None]
        return f"{pad}({head})" if not inner else f"{pad}({head}\n" + "\n".join(inner) + ")"

    match instruction:
        case Cell(text=text):
            return f"{pad}{text}"
        case RequestCell(text=text):
            return f"{pad}{text}"
        case LocalCell(slot):
            return f"{pad}%{slot}"
        case CallPrelude(name, operands, immediates):
            return block(" ".join([name, *map(str, immediates)]), *operands)
        case ShortCircuit(decided_by, left, right):
            return block("or" if decided_by else "and", left, right)
        case Branch(test, then, otherwise):
            return block("if", test, then, otherwise)
        case BuildList(operands):
            return block("list", *operands)
        case BuildMap(operands):
            return block("map", *operands)
        case Loop(kind, range_, slots, body, result):
            return block(f"{kind.value} {' '.join(f'%{slot}' for slot in slots)}", range_, body, result)
        case Let(slot, value, body):
            return block(f"let %{slot}", value, body)


def format_program(program: Program) -> str:
    """The whole program as text: constraints, entries, and who reaches which entry."""
    lines: list[str] = []
    for number, constraint in enumerate(program.constraints):
        lines.append(f"constraint {number}  ; {' '.join(constraint.text.split())}")
        lines.append(format_instruction(constraint.instruction, 1))
    for number, entry in enumerate(program.entries, start=1):
        lines.append(f"entry {number}  ; {entry.text}")
        for rule in entry.rules:
            for constraint_number, failed, faulted in zip(rule.constraints, rule.failed, rule.faulted, strict=True):
                false = "next rule" if failed is None else f"next rule, {failed} if none"
                lines.append(f"  constraint {constraint_number}: false -> {false}, fault -> {faulted}")
            lines.append(f"  -> {rule.held}")
        if entry.rules[-1].constraints:
            otherwise = "the last noted failure" if entry.otherwise is None else "no opinion"
            lines.append(f"  none held -> {otherwise}")
    dispatch = program.dispatch
    names = [*dispatch.roles, "(boundary)"] if dispatch.has_boundary else list(dispatch.roles)
    for row, name in enumerate(names):
        reached = [f"{tool} -> {e}" for tool, e in zip(dispatch.tools, dispatch.exact[row], strict=True) if e]
        reached += [f"{pattern} -> {e}" for pattern, e in dispatch.patterns[row]]
        if dispatch.default[row]:
            reached.append(f"default_policy -> {dispatch.default[row]}")
        lines.append(f"role {name}")
        lines.extend(f"  {line}" for line in reached)
    return "\n".join(lines) + "\n"
