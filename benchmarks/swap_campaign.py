"""Decide in many threads while the bundle is swapped: `python -m benchmarks.swap_campaign [--threads N] [--decisions N] [--swaps N]`.

Every decision must be one that a published bundle gives, and name it; none may raise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.signed_policies import KEY, signed
from hexgate.decision.decision import User
from hexgate.runtime.gate import Gate
from hexgate.runtime.refresh import RefreshOutcome

ALICE = User("alice", "billing")
SWITCH_SECONDS = 0.000_1
LIMITS = (100, 500)
"""The refunds that bundles of even and of odd versions allow."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What was done. `wrong` describes each decision that no published bundle gives."""

    decisions: int
    swaps: int
    seconds: float
    wrong: tuple[str, ...]


def run(threads: int, decisions: int, swaps: int, folder: Path) -> Campaign:
    """So many decisions in each thread while the bundle is swapped so many times; the threads go on until both are done."""
    file = folder / "policy.hexgate"
    file.write_bytes(signed(LIMITS[1], 1))
    gate = Gate.from_bundle(file, [KEY.public], state=folder / "state", refresh_seconds=None, clock=lambda: 1_790_000_000 * 10**9)
    wrong: list[str] = []
    counts = [0] * threads
    swapped = threading.Event()

    def decide(index: int) -> None:
        try:
            while counts[index] < decisions or not swapped.is_set():
                amount = 50 + counts[index] % 600
                made = gate.decide("refund", {"amount": amount}, user=ALICE)
                limit = LIMITS[made.bundle.version % 2] if made.bundle is not None else -1
                if made.allowed != (amount <= limit):
                    wrong.append(f"{amount}: {made}")
                counts[index] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            wrong.append(repr(error))

    # Threads that only compute hold the interpreter for a whole interval each: at the usual 5 ms one swap would wait for seconds.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    workers = [threading.Thread(target=decide, args=(index,)) for index in range(threads)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    for version in range(2, swaps + 2):
        beside = folder / "next"
        beside.write_bytes(signed(LIMITS[version % 2], version))
        beside.replace(file)
        if gate.refresh().outcome is not RefreshOutcome.UPDATED:
            wrong.append(f"version {version} was not taken")
    swapped.set()
    for worker in workers:
        worker.join()
    sys.setswitchinterval(interval)
    return Campaign(sum(counts), swaps, time.perf_counter() - begun, tuple(wrong))


def main() -> None:
    """Prints what was done, and what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--swaps", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = run(options.threads, options.decisions, options.swaps, Path(folder))
    print(
        f"{done.decisions:,} decisions in {options.threads} threads, {done.swaps:,} swaps, {done.seconds:.1f} s, "
        f"{done.decisions / done.seconds:,.0f} decisions/s, {len(done.wrong)} wrong"
    )
    for line in done.wrong[:10]:
        print(line)
    raise SystemExit(1 if done.wrong else 0)


if __name__ == "__main__":
    main()
