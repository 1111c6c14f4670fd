"""Hostile modules, as if correctly signed: refused or denied, in bounded time and memory, with the process alive.

One file per module in `hostile/`: what it does, then what must come of it; those that are large are made here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.policies import REFUNDS, checked
from hexgate.compiler.assemble import assemble
from hexgate.compiler.compile import compile_policy
from hexgate.decision.policy_table import write_table

FOLDER = Path(__file__).parent / "hostile"
ROOT = Path(__file__).parent.parent.parent
FILES = sorted(FOLDER.glob("*.wat"))

CALL_SECONDS = 3.0
"""Time of the processor for one call, at most: several times what was measured, for a machine that is busy."""

LOAD_SECONDS = 15.0
"""Time of the processor for compiling what is within the limits, at most. Refusing takes as long as reading."""

REFUSAL_SECONDS = 1.0


def _module(more: str, code: str = "(i32.const 8)", locals_: str = "") -> str:
    return (
        '(module (memory (export "memory") 2 2) (global (export "input") i32 (i32.const 1024)) (global (export "capacity") i32'
        ' (i32.const 65536)) (global (export "abi") i32 (i32.const 1))'
        f' (func (export "decide") (param i32) (result i32) {locals_} {code}) {more})'
    )


def _live(count: int) -> str:
    """A loop in which so many variables are alive at once."""
    names = range(1, count + 1)
    steps = "".join(f"(local.set {n} (i32.add (local.get {n}) (local.get {n % count + 1})))" for n in names)
    total = "(i32.const 0)" + "".join(f"(i32.add (local.get {n}))" for n in names)
    return f"(loop $again {steps} (br_if $again (local.get 1))) {total} (drop) (i32.const 8)"


ALLOWED = "decides " + " ".join(["allow/rule"] * 4)

LARGE: dict[str, tuple[Callable[[], str], str]] = {
    "200,000 functions": (lambda: _module("(func)" * 200_000), "refused the module has more than 20000 functions"),
    "as many functions as allowed": (lambda: _module("(func)" * 19_999), ALLOWED),
    "40,000 locals": (
        lambda: _module("", locals_="(local " + "i32 " * 40_000 + ")"), "refused a function has 40000 locals, more than 4096",
    ),
    "40,000 locals of alternating types": (
        lambda: _module("", locals_="(local " + "i32 i64 " * 20_000 + ")"),
        "refused the module has more than 4096 runs of locals in one function",
    ),
    "200,000 multiplications": (
        lambda: _module("", "(local.get 0)" + "(i32.mul (local.get 0))" * 200_000),
        "refused a function has 600004 bytes, more than 262144",
    ),
    "as many multiplications as allowed": (
        lambda: _module("", "(local.get 0)" + "(i32.mul (local.get 0))" * 87_000 + "(drop) (i32.const 8)"), ALLOWED,
    ),
    "20,000 nested blocks": (
        lambda: _module("", "block " * 20_000 + "end " * 20_000 + "i32.const 8"), "refused a function nests blocks deeper than 1000",
    ),
    "as many nested blocks as allowed": (lambda: _module("", "block " * 999 + "end " * 999 + "i32.const 8"), ALLOWED),
    "20,000 branches": (
        lambda: _module("", "(block (br_table " + "0 " * 20_001 + "(local.get 0))) (i32.const 8)"),
        "refused a `br_table` has more than 1024 targets",
    ),
    "2,000 live variables": (lambda: _module("", _live(2_000), "(local " + "i32 " * 2_000 + ")"), ALLOWED),
    "as many live variables as allowed": (lambda: _module("", _live(4_000), "(local " + "i32 " * 4_000 + ")"), ALLOWED),
    "5 MiB of data": (
        lambda: _module(f'(data (i32.const 0) "{"x" * 5 * 2**20}")'), "refused the module has 5242995 bytes, more than 4194304",
    ),
    "65 data segments": (
        lambda: _module(f'(data (i32.const 0) "{"x" * 60_000}")' * 65), "refused the module has more than 64 data segments",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    compiled = compile_policy(checked(REFUNDS))
    (made / "good.wasm").write_bytes(compiled.wasm)
    (made / "table.json").write_bytes(write_table(compiled.table))
    return made


def _run(folder: Path, wat: str, expected: str) -> None:
    (folder / "hostile.wasm").write_bytes(assemble(wat))
    command = [sys.executable, "-m", "tests.runtime.hostile_host", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    came = json.loads(done.stdout)
    assert came["expect"] == expected
    assert came["alive"] is True
    assert came["calls"] <= CALL_SECONDS
    assert came["load"] <= (REFUSAL_SECONDS if expected.startswith("refused") else LOAD_SECONDS)


def test_memory_is_limited() -> None:
    """The limit that the modules run under takes effect on this system."""
    code = (
        "import resource\nfrom tests.runtime.hostile_host import MEMORY\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))\n"
        "try:\n    bytearray(MEMORY)\nexcept MemoryError:\n    print('limited')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "limited\n"


def test_there_are_hostile_modules() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_hostile_module(path: Path, folder: Path) -> None:
    about, expect, _ = path.read_text(encoding="utf-8").split("\n", 2)
    assert about.startswith(";; ")
    assert expect.startswith(";; expect: ")
    _run(folder, path.read_text(encoding="utf-8"), expect.removeprefix(";; expect: "))


@pytest.mark.parametrize("name", LARGE)
def test_a_large_module(name: str, folder: Path) -> None:
    make, expected = LARGE[name]
    _run(folder, make(), expected)
