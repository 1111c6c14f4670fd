"""Attacks on readers: files and statements that two readers could understand differently."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hexgate.bundle.strict_members import encode_base64
from tests.vectors.bundle.case import Case
from tests.vectors.bundle.material import RELEASE, Contents, Draft, Json, altered, honest, signature
from tests.vectors.bundle.welcome import LARGEST


def form_attacks(contents: Contents) -> Iterator[Case]:
    """All of them."""
    yield from _files(contents)
    yield from _statements(honest(contents))


def _files(contents: Contents) -> Iterator[Case]:
    draft = honest(contents)
    good = draft.signed(RELEASE)
    yield Case("endless_data", "a file that is one byte longer than 16 MiB, however it goes on", good, "too_large", pad_to=LARGEST + 1)
    text = good.decode()
    payload = json.loads(good)["dsse"]["payload"]
    table = json.loads(good)["artifacts"]["policy.json"]
    signature_text = json.loads(good)["dsse"]["signatures"][0]["sig"]
    malformed = {
        "empty_file": ("an empty file", b""),
        "sign_in_page": ("a page of HTML in the place of the bundle", b"<!doctype html><title>Sign in</title>\n"),
        "cut_off": ("a file that ends early", good[: len(good) // 2]),
        "cut_off_by_one": ("a file without its last bracket", good.rstrip()[:-1]),
        "trailing_data": ("something follows the bundle", good + b"{}"),
        "trailing_zero": ("a zero byte follows the bundle", good + b"\0"),
        "byte_order_mark": ("a byte order mark before the bundle", b"\xef\xbb\xbf" + good),
        "not_utf8": ("a byte that is not UTF-8", good.replace(b"policy.wasm", b"policy.was\xff", 1)),
        "utf16": ("a bundle in UTF-16", text.encode("utf-16")),
        "not_an_object": ("a list with the bundle in it", b"[" + good.rstrip() + b"]"),
        "deep_nesting": ("brackets without end", b"[" * 5_000),
        "not_a_number": ("NaN, which is not JSON", good.replace(b'"artifacts":{', b'"artifacts":{"x":NaN,')),
        "duplicate_member": ("an artifact twice: readers differ on which one counts",
                             good.replace(b'"policy.wasm":', b'"policy.wasm":"","policy.wasm":')),
        "duplicate_member_escaped": ("an artifact twice, once with an escape in its name",
                                     good.replace(b'"policy.wasm":', b'"policy.was\\u006d":"","policy.wasm":')),
        "duplicate_payload": ("two payloads", good.replace(b'"payload":', b'"payload":"e30=","payload":')),
        "key_in_the_bundle": ("the bundle brings keys to trust",
                              altered(good, lambda document: document.update(keys=[RELEASE.public.text]))),
        "threshold_in_the_bundle": ("the envelope says how many signatures are needed",
                                    altered(good, lambda document: document["dsse"].update(threshold=0))),
        "certificate_in_a_signature": ("a signature brings a certificate",
                                       altered(good, lambda document: document["dsse"]["signatures"][0].update(cert="x"))),
        "no_signatures_member": ("an envelope without `signatures`", altered(good, lambda document: document["dsse"].pop("signatures"))),
        "no_artifacts_member": ("a file without `artifacts`", altered(good, lambda document: document.pop("artifacts"))),
        "signatures_are_null": ("null for the signatures", altered(good, lambda document: document["dsse"].update(signatures=None))),
        "signatures_are_an_object": ("an object for the signatures", altered(good, lambda document: document["dsse"].update(signatures={}))),
        "another_media_type": ("another kind of file", altered(good, lambda document: document.update(mediaType="application/json"))),
        "later_media_type": ("a later version of the format",
                             altered(good, lambda document: document.update(mediaType="application/vnd.hexgate.bundle.v2+json"))),
        "too_many_signatures": ("17 signatures",
                                altered(good, lambda document: document["dsse"].update(signatures=document["dsse"]["signatures"] * 17))),
        "empty_signature": ("a signature of no bytes", altered(good, lambda document: document["dsse"]["signatures"][0].update(sig=""))),
        "huge_signature": ("a signature of 1,025 bytes",
                           altered(good, lambda document: document["dsse"]["signatures"][0].update(sig=encode_base64(bytes(1_025))))),
        "payload_is_no_text": ("a number for the payload", altered(good, lambda document: document["dsse"].update(payload=1))),
        "artifact_is_no_text": ("null for an artifact", altered(good, lambda document: document["artifacts"].update({"policy.wasm": None}))),
        "base64_without_padding": ("base64 without its padding", _with_signature(good, signature_text.rstrip("="))),
        "base64_with_a_line_break": ("a line break in base64", altered(good, lambda document: document["dsse"].update(payload=payload[:76] + "\n" + payload[76:]))),
        "base64_with_junk": ("a sign in base64 that loose readers pass over",
                             altered(good, lambda document: document["artifacts"].update({"policy.json": "." + table}))),
        "base64_in_the_url_alphabet": ("the other alphabet of base64", _with_signature(good, _url_alphabet(signature_text))),
        "base64_with_spare_bits": ("base64 whose unused bits are not zero", _with_signature(good, _spare_bits(signature_text))),
        "base64_with_padding_inside": ("two pieces of base64, one after the other", _with_signature(good, signature_text + "AA==")),
    }  # fmt: skip
    for name, (about, data) in malformed.items():
        assert data != good, name
        yield Case(name, about, data, "malformed")
    yield Case(
        "form_before_signatures", "a malformed file that nobody trusted has signed",
        altered(draft.file([]), lambda document: document.update(keys=[])), "malformed",
    )  # fmt: skip


def _with_signature(data: bytes, text: str) -> bytes:
    return altered(data, lambda document: document["dsse"]["signatures"][0].update(sig=text))


def _url_alphabet(text: str) -> str:
    assert "+" in text or "/" in text, "the test key's signature has no sign that tells the alphabets apart"
    return text.replace("+", "-").replace("/", "_")


def _spare_bits(text: str) -> str:
    """Another text that loose readers decode to the same 64 bytes: four bits of the last digit are not used."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    assert text.endswith("==")
    return text[:-3] + alphabet[alphabet.index(text[-3]) + 1] + "=="


