"""The statement: one way to write it, and everything else refused (docs/bundle.md B3)."""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.statement import (
    AuditSettings,
    IdentitySettings,
    Predicate,
    SignedLimits,
    Statement,
    TokenRootKey,
    Vector,
    read_statement,
    source_digest,
    write_statement,
)
from hexgate.bundle.strict_members import decode_base64, format_time, parse_time
from tests.vectors.bundle.material import RELEASE, SECOND

HEX = "ab" * 32
STATEMENT = Statement(
    {"policy.json": HEX, "policy.wasm": "cd" * 32},
    Predicate(
        "policy", 7, 1_795_000_000, 1_796_000_000, "0.1.0", 1, SignedLimits(1, 2, 3),
        AuditSettings("durable", ("args.card",), ("user.id", "args.iban")),
        IdentitySettings(
            True, (TokenRootKey(1, RELEASE.public), TokenRootKey(2, SECOND.public, 5, 1_795_000_000)), ("00ff",), "agents",
        ),
        {"pay": HEX, "ship": HEX}, "hexgate 0.1.0", HEX, {"policy.json": 5, "policy.wasm": 6}, (Vector(b"\x90", 2),),
    ),
)  # fmt: skip
TEXT = (
    '{"_type":"https://in-toto.io/Statement/v1","subject":['
    f'{{"name":"policy.json","digest":{{"sha256":"{HEX}"}}}},{{"name":"policy.wasm","digest":{{"sha256":"{"cd" * 32}"}}}}],'
    '"predicateType":"urn:hexgate:bundle:v1","predicate":{"name":"policy","version":7,'
    '"issuedAt":"2026-11-18T11:06:40Z","notAfter":"2026-11-30T00:53:20Z","minRuntime":"0.1.0","abi":1,'
    '"limits":{"fuel":1,"memory":2,"functions":3},'
    '"audit":{"mode":"durable","mask":["args.card"],"hash":["user.id","args.iban"]},'
    '"identity":{"requireToken":true,"rootKeys":['
    f'{{"id":1,"key":"{RELEASE.public.text}","notBefore":null,"notAfter":null}},'
    f'{{"id":2,"key":"{SECOND.public.text}","notBefore":"1970-01-01T00:00:05Z","notAfter":"2026-11-18T11:06:40Z"}}],'
    '"revoked":["00ff"],"audience":"agents"},'
    f'"toolSchemas":{{"pay":"{HEX}","ship":"{HEX}"}},"compiler":"hexgate 0.1.0","sourceDigest":"{HEX}",'
    '"lengths":{"policy.json":5,"policy.wasm":6},"vectors":[{"request":"kA==","answer":2}]}}'
)


def test_a_statement_is_written_in_one_way_and_read_back() -> None:
    assert write_statement(STATEMENT).decode() == TEXT
    assert read_statement(TEXT.encode()) == STATEMENT


def test_the_order_of_maps_does_not_show() -> None:
    turned = Statement(
        dict(reversed(STATEMENT.subjects.items())),
        replace(
            STATEMENT.predicate,
            tool_schemas=dict(reversed(STATEMENT.predicate.tool_schemas.items())),
            lengths=dict(reversed(STATEMENT.predicate.lengths.items())),
        ),
    )
    assert write_statement(turned).decode() == TEXT


def test_white_space_and_order_are_free_on_the_way_in() -> None:
    document = json.loads(TEXT)
    turned = {key: document[key] for key in reversed(document)}
    assert read_statement(json.dumps(turned, indent=1).encode()) == STATEMENT


def test_the_digest_of_sources_is_that_of_sha256sum() -> None:
    """`sha256sum a.yaml b.yaml | sha256sum`"""
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    two = {"b.yaml": b"x", "a.yaml": b""}
    assert source_digest({}) == empty
    assert source_digest(two) == source_digest(dict(reversed(two.items()))) == "c8569ea3b3a3a8a6124c658c47aa4af6e94264e9b3c2e7bc2fc9315a523eab0b"


L = "a whole number from"
SECONDS = "a time such as 2026-01-31T12:00:00Z"
NAME = "`name` of the predicate is not a bundle's name"
MANY = ["0000"] * 65_537

