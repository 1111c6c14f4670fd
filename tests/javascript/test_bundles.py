"""The JavaScript runtime refuses bundles for the same reason as the Python one: on both sides of every limit, and for statements changed anyhow."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from hexgate.bundle.refusal import BundleRefusedError
from hexgate.bundle.trust_root import SignedLocation, parse_hexgate_key
from hexgate.bundle.verify import verify
from hexgate.limits import MODULE_FUEL
from hexgate.parity.javascript_engine import JavaScriptHost, encode_bytes
from hexgate.runtime.bundle_engine import load
from tests.bundle_vectors import ACCEPTED, FOLDER
from tests.vectors.bundle.material import (
    NAME,
    NOW,
    RELEASE,
    Draft,
    contents_of,
    honest,
    keys_text,
    seconds,
    signature,
    write_json,
)

KEYS = keys_text(RELEASE)
DIGEST = "0" * 64
KEY = RELEASE.public.text


@pytest.fixture(scope="module")
def host() -> Iterator[JavaScriptHost]:
    """A Node process."""
    opened = JavaScriptHost()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def draft() -> Draft:
    """The bundle that everybody wants."""
    return honest(contents_of((FOLDER / "bundles" / "accepted.hexgate").read_bytes()), publish_sources=True)


def _ours(data: bytes) -> str:
    location = parse_hexgate_key(f"{KEYS}@{NAME}.hexgate")
    assert isinstance(location, SignedLocation)
    try:
        load(verify(data, location.trust, name=NAME, now=seconds(NOW), floor=None))
    except BundleRefusedError as error:
        return error.refusal.value
    return ACCEPTED


def _theirs(host: JavaScriptHost, data: bytes) -> str:
    asked = {"op": "verify", "bundle": encode_bytes(data), "trust": KEYS, "name": NAME, "now": seconds(NOW), "floor": None}
    return host.ask(asked)["refusal"] or ACCEPTED


def _root_key(number: int, **members: Any) -> dict[str, Any]:
    return {"id": number, "key": KEY, "notBefore": None, "notAfter": None, **members}


_LONG = 4_096
_TIMES = (
    "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "2026-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z",
    "2026-11-23T24:00:00Z", "2026-11-23T10:60:00Z", "2026-11-23T10:00:60Z", "2026-13-01T00:00:00Z", "2026-11-23 10:00:00Z", "2026-11-23T10:00:00z",
    "2026-11-23T10:00:00+00:00", "2026-11-23T10:00:00.0Z", "+002026-11-23T10:00:00Z", "２026-11-23T10:00:00Z", " 2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z\n",
)  # fmt: skip
EDGES: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("name", ("policy", "Policy", "", "policy\n", "p" * 64, "p" * 65, "pólicy")),
    ("version", (0, 1, 2**53 - 1, 2**53, -1, 7.0, "7", True, None)),
    ("issuedAt", (*_TIMES, "2026-11-24T10:05:00Z", "2026-11-24T10:05:01Z")),
    ("notAfter", (*_TIMES, "2026-11-24T10:00:00Z", "2026-11-24T10:00:01Z", "2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z")),
    ("minRuntime", ("0.0.0", "0.1.0", "0.1.1", "0.2.0", "1.0.0", "0.0.999999", "0.0.1000000", "00.1.0", "0.1", "0.1.0.0", "0.1.0\n", "0.1.٣", "v0.1.0")),
    ("abi", (0, 1, 2, 1.0, "1", 2**53)),
    ("limits.fuel", (100_000, MODULE_FUEL, MODULE_FUEL + 1, -1, 2**53)),
    ("limits.memory", (0, 65_536, 16 << 20, (16 << 20) + 1)),
    ("limits.functions", (0, 1, 20_000, 20_001)),
    ("limits.more", (1,)),
    ("audit.mode", ("written", "durable", "none", "written\n", None)),
    ("audit.mask", ([], ["args.x"] * 1_024, ["args.x"] * 1_025, [1], "args.x", ["\ud800"], ["x" * _LONG], ["x" * (_LONG + 1)], ["😀" * _LONG], ["😀" * (_LONG + 1)])),
    ("audit.hash", ([], [""], [None])),
    ("identity.requireToken", (True, 1, "true", None)),
    ("identity.audience", (None, "", "x", 1, "\udfff", "x" * _LONG, "x" * (_LONG + 1))),
    ("identity.rootKeys", ([_root_key(0)], [_root_key(2**32 - 1)], [_root_key(2**32)], [_root_key(1), _root_key(1)], [_root_key(n) for n in range(16)],
                           [_root_key(n) for n in range(17)], [_root_key(1, notBefore="2026-11-23T10:00:00Z")], [_root_key(1, notAfter=5)],
                           [_root_key(1, key=KEY + "=")], [_root_key(1, key=KEY.upper())], [_root_key(1, more=1)], [_root_key(-1)], [[]])),
    ("identity.revoked", (["00"], ["0"], ["AB"], ["00" * 128], ["00" * 129], [""], ["00\n"], ["00"] * 65_536, ["00"] * 65_537)),
    ("toolSchemas", ({}, {"t": DIGEST}, {"t": DIGEST[1:]}, {"": DIGEST}, {"\ud800": DIGEST}, {"t": DIGEST.replace("0", "A")}, {"t" * (_LONG + 1): DIGEST}, [],
                     {f"t{n}": DIGEST for n in range(50_000)}, {f"t{n}": DIGEST for n in range(65_537)}, {"__proto__": DIGEST, "constructor": DIGEST})),
    ("compiler", ("", "x" * _LONG, "x" * (_LONG + 1), 1, "\ud83d\ude00", "\ud83d")),
    ("sourceDigest", (DIGEST, DIGEST + "0", "")),
    ("lengths", ({}, [])),
    ("vectors", ([], [{"request": "", "answer": 2}], [{"request": "kA==", "answer": 2}], [{"request": "kB==", "answer": 2}], [{"request": "kA", "answer": 2}],
                 [{"request": "kA==", "answer": 2**31 - 1}], [{"request": "kA==", "answer": 2**31}], [{"request": "kA==", "answer": -1}],
                 [{"request": "kA==", "answer": 2}] * 64, [{"request": "kA==", "answer": 2}] * 65, [{"request": "kA==", "answer": 3}],
                 [{"request": encode_bytes(bytes(65_536)), "answer": 2}], [{"request": encode_bytes(bytes(65_537)), "answer": 2}])),
)  # fmt: skip


def _put(tree: Any, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        tree = tree[step]
    tree[last] = value


@pytest.mark.parametrize(("path", "values"), EDGES, ids=lambda value: value if isinstance(value, str) else "")
def test_members_at_their_limits(host: JavaScriptHost, draft: Draft, path: str, values: tuple[Any, ...]) -> None:
    words = set()
    for value in values:
        data = draft.with_statement(lambda statement, value=value: _put(statement["predicate"], path, value)).signed(RELEASE)  # type: ignore[misc]
        expected = _ours(data)
        words.add(expected)
        assert _theirs(host, data) == expected, repr(value)[:200]
    assert words


def test_the_longest_payload(host: JavaScriptHost, draft: Draft) -> None:
    words = []
    for length in (4 << 20, (4 << 20) + 1):
        payload = draft.payload.ljust(length)
        data = draft.file([signature(RELEASE, payload)], payload)
        words.append(_ours(data))
        assert _theirs(host, data) == words[-1]
    assert words == [ACCEPTED, "malformed"]


_SUBJECTS = (
    "policy.wasm", "policy.yaml", "sources/", "sources/a", "sources//a", "sources/a/", "sources/./a", "sources/../a", "sources/a\\b", "sources/a\n", "sources/a\x7f",
    "sources/é", "sources/\u2028", "sources/...", "Sources/a", "/sources/a", "policy.wasm\n", "policywasm", "sources/" + "a" * 4_088, "sources/" + "a" * 4_089,
)  # fmt: skip


@pytest.mark.parametrize("name", _SUBJECTS, ids=range(len(_SUBJECTS)))
def test_names_of_artifacts(host: JavaScriptHost, draft: Draft, name: str) -> None:
    data = draft.with_artifact(name, b"x").restated().signed(RELEASE)
    assert _theirs(host, data) == _ours(data)


_ODD: tuple[Any, ...] = (None, True, 0, -1, 1.5, 2**70, "", "x", "\ud800", [], {}, [[]], {"x": []}, "A===", "QQ==", "QR==", "2026-11-23T10:00:00Z", DIGEST)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container of a tree with each of its keys."""
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    return [(tree, key) for key in keys] + [place for key in keys for place in _places(tree[key])]


