"""The prelude on its own: a module of named functions with all that they reach, called on cells written from Python.

The module has the interface of a policy module, so that the locked-down host runs it. Its one function takes a number of
a function and operands, and calls that. Memory is laid out as in docs/abi.md A4.4, the operands' cells in the input
region. They are written without sharing, as a request is read: equal values have different cells.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from hexgate.compiler.assemble import assemble
from hexgate.compiler.emit import HEAP_BYTES, SCRATCH_BYTES
from hexgate.compiler.link import link_prelude
from hexgate.faults import Fault
from hexgate.limits import ALLOCATION_BUDGET, ITERATION_BUDGET
from hexgate.runtime.module_limits import Interface, ModuleLimits
from hexgate.runtime.sandbox import CompiledModule, Instance, TrapError
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Unsupported, Value, key_of, value_of_key

__all__ = ["Outcome", "Prelude", "TrapError", "prelude"]

NULL, FALSE, TRUE, UNSUPPORTED = 512, 528, 544, 16 * Fault.UNSUPPORTED_VALUE
REPORT = 576
"""Above the canonical cells: what a call leaves, as i32 heap, steps, bytes, fatal."""

INPUT, INPUT_BYTES = 1024, 4 * 2**20
OPERANDS = INPUT + 64
"""After the number of the function, the budgets, and up to six operands of 8 bytes."""

SCRATCH = INPUT + INPUT_BYTES
HEAP = SCRATCH + SCRATCH_BYTES
HEAP_END = HEAP + HEAP_BYTES

_BITS = 2**64 - 1

LIMITS = ModuleLimits(fuel=10**15)
"""One instance makes every call of a test run."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to: its value or fault, what it took from the budgets, and the bytes of heap that it keeps."""

    value: Value | Fault
    steps: int
    bytes: int
    heap: int


class Prelude:
    """A module of the named functions. Every call starts from an empty heap and full budgets, those of the language
    unless `budgets` is set to others (steps, bytes)."""

    def __init__(self, names: Sequence[str]) -> None:
        self._compiled = CompiledModule(assemble(_module_text(names)), Interface("call", ("input", "capacity", "abi")), LIMITS)
        self._instance = Instance(self._compiled)
        self._numbers = {name: number for number, name in enumerate(names)}
        self.budgets = (ITERATION_BUDGET, ALLOCATION_BUDGET)
        self._operands = bytearray()

    def call(self, name: str, *operands: int) -> int:
        """A function's result over addresses and numbers, what was placed before in memory; 0 for one without result.
        Raises TrapError."""
        header = struct.pack("<4i", self._numbers[name], *self.budgets, 0)
        header += b"".join((operand & _BITS).to_bytes(8, "little") for operand in operands)
        request = header.ljust(OPERANDS - INPUT, b"\0") + self._operands
        self._operands = bytearray()
        try:
            return self._instance.call(request)
        except TrapError:
            self._instance = Instance(self._compiled)
            raise

    def apply(self, name: str, *values: Value | Fault) -> Outcome:
        """A function of cells, over values."""
        return self.outcome(self.call(name, *map(self.write, values)))

    def outcome(self, cell: int) -> Outcome:
        """The cell that the last call gave, with what the call took."""
        heap, steps, size, fatal = self.left()
        assert fatal in (0, cell), "a fatal fault is set, and the result is another cell"
        return Outcome(self.read(cell), self.budgets[0] - steps, self.budgets[1] - size, heap - HEAP)

    def fuel(self) -> int:
        """Units of fuel that the instance has left."""
        return self._instance._store.get_fuel()

    def left(self) -> tuple[int, int, int, int]:
        """What the last call left: the heap's next address, steps, bytes, and the address of the fatal fault or 0."""
        heap, steps, size, fatal = struct.unpack("<4i", self.load(REPORT, 16))
        return heap, steps, size, fatal

    def load(self, address: int, length: int) -> bytes:
        """Bytes of memory. What lies outside of it is an AssertionError: cells never point there."""
        assert 0 <= address <= address + length <= HEAP_END, f"{length} bytes at {address} are outside the memory"
        return self._instance.read(address, length)

    def place(self, data: bytes) -> int:
        """The address that bytes will have in the next call, 16-byte aligned."""
        address = OPERANDS + len(self._operands)
        self._operands += data
        self._operands += bytes(-len(data) % 16)
        return address

    def write(self, value: Value | Fault) -> int:
        """The address of a new cell of a value."""
        if type(value) is Fault:
            return 16 * value
        if value is None or type(value) is bool:
            return {None: NULL, False: FALSE, True: TRUE}[value]
        if type(value) is Unsupported:
            return UNSUPPORTED
        tag, aux, payload = self._fields(value)
        return self.place(struct.pack("<iiQ", tag, aux, payload & _BITS))

    def _fields(self, value: Value | Fault) -> tuple[int, int, int]:
        match value:
            case UInt():
                return 4, 0, int(value)
            case int():
                return 3, 0, value
            case float():
                return 5, 0, int.from_bytes(struct.pack("<d", value), "little")
            case str():
                text = value.encode()
                return 6, len(text), self.place(text)
            case bytes():
                return 7, len(value), self.place(value)
            case tuple():
                cells = [self.write(element) for element in value]
                return 8, len(cells), self.place(struct.pack(f"<{len(cells)}i", *cells))
            case dict():
                cells = [self.write(part) for key, member in value.items() for part in (value_of_key(key), member)]
                return 9, len(value), self.place(struct.pack(f"<{len(cells)}i", *cells))
            case Timestamp(nanoseconds):
                return 10, nanoseconds % 10**9, nanoseconds // 10**9
            case Duration(nanoseconds):
                return 11, 0, nanoseconds
            case TypeValue(name):
                return 12, len(name.encode()), self.place(name.encode())
        raise TypeError(f"no cell for {value!r}")

    def read(self, cell: int) -> Value | Fault:
        """The value of a cell, or the fault that it is."""
        if cell < NULL:
            assert cell > 0 and cell % 16 == 0, f"{cell} is no cell"
            return Fault(cell >> 4)
        assert cell % 16 == 0, f"the cell {cell} is not aligned"
        tag, aux, payload = struct.unpack("<iiQ", self.load(cell, 16))
        return self._value(cell, tag, aux, payload)

    def _value(self, cell: int, tag: int, aux: int, payload: int) -> Value:
        if tag in (1, 2):
            assert cell in (NULL, FALSE, TRUE), f"a second cell of tag {tag}"
            return {NULL: None, FALSE: False, TRUE: True}[cell]
        signed = payload - 2**64 if payload >> 63 else payload
        match tag:
            case 3:
                return signed
            case 4:
                return UInt(payload)
            case 5:
                return float(struct.unpack("<d", payload.to_bytes(8, "little"))[0])
            case 6:
                return self.load(payload, aux).decode()
            case 7:
                return self.load(payload, aux)
            case 8:
                return tuple(map(self.element, struct.unpack(f"<{aux}i", self.load(payload, 4 * aux))))
            case 9:
                # The high half is the address of an index, or 0.
                cells = struct.unpack(f"<{2 * aux}i", self.load(payload & 0xFFFF_FFFF, 8 * aux))
                entries = [(key_of(self.element(k)), self.element(v)) for k, v in zip(*[iter(cells)] * 2, strict=True)]
                made = {key: member for key, member in entries if key is not None}
                assert len(made) == len(entries), "a map with a key that is none, or with two equal ones"
                return made
            case 10:
                assert 0 <= aux < 10**9
                return Timestamp(signed * 10**9 + aux)
            case 11:
                return Duration(signed)
            case 12:
                return TypeValue(self.load(payload, aux).decode())
        raise AssertionError(f"a cell of tag {tag}")

    def element(self, cell: int) -> Value:
        """The value of a cell that stands in a list, a map or the request."""
        value = self.read(cell)
        if type(value) is Fault:
            assert value is Fault.UNSUPPORTED_VALUE, "a fault that no value holds"
            return Unsupported()
        return value