def _statements(draft: Draft) -> Iterator[Case]:
    payload = draft.payload

    def signed(about: str, name: str, statement: bytes, expect: str = "malformed_statement") -> Case:
        assert statement != payload, name
        return Case(name, f"signed: {about}", draft.file([signature(RELEASE, statement)], statement), expect)

    def changed(about: str, name: str, before: bytes, after: bytes, expect: str = "malformed_statement") -> Case:
        assert payload.count(before) == 1, name
        return signed(about, name, payload.replace(before, after), expect)

    yield signed("an empty payload", "statement_empty", b"")
    yield signed("no JSON", "statement_not_json", b"statement")
    yield signed("something follows the statement", "statement_with_trailing_data", payload + b" 1")
    yield changed("a version twice", "statement_duplicate_member", b'"version":7', b'"version":9,"version":7')
    yield changed("a member that nobody knows", "statement_unknown_member", b'"abi":1', b'"abi":1,"allowUnsigned":true')
    yield changed("no expiry", "statement_without_expiry", b'"notAfter":"2026-12-23T10:00:00Z",', b"")
    yield changed("an expiry of null", "statement_with_null_expiry", b'"notAfter":"2026-12-23T10:00:00Z"', b'"notAfter":null')
    yield changed("a version with a fraction", "statement_version_fraction", b'"version":7', b'"version":7.0')
    yield changed("a version with an exponent", "statement_version_exponent", b'"version":7', b'"version":7e0')
    yield changed("a version of 0", "statement_version_zero", b'"version":7', b'"version":0')
    yield changed("a version beyond 2^53 - 1", "statement_version_huge", b'"version":7', b'"version":9007199254740992')
    yield changed("a version in quotes", "statement_version_text", b'"version":7', b'"version":"7"')
    yield changed("true for a number", "statement_bool_number", b'"abi":1', b'"abi":true')
    yield changed("a day that no calendar has", "statement_impossible_day", b"2026-12-23T", b"2026-02-30T")
    yield changed("a time with an offset", "statement_time_offset", b"2026-12-23T10:00:00Z", b"2026-12-23T10:00:00+00:00")
    yield changed("a time with a fraction", "statement_time_fraction", b"2026-12-23T10:00:00Z", b"2026-12-23T10:00:00.5Z")
    yield changed("an expiry before the issue", "statement_expires_before_issue", b"2026-12-23T10", b"2026-10-23T10")
    yield changed("a name with a path in it", "statement_name_path", b'"name":"policy","version"', b'"name":"../policy","version"')
    yield changed("a name that a reader could take for another", "statement_name_not_ascii", b'"name":"policy","version"', b'"name":"p\\u043elicy","version"')
    yield changed("an audit mode that nobody knows", "statement_audit_mode", b'"mode":"written"', b'"mode":"off"')
    yield changed("a subject that climbs out", "statement_subject_climbs", b'{"name":"policy.json"', b'{"name":"sources/../policy.json"')
    yield changed("a subject of another kind", "statement_subject_unknown", b'{"name":"policy.json"', b'{"name":"policy.yaml"')
    yield changed("another digest than SHA-256", "statement_other_digest", b'{"name":"policy.json","digest":{"sha256"', b'{"name":"policy.json","digest":{"sha1"')
    yield changed("a length that is missing", "statement_length_missing", b'"lengths":{"policy.json":%d,' % len(draft.artifacts["policy.json"]), b'"lengths":{')
    yield changed("a token key of small order", "statement_token_key_small_order", b'"rootKeys":[]', b'"rootKeys":[%s]' % _root_key("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
    yield changed("a digest in capitals", "statement_digest_capitals", b'"sourceDigest":"', b'"sourceDigest":"ABCDEF')
    yield changed("a lone surrogate", "statement_lone_surrogate", b'"compiler":"', b'"compiler":"\\ud800')
    yield changed("another predicate", "predicate_type", b"urn:hexgate:bundle:v1", b"https://slsa.dev/provenance/v1", "predicate_type")
    yield changed("a later predicate", "predicate_type_later", b"urn:hexgate:bundle:v1", b"urn:hexgate:bundle:v2", "predicate_type")
    yield changed("another statement", "statement_type", b"in-toto.io/Statement/v1", b"in-toto.io/Statement/v0.1", "predicate_type")
    yield changed("a later runtime", "runtime_too_old", b'"minRuntime":"0.1.0"', b'"minRuntime":"999.0.0"', "runtime_too_old")
    yield changed("another interface", "other_abi", b'"abi":1', b'"abi":2', "abi")
    yield changed("no interface", "no_abi", b'"abi":1', b'"abi":0', "abi")
    yield from _limits(draft)
    yield changed("an old runtime before an old name", "runtime_before_name", b'"minRuntime":"0.1.0"', b'"minRuntime":"0.1.1000"', "runtime_too_old")


def _root_key(digits: str) -> bytes:
    return json.dumps({"id": 1, "key": f"ed25519:{digits}", "notBefore": None, "notAfter": None}).encode()


def _limits(draft: Draft) -> Iterator[Case]:
    for member in ("fuel", "memory", "functions"):

        def raise_it(statement: Json, member: str = member) -> None:
            statement["predicate"]["limits"][member] += 1

        yield Case(
            f"limits_{member}", f"signed: more {member} than a runtime gives", draft.with_statement(raise_it).signed(RELEASE), "limits"
        )
