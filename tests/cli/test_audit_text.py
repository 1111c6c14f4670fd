"""What people are shown of logs and of held calls: nothing that misleads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hexgate.approvals.request import ApprovalRequest, HeldBy, State
from hexgate.approvals.steps import StoredRequest
from hexgate.audit.log import AuditLog
from hexgate.audit.verify import Verification
from hexgate.decision.decision import Decision, Reason, Verdict
from hexgate.identity.refusal import TokenRefusal
from hexgate_cli.audit_formats import ExportFormat, event_to_cloudevent, event_to_ocsf, export_line
from hexgate_cli.audit_records import EventReader, Filter
from hexgate_cli.audit_replay import decide_again
from hexgate_cli.commands.audit_show import command as show_call
from hexgate_cli.engines import open_engines
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.options import Engine
from hexgate_cli.policies import require_policy
from hexgate_cli.rendering.approvals import format_request
from hexgate_cli.rendering.audit_line import format_entry
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


@pytest.mark.parametrize("call_id", ['say "hi"', "appel-\u00e9\U0001f600", "a\\b", "x" * 300])
def test_a_call_is_found_by_its_id_however_that_is_recorded(call_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with AuditLog(tmp_path / "log") as log:
        record(log.recorder(policy()), call_id=call_id)
    assert show_call(str(tmp_path / "log"), call_id) is ExitCode.OK
    assert capsys.readouterr().out.startswith("ALLOW  refund_order for role billing\n")


def test_an_approver_is_shown_the_end_of_a_long_value() -> None:
    shown = {"args": {"to": "friend" + " " * 1_900 + "and mallory"}}
    held_by = HeldBy("billing", "wire", 0, (), (), 60)
    request = ApprovalRequest("1a", "wire", "alice", "billing", "5a", shown, (), (), None, held_by, 0, 60 * 10**9)
    text = format_request(StoredRequest(request, State.PENDING), 0, Screen())
    assert f'    to: "{shown["args"]["to"]}"\n' in text and "…" not in text


def test_a_reader_sees_why_a_token_was_refused(tmp_path: Path) -> None:
    refused = Decision(Verdict.DENY, Reason.TOKEN_REFUSED, None, "wire")
    with AuditLog(tmp_path / "log") as log:
        record(log.recorder(policy()), decision=refused, user=None, token_refusal=TokenRefusal.REVOKED)
    (event,) = EventReader(str(tmp_path / "log"), Filter())
    assert format_entry(event, Screen()).endswith("  token_refused (revoked)")
    assert ",revoked," in export_line(event, ExportFormat.CSV)
    assert event_to_ocsf(event)["status_detail"] == "revoked"


TOOLS = {
    "wire": "wire", "\u00fcber\u2028weisung": "\u00fcber\u2028weisung", "a\x07\n": "a\\u0007\\n", "a\x7f\x85": "a\\u007f\\u0085",
    "\ufdd0": "\\ufdd0", "\ufffe": "\\ufffe", "\U0010ffff": "\\udbff\\udfff",
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_a_cloudevent_has_no_character_that_its_attributes_may_not_have(tool: str, tmp_path: Path) -> None:
    with AuditLog(tmp_path / "log") as log:
        record(log.recorder(policy()), decision=Decision(Verdict.DENY, Reason.UNKNOWN_TOOL, "billing", tool))
    (event,) = EventReader(str(tmp_path / "log"), Filter())
    assert event_to_cloudevent(event)["subject"] == TOOLS[tool]


def test_an_unknown_caller_is_a_user_of_ocsf(tmp_path: Path) -> None:
    """The object `user` asks for an account, a name or an id."""
    with AuditLog(tmp_path / "log") as log:
        record(log.recorder(policy()), user=None)
        record(log.recorder(policy()))
    found = [event_to_ocsf(event)["actor"]["user"] for event in EventReader(str(tmp_path / "log"), Filter())]
    groups = [{"name": "billing"}]
    assert found == [{"name": "(unknown)", "type_id": 0, "groups": groups}, {"uid": "alice", "type_id": 0, "groups": groups}]


@pytest.mark.parametrize(("decided_at", "verdict"), [(None, Verdict.DENY), (1_000, Verdict.ALLOW)])
def test_a_call_is_decided_again_at_the_time_that_its_constraints_read(decided_at: int | None, verdict: Verdict, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text('version: 1\nroles:\n  billing:\n    tools:\n      refund_order:\n        mode: allow\n'
                                     '        constraints: [now < timestamp("2000-01-01T00:00:00Z")]\n')  # fmt: skip
    with AuditLog(tmp_path / "log") as log:
        record(log.recorder(policy()), decided_at=decided_at)
    (event,) = EventReader(str(tmp_path / "log"), Filter())
    answers = decide_again(event, open_engines(require_policy(str(tmp_path / "p.yaml"), None), Engine.BOTH))
    assert [answer.verdict for answer in answers.values()] == [verdict] * 2


WORDS = [
    (Verification(), "sound: 0 records in 0 segments, 0 under 0 checkpoints"),
    (Verification(records=3, vouched=2, checkpoints=1, segments=1), "sound: 3 records in 1 segment, 2 under 1 checkpoint"),
    (Verification(records=3, segments=1), "nothing vouches for this log: 3 records in 1 segment, 0 under 0 checkpoints"),
]


@pytest.mark.parametrize(("found", "line"), WORDS)
def test_a_log_without_checkpoints_is_not_called_sound(found: Verification, line: str) -> None:
    assert format_verification(found, trusted=True, screen=Screen()).splitlines()[0] == line
