"""Whole processes, and the compiler: `python -m benchmarks.processes`, with pyperf's options."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pyperf

from benchmarks.policies import REFUNDS, checked, grid
from hexgate.compiler.compile import compile_policy

COLD = Path(__file__).with_name("cold_start.py")


def main() -> None:
    """Measures compilation in-process, then a first decision and `hexgate --help` in new processes."""
    runner = pyperf.Runner(values=3, processes=2, program_args=("-m", "benchmarks.processes"))
    small, large = dict(REFUNDS), grid(20, 50)
    runner.bench_func("compile the README's policy", lambda: compile_policy(checked(small)))
    runner.bench_func("compile 20 roles x 50 tools x 4 constraints", lambda: compile_policy(checked(large)))
    folder = Path(os.environ.get("HEXGATE_BENCH_DIR") or tempfile.mkdtemp())
    os.environ["HEXGATE_BENCH_DIR"] = str(folder)
    runner.args.inherit_environ = [*(runner.args.inherit_environ or []), "HEXGATE_BENCH_DIR"]
    compiled = compile_policy(checked(REFUNDS))
    (folder / "policy.wasm").write_bytes(compiled.wasm)
    from hexgate.decision.policy_table import write_table

    (folder / "policy.json").write_bytes(write_table(compiled.table))
    runner.bench_command("cold start to the first decision", [sys.executable, str(COLD), str(folder)])
    runner.bench_command("hexgate --help", [str(Path(sys.executable).parent / "hexgate"), "--help"])
    runner.bench_command("python -c pass", [sys.executable, "-c", "pass"])


if __name__ == "__main__":
    main()