# path of the member, its value (or REMOVED), the clause
REMOVED = object()
WRONG: list[tuple[str, Any, str]] = [
    ("_type", REMOVED, "the statement has no `_type`"),
    ("_type", 1, "`_type` of the statement is not a text"),
    ("more", 1, "the statement has members that it does not know"),
    ("subject", REMOVED, "the statement has no `subject`"),
    ("subject", {}, "`subject` of the statement is not a list of at most 1024"),
    ("subject", [{}] * 1_025, "`subject` of the statement is not a list of at most 1024"),
    ("subject.0", None, "a subject is not an object"),
    ("subject.0.name", REMOVED, "a subject has no `name`"),
    ("subject.0.uri", "x", "a subject has members that it does not know"),
    ("subject.0.name", "policy.wasm", "a subject's name climbs or comes twice"),
    ("subject.0.name", "sources/../policy.json", "a subject's name climbs or comes twice"),
    ("subject.0.name", "sources/./a", "a subject's name climbs or comes twice"),
    *[
        ("subject.0.name", name, "`name` of a subject is not `policy.wasm`, `policy.json` or a path below `sources/`")
        for name in ("", "policy", "Policy.json", "/policy.json", "sources/", "sources//a", "sources/a/", "sources/a\\b", "sources/a\x00",
                     "sources/a\n", "../policy.json", "policy.json\n", "sources/\ud800", 7, None)
    ],
    ("subject.0.digest", HEX, "a subject's digest is not an object"),
    ("subject.0.digest.sha256", REMOVED, "a subject's digest has no `sha256`"),
    ("subject.0.digest.sha512", HEX, "a subject's digest has members that it does not know"),
    ("subject.0.digest.sha256", HEX.upper(), "`sha256` of a subject's digest is not 64 hexadecimal digits"),
    ("subject.0.digest.sha256", HEX[:-1], "`sha256` of a subject's digest is not 64 hexadecimal digits"),
    ("predicate", [], "the predicate is not an object"),
    ("predicate.more", 1, "the predicate has members that it does not know"),
    *[(f"predicate.{name}", REMOVED, f"the predicate has no `{name}`") for name in json.loads(TEXT)["predicate"]],
    *[("predicate.name", name, NAME) for name in ("", "Policy", "-policy", "p" * 65, "a/b", "..", "\u0440olicy", 7, None)],
    *[("predicate.version", version, f"`version` of the predicate is not {L} 1 to 9007199254740991")
      for version in (0, -1, 2**53, 1.0, 7.5, True, "7", None)],
    *[("predicate.issuedAt", time, f"`issuedAt` of the predicate is not {SECONDS}")
      for time in ("", "2026-11-18", "2026-11-18T11:06:40", "2026-11-18T11:06:40z", "2026-11-18 11:06:40Z", "2026-11-18T11:06:40.0Z",
                   "2026-11-18T11:06:60Z", "2026-11-18T24:00:00Z", "2026-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
                   "12026-11-18T11:06:40Z", "2026-11-18T11:06:40Z\n", "\u0662026-11-18T11:06:40Z", 1_795_000_000, None)],
    ("predicate.notAfter", "2026-11-18T11:06:40Z", "`notAfter` is not later than `issuedAt`"),
    *[("predicate.minRuntime", version, "`minRuntime` of the predicate is not a version such as 1.2.3")
      for version in ("1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-beta", "v1.2.3", "1.2.x", "-1.2.3", "1000000.0.0", "\u0661.2.3", 1.2)],
    *[("predicate.abi", abi, f"`abi` of the predicate is not {L} 0 to 9007199254740991") for abi in (-1, 1.0, True, "1")],
    ("predicate.limits.fuel", REMOVED, "`limits` has no `fuel`"),
    ("predicate.limits.time", 1, "`limits` has members that it does not know"),
    ("predicate.limits.memory", -1, f"`memory` of `limits` is not {L} 0 to 9007199254740991"),
    ("predicate.limits.functions", 1.5, f"`functions` of `limits` is not {L} 0 to 9007199254740991"),
    ("predicate.audit", None, "`audit` is not an object"),
    *[("predicate.audit.mode", mode, "`mode` of `audit` is not `written` or `durable`") for mode in ("off", "none", "", "Written", None)],
    ("predicate.audit.mask", "args", "`mask` of `audit` is not a list of at most 1024"),
    ("predicate.audit.mask", ["x"] * 1_025, "`mask` of `audit` is not a list of at most 1024"),
    ("predicate.audit.mask", [1], "a path of `mask` is not one"),
    ("predicate.audit.hash", ["x" * 4_097], "a path of `hash` is not one"),
    ("predicate.identity.requireToken", 1, "`requireToken` of `identity` is not true or false"),
    ("predicate.identity.requireToken", None, "`requireToken` of `identity` is not true or false"),
    ("predicate.identity.rootKeys.1.id", 1, "two of `rootKeys` have one id"),
    ("predicate.identity.rootKeys.1.id", 2**32, f"`id` of a key of `rootKeys` is not {L} 0 to 4294967295"),
    ("predicate.identity.rootKeys.0.key", "ed25519:" + "A" * 43, "the public key is a point of small order, under which anybody can sign"),
    ("predicate.identity.rootKeys.0.key", "secp256r1:x", "a public key begins with `ed25519:`"),
    ("predicate.identity.rootKeys.0.notBefore", 0, f"`notBefore` of a key of `rootKeys` is not {SECONDS}"),
    ("predicate.identity.revoked", MANY, "`revoked` of `identity` is not a list of at most 65536"),
    *[("predicate.identity.revoked", [one], "a revocation id is not one") for one in ("", "0", "AB", "0x00", "00" * 129, 0)],
    ("predicate.identity.audience", 7, "`audience` of `identity` is not a text"),
    ("predicate.identity.audience", "\udfff", "`audience` of `identity` is not a text"),
    ("predicate.toolSchemas", [], "`toolSchemas` of the predicate is not an object of at most 65536 members"),
    ("predicate.toolSchemas.pay", "x", "`pay` of `toolSchemas` is not 64 hexadecimal digits"),
    ("predicate.toolSchemas", {"\ud800": HEX}, "`toolSchemas` names a tool by something else than a text"),
    ("predicate.compiler", None, "`compiler` of the predicate is not a text"),
    ("predicate.compiler", "x" * 4_097, "`compiler` of the predicate is not a text"),
    ("predicate.sourceDigest", HEX + "0", "`sourceDigest` of the predicate is not 64 hexadecimal digits"),
    ("predicate.lengths.policy_json", 5, "`lengths` has members that it does not know"),
    ("predicate.lengths", {"policy.json": 5}, "`lengths` has no `policy.wasm`"),
    ("predicate.lengths", {"policy.json": 5, "policy.wasm": -1}, f"`policy.wasm` of `lengths` is not {L} 0 to 9007199254740991"),
    ("predicate.vectors", [{"request": "kA==", "answer": 2}] * 65, "`vectors` of the predicate is not a list of at most 64"),
    ("predicate.vectors.0.answer", -1, f"`answer` of a vector is not {L} 0 to 2147483647"),
    ("predicate.vectors.0.answer", 2**31, f"`answer` of a vector is not {L} 0 to 2147483647"),
    ("predicate.vectors.0.request", "kB==", "`request` of a vector is not base64 in its one form"),
    ("predicate.vectors.0.reason", "x", "a vector has members that it does not know"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "clause"), WRONG, ids=[f"{path}={str(value)[:20]}" for path, value, _ in WRONG])
