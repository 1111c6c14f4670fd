"""What becomes of one tool call, and what the model is told where it does not run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from hexgate.decision.decision import Decision, Verdict


class Outcome(Enum):
    """What an adapter does with a call."""

    RUN = "run"
    """Run the tool with `Ruling.arguments`, nothing else."""
    REFUSE = "refuse"
    """Give the model `Ruling.text` as the tool's error; the run goes on."""
    PAUSE = "pause"
    """Pause as the framework does, until the caller approves or rejects the call."""


class Refusal(Enum):
    """Why a call that the policy holds does not run. The codes stand beside those of decisions (`Reason`)."""

    APPROVAL_REQUIRED = "approval_required"
    """Nobody has approved the call."""
    APPROVAL_REJECTED = "approval_rejected"
    """Somebody has said no."""
    APPROVAL_MISMATCH = "approval_mismatch"
    """What was approved is another call, another user's, under another bundle, too old, or used already."""
    APPROVER_REQUIRED = "approver_required"
    """The policy names who may approve, and there is no store of approvals that knows them."""
    APPROVAL_UNAVAILABLE = "approval_unavailable"
    """What was asked cannot be remembered, or the call holds values that cannot be told from others."""


_SENTENCES = {
    Refusal.APPROVAL_REQUIRED: "this call needs an approval",
    Refusal.APPROVAL_REJECTED: "this call was not approved",
    Refusal.APPROVAL_MISMATCH: "the approval is not for this call",
    Refusal.APPROVER_REQUIRED: "this call needs an approval by somebody whom the policy names",
    Refusal.APPROVAL_UNAVAILABLE: "this call cannot be held for an approval",
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer on one call. `arguments` are the ones decided on, a copy that nobody else has; `text` is for the model, empty where
    the call runs: the policy's message or a fixed sentence and a code, never a value of the arguments."""

    outcome: Outcome
    tool: str
    arguments: Any
    decision: Decision
    text: str = ""
    refusal: Refusal | None = None
    request_id: str | None = None
    """The id of the request in the store of approvals, where there is one."""

    @property
    def runs(self) -> bool:
        """Whether the tool runs now."""
        return self.outcome is Outcome.RUN


def denial_text(decision: Decision) -> str:
    """What the model is told of a decision that is no allow."""
    if decision.verdict is Verdict.APPROVAL_REQUIRED:
        return refusal_text(decision, Refusal.APPROVAL_REQUIRED)
    return decision.message or f"this call is not permitted ({decision.reason.value})"


def refusal_text(decision: Decision, refusal: Refusal) -> str:
    """What the model is told of a held call that does not run. The policy's message speaks of the hold, so it is told only where
    that is the reason."""
    if refusal is Refusal.APPROVAL_REQUIRED and decision.message:
        return decision.message
    return f"{_SENTENCES[refusal]} ({refusal.value})"
