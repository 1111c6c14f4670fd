"""Decisions for programs (`schemas/decision.schema.json`)."""

from __future__ import annotations

from hexgate.decision.decision import ConstraintReference, Decision, RuleReference
from hexgate.strict_json import Json
from hexgate_cli.rendering.diagnostics_json import place_to_dict


def decision_to_dict(decision: Decision) -> dict[str, Json]:
    """A decision, every field of it."""
    bundle = decision.bundle
    return {
        "verdict": decision.verdict.value,
        "reason": decision.reason.value,
        "role": decision.role,
        "tool": decision.tool,
        "rule": None if decision.rule is None else rule_to_dict(decision.rule),
        "constraint": None if decision.constraint is None else constraint_to_dict(decision.constraint),
        "fault": None if decision.fault is None else decision.fault.code,
        "message": decision.message,
        "bundle": None
        if bundle is None
        else {"name": bundle.name, "version": bundle.version, "digest": bundle.digest},
    }


def rule_to_dict(rule: RuleReference) -> dict[str, Json]:
    """A rule, as its author wrote it."""
    return {
        "role": rule.role,
        "tool": rule.tool,
        "number": rule.number,
        "mode": rule.mode.value,
        "place": place_to_dict(rule.place),
        "constraints": [constraint_to_dict(constraint) for constraint in rule.constraints],
        "message": rule.message,
        "approvers": list(rule.approvers),
        "expires_in": rule.expires_in,
    }


def constraint_to_dict(constraint: ConstraintReference) -> dict[str, Json]:
    """A constraint, as its author wrote it."""
    return {"text": constraint.text, "place": place_to_dict(constraint.place)}
