"""Decisions: typed, immutable, and equal on both engines field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hexgate.faults import Fault
from hexgate.place import Place


class Verdict(Enum):
    """What happens to the call, from the loosest to the strictest."""

    ALLOW = "allow"
    APPROVAL_REQUIRED = "approval_required"
    DENY = "deny"


class Reason(Enum):
    """Why. A closed set."""

    RULE = "rule"
    """A rule's constraints all held (or it has none); its mode is the verdict."""
    CONSTRAINT_FAILED = "constraint_failed"
    """No rule held; `rule` is the last one that could have granted, `constraint` its first that was false."""
    EVALUATION_ERROR = "evaluation_error"
    """`constraint` had no value; `fault` says why."""
    UNKNOWN_TOOL = "unknown_tool"
    """Nothing in the role names the tool and the role has no default policy."""
    UNKNOWN_ROLE = "unknown_role"
    """The policy set has no such role, or the role is abstract."""
    MISSING_USER = "missing_user"
    """Nobody, or somebody without an id, is calling."""
    REQUEST_TOO_LARGE = "request_too_large"
    """What the tool's rules read is longer than `REQUEST_BYTES`."""
    MALFORMED_REQUEST = "malformed_request"
    """The module could not read the request."""
    ENGINE_FAULT = "engine_fault"
    """The engine failed. Always a denial."""
    BUNDLE_EXPIRED = "bundle_expired"
    """The signed bundle is past its expiry, and no newer one could be had."""
    TOKEN_REQUIRED = "token_required"
    """The signed bundle asks for a token, and the caller was only named."""
    TOKEN_REFUSED = "token_refused"
    """The caller's token does not permit this call, or no longer."""
    AUDIT_UNAVAILABLE = "audit_unavailable"
    """The decision could not be recorded, and what is not recorded does not run."""


@dataclass(frozen=True, slots=True)
class ConstraintReference:
    """A constraint as its author wrote it, and where."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class RuleReference:
    """A rule as its author wrote it, and where.

    `role` is the role whose file holds it, None for the boundary; `tool` is the name or pattern of its entry, or
    `default_policy`; `number` counts the entry's rules from 0; `expires_in` is in seconds.
    """

    role: str | None
    tool: str
    number: int
    mode: Verdict
    place: Place
    constraints: tuple[ConstraintReference, ...] = ()
    message: str | None = None
    approvers: tuple[str, ...] = ()
    expires_in: int | None = None


@dataclass(frozen=True, slots=True)
class BundleReference:
    """Which signed bundle decided. `digest` is the SHA-256 of its payload, in hex."""

    name: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one call. `role` and `tool` are those asked for; `constraint` is the one that decided."""

    verdict: Verdict
    reason: Reason
    role: str | None
    tool: str | None
    rule: RuleReference | None = None
    constraint: ConstraintReference | None = None
    fault: Fault | None = None
    bundle: BundleReference | None = None

    @property
    def message(self) -> str | None:
        """What the author wants the model to be told, if anything."""
        return self.rule.message if self.rule is not None else None

    @property
    def allowed(self) -> bool:
        """Whether the call may run now."""
        return self.verdict is Verdict.ALLOW


@dataclass(frozen=True, slots=True)
class User:
    """Who is calling: an id, the one role, and attributes that constraints read as `user.attrs`."""

    user_id: str
    role: str
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def from_token(token: str, *, role: str | None = None) -> TokenUser:
        """The user that a Biscuit token says, narrowed to `role` if the token grants that one too.

        Nothing is read here: whom to trust is in the signed bundle, so a gate verifies the token at each decision.
        """
        return TokenUser(token, role)


@dataclass(frozen=True, slots=True)
class TokenUser:
    """Who is calling, as a Biscuit token in base64 says; not verified yet. The token is a secret: no text of this shows it."""

    token: str = field(repr=False)
    role: str | None = None
