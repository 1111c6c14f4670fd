"""What is signed: an in-toto Statement v1 about the artifacts of a policy bundle (docs/bundle.md B3)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hexgate.bundle.keys import KeyRefusedError, PublicKey, parse_public_key
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.strict_members import MemberError, Members, encode_base64, format_time, is_text
from hexgate.bundle.trust_root import NAME
from hexgate.strict_json import StrictJsonError, parse_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:hexgate:bundle:v1"
VERSION_MAX = 2**53 - 1
"""The largest integer that every reader of JSON has exactly (RFC 8259, 6)."""

ARTIFACTS = 1_024
VECTORS = 64
ROOT_KEYS = 16
REVOKED = 65_536
TOOLS = 65_536
AUDIT_PATHS = 1_024
"""Lengths of the statement's lists, at most."""

_PAYLOAD_DEPTH = 8
_RUNTIME = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})", re.ASCII)
_ARTIFACT = re.compile(r"(?:policy\.(?:wasm|json)|sources/[^/\\\x00-\x1f\x7f]+(?:/[^/\\\x00-\x1f\x7f]+)*)")
_REVOCATION = re.compile(r"(?:[0-9a-f]{2}){1,128}")
_PREDICATE = (
    "name", "version", "issuedAt", "notAfter", "minRuntime", "abi", "limits", "audit", "identity", "toolSchemas", "compiler",
    "sourceDigest", "lengths", "vectors",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedLimits:
    """What a host may give the module: fuel for one call, bytes of memory, number of functions."""

    fuel: int
    memory: int
    functions: int


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How decisions are recorded. `mode` is `written` or `durable`; `mask` and `hash` are paths of values never written plainly."""

    mode: str = "written"
    mask: tuple[str, ...] = ()
    hash: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenRootKey:
    """A key that may sign callers' tokens, by the id that tokens name it with; times are seconds since the epoch."""

    id: int
    key: PublicKey
    not_before: int | None = None
    not_after: int | None = None


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """Who may call. `revoked` are revocation ids of tokens, in hex."""

    require_token: bool = False
    root_keys: tuple[TokenRootKey, ...] = ()
    revoked: tuple[str, ...] = ()
    audience: str | None = None


@dataclass(frozen=True, slots=True)
class Vector:
    """A request in MessagePack (docs/abi.md A2), and the module's answer (A3.1)."""

    request: bytes
    answer: int


@dataclass(frozen=True, slots=True)
class Predicate:
    """What is said of the artifacts. Times are seconds since the epoch; digests are hex SHA-256."""

    name: str
    version: int
    issued_at: int
    not_after: int
    min_runtime: str
    abi: int
    limits: SignedLimits
    audit: AuditSettings
    identity: IdentitySettings
    tool_schemas: Mapping[str, str]
    compiler: str
    source_digest: str
    lengths: Mapping[str, int]
    vectors: tuple[Vector, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """The artifacts by their digests, and the predicate."""

    subjects: Mapping[str, str]
    predicate: Predicate


def source_digest(sources: Mapping[str, bytes]) -> str:
    """One digest for all sources: the SHA-256 over a line `<sha256>  <path>` for each, in order of path, as `sha256sum` prints."""
    lines = (f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(sources.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_statement(statement: Statement) -> bytes:
    """The one JSON text of a statement: members in a fixed order, no white space, ASCII."""
    document = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(statement.subjects.items())],
        "predicateType": PREDICATE_TYPE,
        "predicate": _predicate_to_dict(statement.predicate),
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()


def _predicate_to_dict(predicate: Predicate) -> dict[str, Any]:
    return {
        "name": predicate.name,
        "version": predicate.version,
        "issuedAt": format_time(predicate.issued_at),
        "notAfter": format_time(predicate.not_after),
        "minRuntime": predicate.min_runtime,
        "abi": predicate.abi,
        "limits": {
            "fuel": predicate.limits.fuel, "memory": predicate.limits.memory, "functions": predicate.limits.functions,
        },
        "audit": {"mode": predicate.audit.mode, "mask": list(predicate.audit.mask), "hash": list(predicate.audit.hash)},
        "identity": _identity_to_dict(predicate.identity),
        "toolSchemas": dict(sorted(predicate.tool_schemas.items())),
        "compiler": predicate.compiler,
        "sourceDigest": predicate.source_digest,
        "lengths": dict(sorted(predicate.lengths.items())),
        "vectors": [{"request": encode_base64(vector.request), "answer": vector.answer} for vector in predicate.vectors],
    }  # fmt: skip


def _identity_to_dict(identity: IdentitySettings) -> dict[str, Any]:
    def time(seconds: int | None) -> str | None:
        return None if seconds is None else format_time(seconds)

    return {
        "requireToken": identity.require_token,
        "rootKeys": [
            {"id": key.id, "key": key.key.text, "notBefore": time(key.not_before), "notAfter": time(key.not_after)}
            for key in identity.root_keys
        ],
        "revoked": list(identity.revoked),
        "audience": identity.audience,
    }


def read_statement(payload: bytes) -> Statement:
    """The statement of a payload. Raises BundleRefusedError with `malformed_statement` or `predicate_type`."""
    try:
        document = Members(
            parse_json(payload, depth=_PAYLOAD_DEPTH), "the statement", ("_type", "subject", "predicateType", "predicate")
        )
        types = document.text("_type"), document.text("predicateType")
        if types != (STATEMENT_TYPE, PREDICATE_TYPE):
            raise BundleRefusedError(
                Refusal.PREDICATE_TYPE,
                "the statement is about something else than a policy bundle of this version; update the runtime, or fetch another file",
            )
        subjects = _read_subjects(document.list("subject", ARTIFACTS))
        predicate = _read_predicate(document.any("predicate"), subjects)
    except (StrictJsonError, MemberError, KeyRefusedError) as error:
        raise BundleRefusedError(
            Refusal.MALFORMED_STATEMENT, f"the signed statement is malformed: {error}; sign the policies again"
        ) from error
    return Statement(subjects, predicate)


def _read_subjects(items: list[Any]) -> dict[str, str]:
    subjects: dict[str, str] = {}
    for item in items:
        subject = Members(item, "a subject", ("name", "digest"))
        name = subject.text("name", _ARTIFACT, "`policy.wasm`, `policy.json` or a path below `sources/`")
        if any(step in (".", "..") for step in name.split("/")) or name in subjects:
            raise MemberError("a subject's name climbs or comes twice")
        subjects[name] = Members(subject.any("digest"), "a subject's digest", ("sha256",)).sha256("sha256")
    return subjects


def _read_predicate(value: Any, subjects: Mapping[str, str]) -> Predicate:
    members = Members(value, "the predicate", _PREDICATE)
    limits = Members(members.any("limits"), "`limits`", ("fuel", "memory", "functions"))
    lengths = Members(members.any("lengths"), "`lengths`", tuple(subjects))
    issued_at, not_after = members.time("issuedAt"), members.time("notAfter")
    if not_after <= issued_at:
        raise MemberError("`notAfter` is not later than `issuedAt`")
    return Predicate(
        members.text("name", NAME, "a bundle's name"),
        members.number("version", 1, VERSION_MAX),
        issued_at,
        not_after,
        members.text("minRuntime", _RUNTIME, "a version such as 1.2.3"),
        members.number("abi", 0, VERSION_MAX),
        SignedLimits(*(limits.number(name, 0, VERSION_MAX) for name in ("fuel", "memory", "functions"))),
        read_audit_settings(members.any("audit")),
        read_identity_settings(members.any("identity")),
        _read_tool_schemas(members.object("toolSchemas", TOOLS)),
        members.text("compiler"),
        members.sha256("sourceDigest"),
        {name: lengths.number(name, 0, VERSION_MAX) for name in subjects},
        tuple(_read_vector(item) for item in members.list("vectors", VECTORS)),
    )


def _read_tool_schemas(schemas: dict[str, Any]) -> dict[str, str]:
    if not all(map(is_text, schemas)):
        raise MemberError("`toolSchemas` names a tool by something else than a text")
    members = Members(schemas, "`toolSchemas`", tuple(schemas))
    return {tool: members.sha256(tool) for tool in schemas}


def read_audit_settings(value: Any) -> AuditSettings:
    """The member `audit` of a predicate. Raises MemberError."""
    audit = Members(value, "`audit`", ("mode", "mask", "hash"))
    return AuditSettings(
        audit.text("mode", re.compile("written|durable"), "`written` or `durable`"),
        _texts(audit.list("mask", AUDIT_PATHS), "a path of `mask`"),
        _texts(audit.list("hash", AUDIT_PATHS), "a path of `hash`"),
    )


def _texts(items: list[Any], what: str, pattern: re.Pattern[str] | None = None) -> tuple[str, ...]:
    for item in items:
        if not is_text(item) or (pattern is not None and not pattern.fullmatch(item)):
            raise MemberError(f"{what} is not one")
    return tuple(items)


def read_identity_settings(value: Any) -> IdentitySettings:
    """The member `identity` of a predicate. Raises MemberError, and KeyRefusedError for a key in it."""
    identity = Members(value, "`identity`", ("requireToken", "rootKeys", "revoked", "audience"))
    keys = tuple(_read_root_key(item) for item in identity.list("rootKeys", ROOT_KEYS))
    if len({key.id for key in keys}) < len(keys):
        raise MemberError("two of `rootKeys` have one id")
    audience = None if identity.any("audience") is None else identity.text("audience")
    revoked = _texts(identity.list("revoked", REVOKED), "a revocation id", _REVOCATION)
    return IdentitySettings(identity.flag("requireToken"), keys, revoked, audience)


def _read_root_key(value: Any) -> TokenRootKey:
    key = Members(value, "a key of `rootKeys`", ("id", "key", "notBefore", "notAfter"))
    times = [None if key.any(name) is None else key.time(name) for name in ("notBefore", "notAfter")]
    return TokenRootKey(key.number("id", 0, 2**32 - 1), parse_public_key(key.text("key")), *times)


def _read_vector(value: Any) -> Vector:
    vector = Members(value, "a vector", ("request", "answer"))
    return Vector(vector.data("request"), vector.number("answer", 0, 2**31 - 1))


