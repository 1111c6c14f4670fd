"""What the guard asks of a store of approvals: held calls that people decide on, elsewhere and with evidence of who they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from hexgate.adapters.pauses import HeldCall

if TYPE_CHECKING:
    from hexgate.runtime.held_calls import HeldCalls


class Standing(Enum):
    """Where a held call stands with the people who decide on it."""

    APPROVED = "approved"
    """It was approved, and the approval is used up now: the call runs."""
    PENDING = "pending"
    """Nobody has decided; the store has a request for it."""
    REJECTED = "rejected"
    """Somebody has said no."""
    REFUSED = "refused"
    """The store cannot take the call, or cannot be used."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A store's answer; `request_id` is what people name the request by."""

    standing: Standing
    request_id: str | None = None


class Approvals(Protocol):
    """A store of approvals."""

    def settle(self, call: HeldCall) -> Answer:
        """Use up the approval of exactly this call (tool, arguments, user, bundle, rule), or ask for one. Never raises."""


class GateApprovals:
    """The gate's own store: `gate.approvals`."""

    def __init__(self, calls: HeldCalls) -> None:
        """`calls` are the held calls of the gate that decides the runs."""
        self._calls = calls

    def settle(self, call: HeldCall) -> Answer:
        """As the protocol says."""
        from hexgate.approvals.refusal import ApprovalRefusal, ApprovalRefusedError, ApprovalStoreError
        from hexgate.approvals.request import State
        from hexgate.audit.unavailable import AuditUnavailableError
        from hexgate.runtime.recording import LOG

        decision, tool, request_id = call.decision, call.decision.tool, None
        if tool is None:
            return Answer(Standing.REFUSED)
        try:
            found = self._calls.request(decision, tool, call.args, call.caller)
            request_id = found.request.id
            if found.state is not State.APPROVED:
                return Answer(Standing.PENDING, request_id)
            self._calls.consume(request_id, decision, tool, call.args, call.caller)
        except ApprovalRefusedError as error:
            if error.refusal is ApprovalRefusal.DENIED:
                return Answer(Standing.REJECTED, request_id)
            LOG.warning("a held call gets no approval: %s", error)
            return Answer(Standing.REFUSED, request_id)
        except (ApprovalStoreError, AuditUnavailableError) as error:
            LOG.error("held calls get no approval: %s", error)
            return Answer(Standing.REFUSED, request_id)
        return Answer(Standing.APPROVED, request_id)
