"""`HEXGATE_KEY`: what it means, and every way to get it wrong, in whole sentences (docs/bundle.md B6)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.bundle.keys import PublicKey
from hexgate.bundle.trust_root import (
    DevelopmentLocation,
    HexgateKeyError,
    SignedLocation,
    TrustRoot,
    bundle_name,
    parse_hexgate_key,
)
from tests.vectors.bundle.material import MALLORY, RELEASE, SECOND, THIRD, key_named

A, B, C = RELEASE.public, SECOND.public, THIRD.public
HERE = "policy.hexgate"

GOOD = [
    (f"{A.text}@{HERE}", 1, (A,), HERE),
    (f"1/{A.text}@{HERE}", 1, (A,), HERE),
    (f"2/{A.text},{B.text}@{HERE}", 2, (A, B), HERE),
    (f"{A.text},{B.text},{C.text}@{HERE}", 1, (A, B, C), HERE),
    (f"{A.text}@/etc/hexgate/policy.hexgate", 1, (A,), "/etc/hexgate/policy.hexgate"),
    (f"{A.text}@./a@b,c/policy.hexgate", 1, (A,), "./a@b,c/policy.hexgate"),
    (f"{A.text}@C:\\policies\\policy.hexgate", 1, (A,), "C:\\policies\\policy.hexgate"),
    (f"{A.text}@my policies/policy.hexgate", 1, (A,), "my policies/policy.hexgate"),
    (f"{A.text}@https://example.com/policy.hexgate", 1, (A,), "https://example.com/policy.hexgate"),
    (f"{A.text}@https://example.com/x/policy.hexgate?token=a/b.hexgate", 1, (A,), "https://example.com/x/policy.hexgate?token=a/b.hexgate"),
]


@pytest.mark.parametrize(("text", "threshold", "keys", "location"), GOOD)
def test_what_it_means(text: str, threshold: int, keys: tuple[PublicKey, ...], location: str) -> None:
    assert parse_hexgate_key(text) == SignedLocation(TrustRoot(threshold, keys), location)
    assert bundle_name(location) == "policy"


@pytest.mark.parametrize(("text", "path"), [("dev:policies", "policies"), ("dev:/a/b@c", "/a/b@c"), ("dev:C:\\p", "C:\\p")])
def test_development(text: str, path: str) -> None:
    assert parse_hexgate_key(text) == DevelopmentLocation(path)


FORM = "`ed25519:<key>@<path or https URL of NAME.hexgate>`, or `dev:<policy path>` for development"
UNSET = f"HEXGATE_KEY is not set; set it to {FORM}"
AROUND = "HEXGATE_KEY has white space around it or control characters in it; remove them"
NO_AT = f"HEXGATE_KEY has no `@` between keys and location; the form is {FORM}"
ENDS = "the location of HEXGATE_KEY ends in NAME.hexgate, where NAME has lower-case letters, digits, `.`, `_` and `-`"
THRESHOLD = "the threshold before `/` in HEXGATE_KEY is a number from 1, without sign or leading zero"
MIXED = "`dev:` mixes with nothing: it takes a path of policies, no keys and no address"
BEGINS = "a public key begins with `ed25519:`"
ONE_FORM = "a public key is 43 base64url digits in their one form, without padding"
ZEROS = "ed25519:" + "A" * 43

BAD = [
    ("", UNSET),
    ("  ", UNSET),
    (f" {A.text}@{HERE}", AROUND),
    (f"{A.text}@{HERE}\n", AROUND),
    (f"{A.text}@pol\x00icy.hexgate", AROUND),
    (f"{A.text}@\u202epolicy.hexgate", AROUND),
    (A.text, NO_AT),
    ("policy.hexgate", NO_AT),
    (f"@{HERE}", f"key 1 of HEXGATE_KEY cannot be used: {BEGINS}"),
    (f"{A.text}@", ENDS),
    (f"{A.text}@policy.wasm", ENDS),
    (f"{A.text}@policies/", ENDS),
    (f"{A.text}@.hexgate", ENDS),
    (f"{A.text}@Policy.hexgate", ENDS),
    (f"{A.text}@policy.hexgate/", ENDS),
    (f"{A.text}@-policy.hexgate", ENDS),
    (f"{A.text}@{'p' * 65}.hexgate", ENDS),
    (f"{A.text}@p\u043elicy.hexgate", ENDS),
    (f"{A.text}@https://example.com/policy.hexgate.html", ENDS),
    (f"{A.text}@https://example.com/policy.wasm?x=policy.hexgate", ENDS),
    (f"{A.text}@https://policy.hexgate", "the location of HEXGATE_KEY ends in NAME.hexgate, and this URL has no path"),
    (f"{A.text}@https://policy.hexgate?x/policy.hexgate", "the location of HEXGATE_KEY ends in NAME.hexgate, and this URL has no path"),
    (f"{A.text}@http://example.com/policy.hexgate", "the location of HEXGATE_KEY is a path or begins with `https://`"),
    (f"{A.text}@file:///policy.hexgate", "the location of HEXGATE_KEY is a path or begins with `https://`"),
    (f"{A.text}@HTTPS://example.com/policy.hexgate", "the location of HEXGATE_KEY is a path or begins with `https://`"),
    (f"0/{A.text}@{HERE}", THRESHOLD),
    (f"01/{A.text}@{HERE}", THRESHOLD),
    (f"+1/{A.text}@{HERE}", THRESHOLD),
    (f"-1/{A.text}@{HERE}", THRESHOLD),
    (f"1 /{A.text}@{HERE}", THRESHOLD),
    (f"\u0661/{A.text}@{HERE}", THRESHOLD),
    (f"100/{A.text}@{HERE}", THRESHOLD),
    (f"/{A.text}@{HERE}", THRESHOLD),
    (f"2/{A.text}@{HERE}", "the threshold 2 is no number from 1 to 1, the number of keys; lower it, or name more keys"),
    (f"3/{A.text},{B.text}@{HERE}", "the threshold 3 is no number from 1 to 2, the number of keys; lower it, or name more keys"),
    (f"{A.text},{A.text}@{HERE}", f"the key {A.fingerprint} stands twice; name each key once"),
    (f"2/{A.text},{B.text},{A.text}@{HERE}", f"the key {A.fingerprint} stands twice; name each key once"),
    (f"{A.text},@{HERE}", f"key 2 of HEXGATE_KEY cannot be used: {BEGINS}"),
    (f"{A.text}, {B.text}@{HERE}", f"key 2 of HEXGATE_KEY cannot be used: {BEGINS}"),
    (f"{A.text};{B.text}@{HERE}", f"key 1 of HEXGATE_KEY cannot be used: {ONE_FORM}"),
    (f"{A.text}=@{HERE}", f"key 1 of HEXGATE_KEY cannot be used: {ONE_FORM}"),
    (f"rsa:AAAA@{HERE}", f"key 1 of HEXGATE_KEY cannot be used: {BEGINS}"),
    (f"{ZEROS}@{HERE}", "key 1 of HEXGATE_KEY cannot be used: the public key is a point of small order, under which anybody can sign"),
    (f"{A.text},{ZEROS}@{HERE}", "key 2 of HEXGATE_KEY cannot be used: the public key is a point of small order, under which anybody can sign"),
    ("dev:", "`dev:` names no policies; write `dev:` and their path"),
    (f"dev:policies,{A.text}", MIXED),
    (f"dev:{A.text}@{HERE}", MIXED),
    ("dev:https://example.com/policies", MIXED),
    (f"{A.text}@dev:policies", ENDS),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_wrong_with_it(text: str, message: str) -> None:
    with pytest.raises(HexgateKeyError) as caught:
        parse_hexgate_key(text)
    assert str(caught.value) == message


def test_there_are_at_most_16_keys() -> None:
    texts = [key_named(str(number)).public.text for number in range(17)]
    assert isinstance(parse_hexgate_key(f"16/{','.join(texts[:16])}@{HERE}"), SignedLocation)
    with pytest.raises(HexgateKeyError, match=r"^a trust root has 1 to 16 keys, and this one 17; name those that sign today$"):
        parse_hexgate_key(f"{','.join(texts)}@{HERE}")
    with pytest.raises(HexgateKeyError, match=r"^a trust root has 1 to 16 keys, and this one 0; name those that sign today$"):
        TrustRoot(1, ())


@pytest.mark.parametrize("threshold", [0, -1, 3, True, 1.0])
def test_a_threshold_is_a_number_of_the_keys(threshold: object) -> None:
    with pytest.raises(HexgateKeyError, match=f"^the threshold {threshold} is no number from 1 to 2, the number of keys; lower it, or name more keys$"):
        TrustRoot(threshold, (A, B))  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="dev:/@,ed25519.hxgatepolicy-0A=% \n\u0430", max_size=60), st.integers(0, 80), st.integers(0, 80))
def test_no_text_breaks_it_and_no_error_repeats_it(noise: str, cut: int, resume: int) -> None:
    """Errors show nothing of the text but a key's fingerprint, a threshold and the number of keys."""
    whole = f"{MALLORY.public.text}@secret-place/policy.hexgate"
    text = whole[:cut] + noise + whole[resume:]
    try:
        parse_hexgate_key(text)
    except HexgateKeyError as error:
        assert MALLORY.public.text[8:30] not in str(error)
        assert "secret-place" not in str(error)
