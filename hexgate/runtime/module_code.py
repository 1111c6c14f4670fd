"""Read a function's instructions before they are compiled: only those of the interface, no deeper than allowed.

Fuel bounds what a module does only where each instruction costs what it is charged. `table.fill` costs one unit for
any length, and `memory.grow` enters the host, so that the instructions are a list of what is allowed: numbers, locals,
globals, control, loads and stores, `memory.copy` and `memory.fill` (charged by the byte). Instructions are of one
reading (WebAssembly core specification, 5.4): what this reads, the compiler reads alike or refuses.
"""

from __future__ import annotations

import re

from hexgate.runtime.module_limits import ModuleLimits, ModuleRefusedError

_NUMBER = rb"[\x80-\xff]*+[\x00-\x7f]"
"""A LEB128 number, of any length: the compiler refuses one that is too long."""

_PLAIN = (
    rb"[\x00\x01\x0f\x1a\x1b\x45-\xc4]"  # unreachable, nop, return, drop, select, numeric instructions
    rb"|[\x0c\x0d\x10\x20-\x24\x41\x42]" + _NUMBER +  # br, br_if, call, locals, globals, integer constants
    rb"|[\x11\x28-\x3e]" + _NUMBER + _NUMBER +  # call_indirect, loads, stores
    rb"|\x3f\x00|\x43.{4}|\x44.{8}"  # memory.size, float constants
    rb"|\xfc(?:[\x00-\x07]|\x0a\x00\x00|\x0b\x00)"  # saturating conversions, memory.copy, memory.fill
)  # fmt: skip
_STEP = re.compile(rb"(?:" + _PLAIN + rb")*+(?:([\x02-\x04])" + _NUMBER + rb"|(\x0b)|\x05|(\x0e))", re.DOTALL)
"""Instructions up to and with the next one that opens (1) or ends (2) a block, an `else`, or the head of a `br_table` (3)."""

_NUMBERS = re.compile(_NUMBER)


def refuse_code(wasm: bytes, position: int, end: int, limits: ModuleLimits) -> None:
    """Raises ModuleRefusedError for the instructions between two positions, a function's body without its locals, where
    they are not of the interface."""
    depth = 1
    step = _STEP.match
    while depth:
        match = step(wasm, position, end)
        if match is None:
            raise ModuleRefusedError("a function has an instruction that this interface does not allow")
        kind, position = match.lastindex, match.end()
        if kind == 1:
            depth += 1
            if depth > limits.depth:
                raise ModuleRefusedError(f"a function nests blocks deeper than {limits.depth}")
        elif kind == 2:
            depth -= 1
        elif kind == 3:
            position = _after_branches(wasm, position, end, limits)
    if position != end:
        raise ModuleRefusedError("a function goes on after its end")


def _after_branches(wasm: bytes, position: int, end: int, limits: ModuleLimits) -> int:
    """The position after the targets of a `br_table`: their number, they, and the default."""
    head = _NUMBERS.match(wasm, position, end)
    if head is None:
        raise ModuleRefusedError("the module ends inside a number")
    count = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(head.group()[:5]))
    if count > limits.branches:
        raise ModuleRefusedError(f"a `br_table` has more than {limits.branches} targets")
    position = head.end()
    for _ in range(count + 1):
        target = _NUMBERS.match(wasm, position, end)
        if target is None:
            raise ModuleRefusedError("the module ends inside a number")
        position = target.end()
    return position
