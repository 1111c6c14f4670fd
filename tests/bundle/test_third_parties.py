"""Others verify our bundles without Hexgate: OpenSSL and securesystemslib (docs/bundle.md B8)."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from hexgate.bundle.keys import PublicKey
from tests.bundle_vectors import ACCEPTED, BundleVector, load_bundle_vectors
from tests.vectors.bundle.material import MALLORY, RELEASE

GOOD = next(vector for vector in load_bundle_vectors() if vector.id == ACCEPTED)
REFUSED_BY_SIGNATURE = [
    vector
    for vector in load_bundle_vectors()
    if vector.id in ("arbitrary_installation", "altered_payload", "payload_type_confusion", "malleable_signature", "zero_signature", "signature_without_encoding")
]
assert len(REFUSED_BY_SIGNATURE) == 6


def _dsse(vector: BundleVector) -> dict[str, Any]:
    """The envelope, read with nothing but a JSON parser."""
    found: dict[str, Any] = json.loads(vector.data)["dsse"]
    return found


def _encoding(dsse: dict[str, Any]) -> bytes:
    """The pre-authentication encoding, as the documentation spells it."""
    payload = base64.b64decode(dsse["payload"])
    kind = dsse["payloadType"].encode()
    return b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b" " + str(len(payload)).encode() + b" " + payload


def _openssl(vector: BundleVector, key: PublicKey, folder: Path) -> bool:
    """Whether OpenSSL takes the first signature."""
    dsse = _dsse(vector)
    pem = Ed25519PublicKey.from_public_bytes(key.raw).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / "key.pem").write_bytes(pem)
    (folder / "message").write_bytes(_encoding(dsse))
    (folder / "signature").write_bytes(base64.b64decode(dsse["signatures"][0]["sig"]))
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "message", "-sigfile", "signature"],
        cwd=folder, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


def test_openssl_verifies_our_signatures(tmp_path: Path) -> None:
    assert _openssl(GOOD, RELEASE.public, tmp_path)
    assert not _openssl(GOOD, MALLORY.public, tmp_path)


@pytest.mark.parametrize("vector", REFUSED_BY_SIGNATURE, ids=lambda vector: vector.id)
def test_openssl_refuses_what_we_refuse(vector: BundleVector, tmp_path: Path) -> None:
    assert not _openssl(vector, RELEASE.public, tmp_path)


def _securesystemslib(vector: BundleVector, *keys: PublicKey, threshold: int = 1) -> set[str]:
    """The ids of the keys that securesystemslib finds signatures of. Raises VerificationError below the threshold."""
    made = [SSlibKey(key.keyid, "ed25519", "ed25519", {"public": key.raw.hex()}) for key in keys]
    envelope = Envelope.from_dict(_dsse(vector))  # type: ignore[no-untyped-call]
    return set(envelope.verify(made, threshold))


def test_securesystemslib_verifies_our_signatures() -> None:
    assert _securesystemslib(GOOD, RELEASE.public) == {RELEASE.public.keyid}
    two = next(vector for vector in load_bundle_vectors() if vector.id == "accepted_two_of_three")
    assert len(_securesystemslib(two, *two.trust.keys, threshold=2)) == 2


@pytest.mark.parametrize("vector", REFUSED_BY_SIGNATURE, ids=lambda vector: vector.id)
def test_securesystemslib_refuses_what_we_refuse(vector: BundleVector) -> None:
    with pytest.raises(VerificationError):
        _securesystemslib(vector, RELEASE.public)


def test_the_payload_is_an_in_toto_statement_about_the_artifacts() -> None:
    """With nothing but a JSON parser and SHA-256: in-toto Statement v1, every artifact a subject."""
    document = json.loads(GOOD.data)
    statement = json.loads(base64.b64decode(document["dsse"]["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    stated = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    there = {name: hashlib.sha256(base64.b64decode(text)).hexdigest() for name, text in document["artifacts"].items()}
    assert stated == there
