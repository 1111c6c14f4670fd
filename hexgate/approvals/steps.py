"""The steps of a request: requested, approved or denied, consumed or expired. Each is recorded before it counts.

A step is one transaction of the store. Its event is written inside it: a step that cannot be recorded is not made, and of two that race
one finds that the other was first.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hexgate.approvals.evidence import Approver, Evidence, Verifier, judge, read_evidence
from hexgate.approvals.refusal import ApprovalRefusal, ApprovalRefusedError
from hexgate.approvals.request import ApprovalRequest, RequestMalformedError, State, expiry, held_by, read_request
from hexgate.approvals.store import ApprovalStore, Row, Rows
from hexgate.audit.event import encode_json
from hexgate.audit.masking import Masking
from hexgate.audit.recordable import record_roots
from hexgate.audit.recorder import ApprovalStep
from hexgate.decision.argument_digest import canonical_arguments, is_identified
from hexgate.decision.decision import Decision, User, Verdict
from hexgate.decision.reads import EVERYTHING
from hexgate.decision.request import refuse_names
from hexgate.strict_json import parse_json

OPEN_REQUESTS = 100
"""Requests of one user that nobody has decided on, at most: a model may vary its arguments without end."""

SWEPT = 100
"""Overdue requests that one step marks as expired, at most: each is a synced line, and others wait."""

Keyed = Callable[[bytes], str]
"""A keyed hash, in hex."""

Record = Callable[[ApprovalStep, int], None]
"""Records a step at a time in nanoseconds since the epoch. Raises AuditUnavailableError."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a policy brings to approvals: what is masked, and whose tokens are read."""

    masking: Masking = field(default_factory=Masking)
    verifier: Verifier | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A held call: what was decided, and on what. `args` are the frozen arguments that are to be executed."""

    decision: Decision
    args: Any
    user: User | None


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request and where it stands; `approver` is who has decided, as the store says. Times are in nanoseconds since the epoch."""

    request: ApprovalRequest
    state: State
    approver: Approver | None = None
    decided: int | None = None
    consumed: int | None = None


