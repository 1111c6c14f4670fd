"""Differences for programs (`schemas/diff.schema.json`)."""

from __future__ import annotations

from hexgate.difference.change import Difference, Effect
from hexgate.difference.compare import Report
from hexgate.strict_json import Json
from hexgate_cli.diff_sides import OpenedSide
from hexgate_cli.rendering.call_text import call_to_dict
from hexgate_cli.rendering.decision_json import decision_to_dict


def diff_to_dict(report: Report, before: OpenedSide, after: OpenedSide) -> dict[str, Json]:
    """The whole report. `seconds` is a time in seconds."""
    disagreement = report.disagreement
    return {
        "old": _side(before),
        "new": _side(after),
        "seed": report.seed,
        "cases": report.cases,
        "all_derived": report.is_complete,
        "seconds": round(report.seconds, 6),
        "summary": {effect.value: report.count(effect) for effect in Effect},
        "differences": [_difference(found) for found in report.differences],
        "disagreement": None
        if disagreement is None
        else {
            "side": disagreement.side,
            "call": call_to_dict(disagreement.call),
            "decisions": {name: decision_to_dict(decision) for name, decision in disagreement.decisions.items()},
        },
    }


def _side(opened: OpenedSide) -> dict[str, Json]:
    named = opened.side.named
    return {
        "name": opened.name,
        "engines": list(opened.side.engines),
        "has_policies": opened.side.policy is not None,
        "roles": list(named.roles),
        "tools": [*named.tools, *named.patterns],
    }


def _difference(found: Difference) -> dict[str, Json]:
    return {
        "effect": found.effect.value,
        "change": found.change.value,
        "role": found.role,
        "tool": found.tool,
        "call": call_to_dict(found.call),
        "old": decision_to_dict(found.old),
        "new": decision_to_dict(found.new),
    }