def test_what_is_wrong_is_named(path: str, value: Any, clause: str) -> None:
    document = json.loads(TEXT)
    *parents, last = path.split(".")
    target: Any = document
    for step in parents:
        target = target[int(step)] if step.isdigit() else target[step]
    if value is REMOVED:
        del target[last]
    else:
        target[int(last) if last.isdigit() else last] = copy.deepcopy(value)
    _refused(json.dumps(document).encode(), clause)


TEXTS = [
    (b"", "the JSON is empty (line 1, column 1)"),
    (b"null", "the statement is not an object"),
    (TEXT.encode() + b"x", f"something follows the JSON value (line 1, column {len(TEXT) + 1})"),
    (TEXT.replace('"abi":1', '"abi":1,"abi":1').encode(), "the key `abi` appears twice in one object"),
    (TEXT.replace('"abi":1', '"abi":NaN').encode(), "`NaN` is not JSON"),
    (TEXT.replace('"abi":1', '"abi":1.0').encode(), f"`abi` of the predicate is not {L} 0 to 9007199254740991"),
    (TEXT.replace('"abi":1', '"abi":[[[[[[[[[]]]]]]]]]').encode(), "the JSON is nested deeper than 8"),
    (TEXT.encode("utf-16"), "the JSON is not UTF-8 (line 1, column 1)"),
]  # fmt: skip


@pytest.mark.parametrize(("payload", "clause"), TEXTS, ids=[clause for _, clause in TEXTS])
def test_payloads_that_are_no_statement(payload: bytes, clause: str) -> None:
    _refused(payload, clause)


def _refused(payload: bytes, clause: str) -> None:
    with pytest.raises(BundleRefusedError) as caught:
        read_statement(payload)
    assert caught.value.refusal is Refusal.MALFORMED_STATEMENT
    detail = caught.value.detail
    if "nested deeper" in clause:  # where is beside the point
        assert clause in detail
    else:
        assert detail == f"the signed statement is malformed: {clause}; sign the policies again"


@pytest.mark.parametrize("member", ["_type", "predicateType"])
def test_another_type_is_told_before_its_content(member: str) -> None:
    document = {**json.loads(TEXT), member: "another", "predicate": {"of": "another form"}}
    with pytest.raises(BundleRefusedError) as caught:
        read_statement(json.dumps(document).encode())
    assert caught.value.refusal is Refusal.PREDICATE_TYPE


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 253_402_300_799))
def test_times_print_what_they_parse(seconds: int) -> None:
    assert parse_time(format_time(seconds)) == seconds


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="AQgw+/=-_ \n", max_size=12))
def test_base64_has_one_form(text: str) -> None:
    data = decode_base64(text)
    assert data is None or b64encode(data).decode() == text
