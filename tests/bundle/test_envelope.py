"""The file: DSSE's encoding, one way to write, and what is malformed, in whole sentences (docs/bundle.md B2)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.bundle.envelope import (
    OUTER_SIGNS,
    PAYLOAD_BYTES,
    PAYLOAD_TYPE,
    Envelope,
    Signature,
    UnverifiedBundle,
    pre_authentication_encoding,
    read_bundle,
    write_bundle,
)
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.limits import BUNDLE_BYTES
from tests.bundle_vectors import ACCEPTED, load_bundle_vectors

ENCODINGS = [
    # The first is the example of the DSSE specification, protocol.md.
    ("http://example.com/HelloWorld", b"hello world", b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
    ("", b"", b"DSSEv1 0  0 "),
    ("\u00e4", b"\xff\x00", b"DSSEv1 2 \xc3\xa4 2 \xff\x00"),
    ("a 1", b"b 2 c", b"DSSEv1 3 a 1 5 b 2 c"),
]


@pytest.mark.parametrize(("kind", "payload", "encoding"), ENCODINGS)
def test_the_pre_authentication_encoding(kind: str, payload: bytes, encoding: bytes) -> None:
    assert pre_authentication_encoding(kind, payload) == encoding


@settings(max_examples=300, deadline=None)
@given(st.tuples(st.text(max_size=6), st.binary(max_size=6)), st.tuples(st.text(max_size=6), st.binary(max_size=6)))
def test_different_inputs_have_different_encodings(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    assert (pre_authentication_encoding(*one) == pre_authentication_encoding(*other)) == (one == other)


BUNDLE = UnverifiedBundle(
    Envelope(PAYLOAD_TYPE, b"{}", (Signature("ab", b"\x01"), Signature("", b"\x02\x03"))), {"b": b"", "a": b"\xff"}
)
TEXT = (
    '{"mediaType":"application/vnd.hexgate.bundle.v1+json","dsse":{"payloadType":"application/vnd.in-toto+json","payload":"e30=",'
    '"signatures":[{"keyid":"ab","sig":"AQ=="},{"keyid":"","sig":"AgM="}]},"artifacts":{"a":"/w==","b":""}}\n'
)


def test_a_file_is_written_in_one_way_and_read_back() -> None:
    assert write_bundle(BUNDLE).decode() == TEXT
    assert read_bundle(TEXT.encode()) == BUNDLE
    assert write_bundle(replace(BUNDLE, artifacts=dict(reversed(BUNDLE.artifacts.items())))).decode() == TEXT


def test_files_of_our_own_are_in_that_form() -> None:
    data = next(vector for vector in load_bundle_vectors() if vector.id == ACCEPTED).data
    assert write_bundle(read_bundle(data)) == data


def _with(before: str, after: str) -> bytes:
    assert TEXT.count(before) == 1
    return TEXT.replace(before, after).encode("utf-8", "surrogatepass")


MALFORMED = [
    (b"", "the JSON is empty (line 1, column 1)"),
    (b"[]", "the file is not an object"),
    (b"{}", "the file has no `mediaType`"),
    (b'{"mediaType":1,"dsse":1,"artifacts":1}', "`mediaType` of the file is not a text"),
    (TEXT.encode() + b"x", "something follows the JSON value (line 2, column 1)"),
    (_with(".v1+json", ".v2+json"), "`mediaType` is not `application/vnd.hexgate.bundle.v1+json`"),
    (_with('"artifacts":{', '"keys":[],"artifacts":{'), "the file has members that it does not know"),
    (_with('"dsse":{', '"dsse":{"payload":"",'), "the key `payload` appears twice in one object"),
    (_with('"payload":"e30="', '"payload":"e31="'), "`payload` of `dsse` is not base64 in its one form"),
    (_with('"payload":"e30="', '"payload":"e30"'), "`payload` of `dsse` is not base64 in its one form"),
    (_with('"payload":"e30="', '"payload":"e3 0="'), "`payload` of `dsse` is not base64 in its one form"),
    (_with('"payload":"e30="', '"payload":"\u00e430="'), "`payload` of `dsse` is not base64 in its one form"),
    (_with('"payload":"e30="', '"payload":null'), "`payload` of `dsse` is not base64 in its one form"),
    (_with('"sig":"AQ=="', '"sig":""'), "a signature has 1 to 1024 bytes"),
    (_with('"sig":"AQ=="', '"sig":"' + "AAAA" * 342 + '"'), "a signature has 1 to 1024 bytes"),
    (_with('"keyid":"ab"', '"keyid":7'), "`keyid` of a signature is not a text"),
    (_with('"keyid":"ab"', '"keyid":"' + "a" * 4_097 + '"'), "`keyid` of a signature is not a text"),
    (_with('"keyid":"ab"', '"keyid":"\\ud800"'), "`keyid` of a signature is not a text"),
    (_with('"keyid":"ab"', '"keyid":"ab","cert":""'), "a signature has members that it does not know"),
    (_with('{"keyid":"","sig":"AgM="}', "null"), "a signature is not an object"),
    (_with('{"keyid":"","sig":"AgM="}', ",".join(['{"keyid":"","sig":"AgM="}'] * 16)), "`signatures` of `dsse` is not a list of at most 16"),
    (_with('{"a":"/w==","b":""}', "[]"), "`artifacts` of the file is not an object of at most 1024 members"),
    (_with('"b":""', ",".join(f'"{n}":""' for n in range(1_024))), "`artifacts` of the file is not an object of at most 1024 members"),
    (_with('"b":""', '"b":1'), "an artifact is not base64 in its one form"),
    (_with('"b":""', '"b":{}'), "an artifact is not base64 in its one form"),
    (_with('"b":""', '"b":[[[[[]]]]]'), "the JSON is nested deeper than 5"),
    (_with('"b":""', '"b":[' + "0," * OUTER_SIGNS + "0]"), f"the JSON has more than {OUTER_SIGNS} commas and brackets"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "clause"), MALFORMED, ids=[str(number) for number in range(len(MALFORMED))])
def test_what_is_malformed_is_named(data: bytes, clause: str) -> None:
    with pytest.raises(BundleRefusedError) as caught:
        read_bundle(data)
    assert caught.value.refusal is Refusal.MALFORMED
    detail = caught.value.detail.replace(" (line 1, column", "\0(").partition("\0")[0] if "nested" in clause else caught.value.detail
    whole = f"the file is not a bundle: {clause}; fetch it again, or sign the policies again"
    assert detail == (whole.partition(";")[0] if "nested" in clause else whole)


def test_sizes_at_the_limit() -> None:
    assert read_bundle(TEXT.encode().ljust(BUNDLE_BYTES)) == BUNDLE
    with pytest.raises(BundleRefusedError) as caught:
        read_bundle(TEXT.encode().ljust(BUNDLE_BYTES + 1))
    assert caught.value.refusal is Refusal.TOO_LARGE
    assert caught.value.detail == "the bundle has 16777217 bytes, more than 16777216; leave the sources out of it"


def test_a_payload_is_bounded_before_signatures_are_tried() -> None:
    """Sixteen keys and sixteen signatures mean 256 hashes of it."""
    at_most = replace(BUNDLE, envelope=replace(BUNDLE.envelope, payload=bytes(PAYLOAD_BYTES)))
    assert read_bundle(write_bundle(at_most)) == at_most
    more = replace(BUNDLE, envelope=replace(BUNDLE.envelope, payload=bytes(PAYLOAD_BYTES + 1)))
    with pytest.raises(BundleRefusedError) as caught:
        read_bundle(write_bundle(more))
    assert caught.value.detail == (
        "the file is not a bundle: the payload has more than 4194304 bytes; fetch it again, or sign the policies again"
    )


def test_the_largest_members_are_within_the_bound_on_signs() -> None:
    """Signs in strings are no signs."""
    names = {f"{number}" + ',[{"' * 4: b"" for number in range(1_024)}
    largest = UnverifiedBundle(replace(BUNDLE.envelope, signatures=(Signature(",[{" * 1_000, b"x"),) * 16), names)
    assert read_bundle(write_bundle(largest)) == largest


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 300), st.integers(0, 60))
def test_no_bytes_break_the_reader(noise: bytes, cut: int, dropped: int) -> None:
    data = TEXT.encode()
    try:
        read_bundle(data[:cut] + noise + data[cut + dropped :])
    except BundleRefusedError as error:
        assert error.refusal in (Refusal.MALFORMED, Refusal.PAYLOAD_TYPE)


def test_names_of_artifacts_may_be_escaped() -> None:
    assert read_bundle(_with('"a"', '"\\u0061"')) == BUNDLE
    assert json.loads(TEXT)["artifacts"]["a"] == "/w=="
