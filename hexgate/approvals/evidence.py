"""What an approver leaves behind: a token that is good for approving this one request, or a key's signature over it.

Evidence is verified when it is given and again when the approval is used, so that nothing in a store is believed. Neither kind is a
secret: the token is narrowed to the tool `hexgate.approve`, one request's digest and the request's time before it is kept.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Protocol

from hexgate.approvals.refusal import ApprovalRefusal, ApprovalRefusedError
from hexgate.approvals.request import ApprovalRequest
from hexgate.audit.event import encode_json
from hexgate.bundle.keys import SCHEME, KeyRefusedError, SigningKey, parse_public_key
from hexgate.identity.attenuate import Narrowing, attenuate
from hexgate.identity.refusal import TokenRefusedError
from hexgate.identity.verifier import VerifiedUser
from hexgate.strict_json import StrictJsonError, parse_json

APPROVE = "hexgate.approve"
"""The tool that a token must permit so that its holder may approve; `request` is the digest of what is approved."""

_SECOND = 10**9


class Verifier(Protocol):
    """Reads tokens under trusted root keys."""

    def user(self, token: str, now: int) -> VerifiedUser:
        """The verified user of a token. Raises TokenRefusedError."""


@dataclass(frozen=True, slots=True)
class Approver:
    """Who has decided: a user by a token (`token_id` is its id), or a key (`ed25519:…`)."""

    user: str | None = None
    role: str | None = None
    token_id: str | None = None
    key: str | None = None

    @property
    def name(self) -> str:
        """One of the two names."""
        return self.user or self.key or ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A token, or a key's public text and its signature in base64."""

    token: str | None = None
    key: str | None = None
    signature: str | None = None

    @property
    def text(self) -> str:
        """The one text of the evidence."""
        members = {"token": self.token} if self.token is not None else {"key": self.key, "signature": self.signature}
        return encode_json(members)


def by_token(token: str, request: ApprovalRequest) -> Evidence:
    """The evidence of a token's holder. Raises NarrowingError and TokenRefusedError."""
    until = -(-request.expires // _SECOND)
    return Evidence(token=attenuate(token, Narrowing((APPROVE,), values={"request": request.digest}, expires=until)))


def by_key(key: SigningKey, request: ApprovalRequest) -> Evidence:
    """The evidence of a key's holder."""
    return Evidence(key=key.public.text, signature=base64.b64encode(key.sign(request.signed)).decode())


def read_evidence(text: str | None) -> Evidence:
    """The evidence of its text. Raises ApprovalRefusedError."""
    try:
        value = None if text is None else parse_json(text, depth=1)
    except StrictJsonError:
        value = None
    if type(value) is dict and all(type(member) is str for member in value.values()):
        if value.keys() == {"token"}:
            return Evidence(token=str(value["token"]))
        if value.keys() == {"key", "signature"}:
            return Evidence(key=str(value["key"]), signature=str(value["signature"]))
    raise ApprovalRefusedError(ApprovalRefusal.EVIDENCE)


def judge(
    evidence: Evidence, request: ApprovalRequest, approvers: tuple[str, ...], verifier: Verifier | None, now: int
) -> Approver:
    """Who has given the evidence, if that is somebody whom the policy lets decide on this request. `approvers` are the policy's own,
    `now` is in nanoseconds since the epoch. Raises ApprovalRefusedError."""
    if evidence.token is None:
        return _key_holder(evidence, request, approvers)
    try:
        if verifier is None:
            raise ApprovalRefusedError(ApprovalRefusal.EVIDENCE)
        verified = verifier.user(evidence.token, now)
        if verified.permits(APPROVE, {"request": request.digest}, now) is not None:
            raise ApprovalRefusedError(ApprovalRefusal.EVIDENCE)
    except TokenRefusedError:
        raise ApprovalRefusedError(ApprovalRefusal.EVIDENCE) from None
    user = verified.user
    if user.user_id == request.user:
        raise ApprovalRefusedError(ApprovalRefusal.OWN_REQUEST)
    names = {user.user_id, *verified.roles}
    if approvers and not any(name in names for name in approvers if not name.startswith(SCHEME)):
        raise ApprovalRefusedError(ApprovalRefusal.NOT_AN_APPROVER)
    return Approver(user.user_id, user.role, verified.token_id)


def _key_holder(evidence: Evidence, request: ApprovalRequest, approvers: tuple[str, ...]) -> Approver:
    """A key is an approver where the policy names it: no list of keys is kept anywhere else."""
    try:
        key = parse_public_key(evidence.key or "")
        signature = base64.b64decode(evidence.signature or "", validate=True)
    except (KeyRefusedError, binascii.Error, ValueError):
        raise ApprovalRefusedError(ApprovalRefusal.EVIDENCE) from None
    if not key.verifies(signature, request.signed):
        raise ApprovalRefusedError(ApprovalRefusal.EVIDENCE)
    if key.text not in approvers:
        raise ApprovalRefusedError(ApprovalRefusal.NOT_AN_APPROVER)
    return Approver(key=key.text)
