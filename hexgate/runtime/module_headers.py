"""Check a module before anything of it is compiled: sections, counts, memory, exports, segments and instructions.

Compiling hostile code costs seconds and gigabytes, reading it does not. WebAssembly core specification, 5.5; only what the
compiler of this project writes is accepted, which is the interface of docs/abi.md A1 and no proposal that it does not need.
Whether the code is valid is the compiler's to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hexgate.limits import ABI_VERSION
from hexgate.runtime.module_code import refuse_code
from hexgate.runtime.module_limits import Interface, ModuleLimits, ModuleRefusedError

PAGE = 65_536
"""Bytes of a page of memory."""

_I32, _FUNCREF, _FUNCTION_TYPE = 0x7F, 0x70, 0x60
_VALUE_TYPES = frozenset((_I32, 0x7E, 0x7D, 0x7C))
_CONSTANT_BYTES = {0x43: 4, 0x44: 8}
_I32_TO_I32 = (1, 1, bytes((_I32, _I32)))
_EXPORT_KINDS = ("function", "table", "memory", "global")
_REFUSED_SECTIONS = {0: "a custom section", 2: "imports", 8: "a start function"}


@dataclass(slots=True)
class _Reader:
    """Numbers and bytes of a module, in order. Raises ModuleRefusedError where they go on after `end`."""

    wasm: bytes
    position: int
    end: int

    def byte(self) -> int:
        if self.position >= self.end:
            raise ModuleRefusedError("the module ends inside a section")
        self.position += 1
        return self.wasm[self.position - 1]

    def unsigned(self) -> int:
        """An unsigned LEB128 number of at most 32 bits (5.2.2)."""
        value = 0
        for shift in range(0, 35, 7):
            if self.position >= self.end:
                raise ModuleRefusedError("the module ends inside a number")
            byte = self.wasm[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise ModuleRefusedError("a number of the module is too long")

    def signed(self) -> int:
        """A signed LEB128 number of at most 64 bits."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value - (1 << shift + 7) if byte & 0x40 else value
        raise ModuleRefusedError("a number of the module is too long")

    def take(self, length: int) -> bytes:
        if length > self.end - self.position:
            raise ModuleRefusedError("the module ends inside a section")
        self.position += length
        return self.wasm[self.position - length : self.position]

    def count(self, most: int, what: str) -> int:
        """The length of a vector. `what` names its elements."""
        number = self.unsigned()
        if number > most:
            raise ModuleRefusedError(f"the module has more than {most} {what}")
        return number

    def fixed_size(self, what: str) -> int:
        """Limits (5.3.7) whose minimum is their maximum."""
        if self.byte() != 1:
            raise ModuleRefusedError(f"the {what} has no fixed size")
        least, most = self.unsigned(), self.unsigned()
        if least != most:
            raise ModuleRefusedError(f"the {what} has no fixed size")
        return least

    def offset(self) -> int:
        """The head of an active segment of memory or table 0, with its constant offset."""
        if self.byte() != 0 or self.byte() != 0x41:
            raise ModuleRefusedError("a segment of the module has no constant place")
        offset = self.signed() & 0xFFFF_FFFF
        if self.byte() != 0x0B:
            raise ModuleRefusedError("a segment of the module has no constant place")
        return offset


@dataclass(slots=True)
class ModuleHeader:
    """What a module says of itself, as it is read."""

    limits: ModuleLimits
    types: list[tuple[int, int, bytes]] = field(default_factory=list)
    functions: list[int] = field(default_factory=list)
    """Type of each function, by index."""
    table: int = 0
    """Number of elements."""
    memory: int = -1
    """Size in bytes."""
    globals: list[int | None] = field(default_factory=list)
    """The value of each that is a constant of type i32."""
    exports: dict[str, tuple[int, int]] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    """The values of the interface's constants."""
    bodies: int = 0
    """Number of functions with code."""


