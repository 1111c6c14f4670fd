"""Public keys in their one form and no weak one; private keys in PEM (docs/bundle.md B1)."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.bundle.keys import (
    KeyRefusedError,
    PublicKey,
    generate_key,
    parse_public_key,
    read_signing_key,
    write_signing_key,
)
from tests.vectors.bundle.material import MALLORY, RELEASE

P = 2**255 - 19
SIGN = 1 << 255
SMALL, NONCANONICAL = (
    "the public key is a point of small order, under which anybody can sign",
    "the public key is not in its canonical encoding",
)
NO_POINT = "the public key is not a point of the curve"
ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826

SMALL_ORDER_Y = (0, 1, P - 1, ORDER_8, P - ORDER_8)


def _encode(y: int) -> bytes:
    return y.to_bytes(32, "little")


def _text(raw: bytes) -> str:
    return "ed25519:" + urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_these_are_the_points_of_small_order() -> None:
    """-x^2 + y^2 = 1 + d x^2 y^2; doubling three times gives the neutral element (RFC 8032, 5.1.4)."""
    d = -121665 * pow(121666, -1, P) % P
    for y in SMALL_ORDER_Y:
        square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
        x = pow(square, (P + 3) // 8, P)
        if (x * x - square) % P:
            x = x * pow(2, (P - 1) // 4, P) % P
        assert (x * x - square) % P == 0
        for _ in range(3):
            product = d * x * x * y * y % P
            x, y = 2 * x * y * pow(1 + product, -1, P) % P, (y * y + x * x) * pow(1 - product, -1, P) % P
        assert (x, y) == (0, 1)


@pytest.mark.parametrize("sign", [0, SIGN])
@pytest.mark.parametrize("y", SMALL_ORDER_Y)
def test_points_of_small_order_are_refused(y: int, sign: int) -> None:
    with pytest.raises(KeyRefusedError, match=f"^{SMALL}$"):
        parse_public_key(_text(_encode(y + sign)))


@pytest.mark.parametrize("sign", [0, SIGN])
@pytest.mark.parametrize("y", range(P, 2**255))
def test_every_non_canonical_encoding_is_refused(y: int, sign: int) -> None:
    """All 38 of them, points of small order and others."""
    with pytest.raises(KeyRefusedError, match=f"^{NONCANONICAL}$"):
        parse_public_key(_text(_encode(y + sign)))


def test_a_key_of_zeros_would_have_let_anybody_sign() -> None:
    """Why these keys are refused here: the library takes them."""
    zeros = bytes(32)
    Ed25519PublicKey.from_public_bytes(zeros)
    with pytest.raises(KeyRefusedError, match=f"^{SMALL}$"):
        PublicKey(zeros)


@pytest.mark.parametrize("y", [2, 7, 8, 13])
def test_what_is_no_point_is_refused(y: int) -> None:
    with pytest.raises(KeyRefusedError, match=f"^{NO_POINT}$"):
        PublicKey(_encode(y))


GOOD = RELEASE.public.text[len("ed25519:") :]
_FORM = "a public key begins with `ed25519:`"
_ONE_FORM = "a public key is 43 base64url digits in their one form, without padding"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

TEXTS = [
    ("", _FORM),
    (GOOD, _FORM),
    (f"Ed25519:{GOOD}", _FORM),
    (f" ed25519:{GOOD}", _FORM),
    (f"rsa:{GOOD}", _FORM),
    ("ed25519:", _ONE_FORM),
    (f"ed25519:{GOOD}=", _ONE_FORM),
    (f"ed25519:{GOOD[:-1]}", _ONE_FORM),
    (f"ed25519:{GOOD[:-3]}", _ONE_FORM),
    (f"ed25519:{GOOD}A", _ONE_FORM),
    (f"ed25519:{GOOD}AAA", _ONE_FORM),
    (f"ed25519: {GOOD}", _ONE_FORM),
    (f"ed25519:{GOOD}\n", _ONE_FORM),
    (f"ed25519:{GOOD[:20]}.{GOOD[20:]}", _ONE_FORM),
    (f"ed25519:{GOOD[:20]}\u0430{GOOD[21:]}", _ONE_FORM),
]


@pytest.mark.parametrize(("text", "message"), TEXTS)
def test_texts_that_are_no_key(text: str, message: str) -> None:
    with pytest.raises(KeyRefusedError) as caught:
        parse_public_key(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("bits", [1, 2, 3])
def test_spare_bits_must_be_zero(bits: int) -> None:
    last = ALPHABET[ALPHABET.index(GOOD[-1]) + bits]
    with pytest.raises(KeyRefusedError, match=f"^{_ONE_FORM}$"):
        parse_public_key(f"ed25519:{GOOD[:-1]}{last}")


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33), bytearray(32), "A" * 32])
def test_a_key_is_32_bytes(raw: object) -> None:
    with pytest.raises(KeyRefusedError, match=r"^an Ed25519 public key has 32 bytes$"):
        PublicKey(raw)  # type: ignore[arg-type]


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_what_parses_prints_back_and_is_what_the_library_takes(raw: bytes) -> None:
    try:
        key = PublicKey(raw)
    except KeyRefusedError:
        return
    assert parse_public_key(key.text) == key
    Ed25519PublicKey.from_public_bytes(raw)


def test_a_key_has_one_id() -> None:
    key = RELEASE.public
    assert key.text == "ed25519:" + GOOD
    assert (len(key.keyid), key.keyid[:16]) == (64, key.fingerprint)


def test_signatures() -> None:
    signature = RELEASE.sign(b"message")
    assert RELEASE.public.verifies(signature, b"message")
    assert not RELEASE.public.verifies(signature, b"another")
    assert not MALLORY.public.verifies(signature, b"message")
    assert not RELEASE.public.verifies(signature[:-1], b"message")
    assert not RELEASE.public.verifies(b"", b"message")


def test_a_private_key_is_not_shown() -> None:
    key = generate_key()
    assert repr(key) == f"SigningKey({key.public.fingerprint})"


@pytest.mark.parametrize("passphrase", [None, b"x", "пароль".encode(), b"\x00\xff"])
def test_private_keys_are_written_and_read(passphrase: bytes | None) -> None:
    key = generate_key()
    pem = write_signing_key(key, passphrase)
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----" if passphrase else b"-----BEGIN PRIVATE KEY-----")
    assert read_signing_key(pem, passphrase).public == key.public


def _pem(key: ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


_PLAIN = write_signing_key(RELEASE)
_LOCKED = write_signing_key(RELEASE, b"secret")
_OTHER = "the private key is not an Ed25519 key; `hexgate keygen` makes one"
PEMS = [
    (b"", None, "the file is not a private key in PEM (PKCS#8), or it is damaged"),
    (b"junk", None, "the file is not a private key in PEM (PKCS#8), or it is damaged"),
    (_PLAIN[:60], None, "the file is not a private key in PEM (PKCS#8), or it is damaged"),
    (_PLAIN, b"secret", "the private key is not encrypted, and a passphrase is given"),
    (_LOCKED, None, "the private key is encrypted, and there is no passphrase"),
    (_LOCKED, b"wrong", "the file is not a private key in PEM (PKCS#8), or the passphrase is wrong"),
    (_pem(ec.generate_private_key(ec.SECP256R1())), None, _OTHER),
    (_pem(x25519.X25519PrivateKey.generate()), None, _OTHER),
    (b"x" * 16_385, None, "a private key's file has at most 16384 bytes"),
]


@pytest.mark.parametrize(("pem", "passphrase", "message"), PEMS)
def test_what_is_no_private_key_is_refused(pem: bytes, passphrase: bytes | None, message: str) -> None:
    with pytest.raises(KeyRefusedError) as caught:
        read_signing_key(pem, passphrase)
    assert str(caught.value) == message
