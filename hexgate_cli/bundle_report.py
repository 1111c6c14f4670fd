"""Every check of a bundle, in order, with what it found: what `hexgate verify` says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hexgate.bundle.envelope import read_bundle
from hexgate.bundle.keys import PublicKey
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.statement import Predicate, Statement, read_statement, source_digest
from hexgate.bundle.strict_members import format_time
from hexgate.bundle.trust import Floor
from hexgate.bundle.trust_root import TrustRoot
from hexgate.bundle.verify import VerifiedBundle, signers_of, verify
from hexgate.decision.policy_table import read_table
from hexgate.runtime.bundle_engine import load

if TYPE_CHECKING:
    from hexgate_cli.bundle_contents import Contents

CHECKS: dict[str, tuple[Refusal, ...]] = {
    "form": (Refusal.TOO_LARGE, Refusal.MALFORMED, Refusal.PAYLOAD_TYPE),
    "signatures": (Refusal.SIGNATURES,),
    "statement": (Refusal.MALFORMED_STATEMENT, Refusal.PREDICATE_TYPE),
    "runtime": (Refusal.RUNTIME_TOO_OLD, Refusal.ABI, Refusal.LIMITS),
    "name": (Refusal.WRONG_NAME,),
    "time": (Refusal.NOT_YET_VALID, Refusal.EXPIRED),
    "version": (Refusal.ROLLBACK, Refusal.SAME_VERSION_OTHER_CONTENT),
    "artifacts": (
        Refusal.MISSING_ARTIFACT, Refusal.EXTRANEOUS_ARTIFACT, Refusal.ARTIFACT_LENGTH, Refusal.ARTIFACT_DIGEST,
    ),
    "table": (Refusal.TABLE,),
    "module": (Refusal.MODULE,),
    "vectors": (Refusal.VECTORS,),
}  # fmt: skip
"""The checks in the order in which they are made, and what each may refuse. What comes before a refusal has passed."""

SOURCES_CHECK = "sources"
"""The check against policies, which no runtime makes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that was made, and what it found, as a clause."""

    check: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """All checks up to the first that failed. `refusal` is None where none failed, or only that against the sources."""

    findings: tuple[Finding, ...]
    refusal: Refusal | None
    verified: VerifiedBundle | None
    signers: tuple[PublicKey, ...]

    @property
    def trusted(self) -> bool:
        return all(finding.passed for finding in self.findings)


def examine(data: bytes, trust: TrustRoot, name: str, now: int, floor: Floor | None) -> Report:
    """Verify and load a bundle as a runtime does. `now` is in seconds since the epoch."""
    verified = None
    try:
        verified = verify(data, trust, name=name, now=now, floor=floor)
        load(verified)
    except BundleRefusedError as error:
        failed = next(check for check, refusals in CHECKS.items() if error.refusal in refusals)
        passed = list(CHECKS)[: list(CHECKS).index(failed)]
        findings = [Finding(check, True, _detail(check, data, trust, floor)) for check in passed]
        signers = signers_of(read_bundle(data).envelope, trust) if failed != "form" else ()
        return Report((*findings, Finding(failed, False, error.detail)), error.refusal, None, signers)
    return Report(
        tuple(Finding(check, True, _detail(check, data, trust, floor)) for check in CHECKS), None, verified, verified.signers
    )


def compare_sources(verified: VerifiedBundle, contents: Contents) -> Finding:
    """Whether the bundle is what these sources compile to, byte for byte."""
    predicate = verified.statement.predicate
    if source_digest(contents.sources) != predicate.source_digest:
        return Finding(SOURCES_CHECK, False, "the bundle was made from other policies; compare with the ones that were signed")
    if dict(contents.tool_schemas) != dict(predicate.tool_schemas):
        return Finding(SOURCES_CHECK, False, "the bundle was made with other tool schemas; pass these: `--tools FILE`")
    if (contents.wasm, contents.table_json) != (verified.wasm, verified.table_json):
        return Finding(
            SOURCES_CHECK, False, f"the policies compile to another module than the signed one, which is {predicate.compiler}'s; compare with that release"
        )
    return Finding(SOURCES_CHECK, True, "the policies compile to this module and this table, byte for byte")


def _detail(check: str, data: bytes, trust: TrustRoot, floor: Floor | None) -> str:
    """What a check found that has passed."""
    bundle = read_bundle(data)
    if check == "form":
        count = len(bundle.artifacts)
        return f"{len(data):,} bytes, {count} artifacts, {_plural(len(bundle.envelope.signatures), 'signature')}"
    if check == "signatures":
        signers = signers_of(bundle.envelope, trust)
        names = ", ".join(key.fingerprint for key in signers)
        return f"{len(signers)} of {_plural(len(trust.keys), 'trusted key')} signed, {trust.threshold} must: {names}"
    statement = read_statement(bundle.envelope.payload)
    return _STATEMENT_DETAILS[check](statement, bundle.artifacts.get("policy.json", b""), floor)


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _runtime(predicate: Predicate) -> str:
    limits = predicate.limits
    return (
        f"from {predicate.min_runtime}, interface {predicate.abi}, "
        f"at most {limits.fuel:,} fuel, {limits.memory:,} bytes of memory, {limits.functions:,} functions"
    )


def _version(predicate: Predicate, floor: Floor | None) -> str:
    before = "nothing is known of earlier ones" if floor is None else f"version {floor.version} was accepted before"
    return f"version {predicate.version}; {before}"


def _table(table_json: bytes) -> str:
    table = read_table(table_json)
    return f"{_plural(len(table.roles), 'role')}, {_plural(len(table.rules), 'rule')}, {_plural(len(table.outcomes), 'outcome')}"


_STATEMENT_DETAILS: dict[str, Callable[[Statement, bytes, Floor | None], str]] = {
    "statement": lambda statement, table, floor: f"a policy bundle by {statement.predicate.compiler}",
    "runtime": lambda statement, table, floor: _runtime(statement.predicate),
    "name": lambda statement, table, floor: statement.predicate.name,
    "time": lambda statement, table, floor: (
        f"issued {format_time(statement.predicate.issued_at)}, expires {format_time(statement.predicate.not_after)}"
    ),
    "version": lambda statement, table, floor: _version(statement.predicate, floor),
    "artifacts": lambda statement, table, floor: f"{', '.join(sorted(statement.subjects))}: lengths and digests as signed",
    "table": lambda statement, table, floor: _table(table),
    "module": lambda statement, table, floor: "it loads within its limits",
    "vectors": lambda statement, table, floor: (
        f"{_plural(len(statement.predicate.vectors), 'signed answer')} given again"
        if statement.predicate.vectors
        else "the bundle has none"
    ),
}
