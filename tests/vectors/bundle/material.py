"""What the vectors are made of: test keys, a compiled policy, and the steps of making a bundle that an attacker could repeat.

The private keys are public: they sign nothing but test data.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hexgate.bundle.envelope import PAYLOAD_TYPE, pre_authentication_encoding, read_bundle
from hexgate.bundle.keys import SigningKey
from hexgate.bundle.sign import candidate
from hexgate.bundle.statement import Vector
from hexgate.bundle.strict_members import decode_base64, encode_base64, parse_time

ISSUED, EXPIRES = "2026-11-23T10:00:00Z", "2026-12-23T10:00:00Z"
NOW = "2026-11-24T10:00:00Z"
NAME, VERSION = "policy", 7

SOURCES = {
    "policy.yaml": b"""version: 1
roles:
  clerk:
    tools:
      pay:
        mode: allow
        constraints: [args.amount <= 100]
"""
}

Json = dict[str, Any]


def seconds(text: str) -> int:
    """Seconds since the epoch of a time."""
    found = parse_time(text)
    assert found is not None, text
    return found


def key_named(name: str) -> SigningKey:
    """The private key of a name: its seed is the SHA-256 of a text, so that anybody can make it again."""
    seed = hashlib.sha256(f"hexgate bundle test key {name}".encode()).digest()
    return SigningKey(Ed25519PrivateKey.from_private_bytes(seed))


RELEASE, SECOND, THIRD, MALLORY = (key_named(name) for name in ("release", "second", "third", "mallory"))


@dataclass(frozen=True, slots=True)
class Contents:
    """A compiled policy: module, table, sources and vectors."""

    wasm: bytes
    table_json: bytes
    sources: Mapping[str, bytes]
    vectors: tuple[Vector, ...]


def compile_contents() -> Contents:
    """The policy of the vectors, compiled by this version of the compiler."""
    from hexgate.compiler.compile import compile_policy
    from hexgate.decision.policy_table import write_table
    from hexgate.parity.vectors import signing_vectors
    from hexgate.policy.check import check
    from hexgate.policy.link import link
    from hexgate.policy.parse import parse

    policy = check(link(parse(SOURCES)))
    compiled = compile_policy(policy)
    vectors = tuple(Vector(*vector) for vector in signing_vectors(policy, compiled, 8))
    return Contents(compiled.wasm, write_table(compiled.table), SOURCES, vectors)


def contents_of(bundle: bytes) -> Contents:
    """The compiled policy of a bundle that was made from it."""
    from hexgate.bundle.statement import read_statement

    unverified = read_bundle(bundle)
    vectors = read_statement(unverified.envelope.payload).predicate.vectors
    return Contents(unverified.artifacts["policy.wasm"], unverified.artifacts["policy.json"], SOURCES, vectors)


@dataclass(frozen=True, slots=True)
class Draft:
    """A bundle in the making: the statement and the artifacts, to be changed and signed."""

    statement: Json
    artifacts: Mapping[str, bytes]

    def with_statement(self, change: Callable[[Json], None]) -> Draft:
        """The draft with another statement."""
        statement = copy.deepcopy(self.statement)
        change(statement)
        return Draft(statement, self.artifacts)

    def with_predicate(self, **members: Any) -> Draft:
        """The draft with other members of the predicate."""
        return self.with_statement(lambda statement: statement["predicate"].update(members))

    def with_artifact(self, name: str, content: bytes | None) -> Draft:
        """The draft with another content of one artifact, or without it, and with the statement as it was."""
        artifacts = {**self.artifacts, name: content}
        return Draft(self.statement, {key: value for key, value in artifacts.items() if value is not None})

    def restated(self) -> Draft:
        """The draft with a statement that fits its artifacts."""

        def change(statement: Json) -> None:
            statement["subject"] = [
                {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
                for name, content in sorted(self.artifacts.items())
            ]
            statement["predicate"]["lengths"] = {name: len(content) for name, content in sorted(self.artifacts.items())}

        return self.with_statement(change)

    @property
    def payload(self) -> bytes:
        """The statement as it is signed."""
        return write_json(self.statement)

    def signed(self, *keys: SigningKey) -> bytes:
        """The file, signed honestly with these keys."""
        return self.file([signature(key, self.payload) for key in keys])

    def file(self, signatures: Sequence[Json], payload: bytes | None = None, payload_type: str = PAYLOAD_TYPE) -> bytes:
        """The file with these signatures, whatever they are."""
        document = {
            "mediaType": "application/vnd.hexgate.bundle.v1+json",
            "dsse": {
                "payloadType": payload_type,
                "payload": encode_base64(self.payload if payload is None else payload),
                "signatures": list(signatures),
            },
            "artifacts": {name: encode_base64(content) for name, content in sorted(self.artifacts.items())},
        }
        return write_json(document) + b"\n"


def write_json(document: Any) -> bytes:
    """JSON without white space, in ASCII."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()


def signature(key: SigningKey, payload: bytes, *, payload_type: str = PAYLOAD_TYPE, keyid: str | None = None) -> Json:
    """A key's signature over a payload of a type."""
    message = pre_authentication_encoding(payload_type, payload)
    return {"keyid": key.public.keyid if keyid is None else keyid, "sig": encode_base64(key.sign(message))}


def honest(contents: Contents, *, version: int = VERSION, name: str = NAME, publish_sources: bool = False) -> Draft:
    """The bundle that everybody wants."""
    data = candidate(
        contents.wasm,
        contents.table_json,
        name=name,
        version=version,
        issued_at=seconds(ISSUED),
        not_after=seconds(EXPIRES),
        sources=contents.sources,
        vectors=contents.vectors,
        publish_sources=publish_sources,
        min_runtime="0.1.0",
    )
    document = json.loads(data)
    payload = decode_base64(document["dsse"]["payload"])
    assert payload is not None
    artifacts = {key: decode_base64(value) or b"" for key, value in document["artifacts"].items()}
    return Draft(json.loads(payload), artifacts)


def altered(data: bytes, change: Callable[[Json], None]) -> bytes:
    """A file whose outer JSON was changed after it was signed."""
    document = json.loads(data)
    change(document)
    return write_json(document) + b"\n"


def keys_text(*keys: SigningKey, threshold: int = 1) -> str:
    """The part of HEXGATE_KEY before the location."""
    count = f"{threshold}/" if threshold > 1 else ""
    return count + ",".join(key.public.text for key in keys)