def _mutate(random: Random, tree: Any) -> None:
    """One change somewhere in a JSON tree."""
    container, key = random.choice(_places(tree))
    kind = random.randrange(5)
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[random.choice(("", "x", "name", "__proto__", "\ud800"))] = random.choice(_ODD)
    elif kind == 2:
        container[key] = copy.deepcopy(random.choice(_places(tree)))[0]
    else:
        container[key] = random.choice(_ODD)


def test_statements_changed_anyhow(host: JavaScriptHost, draft: Draft) -> None:
    random = Random(5)
    for _ in range(1_500):
        other = draft.with_statement(lambda statement: _mutate(random, statement))
        changed = other.signed(RELEASE)
        expected = _ours(changed)
        if expected == "vectors" and other.statement["predicate"]["limits"]["fuel"] != draft.statement["predicate"]["limits"]["fuel"]:
            expected = ACCEPTED  # only a host with WebAssembly fuel can tell
        assert _theirs(host, changed) == expected, changed


def test_files_changed_anyhow(host: JavaScriptHost, draft: Draft) -> None:
    random = Random(6)
    signed = draft.signed(RELEASE)
    for _ in range(1_000):
        document = json.loads(signed)
        _mutate(random, document)
        changed = write_json(document)
        assert _theirs(host, changed) == _ours(changed), changed


def test_bytes_changed_anyhow(host: JavaScriptHost, draft: Draft) -> None:
    random = Random(7)
    signed = draft.signed(RELEASE)
    for _ in range(1_500):
        changed = bytearray(signed)
        at = random.randrange(len(changed)) if random.random() < 0.5 else random.choice([n for n, byte in enumerate(signed) if byte in b'{}[]",:='])
        changed[at : at + random.randrange(2)] = random.choice((b"", b" ", b"\n", b'"', b"A", b"=", b"\xff", b"\\", b"{", b",", b"\xc3\xa9", b"\\u0041", b"0"))
        assert _theirs(host, bytes(changed)) == _ours(bytes(changed)), bytes(changed)


def test_tables_changed_anyhow(host: JavaScriptHost, draft: Draft) -> None:
    random = Random(8)
    words = []
    for number in range(1_200):
        document = json.loads(draft.artifacts["policy.json"])
        if number % 5 == 0:
            document["reads"]["tools"]["\ud800"] = {}
        elif number % 8:
            _mutate(random, document)
        if number % 3 == 0:
            document = {key: document[key] for key in random.sample(sorted(document), len(document))}
        data = draft.with_artifact("policy.json", write_json(document)).restated().signed(RELEASE)
        words.append(_ours(data))
        assert _theirs(host, data) == words[-1], document
    assert {ACCEPTED, "table"} <= set(words)
