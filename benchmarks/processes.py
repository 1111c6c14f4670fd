"""Whole processes, and the compiler: `python -m benchmarks.processes`, with pyperf's options."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from functools import cache
from pathlib import Path

import pyperf

from benchmarks.policies import REFUNDS, checked, grid
from benchmarks.signed_policies import ISSUED, signed_policy
from hexgate.bundle.keys import generate_key, read_signing_key, write_signing_key
from hexgate.bundle.trust_root import TrustRoot
from hexgate.bundle.verify import verify
from hexgate.compiler.compile import CompiledPolicy, compile_policy
from hexgate.runtime.wasm_engine import WasmEngine

COLD = Path(__file__).with_name("cold_start.py")
ROOT = Path(__file__).parent.parent
FOLDER = "HEXGATE_BENCH_DIR"
"""The variable that tells pyperf's workers where everything is."""


def _prepare(folder: Path) -> None:
    """A signed bundle, its key, and a fresh environment with this package installed in it as its users do: an editable
    installation adds an import hook to every start of Python."""
    key = generate_key()
    (folder / "key.pem").write_bytes(write_signing_key(key))
    (folder / "policy.hexgate").write_bytes(signed_policy(REFUNDS, 1, keys=(key,), not_after=4_000_000_000))
    venv.create(folder / "environment", with_pip=False)
    python = str(_programs(folder) / "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, str(ROOT)], check=True)


def _programs(folder: Path) -> Path:
    return folder / "environment" / ("Scripts" if os.name == "nt" else "bin")


def main() -> None:
    """Measures compilation, loading and verification in-process, then a first decision and `hexgate --help` in new processes."""
    runner = pyperf.Runner(values=3, processes=2, program_args=("-m", "benchmarks.processes"))
    runner.parse_args()
    if not runner.args.worker:
        os.environ[FOLDER] = tempfile.mkdtemp()
        _prepare(Path(os.environ[FOLDER]))
    runner.args.inherit_environ = [*(runner.args.inherit_environ or []), FOLDER]
    folder = Path(os.environ[FOLDER])
    small, large = dict(REFUNDS), grid(20, 50)
    runner.bench_func("compile the README's policy", lambda: compile_policy(checked(small)))
    runner.bench_func("compile 20 roles x 50 tools x 4 constraints", lambda: compile_policy(checked(large)))
    module = cache(lambda: compile_policy(checked(large)))
    runner.bench_time_func("load the module of 20 roles x 50 tools x 4 constraints", lambda loops: _loading(module(), loops))
    bundle = folder / "policy.hexgate"
    data, key = bundle.read_bytes(), read_signing_key((folder / "key.pem").read_bytes()).public
    trust = TrustRoot(1, (key,))
    runner.bench_func("verify the README's bundle", lambda: verify(data, trust, name="policy", now=ISSUED, floor=None))
    start = [str(_programs(folder) / "python"), str(COLD), f"{key.text}@{bundle}", str(folder / "state")]
    runner.bench_command("cold start to the first decision", start)
    runner.bench_command("hexgate --help", [str(_programs(folder) / "hexgate"), "--help"])
    runner.bench_command("python -c pass", [str(_programs(folder) / "python"), "-c", "pass"])


def _loading(compiled: CompiledPolicy, loops: int) -> float:
    begun = time.perf_counter()
    for _ in range(loops):
        WasmEngine(compiled.wasm, compiled.table)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
