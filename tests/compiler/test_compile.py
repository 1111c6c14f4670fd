"""Compilation as a whole: deterministic, small, without names of a policy in code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.policies import REFUNDS, checked, grid, wide
from hexgate.compiler.assemble import drop_custom_sections
from hexgate.compiler.compile import compile_policy
from hexgate.compiler.program import format_program
from hexgate.decision.policy_table import read_table, write_table

ROOT = Path(__file__).parent.parent.parent
HASH = """
import hashlib, sys
from hexgate.compiler.compile import compile_policy
from hexgate.decision.policy_table import write_table
from hexgate.policy.check import check
from hexgate.policy.link import link
from hexgate.policy.load import load_policy
for name in ("refunds", "support", "bank", "filesystem_github"):
    compiled = compile_policy(check(link(load_policy(f"examples/{name}/policies"))))
    print(hashlib.sha256(compiled.wasm + write_table(compiled.table) + compiled.wat.encode()).hexdigest())
"""


def test_the_same_sources_give_the_same_bytes_in_any_process() -> None:
    def run(seed: str, zone: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        done = subprocess.run([sys.executable, "-c", HASH], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    first = run("0", "UTC")
    assert first.count("\n") == 4
    assert run("12345", "Asia/Tokyo") == first


def test_the_readme_policy_fits_in_four_kilobytes() -> None:
    assert len(compile_policy(checked(REFUNDS)).wasm) <= 4_096


def test_code_grows_with_the_shapes_of_constraints_and_not_with_their_number() -> None:
    """Four shapes, whatever the numbers and texts in them."""
    few, many = (compile_policy(checked(grid(1, tools))).wat for tools in (1, 30))
    functions = [line for line in many.split("\n") if line.startswith("(func $constraint")]
    assert len(functions) == 4
    assert many.count("(func ") == few.count("(func ")


def test_roles_that_inherit_share_their_entries() -> None:
    program = compile_policy(checked(wide(40, 30))).program
    assert len(program.entries) == 30 + 40


def test_the_listing_of_a_program_reads_as_the_policy_does() -> None:
    listing = format_program(compile_policy(checked(REFUNDS)).program)
    assert listing == (Path(__file__).with_name("refunds.program.txt")).read_text(encoding="utf-8")


def test_the_table_survives_json() -> None:
    table = compile_policy(checked(REFUNDS)).table
    assert read_table(write_table(table)) == table


def test_names_never_reach_the_text_of_the_module() -> None:
    """Constants, roles and messages are data: their text stands only in escaped data strings and in comments."""
    hostile = {"evil.yaml": b'version: 1\nconsts:\n  x: "\\") (func $decide) (;"\ntools:\n  t:\n    mode: allow\n    message: "(module"\n    constraints:\n      - args.a == consts.x\n      - \'args.b != "\\n(unreachable) ;; \\u2028"\'\n'}
    wat = compile_policy(checked(hostile)).wat
    code = [line for line in wat.split("\n") if not line.startswith((";;", "(data"))]
    assert not any("unreachable) ;;" in line or "(;" in line for line in code)
    assert wat.count("(func $decide ") == 1


def test_custom_sections_are_dropped() -> None:
    custom = b"\0\x05\x04name"
    module = b"\0asm\x01\0\0\0" + custom + b"\x01\x01\0" + custom
    assert drop_custom_sections(module) == b"\0asm\x01\0\0\0\x01\x01\0"
