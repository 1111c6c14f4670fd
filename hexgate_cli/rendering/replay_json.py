"""A replay for programs (`schemas/replay.schema.json`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hexgate.decision.decision import Verdict
from hexgate.strict_json import Json
from hexgate_cli.rendering.decision_json import decision_to_dict
from hexgate_cli.replay_tally import Mismatch, Tally, causes_of


def replay_to_dict(tally: Tally, engines: Sequence[str]) -> dict[str, Json]:
    """The whole report."""
    totals: Counter[Verdict] = Counter()
    tools: list[Json] = []
    for tool, counts in tally.sorted_tools():
        totals += counts.verdicts
        tools.append({
            "tool": tool,
            "verdicts": _verdicts(counts.verdicts),
            "causes": [
                {"count": count, "decision": decision_to_dict(decision)} for decision, count in causes_of(counts)
            ],
        })
    return {
        "calls": tally.calls,
        "engines": list(engines),
        "verdicts": _verdicts(totals),
        "tools": tools,
        "expected": tally.expected,
        "mismatches": [_mismatch(mismatch) for mismatch in tally.mismatches],
        "disagreements": [_mismatch(mismatch) for mismatch in tally.disagreements],
    }


def _verdicts(counts: Counter[Verdict]) -> dict[str, Json]:
    return {verdict.value: counts[verdict] for verdict in Verdict}


def _mismatch(mismatch: Mismatch) -> dict[str, Json]:
    expectation = mismatch.call.expectation
    expected: Json = None
    if expectation is not None:
        expected = {"verdict": expectation.verdict.value, **expectation.details}
    return {
        "line": mismatch.call.line,
        "expected": expected,
        "answers": {name: decision_to_dict(answer) for name, answer in mismatch.answers.items()},
    }
