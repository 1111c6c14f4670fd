"""Calls that a gate holds: from a decision to a request for approval, and from an approval to one run of the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hexgate.approvals.refusal import ApprovalRefusal, ApprovalRefusedError, ApprovalStoreError
from hexgate.approvals.request import State
from hexgate.approvals.steps import Call, Keyed, Steps, StoredRequest, Terms
from hexgate.approvals.store import ApprovalStore
from hexgate.audit.masking import Masking
from hexgate.audit.unavailable import AuditUnavailableError
from hexgate.decision.decision import Decision, TokenUser, User, Verdict
from hexgate.runtime.guarded_call import ApprovalRequiredError, Hold, ToolDeniedError
from hexgate.runtime.recording import LOG
from hexgate.runtime.run_scope import current_run
from hexgate.runtime.snapshot import Snapshot

if TYPE_CHECKING:
    from hexgate.audit.log import AuditLog
    from hexgate.audit.recorder import ApprovalStep


def open_steps(store: ApprovalStore, log: AuditLog | None) -> Steps:
    """The steps on a store, recorded in a log if there is one."""

    def keyed() -> Keyed:
        # Not the log's own salt: a log may have no directory, and the store is read by processes without it.
        return keyed_by(store.path)

    def record(step: ApprovalStep, now: int) -> None:
        if log is not None:
            from hexgate.audit.recorder import record_step

            record_step(log, step, now)

    return Steps(store, keyed, record)


def keyed_by(store: Path) -> Keyed:
    """The keyed hash of the store at a path: its salt is in a file beside it, made on first use. Raises ApprovalStoreError."""
    from hexgate.audit.checkpoint import open_salt
    from hexgate.audit.log import Keyed as KeyedHash

    try:
        return KeyedHash(open_salt(store.with_name(f"{store.name}.salt")))
    except (OSError, ValueError) as error:
        raise ApprovalStoreError(f"the salt of the store of approvals cannot be read: {str(error).lower()}") from None


class HeldCalls:
    """Requests and approvals of one gate's calls: `gate.approvals`. Safe to use from several threads and in forked children.

    Give it the decision that the gate has made, the very arguments that it was made on and that the tool will run with, and the user
    of the call. Every method raises ApprovalStoreError where the store cannot be used, and AuditUnavailableError where a step
    cannot be recorded.
    """

    def __init__(self, steps: Steps, snapshot: Callable[[], Snapshot]) -> None:
        """`snapshot` gives what decides outside of a run."""
        self._steps = steps
        self._snapshot = snapshot

    def request(self, decision: Decision, tool: str, args: Any, user: User | TokenUser | None) -> StoredRequest:
        """The request for a held call that is open or approved, made where there is none. Raises ApprovalRefusedError: `denied` where
        an approver has said no to the same call."""
        snapshot, now = self._now()
        return self._steps.request(self._call(snapshot, decision, tool, args, user, now), _terms(snapshot), now)

    def consume(self, request_id: str, decision: Decision, tool: str, args: Any, user: User | TokenUser | None) -> Decision:
        """Use an approval, once, for exactly this call: the decision with the verdict `allow`. Raises ApprovalRefusedError, after which
        the call must not run."""
        snapshot, now = self._now()
        self._steps.consume(request_id, self._call(snapshot, decision, tool, args, user, now), _terms(snapshot), now)
        return replace(decision, verdict=Verdict.ALLOW)

    def get(self, request_id: str) -> StoredRequest:
        """A request as it stands. Raises ApprovalRefusedError where there is none."""
        return self._steps.get(request_id)

    def _now(self) -> tuple[Snapshot, int]:
        run = current_run()
        snapshot = self._snapshot() if run is None else run.snapshot
        return snapshot, snapshot.clock()

    def _call(self, snapshot: Snapshot, decision: Decision, tool: str, args: Any, user: User | TokenUser | None, now: int) -> Call:
        if decision.tool != tool:
            raise ApprovalRefusedError(ApprovalRefusal.OTHER_TOOL)
        if decision.bundle != snapshot.bundle:
            raise ApprovalRefusedError(ApprovalRefusal.OTHER_BUNDLE)
        caller = snapshot.caller(tool, args, user, now)
        if caller.refusal is not None or caller.user is None or caller.user.role != decision.role:
            raise ApprovalRefusedError(ApprovalRefusal.UNIDENTIFIED)
        return Call(decision, args, caller.user)


def hold_by(approvals: HeldCalls) -> Hold:
    """What `guard` does with a held call: the first one makes a request, and one that was approved runs."""

    def hold(decision: Decision, tool: str, args: dict[str, Any], user: User | TokenUser | None) -> Decision:
        found = None
        try:
            found = approvals.request(decision, tool, args, user)
            if found.state is State.APPROVED:
                return approvals.consume(found.request.id, decision, tool, args, user)
        except ApprovalRefusedError as error:
            if error.refusal is ApprovalRefusal.DENIED:
                denied = replace(decision, verdict=Verdict.DENY)
                raise ToolDeniedError(denied, "this call was not approved") from None
            LOG.warning("a held call gets no approval: %s", error)
        except (ApprovalStoreError, AuditUnavailableError) as error:
            LOG.error("held calls get no approval: %s", error)
        raise ApprovalRequiredError(decision, "this call needs an approval", None if found is None else found.request.id)

    return hold


def _terms(snapshot: Snapshot) -> Terms:
    return Terms(Masking(snapshot.masks), snapshot.verifier)
