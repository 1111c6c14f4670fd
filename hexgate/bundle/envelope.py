"""The file: a DSSE envelope and the artifacts beside it, in one JSON object (docs/bundle.md B2).

Nothing that is read here is trusted: a difference between readers of the outer JSON can only make a digest fail.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.statement import ARTIFACTS
from hexgate.bundle.strict_members import MemberError, Members, decode_base64, encode_base64
from hexgate.limits import BUNDLE_BYTES
from hexgate.strict_json import StrictJsonError, parse_json

MEDIA_TYPE = "application/vnd.hexgate.bundle.v1+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
SIGNATURES = 16
"""Signatures of one bundle, at most."""

SIGNATURE_BYTES = 1_024
"""Length of a signature of any kind, at most; Ed25519's have 64 bytes."""

PAYLOAD_BYTES = 4 * 2**20
"""Length of a payload, at most: it is hashed once for every trusted key and signature, before anybody is known to have signed it."""

OUTER_SIGNS = 8_192
"""Commas and opening brackets of the file's JSON outside of strings, at most: more than all of its members need. What 16 MiB of
them would take, whoever serves the file could make a runtime spend at every refresh."""

_OUTER_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and which key it says it is of: a hint."""

    keyid: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """DSSE v1: what is signed, and by whom it claims to be."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class UnverifiedBundle:
    """What a bundle's file holds. Nobody has checked it."""

    envelope: Envelope
    artifacts: Mapping[str, bytes]


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed (DSSE v1.0.2, protocol, PAE): the type and the payload with their lengths in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def read_bundle(data: bytes) -> UnverifiedBundle:
    """What a file holds. Raises BundleRefusedError with `too_large`, `malformed` or `payload_type`."""
    if len(data) > BUNDLE_BYTES:
        raise BundleRefusedError(
            Refusal.TOO_LARGE, f"the bundle has {len(data)} bytes, more than {BUNDLE_BYTES}; leave the sources out of it"
        )
    try:
        return _read_bundle(data)
    except (StrictJsonError, MemberError) as error:
        raise BundleRefusedError(
            Refusal.MALFORMED, f"the file is not a bundle: {error}; fetch it again, or sign the policies again"
        ) from error


def _read_bundle(data: bytes) -> UnverifiedBundle:
    bundle = Members(parse_json(data, depth=_OUTER_DEPTH, signs=OUTER_SIGNS), "the file", ("mediaType", "dsse", "artifacts"))
    if bundle.text("mediaType") != MEDIA_TYPE:
        raise MemberError(f"`mediaType` is not `{MEDIA_TYPE}`")
    dsse = Members(bundle.any("dsse"), "`dsse`", ("payloadType", "payload", "signatures"))
    signatures = []
    for item in dsse.list("signatures", SIGNATURES):
        signature = Members(item, "a signature", ("keyid", "sig"))
        value = signature.data("sig")
        if not 1 <= len(value) <= SIGNATURE_BYTES:
            raise MemberError(f"a signature has 1 to {SIGNATURE_BYTES} bytes")
        signatures.append(Signature(signature.text("keyid"), value))
    payload_type, payload = dsse.text("payloadType"), dsse.data("payload")
    if len(payload) > PAYLOAD_BYTES:
        raise MemberError(f"the payload has more than {PAYLOAD_BYTES} bytes")
    artifacts: dict[str, bytes] = {}
    for name, text in bundle.object("artifacts", ARTIFACTS).items():
        content = decode_base64(text) if type(text) is str else None
        if content is None:
            raise MemberError("an artifact is not base64 in its one form")
        artifacts[name] = content
    if payload_type != PAYLOAD_TYPE:
        raise BundleRefusedError(
            Refusal.PAYLOAD_TYPE, f"the envelope's payload is not of type `{PAYLOAD_TYPE}`; fetch a bundle in place of this file"
        )
    return UnverifiedBundle(Envelope(payload_type, payload, tuple(signatures)), artifacts)


def write_bundle(bundle: UnverifiedBundle) -> bytes:
    """The file of a bundle: members in a fixed order, artifacts by name, no white space, ASCII, one newline at the end."""
    envelope = bundle.envelope
    document = {
        "mediaType": MEDIA_TYPE,
        "dsse": {
            "payloadType": envelope.payload_type,
            "payload": encode_base64(envelope.payload),
            "signatures": [{"keyid": one.keyid, "sig": encode_base64(one.value)} for one in envelope.signatures],
        },
        "artifacts": {name: encode_base64(content) for name, content in sorted(bundle.artifacts.items())},
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
