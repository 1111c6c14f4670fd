"""The locked-down host: what it refuses before and while compiling, and what a module cannot do."""

from __future__ import annotations

import subprocess
import sys

import pytest
import wasmtime

from hexgate.compiler.assemble import assemble
from hexgate.runtime.sandbox import (
    MODULE_BYTES,
    MODULE_FUNCTIONS,
    POLICY_INTERFACE,
    CompiledModule,
    Instance,
    ModuleRefusedError,
    TrapError,
    make_engine,
)

PARTS = {
    "memory": '(memory (export "memory") 2 2)',
    "input": '(global (export "input") i32 (i32.const 1024))',
    "capacity": '(global (export "capacity") i32 (i32.const 65536))',
    "abi": '(global (export "abi") i32 (i32.const 1))',
    "decide": '(func (export "decide") (param i32) (result i32) (local.get 0))',
}


def module(extra: str = "", **replaced: str) -> bytes:
    """A module of the interface, with parts replaced, and more in it."""
    return assemble("(module " + "".join({**PARTS, **replaced}.values()) + extra + ")")


REFUSED = [
    ("imports", module().replace(b"\0asm\x01\0\0\0", b"\0asm\x01\0\0\0\x02\x01\0"), "the module has imports"),
    ("no module", b"\0asm\x02\0\0\0", "it is no WebAssembly module of version 1"),
    ("empty", b"", "it is no WebAssembly module of version 1"),
    ("a start function", module("(func $s) (start $s)"), "the module has a start function"),
    ("a custom section", module() + b"\0\x02\x01a", "the module has a custom section"),
    ("cut off", module()[:-1], "the module ends inside a section"),
    ("cut inside a size", module()[:9], "the module ends inside a number"),
    ("too large", b"\0asm\x01\0\0\0" + bytes(MODULE_BYTES), f"the module has {MODULE_BYTES + 8} bytes, more than {MODULE_BYTES}"),
    ("too many functions", module("(func)" * (MODULE_FUNCTIONS + 1)), f"the module has more than {MODULE_FUNCTIONS} functions"),
    ("another export", module('(func (export "more"))'), "the module's exports are not those of the interface"),
    ("a missing export", module(abi=""), "the module's exports are not those of the interface"),
    ("another type of decide", module(decide='(func (export "decide"))'), "`decide` has another type"),
    ("a memory that grows", module(memory='(memory (export "memory") 2 4)'), "the memory has no fixed size"),
    ("a mutable global", module(abi='(global (export "abi") (mut i32) (i32.const 1))'), "`abi` is no constant of type i32"),
    ("another interface", module(abi='(global (export "abi") i32 (i32.const 2))'), "the module has interface 2, this runtime 1"),
    ("input outside the memory", module(input='(global (export "input") i32 (i32.const 131072))'), "the module's regions are outside its memory"),
    ("a negative capacity", module(capacity='(global (export "capacity") i32 (i32.const -1))'), "the module's regions are outside its memory"),
    ("too much memory", module(memory='(memory (export "memory") 2000 2000)'), "the module does not instantiate within the limits"),
    ("invalid code", module(decide='(func (export "decide") (param i32) (result i32) (i32.const 0))').replace(b"\x41\0\x0b", b"\x01\x01\x0b"), "the module does not compile"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "wasm", "message"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_module_is_refused(what: str, wasm: bytes, message: str) -> None:
    with pytest.raises(ModuleRefusedError) as caught:
        Instance(CompiledModule(wasm, POLICY_INTERFACE))
    assert str(caught.value) == message


TRAPS = [
    ("an endless loop", "(loop (br 0)) (i32.const 0)"),
    ("endless recursion", "(call $f (local.get 0))"),
    ("unreachable", "(unreachable)"),
    ("a read outside the memory", "(i32.load (i32.const 0x7ffffff0))"),
    ("a division by zero", "(i32.div_u (i32.const 1) (i32.const 0))"),
]


@pytest.mark.parametrize("public_call", [False, True], ids=["fast call", "public call"])
@pytest.mark.parametrize(("what", "body"), TRAPS, ids=[row[0] for row in TRAPS])
def test_a_trap_is_an_error_and_another_instance_works(what: str, body: str, public_call: bool) -> None:
    decide = f'(func $f (export "decide") (param i32) (result i32) (if (i32.eqz (local.get 0)) (then (return (i32.const 7)))) {body})'
    compiled = CompiledModule(module(decide=decide), POLICY_INTERFACE)
    with pytest.raises(TrapError, match=r"^the module trapped$"):
        Instance(compiled, public_call=public_call).call(b"x")
    assert Instance(compiled, public_call=public_call).call(b"") == 7


def test_memory_cannot_grow() -> None:
    decide = '(func (export "decide") (param i32) (result i32) (memory.grow (i32.const 1)))'
    assert Instance(CompiledModule(module(decide=decide), POLICY_INTERFACE)).call(b"") == -1


def test_both_calls_give_the_same_answers() -> None:
    compiled = CompiledModule(module(), POLICY_INTERFACE)
    fast, public = Instance(compiled), Instance(compiled, public_call=True)
    for length in (0, 1, 65536):
        assert fast.call(bytes(length)) == public.call(bytes(length)) == length


PROPOSALS = {
    # one small module for each proposal of WebAssembly, and whether the engine takes it
    "bulk memory": ("(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))", True),
    "sign extension": ("(func (result i32) (i32.extend8_s (i32.const 0)))", True),
    "saturating conversion": ("(func (result i32) (i32.trunc_sat_f64_s (f64.const 0)))", True),
    "simd": ("(func (result v128) (v128.const i64x2 0 0))", False),
    "threads": ("(memory 1 1 shared)", False),
    "tail calls": ("(func $f (return_call $f))", False),
    "64-bit memory": ("(memory i64 1)", False),
    "several memories": ("(memory 1) (memory 1)", False),
    "exceptions": ("(tag)", False),
    "gc": ("(type (struct (field i32)))", False),
    "external references": ("(func (param externref))", False),
    "wide arithmetic": ("(func (result i64 i64) (i64.mul_wide_s (i64.const 1) (i64.const 1)))", False),
}


@pytest.mark.parametrize("proposal", PROPOSALS)
def test_only_the_needed_proposals_of_webassembly_are_on(proposal: str) -> None:
    """In a process of its own: a wrong combination of settings aborts it."""
    body, accepted = PROPOSALS[proposal]
    code = (
        "import sys, wasmtime\nfrom hexgate.runtime.sandbox import make_engine\nengine = make_engine()\n"
        "try:\n    wasmtime.Module(engine, wasmtime.wat2wasm(sys.argv[1]))\nexcept wasmtime.WasmtimeError:\n    print('refused')\nelse:\n    print('accepted')"
    )
    done = subprocess.run([sys.executable, "-c", code, f"(module {body})"], capture_output=True, text=True, check=True)
    assert done.stdout == ("accepted\n" if accepted else "refused\n")


def test_every_setting_of_the_engine_exists() -> None:
    """The binding takes misspelt settings silently."""
    names = {name for name in dir(wasmtime.Config) if not name.startswith("_")}
    settings: set[str] = set()

    class Recorder(wasmtime.Config):
        def __setattr__(self, name: str, value: object) -> None:
            if not name.startswith("_"):
                settings.add(name)
            super().__setattr__(name, value)

    original = wasmtime.Config
    try:
        wasmtime.Config = Recorder  # type: ignore[misc]
        make_engine()
    finally:
        wasmtime.Config = original  # type: ignore[misc]
    assert settings
    assert settings <= names
