"""Events in the formats of others: CSV (RFC 4180, with line feeds alone), OCSF 1.3 API Activity, CloudEvents 1.0."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from hexgate import __version__
from hexgate.audit.event import AuditEvent, encode_json, format_timestamp, read_record, write_event
from hexgate.decision.decision import Verdict
from hexgate_cli.rendering.excerpt import format_place
from hexgate_cli.terminal import escape_text


class ExportFormat(StrEnum):
    """What to write."""

    CSV = "csv"
    OCSF = "ocsf"
    CLOUDEVENTS = "cloudevents"


COLUMNS: dict[str, Callable[[AuditEvent], Any]] = {
    "timestamp": lambda event: format_timestamp(event.timestamp),
    "decision_id": lambda event: event.decision_id,
    "verdict": lambda event: event.outcome.verdict.value,
    "reason": lambda event: event.outcome.reason.value,
    "fault": lambda event: event.outcome.fault,
    "tool": lambda event: event.outcome.tool,
    "role": lambda event: event.outcome.role,
    "user": lambda event: event.user,
    "token_id": lambda event: event.token_id,
    "token_refusal": lambda event: event.token_refusal,
    "run_id": lambda event: event.run_id,
    "call_id": lambda event: event.call_id,
    "constraint": lambda event: event.outcome.constraint,
    "constraint_place": lambda event: None if event.outcome.constraint_place is None else format_place(event.outcome.constraint_place),
    "rule_place": lambda event: None if event.outcome.rule_place is None else format_place(event.outcome.rule_place),
    "bundle": lambda event: None if event.bundle is None else event.bundle.name,
    "bundle_version": lambda event: None if event.bundle is None else event.bundle.version,
    "bundle_digest": lambda event: None if event.bundle is None else event.bundle.digest,
    "latency_ns": lambda event: event.latency,
    "args_digest": lambda event: event.args_digest,
    "input": lambda event: encode_json(event.input),
    "masked": lambda event: " ".join(event.masked),
    "erased": lambda event: " ".join(event.erased),
}

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the full-width forms, which some spreadsheets take for the others (OWASP, CSV Injection)."""

_NONCHARACTERS = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_NOT_IN_ATTRIBUTES = re.compile(f"[\\x00-\\x1f\\x7f-\\x9f\\ufdd0-\\ufdef{_NONCHARACTERS}]")
"""What a CloudEvent's attributes may not have (CloudEvents 1.0, "Type System", String)."""


def export_header(format_: ExportFormat) -> str:
    """What comes before the first event."""
    return _csv_row(COLUMNS) if format_ is ExportFormat.CSV else ""


def export_line(event: AuditEvent, format_: ExportFormat) -> str:
    """One event, with its line break."""
    match format_:
        case ExportFormat.CSV:
            return _csv_row(_cell(column(event)) for column in COLUMNS.values())
        case ExportFormat.OCSF:
            return encode_json(event_to_ocsf(event)) + "\n"
        case ExportFormat.CLOUDEVENTS:
            return encode_json(event_to_cloudevent(event)) + "\n"


def _csv_row(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula, and no terminal obeys."""
    text = "" if value is None else escape_text(str(value))
    return "'" + text if text.startswith(_FORMULA) else text


_OCSF_STATUS = {Verdict.ALLOW: (1, "Success"), Verdict.APPROVAL_REQUIRED: (99, "Approval required"), Verdict.DENY: (2, "Failure")}
_OCSF_ACTION = {Verdict.ALLOW: (1, "Allowed"), Verdict.APPROVAL_REQUIRED: (99, "Approval required"), Verdict.DENY: (2, "Denied")}
_OCSF_SEVERITY = {Verdict.ALLOW: (1, "Informational"), Verdict.APPROVAL_REQUIRED: (2, "Low"), Verdict.DENY: (3, "Medium")}


def event_to_ocsf(event: AuditEvent) -> dict[str, Any]:
    """An event of the class API Activity (6003) with the profile `security_control`."""
    outcome = event.outcome
    status_id, status = _OCSF_STATUS[outcome.verdict]
    action_id, action = _OCSF_ACTION[outcome.verdict]
    severity_id, severity = _OCSF_SEVERITY[outcome.verdict]
    policy = None
    if event.bundle is not None:
        policy = {"name": event.bundle.name, "version": str(event.bundle.version), "uid": event.bundle.digest}
    return _without_none({
        "class_uid": 6003,
        "class_name": "API Activity",
        "category_uid": 6,
        "category_name": "Application Activity",
        "activity_id": 99,
        "activity_name": "Tool call",
        "type_uid": 600399,
        "time": event.timestamp // 1_000_000,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_code": outcome.reason.value,
        "status_detail": outcome.constraint or event.token_refusal,
        "action_id": action_id,
        "action": action,
        "actor": {"user": _without_none({
            # A user has an id or a name (`at_least_one`), also where nobody knows who called.
            "uid": event.user, "name": "(unknown)" if event.user is None else None, "type_id": 0,
            "groups": [{"name": outcome.role}] if outcome.role else None,
        })},
        "api": {"operation": outcome.tool or "(no tool)", "request": {"uid": event.call_id or event.decision_id}},
        "src_endpoint": {"name": "agent"},
        "policy": policy,
        "metadata": {
            "version": "1.3.0",
            "uid": event.decision_id,
            "profiles": ["security_control"],
            "correlation_uid": event.run_id,
            "product": {"name": "Hexgate", "vendor_name": "Hexgate", "version": __version__},
        },
        "unmapped": {"event": read_record(write_event(event))},
    })  # fmt: skip


def event_to_cloudevent(event: AuditEvent) -> dict[str, Any]:
    """A CloudEvent in structured JSON mode; its data is the log's record."""
    log_id, _, _ = event.decision_id.rpartition("-")
    return _without_none({
        "specversion": "1.0",
        "id": event.decision_id,
        "source": f"urn:hexgate:audit:{log_id}",
        "type": "io.hexgate.decision.v1",
        "subject": _subject(event.outcome.tool or "") or None,
        "time": format_timestamp(event.timestamp),
        "datacontenttype": "application/json",
        "dataschema": "urn:hexgate:schema:audit-event",
        "data": read_record(write_event(event)),
    })  # fmt: skip


def _subject(tool: str) -> str:
    """A tool's name, with JSON's escapes where it has characters that no attribute may have: a model can ask for any name."""
    return encode_json(tool)[1:-1] if _NOT_IN_ATTRIBUTES.search(tool) else tool


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
