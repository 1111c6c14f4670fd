"""What is in a bundle, as it says itself: read, never verified and never run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from hexgate.bundle.envelope import UnverifiedBundle, read_bundle
from hexgate.bundle.statement import Predicate, Statement, read_statement
from hexgate.bundle.strict_members import format_time
from hexgate.bundle.verify import TABLE
from hexgate.decision.policy_table import PolicyTableError, read_table


@dataclass(frozen=True, slots=True)
class ArtifactSummary:
    """`state` is `as stated`, `altered`, `not stated` or `missing`."""

    name: str
    size: int
    state: str


@dataclass(frozen=True, slots=True)
class RuleSummary:
    """A rule of the table: `role` is None for the boundary, `constraints` their number."""

    role: str | None
    tool: str
    mode: str
    constraints: int
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What a bundle has. `facts` are by name, in the order to show; `keyids` are what its signatures claim."""

    statement: Statement
    digest: str
    facts: dict[str, str]
    artifacts: tuple[ArtifactSummary, ...]
    keyids: tuple[str, ...]
    roles: tuple[str, ...]
    rules: tuple[RuleSummary, ...]
    outcomes: int


def summarize(data: bytes) -> Summary:
    """The summary of a bundle's file. Raises BundleRefusedError for one that has no envelope or no statement."""
    bundle = read_bundle(data)
    statement = read_statement(bundle.envelope.payload)
    digest = hashlib.sha256(bundle.envelope.payload).hexdigest()
    facts = _facts(statement.predicate, digest)
    roles: tuple[str, ...] = ()
    rules: tuple[RuleSummary, ...] = ()
    outcomes = 0
    try:
        table = read_table(bundle.artifacts.get(TABLE, b""))
    except PolicyTableError as error:
        facts["table"] = str(error)
    else:
        roles, outcomes = table.roles, len(table.outcomes)
        rules = tuple(
            RuleSummary(rule.role, rule.tool, rule.mode.value, len(rule.constraints), rule.place.file, rule.place.line)
            for rule in table.rules
        )
        facts["roles"] = ", ".join(roles) or "none"
        facts["table"] = f"{len(rules)} rules, {outcomes} outcomes"
    keyids = tuple(signature.keyid for signature in bundle.envelope.signatures)
    return Summary(statement, digest, facts, _artifacts(bundle, statement), keyids, roles, rules, outcomes)


def _facts(predicate: Predicate, digest: str) -> dict[str, str]:
    limits, identity, audit = predicate.limits, predicate.identity, predicate.audit
    facts = {
        "name": predicate.name,
        "version": str(predicate.version),
        "digest": digest,
        "issued": format_time(predicate.issued_at),
        "expires": format_time(predicate.not_after),
        "made by": predicate.compiler,
        "runtime": f"from {predicate.min_runtime}, interface {predicate.abi}",
        "limits": f"{limits.fuel:,} fuel, {limits.memory:,} bytes of memory, {limits.functions:,} functions",
        "sources": predicate.source_digest,
        "vectors": str(len(predicate.vectors)),
        "audit": audit.mode,
        "tokens": "required" if identity.require_token else "accepted" if identity.root_keys else "not used",
    }
    for name, paths in (("masked", audit.mask), ("hashed", audit.hash)):
        if paths:
            facts[name] = ", ".join(paths)
    for key in identity.root_keys:
        facts[f"token key {key.id}"] = key.key.fingerprint
    if identity.audience is not None:
        facts["audience"] = identity.audience
    if identity.revoked:
        facts["revoked"] = f"{len(identity.revoked)} of them"
    if predicate.tool_schemas:
        facts["schemas"] = ", ".join(sorted(predicate.tool_schemas))
    return facts


def _artifacts(bundle: UnverifiedBundle, statement: Statement) -> tuple[ArtifactSummary, ...]:
    def state(name: str) -> str:
        if name not in bundle.artifacts:
            return "missing"
        if name not in statement.subjects:
            return "not stated"
        same = hashlib.sha256(bundle.artifacts[name]).hexdigest() == statement.subjects[name]
        return "as stated" if same else "altered"

    names = sorted({*bundle.artifacts, *statement.subjects})
    return tuple(ArtifactSummary(name, len(bundle.artifacts.get(name, b"")), state(name)) for name in names)