_GLOBALS = ("heap", "steps", "bytes", "fatal")
_HEADER = r"\(func \${}((?:\s*\(param \$\w+ \w+\))*)(?:\s*\(result (\w+)\))?"


def _module_text(names: Sequence[str]) -> str:
    """The WAT of a module whose `call` takes a number of one of the named functions from the input, resets the globals of
    A5.3, calls the function, and reports the globals."""
    linked = link_prelude(" ".join(f"(call ${name})" for name in names))
    calls = "\n".join(
        f"  (if (i32.eq (i32.load (i32.const {INPUT})) (i32.const {number})) (then {_call(name, linked)}))"
        for number, name in enumerate(names)
    )
    pages = -(-HEAP_END // 65536)
    return "\n".join([
        "(module",
        f'(memory (export "memory") {pages} {pages})',
        *(f"(global ${name} (mut i32) (i32.const {HEAP}))" for name in (*_GLOBALS, "base")),
        f"(global $heap_end i32 (i32.const {HEAP_END}))",
        f"(global $scratch i32 (i32.const {SCRATCH}))",
        f'(global (export "input") i32 (i32.const {INPUT}))',
        f'(global (export "capacity") i32 (i32.const {INPUT_BYTES}))',
        '(global (export "abi") i32 (i32.const 1))',
        linked,
        '(func (export "call") (param $length i32) (result i32) (local $answer i32)',
        f"  (global.set $heap (i32.const {HEAP}))",
        f"  (global.set $steps (i32.load (i32.const {INPUT + 4})))",
        f"  (global.set $bytes (i32.load (i32.const {INPUT + 8})))",
        "  (global.set $fatal (i32.const 0))",
        calls,
        *(f"  (i32.store (i32.const {REPORT + 4 * i}) (global.get ${name}))" for i, name in enumerate(_GLOBALS)),
        "  (local.get $answer))",
        f'(data (i32.const {NULL}) "\\01")',
        f'(data (i32.const {FALSE}) "\\02")',
        f'(data (i32.const {TRUE}) "\\02\\00\\00\\00\\00\\00\\00\\00\\01")',
        ")",
    ])  # fmt: skip


def _call(name: str, linked: str) -> str:
    """The call of a function on the operands in the input."""
    header = re.search(_HEADER.format(name), linked)
    if header is None:
        raise ValueError(f"the prelude has no ${name}")
    kinds, result = re.findall(r"\w+(?=\))", header[1]), header[2]
    operands = " ".join(f"({kind}.load (i32.const {INPUT + 16 + 8 * i}))" for i, kind in enumerate(kinds))
    call = f"(call ${name} {operands})"
    return f"(local.set $answer {call})" if result else call


@cache
def prelude(*names: str) -> Prelude:
    """The instance for a set of functions, made once."""
    return Prelude(names)
