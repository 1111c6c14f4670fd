"""A gate that holds calls, and approvers for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.signed_policies import EXPIRES, ISSUED, KEY, signed_policy
from hexgate.approvals.evidence import Evidence, by_key, by_token
from hexgate.approvals.request import ApprovalRequest
from hexgate.approvals.steps import StoredRequest
from hexgate.approvals.store import ApprovalStore
from hexgate.audit.log import AuditLog
from hexgate.bundle.keys import signing_key_of
from hexgate.bundle.statement import AuditSettings, IdentitySettings, TokenRootKey
from hexgate.decision.decision import Decision, User
from hexgate.identity.attenuate import Narrowing, attenuate
from hexgate.identity.mint import Grant, mint
from hexgate.identity.verifier import IdentityVerifier
from hexgate.runtime.gate import Gate
from hexgate.runtime.held_calls import HeldCalls, open_steps

ROOT, FINANCE = signing_key_of(b"r" * 32), signing_key_of(b"f" * 32)
NOW = (ISSUED + 100) * 10**9
HOUR = 3_600 * 10**9
ALICE, BOB = User("alice", "billing"), User("bob", "billing")
IDENTITY = IdentitySettings(False, (TokenRootKey(1, ROOT.public),))
POLICY = f"""version: 1
tools:
  wire:
    mode: approval_required
    approvers: [finance, dora, '{FINANCE.public.text}']
    expires_in: 1h
    constraints: [args.amount > 0]
  close:
    mode: approval_required
  look:
    mode: allow
"""


def token(user: str, role: str, *, expires: int = EXPIRES, narrowing: Narrowing | None = None) -> str:
    """A caller's token."""
    made = mint(Grant(user, role, expires), ROOT, 1)
    return made if narrowing is None else attenuate(made, narrowing)


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@dataclass
class Desk:
    """A gate with a store, and the steps of its approvers."""

    folder: Path
    policy: str = POLICY
    version: int = 1
    identity: IdentitySettings = IDENTITY
    clock: Clock = field(default_factory=Clock)
    mask: tuple[str, ...] = ("args.iban",)

    def __post_init__(self) -> None:
        self.log = AuditLog(self.folder / "state" / "audit")
        self.store = ApprovalStore(self.folder / "state" / "approvals.sqlite")
        self.steps = open_steps(self.store, self.log)
        self.gate = self.open()

    def open(self) -> Gate:
        """The gate of the policy as it is now."""
        audit = AuditSettings("written", self.mask)
        data = signed_policy({"billing.yaml": self.policy.encode()}, self.version, identity=self.identity, audit=audit)
        (self.folder / "policy.hexgate").write_bytes(data)
        return Gate.from_bundle(
            self.folder / "policy.hexgate", [KEY.public], state=self.folder / "state", audit=self.log, approvals=self.store,
            refresh_seconds=None, clock=self.clock,
        )  # fmt: skip

    @property
    def held(self) -> HeldCalls:
        """The gate's held calls."""
        assert self.gate.approvals is not None
        return self.gate.approvals

    @property
    def verifier(self) -> IdentityVerifier:
        """The reader of tokens that approvers are judged by when they decide."""
        return IdentityVerifier(self.identity)

    def decide(self, tool: str = "wire", args: Any = None, user: Any = ALICE) -> Decision:
        """The gate's decision on a call."""
        return self.gate.decide(tool, {"amount": 5, "iban": "DE12"} if args is None else args, user=user)

    def request(self, tool: str = "wire", args: Any = None, user: Any = ALICE) -> StoredRequest:
        """A request for a call."""
        args = {"amount": 5, "iban": "DE12"} if args is None else args
        return self.held.request(self.decide(tool, args, user), tool, args, user)

    def approve(self, request: ApprovalRequest, evidence: Evidence | None = None) -> StoredRequest:
        """Approve, by the key of finance where nothing else is given."""
        return self.steps.approve(request.id, evidence or by_key(FINANCE, request), self.verifier, self.clock())

    def approve_as(self, request: ApprovalRequest, text: str) -> StoredRequest:
        """Approve by a token."""
        return self.approve(request, by_token(text, request))

    def consume(self, id_: str, tool: str = "wire", args: Any = None, user: Any = ALICE) -> Decision:
        """Use an approval for a call."""
        args = {"amount": 5, "iban": "DE12"} if args is None else args
        return self.held.consume(id_, self.decide(tool, args, user), tool, args, user)
