"""From a policy set on disk to what the engines take."""

from __future__ import annotations

from pathlib import Path

from hexgate.diagnostics import Diagnostic, Severity
from hexgate.policy.check import check_with_notes
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.link import link
from hexgate.policy.load import load_policy
from hexgate.policy.tool_schemas import parse_tool_schemas


def check_set(policies: Path, tools: Path | None) -> tuple[CheckedPolicy, list[Diagnostic]]:
    """The checked policy of a directory, and its warnings. Raises PolicyInvalidError where it has errors."""
    schemas = None if tools is None else parse_tool_schemas(tools.name, tools.read_bytes())
    checked, findings = check_with_notes(link(load_policy(policies)), schemas)
    return checked, [finding for finding in findings if finding.severity is not Severity.NOTE]
