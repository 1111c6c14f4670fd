"""The locked-down host of a module: engine settings, compilation, fuel, memory, and the calls.

The only module that imports wasmtime to run anything (the compiler imports its assembler). DESIGN: docs/abi.md A1.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from functools import cache

import wasmtime

from hexgate.runtime.module_headers import read_header
from hexgate.runtime.module_limits import RUNTIME_LIMITS, Interface, ModuleLimits, ModuleRefusedError

_WORKING = threading.RLock()
"""Held while the engine compiles or instantiates, and by fork, so that no child inherits the engine's locks taken."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_WORKING.acquire, after_in_parent=_WORKING.release, after_in_child=_WORKING.release)


class TrapError(Exception):
    """A call of a module ended in a trap, or its answer is none. The instance must not be used again."""


class OutOfFuelError(TrapError):
    """The instance's fuel is spent. Its earlier calls may have spent it: a new instance may answer."""


_SPENT, _TRAPPED = "the module has spent its fuel", "the module trapped"
_NO_CODE = 255


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


class CompiledModule:
    """A module that has passed every check and is compiled; instances of it are cheap."""

    def __init__(self, wasm: bytes, interface: Interface, limits: ModuleLimits = RUNTIME_LIMITS) -> None:
        """Raises ModuleRefusedError."""
        self.header = read_header(wasm, interface, limits)
        self.interface = interface
        self.limits = limits
        with _WORKING:
            self.engine = shared_engine()
            try:
                self.module = wasmtime.Module(self.engine, wasm)
            except wasmtime.WasmtimeError as error:
                raise ModuleRefusedError("the module does not compile") from error


class Instance:
    """One instance with its own store and buffers: for one thread at a time, and not at all after a TrapError.

    `call(request)` is the module's answer to a request of at most `capacity` bytes. It raises TrapError.
    """

    __slots__ = ("_memory", "_store", "call", "capacity", "output")

    def __init__(self, compiled: CompiledModule, *, public_call: bool = False) -> None:
        """`public_call` keeps to the binding's documented call. Raises ModuleRefusedError where the module does not
        instantiate within the limits."""
        limits = compiled.limits
        with _WORKING:
            store = self._store = wasmtime.Store(compiled.engine)
            store.set_limits(limits.memory, limits.functions + 1, instances=1, tables=1, memories=1)
            store.set_fuel(limits.fuel)
            try:
                exports = wasmtime.Instance(store, compiled.module, []).exports(store)
            except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
                raise ModuleRefusedError("the module does not instantiate within the limits") from error
        memory, function = exports["memory"], exports[compiled.interface.function]
        assert isinstance(memory, wasmtime.Memory) and isinstance(function, wasmtime.Func)
        size = memory.data_len(store)
        constants = compiled.header.constants
        self.capacity = constants["capacity"]
        self.output = constants.get("output", 0)
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


def _checked_call(store: wasmtime.Store, function: wasmtime.Func, view: memoryview) -> Callable[[bytes], int]:
    """The binding's documented call."""

    def call(request: bytes) -> int:
        length = len(request)
        view[:length] = request
        try:
            return int(function(store, length))
        except wasmtime.Trap as error:
            spent = error.trap_code is wasmtime.TrapCode.OUT_OF_FUEL
            raise OutOfFuelError(_SPENT) if spent else TrapError(_TRAPPED) from error
        except wasmtime.WasmtimeError as error:
            raise TrapError(_TRAPPED) from error

    return call


def _unchecked_call(
    store: wasmtime.Store, function: wasmtime.Func, view: memoryview
) -> Callable[[bytes], int] | None:
    """The fast path: the library's unchecked call with buffers made once. None where this release does not have it.

    `Func.__call__` looks types up and allocates for about 25 us a call. A trap comes back through an out-pointer; it
    and a returned error are the caller's to free. The call keeps the interpreter's lock, as encoding the request does: given
    away for each microsecond of work, it would cost several threads most of their time to have it back.
    """
    try:
        from wasmtime import _ffi as ffi

        prototype = ctypes.PYFUNCTYPE(ctypes.c_void_p, *[ctypes.c_void_p] * 3, ctypes.c_size_t, ctypes.c_void_p)
        unchecked = prototype(("wasmtime_func_call_unchecked", ffi.dll))
        read_code = ctypes.PYFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)(("wasmtime_trap_code", ffi.dll))
        delete = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)
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
        code = ctypes.c_uint8(_NO_CODE)
        if trap[0]:
            read_code(trap[0], ctypes.addressof(code))
            delete_trap(trap[0])
            trap[0] = 0
        if error is not None:
            delete_error(error)
        raise OutOfFuelError(_SPENT) if code.value == wasmtime.TrapCode.OUT_OF_FUEL.value else TrapError(_TRAPPED)

    # The closure keeps the function and its store alive: `target` and `context` are addresses inside of them.
    call.__dict__["keeps"] = (store, function, buffer, trap_buffer)
    return call
