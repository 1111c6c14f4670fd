"""Verify a bundle: the only maker of a VerifiedBundle. The order of the checks is docs/bundle.md B4's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import hexgate
from hexgate.bundle.envelope import Envelope, pre_authentication_encoding, read_bundle
from hexgate.bundle.keys import PublicKey
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.statement import Predicate, Statement, read_statement
from hexgate.bundle.trust import Floor, require_current
from hexgate.bundle.trust_root import TrustRoot
from hexgate.limits import ABI_VERSION, MODULE_FUEL, MODULE_FUNCTIONS, MODULE_MEMORY_BYTES

MODULE, TABLE = "policy.wasm", "policy.json"
"""The artifacts that every bundle has."""

SOURCES = "sources/"
"""Under this are the policies that the module was compiled from, where they are published."""

_MADE_HERE = object()


@dataclass(frozen=True, slots=True, init=False)
class VerifiedBundle:
    """A bundle that has passed every check but those of its table, module and vectors. `digest` is the hex SHA-256 of the payload,
    `signers` the trusted keys that have signed it, `sources` by path without `sources/`."""

    statement: Statement
    wasm: bytes
    table_json: bytes
    sources: Mapping[str, bytes]
    digest: str
    signers: tuple[PublicKey, ...]

    def __init__(
        self, made_here: object, statement: Statement, artifacts: Mapping[str, bytes], digest: str, signers: tuple[PublicKey, ...]
    ) -> None:
        """Only `verify` can call this. Raises TypeError."""
        if made_here is not _MADE_HERE:
            raise TypeError("only `verify` makes a VerifiedBundle")
        sources = {name[len(SOURCES) :]: data for name, data in artifacts.items() if name.startswith(SOURCES)}
        for name, value in (
            ("statement", statement), ("wasm", artifacts[MODULE]), ("table_json", artifacts[TABLE]),
            ("sources", MappingProxyType(sources)), ("digest", digest), ("signers", signers),
        ):  # fmt: skip
            object.__setattr__(self, name, value)


def verify(data: bytes, trust: TrustRoot, *, name: str, now: int, floor: Floor | None) -> VerifiedBundle:
    """The bundle of a file, under trusted keys, for the name that was asked for, at a time in seconds since the epoch, and not
    behind what was accepted before. Raises BundleRefusedError with the first check that fails."""
    bundle = read_bundle(data)
    signers = signers_of(bundle.envelope, trust)
    if len(signers) < trust.threshold:
        raise BundleRefusedError(Refusal.SIGNATURES, _signature_sentence(len(signers), trust))
    statement = read_statement(bundle.envelope.payload)
    predicate = statement.predicate
    _require_runtime(predicate)
    if predicate.name != name:
        raise BundleRefusedError(
            Refusal.WRONG_NAME, f"the bundle is signed as `{predicate.name}`, and `{name}` is asked for; give the file its own name"
        )
    digest = hashlib.sha256(bundle.envelope.payload).hexdigest()
    require_current(predicate, digest, now, floor)
    require_artifacts(statement, bundle.artifacts)
    return VerifiedBundle(_MADE_HERE, statement, bundle.artifacts, digest, signers)


def signers_of(envelope: Envelope, trust: TrustRoot) -> tuple[PublicKey, ...]:
    """The trusted keys that have signed, each once. Every signature is tried with every key: a keyid is a hint."""
    message = pre_authentication_encoding(envelope.payload_type, envelope.payload)
    values = {signature.value for signature in envelope.signatures}
    return tuple(key for key in trust.keys if any(key.verifies(value, message) for value in values))


def _signature_sentence(found: int, trust: TrustRoot) -> str:
    keys = ", ".join(key.fingerprint for key in trust.keys)
    return (
        f"{found} of the trusted keys have signed the bundle, and {trust.threshold} must ({keys});"
        " sign it with these keys, or trust the key that signed it"
    )


def _require_runtime(predicate: Predicate) -> None:
    if _version(predicate.min_runtime) > _version(hexgate.__version__):
        raise BundleRefusedError(
            Refusal.RUNTIME_TOO_OLD,
            f"the bundle asks for runtime {predicate.min_runtime}, and this is {hexgate.__version__}; update Hexgate",
        )
    if predicate.abi != ABI_VERSION:
        raise BundleRefusedError(
            Refusal.ABI,
            f"the module has interface {predicate.abi}, and this runtime {ABI_VERSION}; compile with a release that fits the runtime",
        )
    limits = predicate.limits
    asked = (("fuel", limits.fuel, MODULE_FUEL), ("memory", limits.memory, MODULE_MEMORY_BYTES), ("functions", limits.functions, MODULE_FUNCTIONS))
    for what, wanted, given in asked:
        if wanted > given:
            raise BundleRefusedError(
                Refusal.LIMITS, f"the bundle asks for {what} of {wanted}, and this runtime gives {given}; sign it with lower limits"
            )


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def require_artifacts(statement: Statement, artifacts: Mapping[str, bytes]) -> None:
    """The artifacts are exactly the statement's subjects, with their lengths and digests. Raises BundleRefusedError."""
    subjects, lengths = statement.subjects, statement.predicate.lengths
    for name in (MODULE, TABLE, *subjects):
        if name not in artifacts or name not in subjects:
            raise BundleRefusedError(Refusal.MISSING_ARTIFACT, f"the bundle has no `{name}`; fetch it again, or sign the policies again")
    if len(artifacts) > len(subjects):
        raise BundleRefusedError(
            Refusal.EXTRANEOUS_ARTIFACT, "the bundle has a file that nobody has signed; fetch it again, or sign the policies again"
        )
    for name, content in artifacts.items():
        if len(content) != lengths[name]:
            raise BundleRefusedError(Refusal.ARTIFACT_LENGTH, f"`{name}` has another length than the signed one; fetch the bundle again")
    for name, content in artifacts.items():
        if hashlib.sha256(content).hexdigest() != subjects[name]:
            raise BundleRefusedError(Refusal.ARTIFACT_DIGEST, f"`{name}` is not the file that was signed; fetch the bundle again")
