"""Making and signing bundles: deterministic, and nothing is signed that could not be checked (docs/bundle.md B7)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hexgate.bundle.envelope import read_bundle
from hexgate.bundle.keys import SigningKey
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.sign import SigningError, candidate, sign_bundle
from hexgate.bundle.statement import AuditSettings, IdentitySettings, TokenRootKey
from hexgate.bundle.trust_root import TrustRoot
from hexgate.bundle.verify import VerifiedBundle, verify
from tests.bundle_vectors import ACCEPTED, load_bundle_vectors
from tests.vectors.bundle.material import (
    MALLORY,
    NOW,
    RELEASE,
    SECOND,
    THIRD,
    altered,
    contents_of,
    key_named,
    seconds,
    signature,
)

ROOT = Path(__file__).parents[2]
CONTENTS = contents_of(next(vector for vector in load_bundle_vectors() if vector.id == ACCEPTED).data)
FIXED: dict[str, Any] = {
    "name": "policy", "version": 7, "issued_at": 1_795_000_000, "not_after": 1_799_000_000, "sources": CONTENTS.sources,
    "vectors": CONTENTS.vectors,
}  # fmt: skip


def _candidate(**more: Any) -> bytes:
    return candidate(CONTENTS.wasm, CONTENTS.table_json, **{**FIXED, **more})


def _verify(data: bytes, *keys: SigningKey, threshold: int = 1) -> VerifiedBundle:
    trust = TrustRoot(threshold, tuple(key.public for key in keys))
    return verify(data, trust, name="policy", now=seconds(NOW), floor=None)


def test_signed_bundles_are_verified() -> None:
    signed = sign_bundle(_candidate(), [RELEASE, SECOND])
    verified = _verify(signed, SECOND, RELEASE, threshold=2)
    assert verified.signers == (SECOND.public, RELEASE.public)
    assert (verified.wasm, verified.table_json, dict(verified.sources)) == (CONTENTS.wasm, CONTENTS.table_json, {})


def test_everything_said_of_it_is_carried() -> None:
    audit = AuditSettings("durable", ("args.card",), ("args.iban",))
    identity = IdentitySettings(True, (TokenRootKey(3, THIRD.public, 1, None),), ("00ff",), "agents")
    signed = sign_bundle(
        _candidate(audit=audit, identity=identity, tool_schemas={"pay": "ab" * 32}, publish_sources=True), [RELEASE]
    )
    verified = _verify(signed, RELEASE)
    predicate = verified.statement.predicate
    assert (predicate.audit, predicate.identity, predicate.tool_schemas) == (audit, identity, {"pay": "ab" * 32})
    assert dict(verified.sources) == dict(CONTENTS.sources)


def test_a_candidate_is_refused_by_construction() -> None:
    with pytest.raises(BundleRefusedError) as caught:
        _verify(_candidate(), RELEASE)
    assert caught.value.refusal is Refusal.SIGNATURES
    assert json.loads(_candidate())["dsse"]["signatures"] == []


def test_signatures_may_be_added_in_any_order() -> None:
    both = sign_bundle(_candidate(), [RELEASE, SECOND])
    assert sign_bundle(sign_bundle(_candidate(), [SECOND]), [RELEASE]) == both
    assert sign_bundle(sign_bundle(_candidate(), [RELEASE]), [SECOND]) == both


def test_a_key_signs_once() -> None:
    for keys in ([RELEASE, RELEASE], [SECOND, RELEASE, SECOND]):
        with pytest.raises(SigningError, match=r" has signed this bundle; sign with another key$"):
            sign_bundle(_candidate(), keys)
    with pytest.raises(SigningError) as caught:
        sign_bundle(sign_bundle(_candidate(), [RELEASE]), [RELEASE])
    assert str(caught.value) == f"the key {RELEASE.public.fingerprint} has signed this bundle; sign with another key"


def test_a_false_signature_under_ones_id_is_replaced() -> None:
    """Otherwise whoever hands over the bundle could keep a signer from signing."""
    payload = read_bundle(_candidate()).envelope.payload
    false = signature(MALLORY, payload, keyid=RELEASE.public.keyid)
    squatted = altered(_candidate(), lambda document: document["dsse"].update(signatures=[false]))
    assert sign_bundle(squatted, [RELEASE]) == sign_bundle(_candidate(), [RELEASE])


@pytest.mark.parametrize("keyid", ["", "release"])
def test_signatures_that_share_an_id_are_all_kept(keyid: str) -> None:
    """Signers with other tools may leave the hint empty (DSSE v1.0.2, protocol)."""
    payload = read_bundle(_candidate()).envelope.payload
    others = [signature(key, payload, keyid=keyid) for key in (SECOND, MALLORY)]
    signed = altered(_candidate(), lambda document: document["dsse"].update(signatures=others))
    assert len(_verify(sign_bundle(signed, [RELEASE]), RELEASE, SECOND, MALLORY, threshold=3).signers) == 3
    with pytest.raises(SigningError) as caught:
        sign_bundle(signed, [SECOND])
    assert str(caught.value) == f"the key {SECOND.public.fingerprint} has signed this bundle; sign with another key"


def test_there_are_at_most_16_signatures() -> None:
    keys = [key_named(f"signer {number}") for number in range(17)]
    assert len(read_bundle(sign_bundle(_candidate(), keys[:16])).envelope.signatures) == 16
    with pytest.raises(SigningError) as caught:
        sign_bundle(_candidate(), keys)
    assert str(caught.value) == "a bundle has at most 16 signatures; sign a new one with fewer keys"


@pytest.mark.parametrize(
    ("artifact", "content", "refusal"),
    [
        ("policy.wasm", "AAAA", Refusal.ARTIFACT_LENGTH),
        ("policy.json", None, Refusal.MISSING_ARTIFACT),
        ("sources/more.yaml", "", Refusal.EXTRANEOUS_ARTIFACT),
    ],
)
def test_nobody_signs_what_does_not_fit_together(artifact: str, content: str | None, refusal: Refusal) -> None:
    def change(document: dict[str, Any]) -> None:
        if content is None:
            del document["artifacts"][artifact]
        else:
            document["artifacts"][artifact] = content

    with pytest.raises(BundleRefusedError) as caught:
        sign_bundle(altered(_candidate(), change), [RELEASE])
    assert caught.value.refusal is refusal


@pytest.mark.parametrize(
    ("members", "clause"),
    [
        ({"name": "Policy"}, "`name` of the predicate is not a bundle's name"),
        ({"version": 0}, "`version` of the predicate is not a whole number from 1 to 9007199254740991"),
        ({"not_after": 1_795_000_000}, "`notAfter` is not later than `issuedAt`"),
        ({"sources": {"../x": b""}, "publish_sources": True}, "a subject's name climbs or comes twice"),
        ({"audit": AuditSettings("off")}, "`mode` of `audit` is not `written` or `durable`"),
    ],
)
def test_no_candidate_is_made_that_no_reader_takes(members: dict[str, Any], clause: str) -> None:
    with pytest.raises(BundleRefusedError) as caught:
        _candidate(**members)
    assert caught.value.detail == f"the signed statement is malformed: {clause}; sign the policies again"


def test_no_candidate_is_larger_than_readers_take() -> None:
    with pytest.raises(BundleRefusedError) as caught:
        _candidate(sources={f"{number}.yaml": bytes(2**20) for number in range(12)}, publish_sources=True)
    assert caught.value.refusal is Refusal.TOO_LARGE
    assert caught.value.detail.endswith(" bytes, more than 16777216; leave the sources out of it")


def test_only_verification_makes_a_verified_bundle() -> None:
    verified = _verify(sign_bundle(_candidate(), [RELEASE]), RELEASE)
    with pytest.raises(TypeError, match=r"^only `verify` makes a VerifiedBundle$"):
        VerifiedBundle(object(), verified.statement, {}, "", ())


_BUILD = """
import sys
sys.path.insert(0, sys.argv[1])
from hexgate.bundle.sign import sign_bundle
from tests.vectors.bundle.material import RELEASE, SECOND, compile_contents, honest
from hexgate.bundle.sign import candidate
c = compile_contents()
data = candidate(c.wasm, c.table_json, name="policy", version=7, issued_at=1795000000, not_after=1799000000,
                 sources=c.sources, vectors=c.vectors, publish_sources=True)
sys.stdout.buffer.write(sign_bundle(data, [SECOND, RELEASE]))
"""


def test_the_same_sources_give_the_same_bytes_anywhere(tmp_path: Path) -> None:
    """In other directories, time zones, locales and hash seeds."""
    made = set()
    for number, environment in enumerate(
        ({"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"}, {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Chatham", "LC_ALL": "C.UTF-8"})
    ):
        folder = tmp_path / f"directory {number}"
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", _BUILD, str(ROOT)], cwd=folder, env={**os.environ, **environment}, capture_output=True, check=True
        )
        made.add(done.stdout)
    assert len(made) == 1
    _verify(made.pop(), RELEASE, SECOND, threshold=2)
