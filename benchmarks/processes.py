"""Whole processes, and the compiler: `python -m benchmarks.processes`, with pyperf's options."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import pyperf

from benchmarks.policies import REFUNDS, checked, grid
from hexgate.compiler.compile import compile_policy
from hexgate.runtime.wasm_engine import WasmEngine

COLD = Path(__file__).with_name("cold_start.py")
ROOT = Path(__file__).parent.parent


def _installed(folder: Path) -> Path:
    """The programs' folder of a fresh environment with this package installed in it as its users do: an editable
    installation adds an import hook to every start of Python."""
    environment = folder / "environment"
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    if not environment.exists():
        venv.create(environment, with_pip=False)
        python = str(programs / "python")
        install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, str(ROOT)], check=True)
    return programs


def main() -> None:
    """Measures compilation in-process, then a first decision and `hexgate --help` in new processes."""
    runner = pyperf.Runner(values=3, processes=2, program_args=("-m", "benchmarks.processes"))
    small, large = dict(REFUNDS), grid(20, 50)
    runner.bench_func("compile the README's policy", lambda: compile_policy(checked(small)))
    runner.bench_func("compile 20 roles x 50 tools x 4 constraints", lambda: compile_policy(checked(large)))
    module = compile_policy(checked(large))
    runner.bench_func("load the module of 20 roles x 50 tools x 4 constraints", lambda: WasmEngine(module.wasm, module.table))
    folder = Path(os.environ.get("HEXGATE_BENCH_DIR") or tempfile.mkdtemp())
    os.environ["HEXGATE_BENCH_DIR"] = str(folder)
    runner.args.inherit_environ = [*(runner.args.inherit_environ or []), "HEXGATE_BENCH_DIR"]
    compiled = compile_policy(checked(REFUNDS))
    (folder / "policy.wasm").write_bytes(compiled.wasm)
    from hexgate.decision.policy_table import write_table

    (folder / "policy.json").write_bytes(write_table(compiled.table))
    programs = _installed(folder)
    runner.bench_command("cold start to the first decision", [str(programs / "python"), str(COLD), str(folder)])
    runner.bench_command("hexgate --help", [str(programs / "hexgate"), "--help"])
    runner.bench_command("python -c pass", [str(programs / "python"), "-c", "pass"])


if __name__ == "__main__":
    main()
