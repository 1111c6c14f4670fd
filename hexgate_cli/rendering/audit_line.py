"""One line for each record of an audit log, and one event in full."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hexgate.audit.event import AuditEvent, format_timestamp, outcome_to_dict
from hexgate.decision.decision import Verdict
from hexgate_cli.audit_records import Entry, Unreadable
from hexgate_cli.rendering.decision_human import WORDS
from hexgate_cli.rendering.excerpt import format_place
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, pad, shorten

SHORT = {Verdict.ALLOW: "allow", Verdict.APPROVAL_REQUIRED: "approval", Verdict.DENY: "deny"}


def format_entry(entry: Entry, screen: Screen) -> str:
    """A line, without a line break. Whatever a log holds, a terminal obeys none of it."""
    if isinstance(entry, Unreadable):
        return screen.paint(f"unreadable line: {escape_text(entry.sentence)}", Colour.BOLD_RED)
    if isinstance(entry, AuditEvent):
        return _format_event(entry, screen)
    return screen.paint(_format_own(entry), Colour.DIM)


def _format_event(event: AuditEvent, screen: Screen) -> str:
    outcome = event.outcome
    verdict = screen.paint(pad(SHORT[outcome.verdict], 8), WORDS[outcome.verdict][1])
    who = f"{name(event.user)} ({name(outcome.role)})"
    head = f"{screen.paint(clock(event.timestamp), Colour.DIM)}  {verdict}  {pad(name(outcome.tool), 24)}  {pad(who, 24)}"
    return f"{head}  {why(event)}".rstrip()


def why(event: AuditEvent) -> str:
    """What decided: the constraint with its place, or the rule's place, or the reason alone."""
    outcome = event.outcome
    detail = outcome.fault or event.token_refusal
    reason = outcome.reason.value if detail is None else f"{outcome.reason.value} ({name(detail)})"
    if outcome.constraint is not None and outcome.constraint_place is not None:
        text = shorten(escape_text(" ".join(outcome.constraint.split())), 80)
        return f"{reason}: {text}  {format_place(outcome.constraint_place)}"
    if outcome.rule_place is not None:
        return f"{reason}  {format_place(outcome.rule_place)}"
    return reason


def name(text: str | None) -> str:
    """A recorded name; `-` where there is none."""
    return "-" if text is None else escape_name(text) or '""'


def clock(nanoseconds: int) -> str:
    """Date and time to the millisecond, in UTC."""
    text = format_timestamp(nanoseconds)
    return f"{text[:10]} {text[11:23]}"


def _format_own(record: Mapping[str, Any]) -> str:
    type_ = record["type"]
    if type_ == "segment":
        what = f"segment {record.get('segment')} of log {record.get('log')} begins"
    elif type_ == "repaired":
        what = f"a torn line of {record.get('bytes')} bytes was moved to {record.get('file')}"
    elif type_ == "unrecorded":
        what = f"{record.get('denials')} denials before this could not be recorded"
    elif type_ == "approval":
        what = _format_step(record)
    else:
        what = f"a record of type {type_}"
    stamp = str(record.get("timestamp"))
    return shorten(escape_text(f"{stamp[:10]} {stamp[11:23]}  {what}"), 200)


def _format_step(record: Mapping[str, Any]) -> str:
    step, request = record.get("step"), record.get("request")
    if step == "refused":
        return f"approval {request} refused ({record.get('refusal')})"
    call = f"{record.get('tool')} of {record.get('user')} ({record.get('role')})"
    by = "" if record.get("approver") is None else f" by {record.get('approver')}"
    return f"approval {request} {step}{by}: {call}"


def format_event(event: AuditEvent, screen: Screen) -> str:
    """An event in full, several lines, ending with a line break."""
    outcome = event.outcome
    word, colour = WORDS[outcome.verdict]
    head = f"{screen.paint(word, colour)}  {screen.paint(name(outcome.tool), Colour.BOLD)} for role {screen.paint(name(outcome.role), Colour.BOLD)}"
    rows = [
        ("decided by", why(event)),
        ("message", "" if outcome.message is None else escape_text(outcome.message)),
        ("user", name(event.user)),
        ("token", "" if event.token_id is None else name(event.token_id)),
        ("time", format_timestamp(event.timestamp)),
        ("took", "" if event.latency is None else f"{event.latency / 1000:,.1f} us"),
        ("run", "" if event.run_id is None else name(event.run_id)),
        ("call", "" if event.call_id is None else name(event.call_id)),
        ("bundle", "" if event.bundle is None else f"{name(event.bundle.name)} version {event.bundle.version}, sha256 {name(event.bundle.digest)}"),
        ("arguments", f"keyed digest {name(event.args_digest)}"),
        ("id", name(event.decision_id)),
    ]
    lines = [head, *(f"  {title:<10}  {text}" for title, text in rows if text)]
    for root, values in event.input.items():
        lines.append(f"  {escape_name(root)}")
        members = values.items() if isinstance(values, dict) else [("", values)]
        lines += [f"    {escape_name(key)}: {shorten(escape_text(json.dumps(value, ensure_ascii=False)), 160)}" for key, value in members]
    for title, pointers in (("masked", event.masked), ("not recorded", event.erased)):
        if pointers:
            lines.append(f"  {title}: {', '.join(escape_name(pointer) for pointer in pointers)}")
    return "\n".join(lines) + "\n"


def event_to_dict(event: AuditEvent) -> dict[str, Any]:
    """An event as JSON, one member for each of its own."""
    return {
        "decision_id": event.decision_id,
        "timestamp": format_timestamp(event.timestamp),
        "user": event.user,
        "token_id": event.token_id,
        "run_id": event.run_id,
        "call_id": event.call_id,
        "latency_ns": event.latency,
        "result": outcome_to_dict(event.outcome),
    }
