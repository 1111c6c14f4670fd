"""The locked-down host: what it refuses before and while compiling, and what a module cannot do."""

from __future__ import annotations

import subprocess
import sys

import pytest
import wasmtime

from hexgate.compiler.assemble import assemble
from hexgate.runtime.module_limits import POLICY_INTERFACE, RUNTIME_LIMITS, ModuleLimits, ModuleRefusedError
from hexgate.runtime.sandbox import CompiledModule, Instance, OutOfFuelError, TrapError, make_engine

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


HEAD = b"\0asm\x01\0\0\0"
CODE_HEAD = b"\x01\x04\x01\x60\0\0\x03\x02\x01\0"
"""A type and a function of it; its body is to follow."""

INSTRUCTION = "a function has an instruction that this interface does not allow"


def body(code: str) -> str:
    """`decide` with other code."""
    return f'(func (export "decide") (param i32) (result i32) {code})'


REFUSED = [
    ("imports", module().replace(b"\0asm\x01\0\0\0", b"\0asm\x01\0\0\0\x02\x01\0"), "the module has imports"),
    ("no module", b"\0asm\x02\0\0\0", "it is no WebAssembly module of version 1"),
    ("empty", b"", "it is no WebAssembly module of version 1"),
    ("a start function", module("(func $s) (start $s)"), "the module has a start function"),
    ("a custom section", module() + b"\0\x02\x01a", "the module has a custom section"),
    ("cut off", module()[:-1], "the module ends inside a section"),
    ("cut inside a size", module()[:9], "the module ends inside a number"),
    ("too large", b"\0asm\x01\0\0\0" + bytes(RUNTIME_LIMITS.module), f"the module has {RUNTIME_LIMITS.module + 8} bytes, more than {RUNTIME_LIMITS.module}"),
    ("too many functions", module("(func)" * (RUNTIME_LIMITS.functions + 1)), f"the module has more than {RUNTIME_LIMITS.functions} functions"),
    ("another export", module('(func (export "more"))'), "the module's exports are not those of the interface"),
    ("a missing export", module(abi=""), "the module's exports are not those of the interface"),
    ("another type of decide", module(decide='(func (export "decide"))'), "`decide` has another type"),
    ("a memory that grows", module(memory='(memory (export "memory") 2 4)'), "the memory has no fixed size"),
    ("a mutable global", module(abi='(global (export "abi") (mut i32) (i32.const 1))'), "`abi` is no constant of type i32"),
    ("another interface", module(abi='(global (export "abi") i32 (i32.const 2))'), "the module has interface 2, this runtime 1"),
    ("input outside the memory", module(input='(global (export "input") i32 (i32.const 131072))'), "the module's regions are outside its memory"),
    ("a negative capacity", module(capacity='(global (export "capacity") i32 (i32.const -1))'), "the module's regions are outside its memory"),
    ("too much memory", module(memory='(memory (export "memory") 2000 2000)'), "the memory has 131072000 bytes, more than 16777216"),
    ("invalid code", module(decide='(func (export "decide") (param i32) (result i32) (i32.const 0))').replace(b"\x41\0\x0b", b"\x01\x01\x0b"), "the module does not compile"),
    ("memory.grow", module(decide=body("(memory.grow (i32.const 1))")), INSTRUCTION),
    ("table.fill", module("(table 1 1 funcref)", decide=body("(table.fill (i32.const 0) (ref.null func) (i32.const 1)) (i32.const 0)")), INSTRUCTION),
    ("table.grow", module("(table 1 1 funcref)", decide=body("(table.grow (ref.null func) (i32.const 1))")), INSTRUCTION),
    ("table.set", module("(table 1 1 funcref)", decide=body("(table.set (i32.const 0) (ref.null func)) (i32.const 0)")), INSTRUCTION),
    ("typed select", module(decide=body("(select (result i32) (local.get 0) (local.get 0) (local.get 0))")), INSTRUCTION),
    ("memory.init", module('(data $d "x")', decide=body("(memory.init $d (i32.const 0) (i32.const 0) (i32.const 0)) (i32.const 0)")), "the module has a section of kind 12"),
    ("a passive data segment", module('(data "x")'), "a segment of the module has no constant place"),
    ("a passive element segment", module("(table 1 1 funcref) (func $f) (elem func $f)"), "a segment of the module has no constant place"),
    ("a table that grows", module("(table 1 2 funcref)"), "the table has no fixed size"),
    ("a table without a maximum", module("(table 1 funcref)"), "the table has no fixed size"),
    ("a large table", module("(table 20002 20002 funcref)"), "the table has 20002 elements, more than 20001"),
    ("two tables", module("(table 1 1 funcref) (table 1 1 funcref)"), "the module has more than 1 table"),
    ("a table of something else", module("(table 1 1 externref)"), "the table holds something other than functions"),
    ("elements outside the table", module("(table 1 1 funcref) (func $f) (elem (i32.const 1) $f)"), "an element segment of the module is outside its table"),
    ("elements far outside the table", module("(table 1 1 funcref) (func $f) (elem (i32.const -1) $f)"), "an element segment of the module is outside its table"),
    ("data outside the memory", module('(data (i32.const 131071) "xx")'), "a data segment of the module is outside its memory"),
    ("data far outside the memory", module('(data (i32.const -1) "x")'), "a data segment of the module is outside its memory"),
    ("many data segments", module('(data (i32.const 0) "x")' * 65), "the module has more than 64 data segments"),
    ("many element segments", module("(table 1 1 funcref) (func $f)" + "(elem (i32.const 0) $f)" * 65), "the module has more than 64 element segments"),
    ("many globals", module("(global i32 (i32.const 0))" * 62), "the module has more than 64 globals"),
    ("a global of another global", module("(global i32 (global.get 0))"), "a global of the module starts as no constant number"),
    ("a global of a function", module("(func $f) (global funcref (ref.func $f))"), "a global of the module starts as no constant number"),
    ("many types", module("".join(f"(type (func (param {'i32 ' * (n % 20)}{'i64 ' * (n // 20)})))" for n in range(1, 257))), "the module has more than 256 types"),
    ("many parameters", module(f"(type (func (param {'i32 ' * 33})))"), "a function has more than 32 parameters and results"),
    ("a parameter that is no number", module("(type (func (param funcref)))"), "the module has a type that is no function of numbers"),
    ("a struct", b"\0asm\x01\0\0\0\x01\x02\x01\x5f", "the module has a type that is no function of numbers"),
    ("a local that is no number", module("(func (local funcref))"), "a local of the module is no number"),
    ("many locals", module(f"(func (local {'i32 ' * 4097}))"), "a function has 4097 locals, more than 4096"),
    ("many kinds of locals", module(f"(func (local {'i32 i64 ' * 2049}))"), "the module has more than 4096 runs of locals in one function"),
    ("a long body", module(decide=body("(nop)" * 2**18 + "(i32.const 0)")), "a function has 262148 bytes, more than 262144"),
    ("deep blocks", module(decide=body("(block " * 1000 + ")" * 1000 + "(i32.const 0)")), "a function nests blocks deeper than 1000"),
    ("many branches", module(decide=body("(block (br_table " + "0 " * 1026 + "(local.get 0))) (i32.const 0)")), "a `br_table` has more than 1024 targets"),
    ("an export of another kind", module(memory="(memory 2 2)", more='(func (export "memory"))'), "`memory` is no memory"),
    ("a global as the function", module(decide='(global (export "decide") i32 (i32.const 0))'), "`decide` is no function"),
    ("a function as a constant", module(abi='(func (export "abi"))'), "`abi` is no global"),
    ("a constant of 64 bits", module(abi='(global (export "abi") i64 (i64.const 1))'), "`abi` is no constant of type i32"),
    ("a memory without a maximum", module(memory='(memory (export "memory") 2)'), "the memory has no fixed size"),
    ("a shared memory", module(memory='(memory (export "memory") 2 2 shared)'), "the memory has no fixed size"),
    ("a memory of 64-bit addresses", module(memory='(memory (export "memory") i64 2 2)'), "the memory has no fixed size"),
    ("no memory", module(memory='(func (export "memory"))'), "`memory` is no memory"),
    ("two memories", module("(memory 1 1)"), "the module has more than 1 memory"),
    ("sections out of order", HEAD + b"\x03\x01\0\x01\x01\0", "the module's sections are not in order"),
    ("a section twice", HEAD + b"\x01\x01\0\x01\x01\0", "the module's sections are not in order"),
    ("a tag section", HEAD + b"\x0d\x01\0", "the module has a section of kind 13"),
    ("a section that is unknown", HEAD + b"\x7f\x01\0", "the module has a section of kind 127"),
    ("a section that goes on", HEAD + b"\x01\x02\0\0", "a section of the module is longer than what it holds"),
    ("a section that ends early", HEAD + b"\x01\x01\x01", "the module ends inside a section"),
    ("a number that is too long", HEAD + b"\x01\x80\x80\x80\x80\x80\x01", "a number of the module is too long"),
    ("functions without bodies", HEAD + b"\x01\x04\x01\x60\0\0\x03\x02\x01\0", "the module does not have one body for each function"),
    ("functions without types", HEAD + b"\x03\x02\x01\0", "a function of the module has no type"),
    ("a body that goes on after its end", HEAD + CODE_HEAD + b"\x0a\x05\x01\x03\0\x0b\x0b", "a function goes on after its end"),
    ("a body that does not end", HEAD + CODE_HEAD + b"\x0a\x04\x01\x02\0\x01", INSTRUCTION),
    ("a body of nothing", HEAD + CODE_HEAD + b"\x0a\x02\x01\0", "the module ends inside a number"),
    ("a body longer than its section", HEAD + CODE_HEAD + b"\x0a\x03\x01\x20\0", "the module ends inside a section"),
    ("no exports", HEAD, "the module's exports are not those of the interface"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "wasm", "message"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_module_is_refused(what: str, wasm: bytes, message: str) -> None:
    with pytest.raises(ModuleRefusedError) as caught:
        Instance(CompiledModule(wasm, POLICY_INTERFACE))
    assert str(caught.value) == message


TRAPS = [
    ("an endless loop", "(loop (br 0)) (i32.const 0)", OutOfFuelError, "the module has spent its fuel"),
    ("endless filling", "(loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x20000)) (br 0)) (i32.const 0)", OutOfFuelError, "the module has spent its fuel"),
    ("endless recursion", "(call $f (local.get 0))", TrapError, "the module trapped"),
    ("unreachable", "(unreachable)", TrapError, "the module trapped"),
    ("a read outside the memory", "(i32.load (i32.const 0x7ffffff0))", TrapError, "the module trapped"),
    ("a division by zero", "(i32.div_u (i32.const 1) (i32.const 0))", TrapError, "the module trapped"),
]


@pytest.mark.parametrize("public_call", [False, True], ids=["fast call", "public call"])
@pytest.mark.parametrize(("what", "body", "error", "message"), TRAPS, ids=[row[0] for row in TRAPS])
def test_a_trap_is_an_error_and_another_instance_works(
    what: str, body: str, error: type[TrapError], message: str, public_call: bool
) -> None:
    decide = f'(func $f (export "decide") (param i32) (result i32) (if (i32.eqz (local.get 0)) (then (return (i32.const 7)))) {body})'
    compiled = CompiledModule(module(decide=decide), POLICY_INTERFACE)
    with pytest.raises(TrapError) as caught:
        Instance(compiled, public_call=public_call).call(b"x")
    assert (type(caught.value), str(caught.value)) == (error, message)
    assert Instance(compiled, public_call=public_call).call(b"") == 7


def test_both_calls_give_the_same_answers() -> None:
    compiled = CompiledModule(module(), POLICY_INTERFACE)
    fast, public = Instance(compiled), Instance(compiled, public_call=True)
    for length in (0, 1, 65536):
        assert fast.call(bytes(length)) == public.call(bytes(length)) == length


PROPOSALS = {
    # one small module for each proposal of WebAssembly, and whether the engine takes it
    "multi-value": ("(func (result i32 i32) (i32.const 0) (i32.const 0))", True),
    "mutable globals": ('(global (export "g") (mut i32) (i32.const 0))', True),
    "calls through a table": ("(table 1 1 funcref) (func (call_indirect (i32.const 0)))", True),
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
    "relaxed simd": ("(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))", False),
    "typed function references": ("(type $f (func)) (func (param (ref $f)))", False),
    "custom page sizes": ("(memory 1 1 (pagesize 1))", False),
    "stack switching": ("(type $f (func)) (type $c (cont $f))", False),
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


def test_a_bundle_lowers_the_limits() -> None:
    wasm = module("(func)")
    for limits, message in [
        (ModuleLimits(functions=1), "the module has more than 1 functions"),
        (ModuleLimits(memory=2**16), "the memory has 131072 bytes, more than 65536"),
        (ModuleLimits(module=100), f"the module has {len(wasm)} bytes, more than 100"),
        (ModuleLimits(data=1), "the module's data has more than 1 bytes"),
    ]:
        with pytest.raises(ModuleRefusedError) as caught:
            CompiledModule(module('(func) (data (i32.const 0) "xx")') if limits.data == 1 else wasm, POLICY_INTERFACE, limits)
        assert str(caught.value) == message
    spent = CompiledModule(module(decide=body("(loop (br 0)) (i32.const 0)")), POLICY_INTERFACE, ModuleLimits(fuel=1000))
    with pytest.raises(OutOfFuelError, match=r"^the module has spent its fuel$"):
        Instance(spent).call(b"")


def test_what_is_read_before_compiling_ends_for_any_bytes() -> None:
    """Cut anywhere, or with any byte changed, a module is refused or has the interface: nothing else is raised."""
    wasm = module('(table 2 2 funcref) (elem (i32.const 1) 0) (data (i32.const 9) "abc")')
    outcomes = set()
    for place in range(len(wasm)):
        for changed in (wasm[:place], *(wasm[:place] + bytes([wasm[place] ^ bits]) + wasm[place + 1 :] for bits in (1, 0x40, 0x80, 0xFF))):
            try:
                Instance(CompiledModule(changed, POLICY_INTERFACE))
                outcomes.add("runs")
            except ModuleRefusedError:
                outcomes.add("refused")
    assert outcomes == {"runs", "refused"}
