"""The schema of bundles accepts every bundle that is written, and refuses what the reader refuses for its form."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.statement import read_statement
from tests.bundle.test_sign import CONTENTS
from tests.bundle.test_statement import REMOVED, TEXT, WRONG
from tests.bundle_vectors import BundleVector, load_bundle_vectors
from tests.vectors.bundle.material import honest

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[2] / "schemas" / "bundle.schema.json").read_text(encoding="utf-8"))
FILE = Draft202012Validator(SCHEMA)
STATEMENT = Draft202012Validator({"$ref": "#/$defs/statement", "$defs": SCHEMA["$defs"]})
BEYOND_SCHEMAS = {
    # A name that climbs, comes twice or ends in a line break; lone surrogates.
    ("subject.0.name", "policy.wasm"), ("subject.0.name", "sources/../policy.json"), ("subject.0.name", "sources/./a"),
    ("subject.0.name", "policy.json\n"), ("subject.0.name", "sources/a\n"), ("subject.0.name", "sources/\ud800"),
    ("predicate.identity.audience", "\udfff"), ("predicate.toolSchemas", str({"\ud800": "ab" * 32})),
    # 1.0 is an integer to JSON Schema.
    ("predicate.version", "1.0"), ("predicate.abi", "1.0"),
    # The calendar, and one time before another.
    ("predicate.issuedAt", "2026-11-18T11:06:60Z"), ("predicate.issuedAt", "2026-11-18T24:00:00Z"),
    ("predicate.issuedAt", "2026-02-29T00:00:00Z"), ("predicate.issuedAt", "0000-01-01T00:00:00Z"),
    ("predicate.issuedAt", "1969-12-31T23:59:59Z"), ("predicate.issuedAt", "2026-11-18T11:06:40Z\n"),
    ("predicate.notAfter", "2026-11-18T11:06:40Z"),
    # Relations: ids once, a length for each subject.
    ("predicate.identity.rootKeys.1.id", "1"), ("predicate.lengths.policy_json", "5"), ("predicate.lengths", str({"policy.json": 5})),
    # Points of small order; unused bits of base64.
    ("predicate.identity.rootKeys.0.key", "ed25519:" + "A" * 43), ("predicate.vectors.0.request", "kB=="),
}  # fmt: skip
"""What a schema cannot say, or says more loosely: path and value of the rows that fit all the same."""


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:hexgate:schema:bundle"


@pytest.mark.parametrize(
    "vector", [vector for vector in load_bundle_vectors() if vector.expect not in ("malformed", "payload_type")], ids=lambda vector: vector.id
)
def test_every_file_that_is_a_bundle_fits(vector: BundleVector) -> None:
    if vector.pad_to is None:
        document = json.loads(vector.data)
        assert [error.message for error in FILE.iter_errors(document)] == []
        if vector.expect not in ("signatures", "malformed_statement", "predicate_type"):
            statement = json.loads(base64.b64decode(document["dsse"]["payload"]))
            assert [error.message for error in STATEMENT.iter_errors(statement)] == []


def test_what_is_made_fits() -> None:
    assert [error.message for error in STATEMENT.iter_errors(honest(CONTENTS, publish_sources=True).statement)] == []
    assert [error.message for error in STATEMENT.iter_errors(json.loads(TEXT))] == []


@pytest.mark.parametrize(("path", "value", "clause"), WRONG, ids=[f"{path}={str(value)[:20]}" for path, value, _ in WRONG])
def test_schema_and_reader_agree_on_what_is_wrong(path: str, value: Any, clause: str) -> None:
    """Whatever the schema refuses the reader refuses; and the other way round but for what schemas cannot say."""
    document = json.loads(TEXT)
    *parents, last = path.split(".")
    target: Any = document
    for step in parents:
        target = target[int(step)] if step.isdigit() else target[step]
    if value is REMOVED:
        del target[last]
    else:
        target[int(last) if last.isdigit() else last] = value
    with pytest.raises(BundleRefusedError) as caught:
        read_statement(json.dumps(document).encode())
    assert caught.value.refusal is Refusal.MALFORMED_STATEMENT
    fits = not list(STATEMENT.iter_errors(document))
    assert fits == ((path, str(value)) in BEYOND_SCHEMAS)
