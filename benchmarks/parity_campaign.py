"""Compare the engines on generated policies and calls: `python -m benchmarks.parity_campaign --cases 1000000 --seed 1`."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

from hexgate.parity.compare import Tally, run_campaign

BATCH = 10_000


def main() -> int:
    """Runs the campaign in batches on several processes; exit code 1 at a disagreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    batches = [(options.seed * 1_000_003 + n, min(BATCH, options.cases - n * BATCH)) for n in range(-(-options.cases // BATCH))]
    cases = policies = 0
    seconds = 0.0
    reasons: dict[str, int] = {}
    with ProcessPoolExecutor(options.jobs) as pool:
        for (seed, _), tally in zip(batches, pool.map(_run, batches), strict=True):
            cases, policies, seconds = cases + tally.calls, policies + tally.policies, seconds + tally.seconds
            for name, count in tally.reasons.items():
                reasons[name] = reasons.get(name, 0) + count
            if tally.disagreement is not None:
                print(f"seed {seed}: the engines disagree\n{tally.disagreement}", file=sys.stderr)
                pool.shutdown(cancel_futures=True)
                return 1
    print(f"{cases:,} calls over {policies:,} policies, 0 disagreements; {cases / seconds:,.0f} calls/s per process")
    for name, count in sorted(reasons.items(), key=lambda item: -item[1]):
        print(f"  {name:28}{count:>10,}")
    return 0


def _run(batch: tuple[int, int]) -> Tally:
    return run_campaign(*batch)


if __name__ == "__main__":
    sys.exit(main())
