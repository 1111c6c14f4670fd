"""The locked-down host of a module: engine settings, checks before compilation, fuel, memory, and the calls.

The only module that imports wasmtime to run anything (the compiler imports its assembler). DESIGN: docs/abi.md A1.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import wasmtime

MODULE_BYTES = 4 * 2**20
"""Length of a module in bytes, at most."""

MODULE_FUNCTIONS = 20_000
"""Number of functions of a module, at most: compiling empty ones costs about 35 us and 5 KiB each."""

MEMORY_BYTES = 64 * 2**20
"""Size of a module's linear memory in bytes, at most."""

FUEL = 4_000_000_000
"""Units of fuel of an instance, for all its calls: no decision within the language's budgets needs as many. When it is
spent the next call traps; whoever made it makes another instance and calls again, once."""

_SECTION_FUNCTION, _SECTION_IMPORT, _SECTION_START, _SECTION_CUSTOM = 3, 2, 8, 0


class ModuleRefusedError(Exception):
    """A module is not one that this runtime runs. The message says which rule it breaks."""


class TrapError(Exception):
    """A call of a module ended in a trap, or its answer is none. The instance must not be used again."""


def make_engine() -> wasmtime.Engine:
    """An engine that accepts core WebAssembly with bulk memory, multi-value and sign extension, and no other proposal.

    One function, because some combinations of settings abort the process: relaxed SIMD must be off with SIMD, reference
    types cannot be switched off.
    """
    config = wasmtime.Config()
    config.consume_fuel = True
    config.parallel_compilation = False
    config.memory_may_move = False
    config.cranelift_nan_canonicalization = True
    for proposal in (
        "threads", "tail_call", "memory64", "multi_memory", "simd", "relaxed_simd", "exceptions",
        "custom_page_sizes", "wide_arithmetic", "gc", "function_references", "component_model", "stack_switching",
    ):  # fmt: skip
        setattr(config, f"wasm_{proposal}", False)
    config.gc_support = False
    return wasmtime.Engine(config)


@cache
def shared_engine() -> wasmtime.Engine:
    """The engine of this process: settings and code memory, no state of any module."""
    return make_engine()


@dataclass(frozen=True, slots=True)
class Interface:
    """The exports that a module must have, exactly: names of globals, and the one function (i32) -> i32."""

    function: str
    globals: tuple[str, ...]


POLICY_INTERFACE = Interface("decide", ("input", "capacity", "abi"))
EXPRESSION_INTERFACE = Interface("evaluate", ("input", "capacity", "abi", "output"))
ABI_VERSION = 1


def refuse_sections(wasm: bytes) -> None:
    """Reads the section headers before anything is compiled. Raises ModuleRefusedError."""
    if len(wasm) > MODULE_BYTES:
        raise ModuleRefusedError(f"the module has {len(wasm)} bytes, more than {MODULE_BYTES}")
    if wasm[:8] != b"\0asm\x01\0\0\0":
        raise ModuleRefusedError("it is no WebAssembly module of version 1")
    position = 8
    while position < len(wasm):
        section = wasm[position]
        size, position = _unsigned(wasm, position + 1)
        if section == _SECTION_IMPORT:
            raise ModuleRefusedError("the module has imports")
        if section == _SECTION_START:
            raise ModuleRefusedError("the module has a start function")
        if section == _SECTION_CUSTOM:
            raise ModuleRefusedError("the module has a custom section")
        if section == _SECTION_FUNCTION and _unsigned(wasm, position)[0] > MODULE_FUNCTIONS:
            raise ModuleRefusedError(f"the module has more than {MODULE_FUNCTIONS} functions")
        position += size
    if position != len(wasm):
        raise ModuleRefusedError("the module ends inside a section")