def read_header(wasm: bytes, interface: Interface, limits: ModuleLimits) -> ModuleHeader:
    """What the module says of itself, all of it checked. Raises ModuleRefusedError."""
    if len(wasm) > limits.module:
        raise ModuleRefusedError(f"the module has {len(wasm)} bytes, more than {limits.module}")
    if wasm[:8] != b"\0asm\x01\0\0\0":
        raise ModuleRefusedError("it is no WebAssembly module of version 1")
    header = ModuleHeader(limits)
    reader, last = _Reader(wasm, 8, len(wasm)), 0
    while reader.position < len(wasm):
        section = reader.byte()
        size = reader.unsigned()
        if section in _REFUSED_SECTIONS:
            raise ModuleRefusedError(f"the module has {_REFUSED_SECTIONS[section]}")
        if section not in _SECTIONS:
            raise ModuleRefusedError(f"the module has a section of kind {section}")
        if section <= last:
            raise ModuleRefusedError("the module's sections are not in order")
        if size > len(wasm) - reader.position:
            raise ModuleRefusedError("the module ends inside a section")
        inner = _Reader(wasm, reader.position, reader.position + size)
        _SECTIONS[section](inner, header)
        if inner.position != inner.end:
            raise ModuleRefusedError("a section of the module is longer than what it holds")
        reader.position, last = inner.end, section
    if header.bodies != len(header.functions):
        raise ModuleRefusedError("the module does not have one body for each function")
    _refuse_exports(header, interface)
    return header


def _read_types(reader: _Reader, header: ModuleHeader) -> None:
    for _ in range(reader.count(header.limits.types, "types")):
        if reader.byte() != _FUNCTION_TYPE:
            raise ModuleRefusedError("the module has a type that is no function of numbers")
        parameters = reader.take(reader.unsigned())
        results = reader.take(reader.unsigned())
        if not _VALUE_TYPES.issuperset(parameters + results):
            raise ModuleRefusedError("the module has a type that is no function of numbers")
        if len(parameters) + len(results) > header.limits.parameters:
            raise ModuleRefusedError(f"a function has more than {header.limits.parameters} parameters and results")
        header.types.append((len(parameters), len(results), parameters + results))


def _read_functions(reader: _Reader, header: ModuleHeader) -> None:
    count = reader.count(header.limits.functions, "functions")
    header.functions = [reader.unsigned() for _ in range(count)]
    if max(header.functions, default=0) >= len(header.types) and count:
        raise ModuleRefusedError("a function of the module has no type")


def _read_table(reader: _Reader, header: ModuleHeader) -> None:
    most = header.limits.functions + 1
    for _ in range(reader.count(1, "table")):
        if reader.byte() != _FUNCREF:
            raise ModuleRefusedError("the table holds something other than functions")
        header.table = reader.fixed_size("table")
        if header.table > most:
            raise ModuleRefusedError(f"the table has {header.table} elements, more than {most}")


def _read_memory(reader: _Reader, header: ModuleHeader) -> None:
    for _ in range(reader.count(1, "memory")):
        header.memory = PAGE * reader.fixed_size("memory")
        if header.memory > header.limits.memory:
            raise ModuleRefusedError(f"the memory has {header.memory} bytes, more than {header.limits.memory}")


def _read_globals(reader: _Reader, header: ModuleHeader) -> None:
    for _ in range(reader.count(header.limits.globals, "globals")):
        kind, mutable, instruction = reader.byte(), reader.byte(), reader.byte()
        value: int | None = None
        if instruction in (0x41, 0x42):
            value = reader.signed()
        elif instruction in _CONSTANT_BYTES:
            reader.take(_CONSTANT_BYTES[instruction])
        else:
            raise ModuleRefusedError("a global of the module starts as no constant number")
        if reader.byte() != 0x0B:
            raise ModuleRefusedError("a global of the module starts as no constant number")
        header.globals.append(value if kind == _I32 and instruction == 0x41 and not mutable else None)


