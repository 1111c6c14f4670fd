"""A parity run for programs (`schemas/parity.schema.json`)."""

from __future__ import annotations

from hexgate.parity.coverage import Coverage
from hexgate.parity.possible import Outcome
from hexgate.parity.run import Disagreement, Report
from hexgate.strict_json import Json
from hexgate_cli.rendering.call_text import call_to_dict
from hexgate_cli.rendering.decision_json import constraint_to_dict, decision_to_dict
from hexgate_cli.rendering.diagnostics_json import place_to_dict


def parity_to_dict(report: Report) -> dict[str, Json]:
    """The whole report. Times are in seconds."""
    return {
        "engines": list(report.engines),
        "seed": report.seed,
        "cases": report.cases,
        "derived": report.derived,
        "random": report.random,
        "all_derived": report.is_complete,
        "seconds": round(report.seconds, 6),
        "cases_per_second": round(report.cases / report.seconds, 1) if report.seconds else 0,
        "parts": {name: round(seconds, 6) for name, seconds in report.parts.items()},
        "reasons": dict(sorted(report.reasons.items())),
        "coverage": None if report.coverage is None else _coverage(report.coverage),
        "disagreement": None if report.disagreement is None else _disagreement(report.disagreement),
    }


def _coverage(coverage: Coverage) -> dict[str, Json]:
    seen, missed, impossible = coverage.branches
    return {
        "seen": seen,
        "missed": missed,
        "impossible": impossible,
        "constraints": [
            {
                **constraint_to_dict(found.reference),
                **{outcome.value: found.count(outcome) for outcome in Outcome},
                "impossible": [
                    outcome.value for outcome in Outcome if outcome not in found.possible and not found.count(outcome)
                ],
            }
            for found in coverage.constraints
        ],
    }


def _disagreement(found: Disagreement) -> dict[str, Json]:
    return {
        "number": found.number,
        "place": None if found.place is None else place_to_dict(found.place),
        "call": call_to_dict(found.call),
        "original": call_to_dict(found.original),
        "decisions": {name: decision_to_dict(decision) for name, decision in found.decisions.items()},
    }
