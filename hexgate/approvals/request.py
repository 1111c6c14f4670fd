"""A request for approval: what it is bound to, its one text, and the digest that an approver's evidence is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

from hexgate.audit.event import encode_json
from hexgate.decision.decision import RuleReference
from hexgate.strict_json import StrictJsonError, parse_json

DEFAULT_SECONDS = 24 * 60 * 60
"""How long a request is open where its rule has no `expires_in`."""

_CONTEXT = b"hexgate-approval-v1\n"
"""Begins what is signed, so that no signature under the same key for something else is one here."""

_SECOND = 10**9


class RequestMalformedError(ValueError):
    """A stored text is no request."""


class State(Enum):
    """Where a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CONSUMED = "consumed"


@dataclass(frozen=True, slots=True)
class HeldBy:
    """The rule that holds a call, as its author wrote it: `role` is None for the boundary."""

    role: str | None
    tool: str
    number: int
    constraints: tuple[str, ...]
    approvers: tuple[str, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What an approver decides on. `args_digest` is the keyed hash of the whole arguments, `shown` what people see of them: masked
    as the policy says; `masked` and `erased` point (RFC 6901) at what is replaced and at what is left out. Times are in nanoseconds
    since the epoch; `bundle` is a digest, None in development."""

    id: str
    tool: str
    user: str
    role: str
    args_digest: str
    shown: Mapping[str, Any]
    masked: tuple[str, ...]
    erased: tuple[str, ...]
    bundle: str | None
    held_by: HeldBy
    created: int
    expires: int

    @property
    def text(self) -> str:
        """The one text of the request, in ASCII JSON."""
        return encode_json(
            {
                "id": self.id,
                "tool": self.tool,
                "user": self.user,
                "role": self.role,
                "args_digest": self.args_digest,
                "shown": self.shown,
                "masked": self.masked,
                "erased": self.erased,
                "bundle": self.bundle,
                "held_by": {
                    "role": self.held_by.role,
                    "tool": self.held_by.tool,
                    "number": self.held_by.number,
                    "constraints": self.held_by.constraints,
                    "approvers": self.held_by.approvers,
                    "seconds": self.held_by.seconds,
                },
                "created": self.created,
                "expires": self.expires,
            }
        )

    @property
    def signed(self) -> bytes:
        """The bytes that a key signs."""
        return _CONTEXT + self.text.encode("ascii")

    @property
    def digest(self) -> str:
        """SHA-256 of these bytes, in hex: what a token is narrowed to."""
        return sha256(self.signed).hexdigest()


def held_by(rule: RuleReference) -> HeldBy:
    """The rule of a decision."""
    seconds = DEFAULT_SECONDS if rule.expires_in is None else rule.expires_in
    constraints = tuple(constraint.text for constraint in rule.constraints)
    return HeldBy(rule.role, rule.tool, rule.number, constraints, rule.approvers, seconds)


def expiry(created: int, rule: HeldBy) -> int:
    """When a request under a rule is over, in nanoseconds since the epoch."""
    return created + rule.seconds * _SECOND


def read_request(text: str) -> ApprovalRequest:
    """The request of its one text. Raises RequestMalformedError."""
    try:
        value = parse_json(_text(text))
    except TypeError:
        raise RequestMalformedError("the stored value is no text") from None
    except StrictJsonError as error:
        raise RequestMalformedError(error.message) from None
    try:
        found = _request(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise RequestMalformedError("the stored text is no request") from error
    if found.text != text:
        raise RequestMalformedError("the stored text is not in the form that is written")
    return found


def _request(value: Any) -> ApprovalRequest:
    rule = value["held_by"]
    return ApprovalRequest(
        _text(value["id"]),
        _text(value["tool"]),
        _text(value["user"]),
        _text(value["role"]),
        _text(value["args_digest"]),
        dict(value["shown"].items()),
        tuple(map(_text, value["masked"])),
        tuple(map(_text, value["erased"])),
        None if value["bundle"] is None else _text(value["bundle"]),
        HeldBy(
            None if rule["role"] is None else _text(rule["role"]),
            _text(rule["tool"]),
            _integer(rule["number"]),
            tuple(map(_text, rule["constraints"])),
            tuple(map(_text, rule["approvers"])),
            _integer(rule["seconds"]),
        ),
        _integer(value["created"]),
        _integer(value["expires"]),
    )


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value