def _unsigned(wasm: bytes, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number of at most 32 bits (WebAssembly core specification, 5.2.2)."""
    value = 0
    for shift in range(0, 35, 7):
        if position >= len(wasm):
            raise ModuleRefusedError("the module ends inside a number")
        byte = wasm[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ModuleRefusedError("a number of the module is too long")


class CompiledModule:
    """A module that has passed every check and is compiled; instances of it are cheap."""

    def __init__(self, wasm: bytes, interface: Interface) -> None:
        """Raises ModuleRefusedError."""
        refuse_sections(wasm)
        self.engine = shared_engine()
        self.interface = interface
        try:
            self.module = wasmtime.Module(self.engine, wasm)
        except wasmtime.WasmtimeError as error:
            raise ModuleRefusedError("the module does not compile") from error
        _refuse_exports(self.module, interface)


def _refuse_exports(module: wasmtime.Module, interface: Interface) -> None:
    """The exports must be exactly the interface's, by name and type."""
    found = {export.name: export.type for export in module.exports}
    if set(found) != {"memory", interface.function, *interface.globals}:
        raise ModuleRefusedError("the module's exports are not those of the interface")
    function = found[interface.function]
    i32 = wasmtime.ValType.i32()
    if not isinstance(function, wasmtime.FuncType) or function.params != [i32] or function.results != [i32]:
        raise ModuleRefusedError(f"`{interface.function}` has another type")
    for name in interface.globals:
        kind = found[name]
        if not isinstance(kind, wasmtime.GlobalType) or kind.content != i32 or kind.mutable:
            raise ModuleRefusedError(f"`{name}` is no constant of type i32")
    memory = found["memory"]
    if not isinstance(memory, wasmtime.MemoryType) or memory.limits.max != memory.limits.min:
        raise ModuleRefusedError("the memory has no fixed size")


class Instance:
    """One instance with its own store and buffers: for one thread at a time, and not at all after a TrapError.

    `call(request)` is the module's answer to a request of at most `capacity` bytes. It raises TrapError.
    """

    __slots__ = ("_memory", "_store", "call", "capacity", "output")

    def __init__(self, compiled: CompiledModule, *, public_call: bool = False) -> None:
        """`public_call` keeps to the binding's documented call. Raises ModuleRefusedError where the module does not
        instantiate within the limits."""
        store = self._store = wasmtime.Store(compiled.engine)
        store.set_limits(memory_size=MEMORY_BYTES, table_elements=1 << 20, instances=1, tables=1, memories=1)
        store.set_fuel(FUEL)
        try:
            exports = wasmtime.Instance(store, compiled.module, []).exports(store)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise ModuleRefusedError("the module does not instantiate within the limits") from error
        constants = {name: exports[name].value(store) for name in compiled.interface.globals}  # type: ignore[union-attr]
        memory, function = exports["memory"], exports[compiled.interface.function]
        assert isinstance(memory, wasmtime.Memory) and isinstance(function, wasmtime.Func)
        size = memory.data_len(store)
        _refuse_regions(constants, size)
        self.capacity = int(constants["capacity"])
        self.output = int(constants.get("output", 0))
        pointer = ctypes.addressof(memory.data_ptr(store).contents)
        # The memory has a fixed size and does not move (make_engine), so that one view serves every call.
        self._memory = memoryview((ctypes.c_ubyte * size).from_address(pointer)).cast("B")
        view = self._memory[constants["input"] : constants["input"] + self.capacity]
        fast = None if public_call else _unchecked_call(store, function, view)
        self.call: Callable[[bytes], int] = fast or _checked_call(store, function, view)

    def read(self, address: int, length: int) -> bytes:
        """Bytes of the memory. Raises TrapError where they are outside of it."""
        if length < 0 or address < 0 or address + length > len(self._memory):
            raise TrapError("the answer is outside the memory")
        return bytes(self._memory[address : address + length])


def _refuse_regions(constants: dict[str, int], size: int) -> None:
    if constants["abi"] != ABI_VERSION:
        raise ModuleRefusedError(f"the module has interface {constants['abi']}, this runtime {ABI_VERSION}")
    start, length = constants["input"], constants["capacity"]
    if start < 0 or length < 0 or start + length > size or not 0 <= constants.get("output", 0) <= size:
        raise ModuleRefusedError("the module's regions are outside its memory")


def _checked_call(store: wasmtime.Store, function: wasmtime.Func, view: memoryview) -> Callable[[bytes], int]:
    """The binding's documented call."""

    def call(request: bytes) -> int:
        length = len(request)
        view[:length] = request
        try:
            return int(function(store, length))
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise TrapError("the module trapped") from error

    return call


def _unchecked_call(
    store: wasmtime.Store, function: wasmtime.Func, view: memoryview
) -> Callable[[bytes], int] | None:
    """The fast path: the library's unchecked call with buffers made once. None where this release does not have it.

    `Func.__call__` looks types up and allocates for about 25 us a call. A trap comes back through an out-pointer; it
    and a returned error are the caller's to free.
    """
    try:
        from wasmtime import _ffi as ffi

        prototype = ctypes.CFUNCTYPE(ctypes.c_void_p, *[ctypes.c_void_p] * 3, ctypes.c_size_t, ctypes.c_void_p)
        unchecked = prototype(("wasmtime_func_call_unchecked", ffi.dll))
        delete = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
        delete_trap, delete_error = delete(("wasm_trap_delete", ffi.dll)), delete(("wasmtime_error_delete", ffi.dll))
        buffer = ffi.wasmtime_val_raw_t()
        context = ctypes.cast(store._context(), ctypes.c_void_p).value
        target = ctypes.addressof(function._func)
    except (ImportError, AttributeError):
        return None
    trap_buffer = ctypes.c_uint64(0)
    buffer_address, trap_address = ctypes.addressof(buffer), ctypes.addressof(trap_buffer)
    value, trap = memoryview(buffer).cast("B").cast("i"), memoryview(trap_buffer).cast("B").cast("Q")

    def call(request: bytes) -> int:
        length = len(request)
        view[:length] = request
        value[0] = length
        error = unchecked(context, target, buffer_address, 1, trap_address)
        if error is None and not trap[0]:
            return value[0]
        if trap[0]:
            delete_trap(trap[0])
            trap[0] = 0
        if error is not None:
            delete_error(error)
        raise TrapError("the module trapped")

    # The closure keeps the function and its store alive: `target` and `context` are addresses inside of them.
    call.__dict__["keeps"] = (store, function, buffer, trap_buffer)
    return call
