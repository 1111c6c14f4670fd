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
from benchmarks.signed_policies import ISSUED, signed_policy
from hexgate.bundle.keys import generate_key, read_signing_key, write_signing_key
from hexgate.bundle.trust_root import TrustRoot
from hexgate.bundle.verify import verify
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
    bundle = folder / "policy.hexgate"
    key = folder / "key.pem"
    if not key.exists():
        # Every worker of one run must have the same key.
        key.write_bytes(write_signing_key(generate_key()))
    signer = read_signing_key(key.read_bytes())
    data = signed_policy(REFUNDS, 1, keys=(signer,), not_after=4_000_000_000)
    bundle.write_bytes(data)
    trust = TrustRoot(1, (signer.public,))
    runner.bench_func(
        "verify the README's bundle", lambda: verify(data, trust, name="policy", now=ISSUED, floor=None)
    )
    setting = f"{signer.public.text}@{bundle}"
    programs = _installed(folder)
    runner.bench_command("cold start to the first decision", [str(programs / "python"), str(COLD), setting, str(folder / "state")])
    runner.bench_command("hexgate --help", [str(programs / "hexgate"), "--help"])
    runner.bench_command("python -c pass", [str(programs / "python"), "-c", "pass"])


if __name__ == "__main__":
    main()
