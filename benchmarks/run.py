"""Run every benchmark once and print the table: `python -m benchmarks.run [--fast]` (or `make bench`)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.policies import REFUNDS, checked, grid
from hexgate.compiler.compile import compile_policy

TARGETS = {
    "wasm": "<= 2 us, <= 2.5 x empty", "Gate.decide, signed bundle, log off": "<= 2 us, <= 2.5 x empty", "verify the README's bundle": "<= 1 ms",
    "interpreter": "<= 3 us", "wasm, 1 MB unread argument": "<= 1.3 x wasm",
    "wasm, 1,000 roles x 1,000 tools": "<= 1.3 x wasm", "compile the README's policy": "<= 15 ms",
    "compile 20 roles x 50 tools x 4 constraints": "<= 300 ms", "cold start to the first decision": "<= 150 ms",
    "hexgate --help": "<= 150 ms",
}  # fmt: skip


def main() -> None:
    """Measures in two pyperf runs and prints one table, with ratios inside a run."""
    options = ["--fast"] if "--fast" in sys.argv else []
    with tempfile.TemporaryDirectory() as folder:
        rows = [*_measure("benchmarks.decisions", folder, options), *_measure("benchmarks.processes", folder, options)]
    times = dict(rows)
    print("| what | median | compared | target |\n|---|---|---|---|")
    for name, seconds in rows:
        print(f"| {name} | {_time(seconds)} | {_compared(name, seconds, times)} | {TARGETS.get(name, '')} |")
    print(f"| module of the README's policy | {len(compile_policy(checked(REFUNDS)).wasm):,} bytes | | <= 4,096 bytes |")
    print(f"| module of 20 roles x 50 tools x 4 constraints | {len(compile_policy(checked(grid(20, 50))).wasm):,} bytes | | |")


def _measure(module: str, folder: str, options: list[str]) -> list[tuple[str, float]]:
    """Name and median in seconds of each benchmark of a module."""
    output = Path(folder) / f"{module}.json"
    subprocess.run([sys.executable, "-m", module, "--quiet", "-o", str(output), *options], check=True)
    rows = []
    for benchmark in json.loads(output.read_text())["benchmarks"]:
        values = sorted(value for run in benchmark["runs"] for value in run.get("values", ()))
        rows.append((benchmark.get("metadata", {}).get("name") or "", values[len(values) // 2]))
    return rows


def _compared(name: str, seconds: float, times: dict[str, float]) -> str:
    if name in ("wasm", "Gate.decide, signed bundle, log off"):
        return f"{seconds / times['empty call + encode']:.2f} x empty"
    wasm = times.get("wasm")
    return f"{seconds / wasm:.2f} x wasm" if wasm and name in times and seconds < 0.002 else ""


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1 or unit == "us":
            return f"{seconds * scale:.2f} {unit}"
    return ""


if __name__ == "__main__":
    main()
