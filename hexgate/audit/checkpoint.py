"""Signed checkpoints of a log: C2SP tlog-checkpoint in a C2SP signed note, with Ed25519 (c2sp.org/signed-note).

The log's own key and salt live in its state directory, readable by their owner only.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import secrets
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_FILE = "audit.key"
SALT_FILE = "audit.salt"
SECRET_BYTES = 32
_ED25519 = b"\x01"
"""The signature type of a note's key (signed-note, "Signature types")."""
NOTE_BYTES = 4_096
"""Longest checkpoint."""
_SIGNATURES = re.compile("(?:— [^\\n]*\\n)+")
_NOTE = re.compile("\\n*((?:[^\\n]+\\n)+\\n(?:— [^\\n]*\\n)+)".encode())


class CheckpointMalformedError(ValueError):
    """A text that is no signed checkpoint, or no key of one."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log's key vouches for: the first `size` lines of a segment have this root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> bytes:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


@dataclass(frozen=True, slots=True)
class LogVerifier:
    """A log's public key, in the form `NAME+HASH+KEY` of a note verifier."""

    name: str
    raw: bytes

    @property
    def text(self) -> str:
        return f"{self.name}+{_key_hash(self.name, self.raw).hex()}+{base64.b64encode(_ED25519 + self.raw).decode()}"


@dataclass(frozen=True, slots=True)
class LogSigner:
    """A log's own key, and the salt of its keyed hashes."""

    key: Ed25519PrivateKey
    salt: bytes

    def verifier(self, name: str) -> LogVerifier:
        """The public key under a log's name."""
        return LogVerifier(name, self.key.public_key().public_bytes_raw())

    def sign(self, checkpoint: Checkpoint, name: str) -> bytes:
        """The signed note of a checkpoint."""
        body = checkpoint.body()
        identifier = _key_hash(name, self.key.public_key().public_bytes_raw())
        signature = base64.b64encode(identifier + self.key.sign(body)).decode()
        return body + f"\n— {name} {signature}\n".encode()


def _key_hash(name: str, raw: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + raw).digest()[:4]


def parse_verifier(text: str) -> LogVerifier:
    """A public key as `LogVerifier.text` writes it. Raises CheckpointMalformedError."""
    try:
        name, identifier, key = text.split("+", 2)
        raw = base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error):
        raise CheckpointMalformedError("the log's key is not of the form `NAME+HASH+KEY`") from None
    verifier = LogVerifier(name, raw[1:])
    if raw[:1] != _ED25519 or len(raw) != SECRET_BYTES + 1 or verifier.text != text or identifier == "":
        raise CheckpointMalformedError("the log's key is not of the form `NAME+HASH+KEY`")
    return verifier


def read_checkpoint(note: bytes) -> Checkpoint:
    """A checkpoint, before its signature is checked. Raises CheckpointMalformedError."""
    try:
        text = note.decode()
        body, _, signatures = text.partition("\n\n")
        origin, size, root = body.split("\n")
        checkpoint = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (ValueError, binascii.Error):
        raise CheckpointMalformedError("the checkpoint is malformed") from None
    if not note.startswith(checkpoint.body() + b"\n") or len(checkpoint.root) != SECRET_BYTES or checkpoint.size < 0:
        raise CheckpointMalformedError("the checkpoint is malformed")
    if not _SIGNATURES.fullmatch(signatures):
        raise CheckpointMalformedError("the checkpoint is malformed")  # what follows it would be taken for read
    return checkpoint


def split_notes(text: bytes) -> list[bytes]:
    """The notes of a text that was collected elsewhere: one after another as a sink writes them, or as in a log's own file with empty
    lines between. What is no note is the last one, for `read_checkpoint` to refuse."""
    notes, at = [], 0
    while found := _NOTE.match(text, at):
        notes.append(found[1])
        at = found.end()
    rest = text[at:].strip(b"\n")
    return [*notes, rest] if rest or not notes else notes


def is_signed(note: bytes, verifier: LogVerifier) -> bool:
    """Whether a note carries the signature of a log's key. Signatures of others beside it are ignored."""
    body, separator, signatures = note.partition(b"\n\n")
    if not separator:
        return False
    key = Ed25519PublicKey.from_public_bytes(verifier.raw)
    for line in signatures.decode("utf-8", "replace").splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.rpartition(" ")
        if dash != "—" or name != verifier.name:
            continue
        try:
            raw = base64.b64decode(encoded, validate=True)
            canonical = base64.b64encode(raw).decode() == encoded  # spare bits decode to the same
            if canonical and raw[:4] == _key_hash(verifier.name, verifier.raw):
                key.verify(raw[4:], body + b"\n")
                return True
        except (InvalidSignature, binascii.Error):
            continue
    return False


def open_signer(directory: Path) -> LogSigner:
    """The key and the salt in a state directory, made on first use. Raises OSError, and ValueError for files that are not
    what this function makes."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = _secret(directory / KEY_FILE)
    salt = _secret(directory / SALT_FILE)
    return LogSigner(Ed25519PrivateKey.from_private_bytes(key), salt)


def open_salt(path: Path) -> bytes:
    """32 secret bytes of a file, made on first use, for keyed hashes. Raises OSError, and ValueError for a file that is not what this
    function makes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _secret(path)


def _secret(path: Path) -> bytes:
    """32 bytes of a file, in hex; made where there is none. Of several processes that make it, one wins."""
    try:
        return _read_secret(path)
    except FileNotFoundError:
        pass
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(SECRET_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
    return _read_secret(path)


def _read_secret(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        if os.name != "nt" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise ValueError(f"`{path.name}` can be read by others than its owner; give it the permissions 0600")
        text = file.read(2 * SECRET_BYTES + 2)
    try:
        raw = bytes.fromhex(text.decode("ascii").removesuffix("\n"))
    except ValueError:
        raw = b""
    if len(raw) != SECRET_BYTES:
        raise ValueError(f"`{path.name}` does not hold 32 bytes in hex")
    return raw
