"""Bundles for programs (`schemas/verify.schema.json`, `schemas/inspect.schema.json`)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hexgate.bundle.statement import write_statement

if TYPE_CHECKING:
    from hexgate_cli.bundle_content_summary import Summary
    from hexgate_cli.bundle_report import Report


def report_to_dict(location: str, report: Report) -> dict[str, Any]:
    """The checks of a bundle. `bundle` is what would be trusted, None where nothing is."""
    verified = report.verified
    bundle = None
    if verified is not None and report.trusted:
        predicate = json.loads(write_statement(verified.statement))["predicate"]
        members = ("name", "version", "issuedAt", "notAfter", "sourceDigest", "compiler")
        bundle = {"digest": verified.digest, **{member: predicate[member] for member in members}}
    return {
        "location": location,
        "trusted": report.trusted,
        "refusal": None if report.refusal is None else report.refusal.value,
        "checks": [{"check": one.check, "passed": one.passed, "detail": one.detail} for one in report.findings],
        "signers": [{"key": key.text, "fingerprint": key.fingerprint} for key in report.signers],
        "bundle": bundle,
    }


def summary_to_dict(location: str, summary: Summary) -> dict[str, Any]:
    """What a bundle says and has; nothing of it is verified."""
    return {
        "location": location,
        "verified": False,
        "digest": summary.digest,
        "statement": json.loads(write_statement(summary.statement)),
        "artifacts": [{"name": one.name, "size": one.size, "state": one.state} for one in summary.artifacts],
        "keyids": list(summary.keyids),
        "roles": list(summary.roles),
        "rules": [
            {"role": rule.role, "tool": rule.tool, "mode": rule.mode, "constraints": rule.constraints, "file": rule.file, "line": rule.line}
            for rule in summary.rules
        ],
        "outcomes": summary.outcomes,
    }
