"""Audit events: one decision each, as one line of ASCII JSON (docs/audit.md A2, schemas/audit-event.schema.json).

Field names are those of OPA's decision log where it has one: `decision_id`, `timestamp`, `input`, `result`, `bundles`,
`metrics`, `erased`, `masked`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hexgate.audit.recordable import TYPES
from hexgate.decision.decision import BundleReference, Decision, Reason, Verdict
from hexgate.faults import Fault
from hexgate.place import Place
from hexgate.strict_json import StrictJsonError, parse_json

LINE_BYTES = 65_536
"""Longest line of a log, without its newline."""

NAME_CHARACTERS = 256
"""Longest user id, role, tool, run, call or token id that is recorded; the rest is cut, with `…` in its place."""

TEXT_CHARACTERS = 2_048
"""Longest constraint or message that is recorded, cut in the same way."""

_SECOND = 10**9
LATEST = 253_402_300_800 * _SECOND - 1
"""The last instant of the year 9999 in nanoseconds since the epoch: later ones are recorded as this one."""


class EventMalformedError(ValueError):
    """A line that is no event of this version. The message is one sentence."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided, as it is recorded. `constraint` and `rule` are as their author wrote them, with their places."""

    verdict: Verdict
    reason: Reason
    role: str | None
    tool: str | None
    fault: str | None = None
    rule_role: str | None = None
    rule_tool: str | None = None
    rule_number: int | None = None
    rule_place: Place | None = None
    constraint: str | None = None
    constraint_place: Place | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One decision. `timestamp` is in nanoseconds since the epoch, `latency` in nanoseconds, None where not measured;
    `args_digest` is the keyed hash of the whole arguments; `previous` is the first half of the previous line's leaf hash;
    `token_refusal` is why the caller's token was refused, and `decided_at` the time that constraints read, where it was not `timestamp`."""

    seq: int
    previous: str
    decision_id: str
    timestamp: int
    user: str | None
    outcome: Outcome
    bundle: BundleReference | None
    args_digest: str | None
    input: Mapping[str, Any] = field(default_factory=dict)
    masked: tuple[str, ...] = ()
    erased: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    token_id: str | None = None
    run_id: str | None = None
    call_id: str | None = None
    latency: int | None = None
    token_refusal: str | None = None
    decided_at: int | None = None


def outcome_of(decision: Decision) -> Outcome:
    """A decision as it is recorded: every text cut to its cap."""
    rule, constraint = decision.rule, decision.constraint
    return Outcome(
        decision.verdict,
        decision.reason,
        cut(decision.role, NAME_CHARACTERS),
        cut(decision.tool, NAME_CHARACTERS),
        None if decision.fault is None else decision.fault.code,
        None if rule is None else rule.role,
        None if rule is None else rule.tool,
        None if rule is None else rule.number,
        None if rule is None else rule.place,
        None if constraint is None else cut(constraint.text, TEXT_CHARACTERS),
        None if constraint is None else constraint.place,
        None if rule is None else cut(rule.message, TEXT_CHARACTERS),
    )


def cut(text: object, characters: int) -> str | None:
    """A text as it is recorded: at most so long, and of Unicode. None for what is no text."""
    if type(text) is not str:
        return None
    kept = text if len(text) <= characters else text[: characters - 1] + "…"
    try:
        kept.encode()
    except UnicodeEncodeError:
        return kept.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return kept


