"""Audit events as OpenTelemetry log records, through the SDK's own logger provider (the extra `hexgate[opentelemetry]`).

A record's body is the exact line, so that a collector keeps what the tree vouches for; what one searches by is also in
attributes. The batch processor drops records when its queue is full: the file is the log, this is a copy of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LogRecord, SeverityNumber

from hexgate.audit.event import EventMalformedError, parse_timestamp, read_record

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import LoggerProvider

_SEVERITIES = {"allow": SeverityNumber.INFO, "approval_required": SeverityNumber.WARN, "deny": SeverityNumber.WARN}


class OpenTelemetrySink:
    """Hands every event, and every checkpoint, to the logger of a provider that the application has set up."""

    def __init__(self, provider: LoggerProvider, *, flush_seconds: float = 5.0) -> None:
        """`flush_seconds` bounds how long closing waits for the provider's processors."""
        self._provider = provider
        self._logger = provider.get_logger("hexgate.audit")
        self._flush_milliseconds = int(flush_seconds * 1000)

    def take(self, line: bytes) -> None:
        """Emit an event."""
        self._logger.emit(log_record_of(line))

    def anchor(self, note: bytes) -> None:
        """Emit a signed checkpoint: kept by the collector, it shows a log that was cut."""
        self._logger.emit(
            LogRecord(
                severity_number=SeverityNumber.INFO,
                severity_text="INFO",
                body=note.decode(),
                event_name="hexgate.audit.checkpoint",
            )
        )

    def close(self) -> None:
        """Wait for what was emitted; the provider stays the application's."""
        self._provider.force_flush(self._flush_milliseconds)


def log_record_of(line: bytes) -> LogRecord:
    """The log record of a line (OpenTelemetry logs data model): of a decision, of a step of an approval, of a count of denials that were
    not recorded. Raises EventMalformedError for any other."""
    event = read_record(line)
    try:
        match event["type"]:
            case "approval":
                return _record_of_step(event, line)
            case "unrecorded":
                return _log_record(event, line, "hexgate.unrecorded", SeverityNumber.ERROR, {"hexgate.denials": event["denials"]})
            case "decision":
                return _record_of_decision(event, line)
    except (KeyError, TypeError, ValueError) as error:
        raise EventMalformedError("the event lacks a field, or one has another type") from error
    raise EventMalformedError("the record is none that a sink takes")


def _record_of_step(event: dict[str, Any], line: bytes) -> LogRecord:
    attributes = {
        "hexgate.approval.step": event["step"],
        "hexgate.approval.request": event["request"],
        "hexgate.approval.refusal": event["refusal"],
        "hexgate.approval.approver": event["approver"],
        "hexgate.role": event["role"],
        "gen_ai.tool.name": event["tool"],
        "enduser.id": event["user"],
    }
    severity = SeverityNumber.WARN if event["step"] in ("denied", "refused") else SeverityNumber.INFO
    return _log_record(event, line, "hexgate.approval", severity, attributes)


def _record_of_decision(event: dict[str, Any], line: bytes) -> LogRecord:
    result = event["result"]
    attributes = {
        "hexgate.verdict": result["verdict"],
        "hexgate.reason": result["reason"],
        "hexgate.token_refusal": event.get("token_refusal"),
        "hexgate.role": result["role"],
        "gen_ai.tool.name": result["tool"],
        "gen_ai.tool.call.id": event["call_id"],
        "enduser.id": event["user"],
        "hexgate.run_id": event["run_id"],
        "hexgate.constraint": None if result["constraint"] is None else result["constraint"]["text"],
    }
    for name, bundle in event["bundles"].items():
        attributes |= {"hexgate.bundle.name": name, "hexgate.bundle.revision": bundle["revision"]}
    return _log_record(event, line, "hexgate.decision", _SEVERITIES[result["verdict"]], attributes)


def _log_record(event: dict[str, Any], line: bytes, name: str, severity: SeverityNumber, attributes: dict[str, Any]) -> LogRecord:
    attributes["hexgate.decision_id"] = event["decision_id"]
    return LogRecord(
        timestamp=parse_timestamp(event["timestamp"]),
        severity_number=severity,
        severity_text=severity.name,
        body=line.decode("ascii"),
        attributes={member: value for member, value in attributes.items() if value is not None},
        event_name=name,
    )
