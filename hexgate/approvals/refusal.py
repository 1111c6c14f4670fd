"""Why an approval is not to be had, or not given: a closed vocabulary (docs/approvals.md Q5)."""

from __future__ import annotations

from enum import Enum


class ApprovalRefusal(Enum):
    """One word for each reason, in the order in which they are looked for."""

    NOT_HELD = "not_held"
    """The policy does not ask for an approval of this call."""
    UNIDENTIFIED = "unidentified"
    """The caller has no name, or the arguments hold a value that cannot be told from others."""
    TOO_MANY = "too_many"
    """The user has as many requests open as one may have."""
    UNKNOWN_REQUEST = "unknown_request"
    """There is no request of this id."""
    ALTERED = "altered"
    """The stored request is not one that a gate has made under this policy."""
    OTHER_TOOL = "other_tool"
    """The request is for another tool."""
    OTHER_ARGUMENTS = "other_arguments"
    """The request is for other arguments."""
    OTHER_USER = "other_user"
    """The request is another user's, or was made in another role."""
    OTHER_BUNDLE = "other_bundle"
    """The request was made under another bundle."""
    OTHER_RULE = "other_rule"
    """Another rule holds the call now."""
    CONSUMED = "consumed"
    """The approval was used already."""
    DENIED = "denied"
    """An approver has said no."""
    EXPIRED = "expired"
    """Its time is over."""
    PENDING = "pending"
    """Nobody has decided yet."""
    DECIDED = "decided"
    """Somebody has decided already."""
    EVIDENCE = "evidence"
    """The approver's token or signature does not stand for this request, or no longer."""
    OWN_REQUEST = "own_request"
    """The approver is who made the request."""
    NOT_AN_APPROVER = "not_an_approver"
    """The policy does not name the approver."""


SENTENCES = {
    ApprovalRefusal.NOT_HELD: "the policy does not ask for an approval of this call",
    ApprovalRefusal.UNIDENTIFIED: "the caller has no name, or an argument cannot be told from others",
    ApprovalRefusal.TOO_MANY: "the user has too many open requests",
    ApprovalRefusal.UNKNOWN_REQUEST: "there is no such request",
    ApprovalRefusal.ALTERED: "the stored request is not one that a gate has made under this policy",
    ApprovalRefusal.OTHER_TOOL: "the request is for another tool",
    ApprovalRefusal.OTHER_ARGUMENTS: "the request is for other arguments",
    ApprovalRefusal.OTHER_USER: "the request is another user's, or was made in another role",
    ApprovalRefusal.OTHER_BUNDLE: "the request was made under another bundle",
    ApprovalRefusal.OTHER_RULE: "another rule holds the call now",
    ApprovalRefusal.CONSUMED: "the approval was used already",
    ApprovalRefusal.DENIED: "the request was denied",
    ApprovalRefusal.EXPIRED: "the request is expired",
    ApprovalRefusal.PENDING: "nobody has decided on the request yet",
    ApprovalRefusal.DECIDED: "the request was decided on already",
    ApprovalRefusal.EVIDENCE: "the approver's token or signature does not stand for this request",
    ApprovalRefusal.OWN_REQUEST: "nobody approves a request of their own",
    ApprovalRefusal.NOT_AN_APPROVER: "the policy does not name the approver for this call",
}


class ApprovalRefusedError(Exception):
    """A step is refused. The text is a fixed sentence, made of nothing that a call or a token says."""

    def __init__(self, refusal: ApprovalRefusal) -> None:
        super().__init__(SENTENCES[refusal])
        self.refusal = refusal


class ApprovalStoreError(Exception):
    """The store cannot be used. The text is a sentence for the operator; it holds nothing of a call."""