def encode_json(value: Any) -> str:
    """JSON in ASCII without white space and without any control character."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("\x7f", "\\u007f")


def format_timestamp(nanoseconds: int) -> str:
    """RFC 3339 in UTC with nine digits of a second; an instant outside the years 1970 to 9999 becomes the nearest one."""
    seconds, rest = divmod(max(0, min(nanoseconds, LATEST)), _SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def parse_timestamp(text: str) -> int:
    """Nanoseconds since the epoch of what `format_timestamp` writes. Raises ValueError."""
    if len(text) != 30 or text[19] != "." or text[29] != "Z" or not (text[20:29].isascii() and text[20:29].isdigit()):
        raise ValueError("no timestamp")
    seconds = int(datetime.strptime(text[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp())
    return seconds * _SECOND + int(text[20:29])


def write_event(event: AuditEvent) -> bytes:
    """The line of an event, without its newline: the definition that the fast encoder is held to."""
    document = {
        "seq": event.seq,
        "prev": event.previous,
        "decision_id": event.decision_id,
        "type": "decision",
        "timestamp": format_timestamp(event.timestamp),
        "user": event.user,
        "token_id": event.token_id,
        **({} if event.token_refusal is None else {"token_refusal": event.token_refusal}),
        **({} if event.decided_at is None else {"now": format_timestamp(event.decided_at)}),
        "run_id": event.run_id,
        "call_id": event.call_id,
        "args_digest": event.args_digest,
        "input": event.input,
        "masked": event.masked,
        "erased": event.erased,
        "types": event.types,
        "metrics": {"timer_hexgate_decide_ns": event.latency},
        "result": outcome_to_dict(event.outcome),
        "bundles": bundle_to_dict(event.bundle),
    }
    return encode_json(document).encode()


def outcome_to_dict(outcome: Outcome) -> dict[str, Any]:
    """The member `result`."""
    return {
        "verdict": outcome.verdict.value,
        "reason": outcome.reason.value,
        "role": outcome.role,
        "tool": outcome.tool,
        "fault": outcome.fault,
        "rule": None
        if outcome.rule_place is None
        else {
            "role": outcome.rule_role,
            "tool": outcome.rule_tool,
            "number": outcome.rule_number,
            "place": _place_to_list(outcome.rule_place),
            "message": outcome.message,
        },
        "constraint": None
        if outcome.constraint_place is None
        else {"text": outcome.constraint, "place": _place_to_list(outcome.constraint_place)},
    }


def bundle_to_dict(bundle: BundleReference | None) -> dict[str, Any]:
    """The member `bundles`, in OPA's form: by name, with the version as the revision."""
    return {} if bundle is None else {bundle.name: {"revision": str(bundle.version), "digest": bundle.digest}}


def _place_to_list(place: Place) -> list[str | int]:
    return [place.file, place.line, place.column, place.length]


def read_record(line: bytes) -> dict[str, Any]:
    """Any line of a log as an object. Raises EventMalformedError."""
    if len(line) > LINE_BYTES:
        raise EventMalformedError(f"the line is longer than {LINE_BYTES} bytes")
    try:
        document = parse_json(line)
    except StrictJsonError as error:
        raise EventMalformedError(error.message) from None
    if not isinstance(document, dict) or type(document.get("type")) is not str:
        raise EventMalformedError("the line is no record of an audit log")
    return document


def read_event(record: Mapping[str, Any]) -> AuditEvent:
    """The event of a record whose `type` is `decision`. Raises EventMalformedError."""
    try:
        if record["type"] != "decision":
            raise EventMalformedError("the record is no decision")
        types = record["types"]
        if not set(types.values()) <= TYPES:
            raise EventMalformedError("the event has a value of an unknown type")
        return AuditEvent(
            _int(record["seq"]),
            _text(record["prev"]),
            _text(record["decision_id"]),
            parse_timestamp(record["timestamp"]),
            _optional(record["user"]),
            _read_outcome(record["result"]),
            _read_bundle(record["bundles"]),
            _optional(record["args_digest"]),
            dict(record["input"]),
            tuple(map(_text, record["masked"])),
            tuple(map(_text, record["erased"])),
            dict(types),
            _optional(record["token_id"]),
            _optional(record["run_id"]),
            _optional(record["call_id"]),
            None if record["metrics"]["timer_hexgate_decide_ns"] is None
            else _int(record["metrics"]["timer_hexgate_decide_ns"]),
            _optional(record.get("token_refusal")),
            None if record.get("now") is None else parse_timestamp(record["now"]),
        )  # fmt: skip
    except EventMalformedError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EventMalformedError("the event lacks a field, or one has another type") from error


def _read_outcome(result: Mapping[str, Any]) -> Outcome:
    rule, constraint = result["rule"], result["constraint"]
    return Outcome(
        Verdict(result["verdict"]),
        Reason(result["reason"]),
        _optional(result["role"]),
        _optional(result["tool"]),
        _fault(result["fault"]),
        None if rule is None else _optional(rule["role"]),
        None if rule is None else _text(rule["tool"]),
        None if rule is None else _int(rule["number"]),
        None if rule is None else _place(rule["place"]),
        None if constraint is None else _text(constraint["text"]),
        None if constraint is None else _place(constraint["place"]),
        None if rule is None else _optional(rule["message"]),
    )


_FAULTS = frozenset(fault.code for fault in Fault)


def _fault(value: Any) -> str | None:
    if value is not None and value not in _FAULTS:
        raise EventMalformedError("the event has an unknown fault")
    return _optional(value)


def _read_bundle(bundles: Mapping[str, Any]) -> BundleReference | None:
    for name, bundle in bundles.items():
        return BundleReference(_text(name), int(_text(bundle["revision"])), _text(bundle["digest"]))
    return None


def _place(value: Any) -> Place:
    file, line, column, length = value
    return Place(_text(file), _int(line), _int(column), _int(length))


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _int(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _optional(value: Any) -> str | None:
    return None if value is None else _text(value)

