"""What people are shown of logs and of held calls: nothing that misleads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexgate.approvals.request import ApprovalRequest, HeldBy, State
from hexgate.approvals.steps import StoredRequest
from hexgate.audit.log import AuditLog
from hexgate.audit.verify import Verification
from hexgate_cli.audit_formats import ExportFormat, export_line
from hexgate_cli.audit_records import EventReader, Filter
from hexgate_cli.rendering.approvals import format_request
from hexgate_cli.rendering.audit_verification import format_verification
from hexgate_cli.terminal import Screen
from tests.audit.logs import policy, record

FORMULAS = ["=1+1", "+1", "-1", "@x", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str, tmp_path: Path) -> None:
    with AuditLog(tmp_path / "log") as log:
        record(log.recorder(policy()), call_id=text)
    (event,) = EventReader(str(tmp_path / "log"), Filter())
    assert f",'{text}," in export_line(event, ExportFormat.CSV)


def test_an_approver_is_shown_the_end_of_a_long_value() -> None:
    shown = {"args": {"to": "friend" + " " * 1_900 + "and mallory"}}
    held_by = HeldBy("billing", "wire", 0, (), (), 60)
    request = ApprovalRequest("1a", "wire", "alice", "billing", "5a", shown, (), (), None, held_by, 0, 60 * 10**9)
    text = format_request(StoredRequest(request, State.PENDING), 0, Screen())
    assert f'    to: "{shown["args"]["to"]}"\n' in text and "…" not in text


WORDS = [
    (Verification(), "sound: 0 records in 0 segments, 0 under 0 checkpoints"),
    (Verification(records=3, vouched=2, checkpoints=1, segments=1), "sound: 3 records in 1 segment, 2 under 1 checkpoint"),
    (Verification(records=3, segments=1), "nothing vouches for this log: 3 records in 1 segment, 0 under 0 checkpoints"),
]


@pytest.mark.parametrize(("found", "line"), WORDS)
def test_a_log_without_checkpoints_is_not_called_sound(found: Verification, line: str) -> None:
    assert format_verification(found, trusted=True, screen=Screen()).splitlines()[0] == line
