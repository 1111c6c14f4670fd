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

from hexgate.audit.log import AuditLog
from hexgate.audit.opentelemetry_sink import OpenTelemetrySink
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
