"""Attacks on who has signed, on what was asked for, and on time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from hexgate.bundle.strict_members import encode_base64
from tests.vectors.bundle.case import Case
from tests.vectors.bundle.material import (
    EXPIRES,
    MALLORY,
    RELEASE,
    SECOND,
    VERSION,
    Contents,
    altered,
    honest,
    keys_text,
    signature,
)
from tests.vectors.bundle.welcome import OTHER_DIGEST

_ORDER = 2**252 + 27742317777372353535851937790883648493
_BOTH = keys_text(RELEASE, SECOND, threshold=2)


def trust_attacks(contents: Contents) -> Iterator[Case]:
    """All of them."""
    yield from _signatures(contents)
    yield from _name_and_time(contents)


def _signatures(contents: Contents) -> Iterator[Case]:
    draft = honest(contents)
    payload = draft.payload
    good = signature(RELEASE, payload)

    def case(name: str, about: str, bundle: bytes, key: str = keys_text(RELEASE)) -> Case:
        return Case(name, about, bundle, "signatures", key)

    yield case("arbitrary_installation", "an attacker signs a bundle with a key of their own", draft.signed(MALLORY))
    yield case("unsigned", "a candidate that nobody has signed", draft.file([]))
    yield case("stripped_signature", "two must sign, and one signature was taken out", draft.file([good]), _BOTH)
    yield case("duplicated_signature", "two must sign, and one signature is there twice", draft.file([good, good]), _BOTH)
    yield case(
        "one_key_under_two_ids", "two must sign, and one key has signed under the ids of both",
        draft.file([good, {**good, "keyid": SECOND.public.keyid}]), _BOTH,
    )  # fmt: skip
    yield case(
        "stranger_counts_for_none", "two must sign: one trusted key and one stranger have", draft.signed(RELEASE, MALLORY), _BOTH
    )
    yield case(
        "key_carried_as_keyid", "the bundle brings the key that signed it, as the keyid",
        draft.file([signature(MALLORY, payload, keyid=MALLORY.public.text)]),
    )  # fmt: skip
    yield case(
        "trusted_keyid_on_a_stranger", "an attacker's signature under the id of the trusted key",
        draft.file([signature(MALLORY, payload, keyid=RELEASE.public.keyid)]),
    )  # fmt: skip
    yield case("lost_key", "a key that was lost is no longer trusted, and what it signs is not either", draft.signed(RELEASE), keys_text(SECOND))
    yield case(
        "rotated_key_alone", "after a rotation, with two new keys to sign, the old one counts for nothing",
        draft.signed(RELEASE), keys_text(SECOND, MALLORY, threshold=2),
    )  # fmt: skip
    yield case(
        "altered_payload", "one digit of the signed version was changed",
        draft.file([good], payload.replace(b'"version":7', b'"version":9')),
    )  # fmt: skip
    yield case(
        "payload_type_confusion", "a signature over the same bytes as another type of payload",
        draft.file([signature(RELEASE, payload, payload_type="application/vnd.example+json")]),
    )  # fmt: skip
    yield case(
        "signature_without_encoding", "a signature over the bare payload, without the pre-authentication encoding",
        draft.file([{**good, "sig": encode_base64(RELEASE.sign(payload))}]),
    )  # fmt: skip
    yield case("signature_of_another_bundle", "the signature of another bundle", draft.file([signature(RELEASE, honest(contents, version=8).payload)]))
    raw = RELEASE.sign(b"DSSEv1 28 application/vnd.in-toto+json %d " % len(payload) + payload)
    scalar = int.from_bytes(raw[32:], "little") + _ORDER
    yield case(
        "malleable_signature", "the same signature with the group order added to its scalar (RFC 8032, 5.1.7)",
        draft.file([{**good, "sig": encode_base64(raw[:32] + scalar.to_bytes(32, "little"))}]),
    )  # fmt: skip
    yield case("short_signature", "a signature of 63 bytes", draft.file([{**good, "sig": encode_base64(raw[:63])}]))
    yield case("long_signature", "a signature with a byte behind it", draft.file([{**good, "sig": encode_base64(raw + b"\0")}]))
    yield case("zero_signature", "a signature of zeros", draft.file([{**good, "sig": encode_base64(bytes(64))}]))
    yield case(
        "signatures_before_statement", "what is signed is not even read before it is known who signed it",
        draft.file([signature(MALLORY, b"{")], b"{"),
    )  # fmt: skip
    yield Case(
        "other_payload_type", "a signed envelope with another type of payload",
        draft.file([signature(RELEASE, payload, payload_type="application/json")], payload_type="application/json"), "payload_type",
    )  # fmt: skip
    yield Case(
        "payload_type_swapped", "a bundle whose payload type was changed after it was signed",
        altered(draft.signed(RELEASE), lambda document: document["dsse"].update(payloadType="text/plain")), "payload_type",
    )  # fmt: skip


def _name_and_time(contents: Contents) -> Iterator[Case]:
    draft = honest(contents)
    good = draft.signed(RELEASE)
    digest = hashlib.sha256(draft.payload).hexdigest()
    yield Case("wrong_name", "another bundle of the same publisher in the place of the one asked for", good, "wrong_name", asked="payments")
    yield Case(
        "malicious_mirror_serves_another", "a mirror serves a bundle that is signed for another name",
        honest(contents, name="staging").signed(RELEASE), "wrong_name",
    )  # fmt: skip
    yield Case("not_yet_valid", "issued 301 seconds in the future", good, "not_yet_valid", now="2026-11-23T09:54:59Z")
    yield Case("expired", "at the second of its expiry", good, "expired", now=EXPIRES)
    yield Case(
        "freeze", "a mirror serves the last bundle for ever", good, "expired", now="2027-06-01T00:00:00Z",
        floor=(VERSION, digest, "2026-12-23T09:00:00Z"),
    )  # fmt: skip
    yield Case(
        "clock_moved_back", "the clock was set back to before the expiry, which has been seen to pass", good, "expired",
        floor=(VERSION, digest, "2026-12-24T00:00:00Z"),
    )  # fmt: skip
    yield Case(
        "rollback", "an older version than the one accepted last", good, "rollback",
        floor=(VERSION + 1, OTHER_DIGEST, "2026-11-24T09:00:00Z"),
    )  # fmt: skip
    yield Case(
        "rollback_of_the_same_content", "the same content under an older version is old all the same", good, "rollback",
        floor=(VERSION + 1, digest, "2026-11-24T09:00:00Z"),
    )  # fmt: skip
    yield Case(
        "same_version_other_content", "the version accepted last with other content", good, "same_version_other_content",
        floor=(VERSION, OTHER_DIGEST, "2026-11-24T09:00:00Z"),
    )  # fmt: skip
    yield Case(
        "name_before_time", "of several faults the first check's is told", good, "wrong_name", asked="payments", now=EXPIRES,
        floor=(VERSION + 1, OTHER_DIGEST, EXPIRES),
    )  # fmt: skip
    yield Case(
        "time_before_version", "an expired bundle that is old too", good, "expired", now=EXPIRES, floor=(VERSION + 1, OTHER_DIGEST, EXPIRES)
    )
    yield Case(
        "version_before_content", "an older version with an altered module", draft.with_artifact("policy.wasm", b"\0asm").signed(RELEASE),
        "rollback", floor=(VERSION + 1, OTHER_DIGEST, "2026-11-24T09:00:00Z"),
    )  # fmt: skip
