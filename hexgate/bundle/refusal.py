"""Why a bundle is refused: a closed vocabulary, in the order of the checks (docs/bundle.md B4)."""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """The first check that a bundle does not pass. Test vectors, logs and hosts in other languages use these words."""

    TOO_LARGE = "too_large"
    """The file is longer than `BUNDLE_BYTES`."""
    MALFORMED = "malformed"
    """The file is not the one form of a bundle: JSON, members, base64."""
    PAYLOAD_TYPE = "payload_type"
    """The envelope holds something else than an in-toto statement."""
    SIGNATURES = "signatures"
    """Fewer of the trusted keys have signed than the threshold asks for."""
    MALFORMED_STATEMENT = "malformed_statement"
    """What is signed is not the one form of a statement."""
    PREDICATE_TYPE = "predicate_type"
    """The statement is about something else than a policy bundle of this version."""
    RUNTIME_TOO_OLD = "runtime_too_old"
    """The bundle asks for a later runtime."""
    ABI = "abi"
    """The module has another interface than this runtime's."""
    LIMITS = "limits"
    """The bundle asks for more than this runtime gives a module."""
    WRONG_NAME = "wrong_name"
    """The bundle is signed under another name than the one asked for."""
    NOT_YET_VALID = "not_yet_valid"
    """The bundle was issued in the future."""
    EXPIRED = "expired"
    """The bundle is past its expiry."""
    ROLLBACK = "rollback"
    """A later version has been accepted before."""
    SAME_VERSION_OTHER_CONTENT = "same_version_other_content"
    """Another content has been accepted under the same version before."""
    MISSING_ARTIFACT = "missing_artifact"
    """A subject of the statement, or a file that every bundle has, is not there."""
    EXTRANEOUS_ARTIFACT = "extraneous_artifact"
    """A file is there that no subject of the statement names."""
    ARTIFACT_LENGTH = "artifact_length"
    """A file has another length than the signed one."""
    ARTIFACT_DIGEST = "artifact_digest"
    """A file has another SHA-256 than the signed one."""
    TABLE = "table"
    """`policy.json` is not a policy table."""
    MODULE = "module"
    """`policy.wasm` is not a module that this runtime runs."""
    VECTORS = "vectors"
    """The module does not give the signed answers."""


class BundleRefusedError(Exception):
    """A bundle is not one to trust. `detail` is one sentence with a way forward; it names nothing but what is public."""

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.refusal = refusal
        self.detail = detail