class Steps:
    """The steps on one store. Safe between threads and processes."""

    def __init__(self, store: ApprovalStore, keyed: Callable[[], Keyed], record: Record) -> None:
        """`keyed` gives the keyed hash of the store; it may raise what `record` does. Every method raises ApprovalStoreError and what
        `record` raises."""
        self._store = store
        self._keyed = keyed
        self._record = record

    def request(self, call: Call, terms: Terms, now: int) -> StoredRequest:
        """The open or approved request for a held call, made where there is none. Raises ApprovalRefusedError; `denied` where an
        approver has said no to the same call and the time of that is not over."""
        made, key = self._made(call, terms, now)
        with self._store.writing() as rows:
            self._sweep(rows, now)
            try:
                return self._found_or_made(rows, made, key, now)
            except ApprovalRefusedError as error:
                refused = error
        # Only now: what was swept is in the log, and stays so in the store.
        raise refused

    def _found_or_made(self, rows: Rows, made: ApprovalRequest, key: str, now: int) -> StoredRequest:
        """Raises ApprovalRefusedError, having changed nothing."""
        for row in rows.of_call(key):
            if row.expires > now and row.state == State.DENIED.value:
                raise ApprovalRefusedError(ApprovalRefusal.DENIED)
            if row.expires > now and row.state in (State.PENDING.value, State.APPROVED.value):
                return _stored(row)
        user = self._user_key(made.user)
        if rows.open_of(user, now) >= OPEN_REQUESTS:
            raise ApprovalRefusedError(ApprovalRefusal.TOO_MANY)
        self._record(_step(State.PENDING, made), now)
        rows.add(Row(made.id, key, user, State.PENDING.value, made.created, made.expires, made.text))
        return StoredRequest(made, State.PENDING)

    def approve(self, id_: str, evidence: Evidence, verifier: Verifier | None, now: int) -> StoredRequest:
        """Approve an open request. The gate verifies all of it again when the approval is used. Raises ApprovalRefusedError."""
        return self._decide(id_, evidence, verifier, now, State.APPROVED, (State.PENDING,))

    def deny(self, id_: str, evidence: Evidence, verifier: Verifier | None, now: int) -> StoredRequest:
        """Deny an open request, or one that was approved and not used yet. Raises ApprovalRefusedError."""
        return self._decide(id_, evidence, verifier, now, State.DENIED, (State.PENDING, State.APPROVED))

    def consume(self, id_: str, call: Call, terms: Terms, now: int) -> StoredRequest:
        """Use an approval for exactly this call, once. Raises ApprovalRefusedError, also where somebody else was first. Where it is the
        `evidence` that stands no longer, the request is open again: somebody else may still approve it."""
        try:
            made, _ = self._made(call, terms, now)
            with self._store.writing() as rows:
                row, stored = _required(rows, id_)
                _require_same(stored.request, made, now)
                _require_state(row, (State.APPROVED,), now)
                approver = _standing_approver(row, stored.request, made.held_by.approvers, terms.verifier, now)
                if approver is None:
                    self._record(ApprovalStep("refused", id_, refusal=ApprovalRefusal.EVIDENCE.value), now)
                    rows.open_again(id_)
                else:
                    if not rows.change(id_, State.APPROVED, State.CONSUMED, now):
                        raise ApprovalRefusedError(ApprovalRefusal.CONSUMED)
                    self._record(_step(State.CONSUMED, stored.request, approver), now)
        except ApprovalRefusedError as error:
            self._record(ApprovalStep("refused", id_, refusal=error.refusal.value), now)
            raise
        if approver is None:
            raise ApprovalRefusedError(ApprovalRefusal.EVIDENCE)
        return StoredRequest(stored.request, State.CONSUMED, approver, row.decided, now)

    def expire(self, now: int) -> int:
        """Mark what is overdue as expired; how many."""
        count = 0
        while True:
            with self._store.writing() as rows:
                found = self._sweep(rows, now)
            count += found
            if found < SWEPT:
                return count

    def forget(self, before: int) -> int:
        """Remove denied, expired and consumed requests that were over before a time; how many. The log keeps their events."""
        with self._store.writing() as rows:
            return rows.forget(before)

    def get(self, id_: str) -> StoredRequest:
        """One request. Raises ApprovalRefusedError."""
        with self._store.reading() as rows:
            return _required(rows, id_)[1]

    def all(self, state: State | None, limit: int) -> list[StoredRequest | str]:
        """Requests, the latest first; of an altered one its id."""
        with self._store.reading() as rows:
            return [_stored_or_id(row) for row in rows.all(state, limit)]

    def _decide(
        self, id_: str, evidence: Evidence, verifier: Verifier | None, now: int, after: State, before: tuple[State, ...]
    ) -> StoredRequest:
        with self._store.writing() as rows:
            row, stored = _required(rows, id_)
            _require_state(row, before, now)
            approver = judge(evidence, stored.request, stored.request.held_by.approvers, verifier, now)
            self._record(_step(after, stored.request, approver), now)
            # The evidence of a denial would be good for an approval, so it is not kept.
            kept = evidence.text if after is State.APPROVED else None
            rows.decide(id_, after, now, kept, _approver_text(approver))
        return StoredRequest(stored.request, after, approver, now)

    def _made(self, call: Call, terms: Terms, now: int) -> tuple[ApprovalRequest, str]:
        """The request that a call would make now, and the key of the call. Raises ApprovalRefusedError."""
        decision, user = call.decision, call.user
        if decision.verdict is not Verdict.APPROVAL_REQUIRED or decision.rule is None:
            raise ApprovalRefusedError(ApprovalRefusal.NOT_HELD)
        if user is None or decision.tool is None or refuse_names(user, decision.tool) is not None or not is_identified(call.args):
            raise ApprovalRefusedError(ApprovalRefusal.UNIDENTIFIED)
        keyed = self._keyed()
        masks = terms.masking.trees_for(decision.tool)
        shown, notes = record_roots((("args", call.args, EVERYTHING, masks.get("args", {})),), keyed)
        # In one order of members, as in the digest.
        shown = json.loads(json.dumps(shown, sort_keys=True))
        rule = held_by(decision.rule)
        made = ApprovalRequest(
            secrets.token_hex(16), decision.tool, user.user_id, user.role, keyed(canonical_arguments(call.args)), shown,
            tuple(sorted(notes.masked)), tuple(sorted(notes.erased)), None if decision.bundle is None else decision.bundle.digest, rule, now, expiry(now, rule),
        )  # fmt: skip
        bound = (made.tool, made.user, made.role, made.args_digest, made.bundle, rule.role, rule.tool, rule.number, rule.constraints)
        return made, keyed(encode_json(bound).encode())

    def _user_key(self, user: str) -> str:
        return self._keyed()(b"user\0" + user.encode())

    def _sweep(self, rows: Rows, now: int) -> int:
        """Mark overdue requests as expired."""
        overdue = rows.overdue(now, SWEPT)
        for row in overdue:
            before = State(row.state)
            if rows.change(row.id, before, State.EXPIRED, now):
                found = _stored_or_id(row)
                self._record(ApprovalStep("expired", row.id) if isinstance(found, str) else _step(State.EXPIRED, found.request), now)
        return len(overdue)