def _read_exports(reader: _Reader, header: ModuleHeader) -> None:
    for _ in range(reader.count(header.limits.globals, "exports")):
        name = reader.take(reader.unsigned()).decode("ascii", "replace")
        if name in header.exports:
            raise ModuleRefusedError("the module's exports are not those of the interface")
        header.exports[name] = (reader.byte(), reader.unsigned())


def _read_elements(reader: _Reader, header: ModuleHeader) -> None:
    for _ in range(reader.count(header.limits.segments, "element segments")):
        start, length = reader.offset(), reader.unsigned()
        if start + length > header.table:
            raise ModuleRefusedError("an element segment of the module is outside its table")
        if any(reader.unsigned() >= len(header.functions) for _ in range(length)):
            raise ModuleRefusedError("the table holds a function that the module does not have")


def _read_code(reader: _Reader, header: ModuleHeader) -> None:
    limits = header.limits
    header.bodies = reader.count(limits.functions, "functions")
    for _ in range(header.bodies):
        size = reader.unsigned()
        if size > limits.body:
            raise ModuleRefusedError(f"a function has {size} bytes, more than {limits.body}")
        end = reader.position + size
        if end > reader.end:
            raise ModuleRefusedError("the module ends inside a section")
        total = 0
        for _ in range(reader.count(limits.locals, "runs of locals in one function")):
            total += reader.unsigned()
            if reader.byte() not in _VALUE_TYPES:
                raise ModuleRefusedError("a local of the module is no number")
        if total > limits.locals:
            raise ModuleRefusedError(f"a function has {total} locals, more than {limits.locals}")
        refuse_code(reader.wasm, reader.position, end, limits)
        reader.position = end


def _read_data(reader: _Reader, header: ModuleHeader) -> None:
    total = 0
    for _ in range(reader.count(header.limits.segments, "data segments")):
        start, length = reader.offset(), reader.unsigned()
        total += length
        if total > header.limits.data:
            raise ModuleRefusedError(f"the module's data has more than {header.limits.data} bytes")
        if start + length > header.memory:
            raise ModuleRefusedError("a data segment of the module is outside its memory")
        reader.take(length)


_SECTIONS: dict[int, Callable[[_Reader, ModuleHeader], None]] = {
    1: _read_types,
    3: _read_functions,
    4: _read_table,
    5: _read_memory,
    6: _read_globals,
    7: _read_exports,
    9: _read_elements,
    10: _read_code,
    11: _read_data,
}
"""Sections by kind, in the only order that they may have (5.5.2)."""


def _refuse_exports(header: ModuleHeader, interface: Interface) -> None:
    """The exports must be exactly the interface's, by name and type, and the regions they name must be in the memory."""
    if set(header.exports) != {"memory", interface.function, *interface.globals}:
        raise ModuleRefusedError("the module's exports are not those of the interface")
    if _exported(header, "memory", "memory") != 0 or header.memory < 0:
        raise ModuleRefusedError("the module has no memory")
    function = _exported(header, interface.function, "function")
    if function >= len(header.functions) or header.types[header.functions[function]] != _I32_TO_I32:
        raise ModuleRefusedError(f"`{interface.function}` has another type")
    constants = header.constants
    for name in interface.globals:
        index = _exported(header, name, "global")
        value = header.globals[index] if index < len(header.globals) else None
        if value is None:
            raise ModuleRefusedError(f"`{name}` is no constant of type i32")
        constants[name] = value
    if constants["abi"] != ABI_VERSION:
        raise ModuleRefusedError(f"the module has interface {constants['abi']}, this runtime {ABI_VERSION}")
    start, length, output = constants["input"], constants["capacity"], constants.get("output", 0)
    if start < 0 or length < 0 or start + length > header.memory or not 0 <= output <= header.memory:
        raise ModuleRefusedError("the module's regions are outside its memory")


def _exported(header: ModuleHeader, name: str, kind: str) -> int:
    """The index of an export, which must be of a kind."""
    found, index = header.exports[name]
    if found != _EXPORT_KINDS.index(kind):
        raise ModuleRefusedError(f"`{name}` is no {kind}")
    return index
