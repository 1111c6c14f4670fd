"""Events through the real SDK and its OTLP exporter, to a receiver on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

from hexgate.audit.event import EventMalformedError
from hexgate.audit.log import AuditLog
from hexgate.audit.opentelemetry_sink import OpenTelemetrySink, log_record_of
from hexgate.audit.recorder import ApprovalStep, record_step
from tests.audit.logs import DENIED, START, Clock, policy, record, rotation, segments


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    """An OTLP receiver: its address, and the log records that it has."""
    found: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = ExportLogsServiceRequest.FromString(body)
            found.extend(r for logs in request.resource_logs for scope in logs.scope_logs for r in scope.log_records)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/logs", found
    server.shutdown()
    thread.join()
    server.server_close()


def test_events_reach_a_collector(tmp_path: Path, receiver: tuple[str, list[Any]]) -> None:
    address, found = receiver
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=address, compression=None)))
    with AuditLog(tmp_path, sinks=[OpenTelemetrySink(provider)], rotation=rotation(), clock=Clock()) as log:
        recorder = log.recorder(policy())
        record(recorder, 1, call_id="call-1")
        record(recorder, 2, DENIED)
    provider.shutdown()
    allowed, denied, checkpoint = found
    lines = segments(tmp_path)[0].read_bytes().splitlines()
    assert [allowed.body.string_value, denied.body.string_value] == [line.decode() for line in lines[1:]]
    assert (allowed.severity_text, denied.severity_text, allowed.time_unix_nano) == ("INFO", "WARN", START + 1)
    attributes = {pair.key: pair.value.string_value for pair in denied.attributes}
    assert attributes == {
        "hexgate.verdict": "deny", "hexgate.reason": "constraint_failed", "hexgate.role": "billing",
        "gen_ai.tool.name": "refund_order", "enduser.id": "alice", "hexgate.constraint": "args.amount <= 500",
        "hexgate.decision_id": attributes["hexgate.decision_id"],
        "hexgate.bundle.name": "policy", "hexgate.bundle.revision": "7",
    }  # fmt: skip
    assert {pair.key: pair.value.string_value for pair in allowed.attributes}["gen_ai.tool.call.id"] == "call-1"
    assert checkpoint.body.string_value.startswith("hexgate-audit/") and checkpoint.event_name == "hexgate.audit.checkpoint"


def test_steps_of_approvals_and_counts_reach_a_collector_too(tmp_path: Path, receiver: tuple[str, list[Any]]) -> None:
    """A sink that took decisions only would keep every held call from being approved."""
    address, found = receiver
    provider = LoggerProvider()
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=address, compression=None)))
    with AuditLog(tmp_path, sinks=[OpenTelemetrySink(provider)], rotation=rotation(), clock=Clock()) as log:
        log.count_denial()
        record_step(log, ApprovalStep("requested", "ab12", "cd34", "wire", "alice", "billing"), START)
        record_step(log, ApprovalStep("refused", "ab12", refusal="consumed"), START + 1)
    provider.shutdown()
    said = [(one.event_name, one.severity_text, {pair.key: pair.value.string_value for pair in one.attributes}) for one in found[:3]]
    assert [one.body.string_value.encode() for one in found[:3]] == segments(tmp_path)[0].read_bytes().splitlines()[1:]
    names = [attributes.pop("hexgate.decision_id").rpartition("-")[2] for _, _, attributes in said]
    assert names == ["1", "2", "3"]
    assert [attributes.pop("hexgate.denials", None) for _, _, attributes in said] == ["", None, None]  # an integer, and no string
    assert said == [
        ("hexgate.unrecorded", "ERROR", {}),
        ("hexgate.approval", "INFO", {
            "hexgate.approval.step": "requested", "hexgate.approval.request": "ab12", "gen_ai.tool.name": "wire",
            "enduser.id": "alice", "hexgate.role": "billing",
        }),
        ("hexgate.approval", "WARN", {
            "hexgate.approval.step": "refused", "hexgate.approval.request": "ab12", "hexgate.approval.refusal": "consumed",
        }),
    ]  # fmt: skip


def test_a_line_of_another_type_is_no_record_for_a_collector() -> None:
    with pytest.raises(EventMalformedError, match=r"^the record is none that a sink takes$"):
        log_record_of(b'{"type":"segment"}')
    with pytest.raises(EventMalformedError, match=r"^the event lacks a field, or one has another type$"):
        log_record_of(b'{"type":"approval"}')
