"""Make a bundle of a compiled policy, and sign it. Pure: the same inputs give the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

import hexgate
from hexgate.bundle.envelope import (
    PAYLOAD_TYPE,
    SIGNATURES,
    Envelope,
    Signature,
    UnverifiedBundle,
    pre_authentication_encoding,
    read_bundle,
    write_bundle,
)
from hexgate.bundle.keys import SigningKey
from hexgate.bundle.statement import (
    AuditSettings,
    IdentitySettings,
    Predicate,
    SignedLimits,
    Statement,
    Vector,
    read_statement,
    source_digest,
    write_statement,
)
from hexgate.bundle.verify import MODULE, SOURCES, TABLE, require_artifacts
from hexgate.limits import ABI_VERSION, MODULE_FUEL, MODULE_FUNCTIONS, MODULE_MEMORY_BYTES

LIMITS = SignedLimits(MODULE_FUEL, MODULE_MEMORY_BYTES, MODULE_FUNCTIONS)


class SigningError(Exception):
    """A bundle cannot be signed as asked. The text is one sentence with a way forward."""


def candidate(
    wasm: bytes,
    table_json: bytes,
    *,
    name: str,
    version: int,
    issued_at: int,
    not_after: int,
    sources: Mapping[str, bytes],
    vectors: Iterable[Vector],
    publish_sources: bool = False,
    limits: SignedLimits = LIMITS,
    audit: AuditSettings | None = None,
    identity: IdentitySettings | None = None,
    tool_schemas: Mapping[str, str] | None = None,
    min_runtime: str = hexgate.__version__,
    abi: int = ABI_VERSION,
) -> bytes:
    """A bundle that nobody has signed, which no runtime accepts. Times are seconds since the epoch; `sources` are the policies by
    their path below the policy set's folder. Raises BundleRefusedError for what a reader would refuse."""
    artifacts = {MODULE: wasm, TABLE: table_json}
    if publish_sources:
        artifacts.update((SOURCES + path, data) for path, data in sources.items())
    predicate = Predicate(
        name,
        version,
        issued_at,
        not_after,
        min_runtime,
        abi,
        limits,
        audit or AuditSettings(),
        identity or IdentitySettings(),
        tool_schemas or {},
        f"hexgate {hexgate.__version__}",
        source_digest(sources),
        {path: len(data) for path, data in artifacts.items()},
        tuple(vectors),
    )
    statement = Statement({path: hashlib.sha256(data).hexdigest() for path, data in artifacts.items()}, predicate)
    payload = write_statement(statement)
    read_statement(payload)
    data = write_bundle(UnverifiedBundle(Envelope(PAYLOAD_TYPE, payload, ()), artifacts))
    read_bundle(data)
    return data


def sign_bundle(data: bytes, keys: Iterable[SigningKey]) -> bytes:
    """The bundle with these keys' signatures added. Its artifacts must be those of its statement: nobody signs what they cannot
    check. Raises BundleRefusedError for a file that is no such bundle, SigningError for a key that has signed it."""
    bundle = read_bundle(data)
    statement = read_statement(bundle.envelope.payload)
    require_artifacts(statement, bundle.artifacts)
    message = pre_authentication_encoding(bundle.envelope.payload_type, bundle.envelope.payload)
    signatures = list(bundle.envelope.signatures)
    for key in keys:
        public = key.public
        if any(public.verifies(signature.value, message) for signature in signatures):
            raise SigningError(f"the key {public.fingerprint} has signed this bundle; sign with another key")
        # What stands under this key's id and is not the key's own keeps nobody from signing. Other ids are hints of other signers, who
        # may share one: DSSE has them optional.
        signatures = [signature for signature in signatures if signature.keyid != public.keyid]
        signatures.append(Signature(public.keyid, key.sign(message)))
    if len(signatures) > SIGNATURES:
        raise SigningError(f"a bundle has at most {SIGNATURES} signatures; sign a new one with fewer keys")
    ordered = tuple(sorted(signatures, key=lambda signature: (signature.keyid, signature.value)))
    return write_bundle(replace(bundle, envelope=replace(bundle.envelope, signatures=ordered)))
