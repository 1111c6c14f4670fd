"""Ed25519 keys (RFC 8032): those that are trusted, and those that sign."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
SIGNATURE_BYTES = 64
PEM_BYTES = 16_384
"""Length of a private key's file, at most."""

SCHEME = "ed25519:"
_DIGITS = re.compile(r"[A-Za-z0-9_-]{43}")
_NOT_ITS_FORM = "a public key is 43 base64url digits in their one form, without padding"

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_SMALL_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})
"""The y of the eight points whose order divides 8: signatures by such a key can be made without any private key."""


class KeyRefusedError(Exception):
    """A key is not one to trust or to sign with. The text is a sentence that shows nothing of a private key."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that may be trusted: 32 bytes (RFC 8032, 5.1.2) that are a point of large order in its one encoding."""

    raw: bytes

    def __post_init__(self) -> None:
        """Raises KeyRefusedError."""
        if type(self.raw) is not bytes or len(self.raw) != KEY_BYTES:
            raise KeyRefusedError(f"an Ed25519 public key has {KEY_BYTES} bytes")
        y = int.from_bytes(self.raw, "little") & (2**255 - 1)
        if y >= _P:
            raise KeyRefusedError("the public key is not in its canonical encoding")
        if y in _SMALL_ORDER:
            raise KeyRefusedError("the public key is a point of small order, under which anybody can sign")
        # x^2 = (y^2 - 1) / (d y^2 + 1) must be a square (RFC 8032, 5.1.3): Euler's criterion.
        square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
        if pow(square, (_P - 1) // 2, _P) != 1:
            raise KeyRefusedError("the public key is not a point of the curve")

    @property
    def keyid(self) -> str:
        """The hex SHA-256 of the key's bytes: a hint in signatures, never what is counted."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def fingerprint(self) -> str:
        """The first 16 hex digits of the key's id, for people."""
        return self.keyid[:16]

    @property
    def text(self) -> str:
        """`ed25519:` and the unpadded base64url of the bytes."""
        return SCHEME + urlsafe_b64encode(self.raw).rstrip(b"=").decode()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether a signature over a message is this key's (RFC 8032, 5.1.7)."""
        if len(signature) != SIGNATURE_BYTES:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def parse_public_key(text: str) -> PublicKey:
    """The key of `ed25519:<base64url>`: 43 digits, no padding, and the bits after the last byte zero. Raises KeyRefusedError."""
    if not text.startswith(SCHEME):
        raise KeyRefusedError(f"a public key begins with `{SCHEME}`")
    digits = text[len(SCHEME) :]
    if not _DIGITS.fullmatch(digits):
        raise KeyRefusedError(_NOT_ITS_FORM)
    raw = urlsafe_b64decode(digits + "=")
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != digits:
        raise KeyRefusedError(_NOT_ITS_FORM)
    return PublicKey(raw)


class SigningKey:
    """A private key. Its bytes are in no text of it."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The signature over a message, 64 bytes (RFC 8032, 5.1.6). Deterministic."""
        return self._key.sign(message)

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes of the key (RFC 8032, 5.1.5), for what signs in another format."""
        return self._key.private_bytes_raw()

    def __repr__(self) -> str:
        return f"SigningKey({self.public.fingerprint})"


def generate_key() -> SigningKey:
    """A new private key from the system's randomness."""
    return SigningKey(Ed25519PrivateKey.generate())


def signing_key_of(seed: bytes) -> SigningKey:
    """The private key of 32 secret bytes (RFC 8032, 5.1.5). Raises KeyRefusedError."""
    if len(seed) != KEY_BYTES:
        raise KeyRefusedError(f"an Ed25519 private key has {KEY_BYTES} bytes")
    return SigningKey(Ed25519PrivateKey.from_private_bytes(seed))


def read_signing_key(pem: bytes, passphrase: bytes | None = None) -> SigningKey:
    """The private key of a PEM text (PKCS#8, RFC 5958; encrypted or not). Raises KeyRefusedError."""
    from cryptography.hazmat.primitives import serialization  # slow to load, and for signers only

    if len(pem) > PEM_BYTES:
        raise KeyRefusedError(f"a private key's file has at most {PEM_BYTES} bytes")
    try:
        key = serialization.load_pem_private_key(pem, passphrase)
    except TypeError:
        needs = "is encrypted, and there is no passphrase" if passphrase is None else "is not encrypted, and a passphrase is given"
        raise KeyRefusedError(f"the private key {needs}") from None
    except (ValueError, UnsupportedAlgorithm):
        what = "or the passphrase is wrong" if passphrase is not None else "or it is damaged"
        raise KeyRefusedError(f"the file is not a private key in PEM (PKCS#8), {what}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefusedError("the private key is not an Ed25519 key; `hexgate keygen` makes one")
    return SigningKey(key)


def write_signing_key(key: SigningKey, passphrase: bytes | None = None) -> bytes:
    """A private key as PEM (PKCS#8), encrypted where there is a passphrase."""
    from cryptography.hazmat.primitives import serialization

    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase)
    return key._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
