"""Time that a token adds to a decision: `python -m benchmarks.identity`, with pyperf's options.

A token is verified once and kept; what is measured is every later call under it, and the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import pyperf

from hexgate.bundle.keys import generate_key
from hexgate.bundle.statement import IdentitySettings, TokenRootKey
from hexgate.decision.decision import User
from hexgate.identity.attenuate import Narrowing, attenuate
from hexgate.identity.mint import Grant, mint
from hexgate.identity.verifier import IdentityVerifier

NOW_SECONDS = 1_795_000_000
NOW = NOW_SECONDS * 10**9
ARGUMENTS = {"order_id": "30", "amount": 30, "currency": "USD"}
KEY = generate_key()
SETTINGS = IdentitySettings(True, (TokenRootKey(1, KEY.public),), ("00" * 64,), "prod")
PLAIN = mint(Grant("alice", "billing", NOW_SECONDS + 3_600, attributes={"team": "refunds"}, audiences=("prod",)), KEY, 1)
SHORTER = attenuate(PLAIN, Narrowing(expires=NOW_SECONDS + 60))
NARROWED = attenuate(PLAIN, Narrowing(tools=("refund_order",), maxima={"amount": 100}, expires=NOW_SECONDS + 300))
TWICE = attenuate(NARROWED, Narrowing(maxima={"amount": 50}, values={"currency": "USD"}))


def _use(token: str) -> Callable[[], Callable[[], object]]:
    """A call under a token that was verified before."""

    def prepare() -> Callable[[], object]:
        verifier, caller = IdentityVerifier(SETTINGS), User.from_token(token)
        assert verifier.caller(caller, NOW).permits("refund_order", ARGUMENTS, NOW) is None
        return lambda: verifier.caller(caller, NOW).permits("refund_order", ARGUMENTS, NOW)

    return prepare


def _read(token: str) -> Callable[[], Callable[[], object]]:
    """The first use of a token: signatures, form, claims."""
    return lambda: lambda: IdentityVerifier(SETTINGS).user(token, NOW)


CONTENDERS = {
    "a token, used again": _use(PLAIN),
    "a token with a shorter time, used again": _use(SHORTER),
    "a token with a tool, a bound and a time, used again": _use(NARROWED),
    "a token narrowed twice, used again": _use(TWICE),
    "a token, read and verified": _read(PLAIN),
    "a token narrowed twice, read and verified": _read(TWICE),
}


def _timed(prepare: Callable[[], Callable[[], object]]) -> Callable[[int], float]:
    ready = cache(prepare)

    def time_loops(loops: int) -> float:
        step = ready()
        start = time.perf_counter()
        for _ in range(loops):
            step()
        return time.perf_counter() - start

    return time_loops


def main() -> None:
    """Measures with pyperf."""
    runner = pyperf.Runner(values=3, processes=4, program_args=("-m", "benchmarks.identity"))
    for name, prepare in CONTENDERS.items():
        runner.bench_time_func(name, _timed(prepare))


if __name__ == "__main__":
    main()
