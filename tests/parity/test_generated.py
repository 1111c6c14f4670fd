"""The engines decide alike on generated policies and calls. `make parity` runs a million; this is a sample of it."""

from __future__ import annotations

import pytest

from hexgate.decision.decision import Reason
from hexgate.faults import Fault
from hexgate.parity.compare import run_campaign

SEEDS = range(8)
CALLS = 2_500
RARE = {Fault.UNDECLARED_REFERENCE, Fault.DUPLICATE_KEY, Fault.ALLOCATION_BUDGET_EXCEEDED, Fault.ITERATION_BUDGET_EXCEEDED,
        Fault.DIVIDE_BY_ZERO, Fault.OVERFLOW, Fault.INDEX_OUT_OF_RANGE}  # fmt: skip
"""Faults that a sample of one seed need not reach."""


@pytest.mark.parametrize("seed", SEEDS)
def test_the_engines_decide_alike(seed: int) -> None:
    tally = run_campaign(seed, CALLS, calls_per_policy=125)
    assert tally.disagreement is None, f"seed {seed}: {tally.disagreement}"
    assert tally.calls == CALLS
    expected = {reason.value for reason in (Reason.RULE, Reason.CONSTRAINT_FAILED, Reason.MISSING_USER)}
    expected |= {fault.code for fault in Fault if fault not in RARE}
    assert expected <= set(tally.reasons), expected - set(tally.reasons)


def test_a_seed_reproduces_a_run() -> None:
    first, second = run_campaign(99, 60, 30), run_campaign(99, 60, 30)
    assert (first.policies, first.calls, first.reasons) == (second.policies, second.calls, second.reasons)
