"""The Biscuit specification's sample tokens: the library decides them as published, and our reader sees what the library sees."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import biscuit_auth

from hexgate.bundle.keys import PublicKey
from hexgate.bundle.statement import TokenRootKey
from hexgate.identity.block import read_blocks
from hexgate.identity.envelope import read_envelope
from hexgate.identity.refusal import TokenRefusedError
from hexgate.identity.verifier import IdentityVerifier
from hexgate.identity.wire import WireError
from tests.identity.datalog import print_block
from tests.identity.tokens import NOW, refusal_of, settings
from tests.shared_data import shared_data

EXPECTED = {
    # sample: why a gate refuses it. None of them names a user and a role: they are tokens for other applications.
    "test001_basic": "check",
    "test002_different_root_key": "signature",
    "test003_invalid_signature_format": "malformed",
    "test004_random_block": "signature",
    "test005_invalid_signature": "signature",
    "test006_reordered_blocks": "signature",
    "test007_scoped_rules": "rule",
    "test008_scoped_checks": "fact",
    "test009_expired_token": "check",
    "test010_authorizer_scope": "fact",
    "test011_authorizer_authority_caveats": "identity",
    "test012_authority_caveats": "check",
    "test013_block_rules": "rule",
    "test014_regex_constraint": "check",
    "test015_multi_queries_caveats": "identity",
    "test016_caveat_head_name": "fact",
    "test017_expressions": "check",
    "test018_unbound_variables_in_rule": "rule",
    "test019_generating_ambient_from_variables": "rule",
    "test020_sealed": "check",
    "test021_parsing": "identity",
    "test022_default_symbols": "fact",
    "test023_execution_scope": "fact",
    "test024_third_party": "third_party",
    "test025_check_all": "check",
    "test026_public_keys_interning": "third_party",
    "test027_integer_wraparound": "check",
    "test028_expressions_v4": "check",
    "test029_reject_if": "check",
    "test030_null": "check",
    "test031_heterogeneous_equal": "check",
    "test032_laziness_closures": "check",
    "test033_typeof": "check",
    "test034_array_map": "check",
    "test035_ffi": "check",
    "test036_secp256r1": "algorithm",
    "test037_secp256r1_third_party": "algorithm",
    "test038_try_op": "check",
}


def samples() -> dict[str, Any]:
    return json.loads(shared_data("biscuit", "samples.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def cases() -> list[dict[str, Any]]:
    found = samples()["testcases"]
    assert {case["filename"].removesuffix(".bc") for case in found} == set(EXPECTED)
    return found  # type: ignore[no-any-return]


def data_of(case: dict[str, Any]) -> bytes:
    return shared_data("biscuit", case["filename"]).read_bytes()


def root() -> PublicKey:
    return PublicKey(bytes.fromhex(samples()["root_public_key"]))


def test_the_library_decides_as_published() -> None:
    key = biscuit_auth.PublicKey.from_bytes(root().raw, biscuit_auth.Algorithm.Ed25519)  # type: ignore[call-arg, attr-defined]
    counted = 0
    for case in cases():
        for name, validation in case["validations"].items():
            counted += 1
            assert _decides(data_of(case), key, validation) == ("Ok" in validation["result"]), (case["filename"], name)
    assert counted == 50


def _decides(data: bytes, key: Any, validation: dict[str, Any]) -> bool:
    try:
        found = biscuit_auth.Biscuit.from_bytes(data, key)
        builder: Any = biscuit_auth.AuthorizerBuilder(validation["authorizer_code"])
        limits = builder.limits()
        limits.max_time = limits.max_time * 1_000
        builder.set_limits(limits)
        builder.register_extern_func("test", _external)
        builder.build(found).authorize()
    except (biscuit_auth.AuthorizationError, biscuit_auth.BiscuitValidationError, biscuit_auth.DataLogError):
        return False
    return True


def _external(left: Any, right: Any = None) -> Any:
    """The function that sample 35 calls."""
    if right is None:
        return left
    return "equal strings" if left == right else "different strings"


def test_none_is_an_identity_here() -> None:
    reader = IdentityVerifier(settings(TokenRootKey(0, root())))
    found = {}
    for case in cases():
        refusal = refusal_of(urlsafe_b64encode(data_of(case)).decode(), reader, NOW)
        found[case["filename"].removesuffix(".bc")] = None if refusal is None else refusal[0].value
    assert found == EXPECTED


def test_blocks_are_read_as_published() -> None:
    """Revocation ids and, where the profile has a word for everything in it, the whole content."""
    compared = 0
    for case in cases():
        published = [ids for validation in case["validations"].values() if (ids := validation["revocation_ids"])]
        try:
            envelope = read_envelope(urlsafe_b64encode(data_of(case)).decode())
            blocks = read_blocks(envelope.blocks)
        except (TokenRefusedError, WireError):
            assert EXPECTED[case["filename"].removesuffix(".bc")] in ("malformed", "algorithm", "third_party", "signature")
            continue
        assert all(list(envelope.ids) == ids for ids in published)
        for block, described in zip(blocks, case["token"], strict=True):
            code = print_block(block)
            if code is not None and published:
                compared += 1
                assert sorted(code) == sorted(described["code"].splitlines()), case["filename"]
    assert compared >= 20
