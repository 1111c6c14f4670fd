"""Time of one decision with its event, and of verifying a log: `python -m benchmarks.audit`, with pyperf's options.

`--percentiles` prints single decisions, `--verify` the rate of verification. `--durable` measures group commit instead: decisions per second of eight threads, each event synced before its call may run.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pyperf

from benchmarks.decisions import ARGUMENTS, USER
from benchmarks.policies import REFUNDS, checked
from hexgate.audit.log import AuditLog
from hexgate.audit.masking import Masking
from hexgate.audit.recorder import AuditPolicy, Recorder
from hexgate.audit.verify import verify_log
from hexgate.compiler.compile import compile_policy
from hexgate.runtime.wasm_engine import WasmEngine

VERIFIED = 50_000
THREADS, DECISIONS = 8, 2_000


def _open(directory: str, *, durable: bool = False, mask: tuple[str, ...] = ()) -> tuple[AuditLog, WasmEngine, Recorder]:
    compiled = compile_policy(checked(REFUNDS))
    log = AuditLog(directory)
    policy = AuditPolicy(compiled.table.reads_for, Masking.parse(mask), durable)
    return log, WasmEngine(compiled.wasm, compiled.table), log.recorder(policy)


def _step(engine: WasmEngine, recorder: Recorder, args: dict[str, Any]) -> Callable[[], None]:
    decide, record, clock, timer = engine.decide, recorder.record, time.time_ns, time.perf_counter_ns

    def step() -> None:
        start = timer()
        decision = decide("refund_order", args, USER)
        record(decision, user=USER, args=args, now=clock(), latency_ns=timer() - start, run_id="run-1", call_id="call-1")

    return step


def _written(args: dict[str, Any], mask: tuple[str, ...] = ()) -> Callable[[], Callable[[], None]]:
    def prepare() -> Callable[[], None]:
        folder = tempfile.TemporaryDirectory()
        _kept.append(folder)
        _, engine, recorder = _open(folder.name, mask=mask)
        return _step(engine, recorder, args)

    return prepare


_kept: list[Any] = []
CONTENDERS = {
    "decision + event, written": _written(ARGUMENTS),
    "decision + event, written, one argument masked": _written(ARGUMENTS, ("args.currency",)),
    "decision + event, written, nested arguments": _written({**ARGUMENTS, "lines": [{"sku": "a", "n": 1}] * 5}),
}


def _timed(prepare: Callable[[], Callable[[], None]]) -> Callable[[int], float]:
    ready = cache(prepare)

    def time_loops(loops: int) -> float:
        step = ready()
        start = time.perf_counter()
        for _ in range(loops):
            step()
        return time.perf_counter() - start

    return time_loops


def _verification(loops: int) -> float:
    """Time to verify `VERIFIED` events, divided by their number."""
    with tempfile.TemporaryDirectory() as folder:
        log, engine, recorder = _open(folder)
        step = _step(engine, recorder, ARGUMENTS)
        for _ in range(VERIFIED):
            step()
        log.close()
        start = time.perf_counter()
        for _ in range(loops):
            found = verify_log(Path(folder))
            assert found.sound and found.vouched == found.records
        return (time.perf_counter() - start) / VERIFIED


def measure_durable() -> None:
    """Prints decisions per second, with every event synced."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        log, engine, recorder = _open(folder, durable=True)
        step = _step(engine, recorder, ARGUMENTS)
        step()

        def work() -> None:
            for _ in range(DECISIONS):
                step()

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate = THREADS * DECISIONS / (time.perf_counter() - start)
        log.close()
        sys.stdout.write(f"durable, {THREADS} threads: {rate:,.0f} decisions/s\n")


def measure_percentiles() -> None:
    """Prints percentiles over single decisions with their events, syncs and checkpoints included."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        log, engine, recorder = _open(folder)
        step = _step(engine, recorder, ARGUMENTS)
        taken = []
        for _ in range(50_000):
            start = time.perf_counter_ns()
            step()
            taken.append(time.perf_counter_ns() - start)
        log.close()
        taken.sort()
        parts = ", ".join(f"p{part} {taken[len(taken) * part // 100] / 1000:.1f} us" for part in (50, 95, 99))
        sys.stdout.write(f"decision + event, written: {parts}\n")


def measure_verification() -> None:
    """Prints events per second of `verify_log`, by the clock and by the processor's time, which other work on the machine takes less of."""
    with tempfile.TemporaryDirectory() as folder:
        log, engine, recorder = _open(folder)
        step = _step(engine, recorder, ARGUMENTS)
        for _ in range(VERIFIED):
            step()
        log.close()
        rates = []
        for _ in range(15):
            clock, processor = time.perf_counter(), time.process_time()
            assert verify_log(Path(folder)).sound
            rates.append((VERIFIED / (time.perf_counter() - clock), VERIFIED / (time.process_time() - processor)))
    for name, found in (("by the clock", sorted(rate for rate, _ in rates)), ("by processor time", sorted(rate for _, rate in rates))):
        sys.stdout.write(f"audit verify, events/s {name}: median {found[7]:,.0f}, best {found[-1]:,.0f}\n")


def main() -> None:
    """Measures with pyperf, or what pyperf cannot."""
    if "--verify" in sys.argv:
        measure_verification()
        return
    if "--durable" in sys.argv:
        measure_durable()
        return
    if "--percentiles" in sys.argv:
        measure_percentiles()
        return
    runner = pyperf.Runner(values=3, processes=2, program_args=("-m", "benchmarks.audit"))
    for name, prepare in CONTENDERS.items():
        runner.bench_time_func(name, _timed(prepare))
    runner.bench_time_func("audit verify, one event", _verification)


if __name__ == "__main__":
    main()
