"""The prelude on its own: a module of named functions with all that they reach, called on cells written from Python.

Memory is laid out as in docs/abi.md A4.4: canonical cells, operands where the compiler's data would be, input, scratch,
heap. Operands are written without sharing, as a request is read: equal values have different cells.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import wasmtime

from hexgate.compiler.emit import HEAP_BYTES, SCRATCH_BYTES
from hexgate.compiler.link import link_prelude
from hexgate.faults import Fault
from hexgate.limits import ALLOCATION_BUDGET, ITERATION_BUDGET, REQUEST_BYTES
from hexgate.runtime.sandbox import make_engine
from hexgate.values import Duration, Timestamp, TypeValue, UInt, Unsupported, Value, key_of, value_of_key

NULL, FALSE, TRUE, UNSUPPORTED = 512, 528, 544, 16 * Fault.UNSUPPORTED_VALUE
OPERANDS, OPERAND_BYTES = 1024, 4 * 2**20
INPUT = OPERANDS + OPERAND_BYTES
SCRATCH = INPUT + REQUEST_BYTES
HEAP = SCRATCH + SCRATCH_BYTES
HEAP_END = HEAP + HEAP_BYTES
FUEL = 2_000_000_000
"""Units of fuel of one call: many times what any call within the budgets takes."""

_BITS = 2**64 - 1


class TrapError(Exception):
    """A call trapped: out of memory, out of fuel, unreachable."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to: its value or fault, what it took from the budgets, the heap it keeps, and its fuel."""

    value: Value | Fault
    steps: int
    bytes: int
    heap: int
    fuel: int


class Prelude:
    """An instance of a module that exports the named functions. Every call starts from fresh budgets and heap."""

    def __init__(self, names: Sequence[str]) -> None:
        engine = make_engine()
        module = wasmtime.Module(engine, module_text(names))
        self._store = wasmtime.Store(engine)
        self._store.set_fuel(FUEL)
        self._exports = wasmtime.Instance(self._store, module, []).exports(self._store)
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._start = ctypes.addressof(memory.data_ptr(self._store).contents)
        self._next = OPERANDS

    def call(self, name: str, *operands: int) -> int:
        """A function's result over addresses and numbers. Raises TrapError."""
        self._set("heap", HEAP)
        self._set("steps", ITERATION_BUDGET)
        self._set("bytes", ALLOCATION_BUDGET)
        self._set("fatal", 0)
        self._store.set_fuel(FUEL)
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        try:
            return int(function(self._store, *operands))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise TrapError(str(error)) from error

    def apply(self, name: str, *values: Value | Fault) -> Outcome:
        """A function of cells, over values."""
        self._next = OPERANDS
        return self.outcome(self.call(name, *map(self.write, values)))

    def outcome(self, cell: int) -> Outcome:
        """The cell that the last call gave, with what the call took."""
        if self.global_("fatal") not in (0, cell):
            raise AssertionError("a fatal fault is set, and the result is another cell")
        return Outcome(
            self.read(cell),
            ITERATION_BUDGET - self.global_("steps"),
            ALLOCATION_BUDGET - self.global_("bytes"),
            self.global_("heap") - HEAP,
            FUEL - self._store.get_fuel(),
        )

    def global_(self, name: str) -> int:
        exported = self._exports[name]
        assert isinstance(exported, wasmtime.Global)
        return int(exported.value(self._store))

    def _set(self, name: str, value: int) -> None:
        exported = self._exports[name]
        assert isinstance(exported, wasmtime.Global)
        exported.set_value(self._store, value)

    def store(self, address: int, data: bytes) -> None:
        """Puts bytes into memory."""
        assert OPERANDS <= address and address + len(data) <= HEAP_END
        ctypes.memmove(self._start + address, data, len(data))

    def load(self, address: int, length: int) -> bytes:
        """Bytes of memory. An address or length outside of it is an AssertionError: cells never point there."""
        if not 0 <= address <= address + length <= HEAP_END:
            raise AssertionError(f"{length} bytes at {address} are outside the memory")
        return ctypes.string_at(self._start + address, length)

    def place(self, data: bytes) -> int:
        """The address of bytes put among the operands, 16-byte aligned."""
        address = self._next
        self._next += -(-len(data) // 16) * 16
        assert self._next <= INPUT, "the operands are too large for the harness"
        self.store(address, data)
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
        assert cell % 16 == 0 or cell < INPUT, f"the cell {cell} is not aligned"
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
                return tuple(map(self._element, struct.unpack(f"<{aux}i", self.load(payload, 4 * aux))))
            case 9:
                cells = struct.unpack(f"<{2 * aux}i", self.load(payload, 8 * aux))
                entries = [(key_of(self._element(k)), self._element(v)) for k, v in zip(*[iter(cells)] * 2, strict=True)]
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

    def _element(self, cell: int) -> Value:
        value = self.read(cell)
        if type(value) is Fault:
            assert value is Fault.UNSUPPORTED_VALUE, "a fault that no value holds"
            return Unsupported()
        return value


def module_text(names: Sequence[str]) -> str:
    """The WAT of a module that exports the named functions, and the globals of A5.3."""
    reached = link_prelude(" ".join(f"(call ${name})" for name in names))
    return "\n".join([
        "(module",
        f'(memory (export "memory") {-(-HEAP_END // 65536)})',
        f'(global $heap (export "heap") (mut i32) (i32.const {HEAP}))',
        f'(global $base (export "base") (mut i32) (i32.const {HEAP}))',
        f"(global $heap_end i32 (i32.const {HEAP_END}))",
        f'(global $steps (export "steps") (mut i32) (i32.const {ITERATION_BUDGET}))',
        f'(global $bytes (export "bytes") (mut i32) (i32.const {ALLOCATION_BUDGET}))',
        '(global $fatal (export "fatal") (mut i32) (i32.const 0))',
        f"(global $scratch i32 (i32.const {SCRATCH}))",
        reached,
        *(f'(export "{name}" (func ${name}))' for name in names),
        f'(data (i32.const {NULL}) "\\01")',
        f'(data (i32.const {FALSE}) "\\02")',
        f'(data (i32.const {TRUE}) "\\02\\00\\00\\00\\00\\00\\00\\00\\01")',
        ")",
    ])  # fmt: skip


@cache
def prelude(*names: str) -> Prelude:
    """The instance for a set of functions, made once."""
    return Prelude(names)