def _required(rows: Rows, id_: str) -> tuple[Row, StoredRequest]:
    row = rows.get(id_)
    if row is None:
        raise ApprovalRefusedError(ApprovalRefusal.UNKNOWN_REQUEST)
    return row, _stored(row)


def _stored(row: Row) -> StoredRequest:
    """What a row says, if it is one that is written here. Raises ApprovalRefusedError."""
    try:
        found = read_request(row.request)
        state = State(row.state)
        approver = None if row.approver is None else Approver(**{name: _optional(value) for name, value in _members(row.approver).items()})
    except (RequestMalformedError, ValueError, TypeError):
        raise ApprovalRefusedError(ApprovalRefusal.ALTERED) from None
    times = (row.created, row.expires, *(time for time in (row.decided, row.consumed) if time is not None))
    if (found.id, found.created, found.expires) != (row.id, row.created, row.expires) or any(type(time) is not int for time in times):
        raise ApprovalRefusedError(ApprovalRefusal.ALTERED)
    return StoredRequest(found, state, approver, row.decided, row.consumed)


def _members(text: str) -> dict[str, Any]:
    value = parse_json(text, depth=1)
    if type(value) is not dict:
        raise TypeError
    return value


def _optional(value: Any) -> str | None:
    if value is not None and type(value) is not str:
        raise TypeError
    return value


def _stored_or_id(row: Row) -> StoredRequest | str:
    try:
        return _stored(row)
    except ApprovalRefusedError:
        return str(row.id)


def _require_same(stored: ApprovalRequest, made: ApprovalRequest, now: int) -> None:
    """Whether a stored request is the one that this call would have made. What people saw of the arguments is compared too: they have
    approved that. Raises ApprovalRefusedError."""
    rule, held = stored.held_by, made.held_by
    differences = (
        (stored.tool != made.tool, ApprovalRefusal.OTHER_TOOL),
        (stored.bundle != made.bundle, ApprovalRefusal.OTHER_BUNDLE),
        ((stored.user, stored.role) != (made.user, made.role), ApprovalRefusal.OTHER_USER),
        (stored.args_digest != made.args_digest, ApprovalRefusal.OTHER_ARGUMENTS),
        ((rule.role, rule.tool, rule.number, rule.constraints) != (held.role, held.tool, held.number, held.constraints), ApprovalRefusal.OTHER_RULE),
        (rule != held or stored.expires != expiry(stored.created, held) or stored.created > now, ApprovalRefusal.ALTERED),
        (encode_json([stored.shown, stored.masked, stored.erased]) != encode_json([made.shown, made.masked, made.erased]), ApprovalRefusal.ALTERED),
    )  # fmt: skip
    for differs, refusal in differences:
        if differs:
            raise ApprovalRefusedError(refusal)


_ENDED = {State.CONSUMED: ApprovalRefusal.CONSUMED, State.DENIED: ApprovalRefusal.DENIED, State.EXPIRED: ApprovalRefusal.EXPIRED}


def _standing_approver(
    row: Row, request: ApprovalRequest, approvers: tuple[str, ...], verifier: Verifier | None, now: int
) -> Approver | None:
    """Who has approved, None where the evidence does not stand, or no longer. Raises ApprovalRefusedError for somebody who may not."""
    try:
        return judge(read_evidence(row.evidence), request, approvers, verifier, now)
    except ApprovalRefusedError as error:
        if error.refusal is ApprovalRefusal.EVIDENCE:
            return None
        raise


def _require_state(row: Row, wanted: tuple[State, ...], now: int) -> None:
    """Raises ApprovalRefusedError where a request is in none of the states, or its time is over."""
    state = State(row.state)
    if state in _ENDED:
        raise ApprovalRefusedError(_ENDED[state])
    if row.expires <= now:
        raise ApprovalRefusedError(ApprovalRefusal.EXPIRED)
    if state not in wanted:
        raise ApprovalRefusedError(ApprovalRefusal.PENDING if state is State.PENDING else ApprovalRefusal.DECIDED)


def _step(state: State, request: ApprovalRequest, approver: Approver | None = None) -> ApprovalStep:
    return ApprovalStep(
        "requested" if state is State.PENDING else state.value, request.id, request.digest, request.tool, request.user, request.role,
        request.args_digest, request.bundle, None if approver is None else approver.name, None if approver is None else approver.token_id,
    )  # fmt: skip


def _approver_text(approver: Approver) -> str:
    return encode_json({"user": approver.user, "role": approver.role, "token_id": approver.token_id, "key": approver.key})
