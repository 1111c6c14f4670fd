"""Whom to trust and where the bundle is: the one setting `HEXGATE_KEY` (docs/bundle.md B6).

    [threshold/]ed25519:<base64url>[,ed25519:<base64url>...]@<path or https URL that ends in NAME.hexgate>
    dev:<policy path>
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from hexgate.bundle.keys import KeyRefusedError, PublicKey, parse_public_key

TRUSTED_KEYS = 16
"""Keys of a trust root, at most."""

SUFFIX = ".hexgate"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""A bundle's name."""

_THRESHOLD = re.compile(r"[1-9][0-9]?")
_DEVELOPMENT = "dev:"
_FORM = "`ed25519:<key>@<path or https URL of NAME.hexgate>`, or `dev:<policy path>` for development"


class HexgateKeyError(Exception):
    """The setting cannot be used. The text names the fault and shows nothing of its content but a key's fingerprint."""


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """The keys that may sign, and how many of them must. Equal keys are an error, or one would count twice."""

    threshold: int
    keys: tuple[PublicKey, ...]

    def __post_init__(self) -> None:
        """Raises HexgateKeyError."""
        if not 1 <= len(self.keys) <= TRUSTED_KEYS:
            raise HexgateKeyError(f"a trust root has 1 to {TRUSTED_KEYS} keys, and this one {len(self.keys)}; name those that sign today")
        seen: set[bytes] = set()
        for key in self.keys:
            if key.raw in seen:
                raise HexgateKeyError(f"the key {key.fingerprint} stands twice; name each key once")
            seen.add(key.raw)
        if type(self.threshold) is not int or not 1 <= self.threshold <= len(self.keys):
            raise HexgateKeyError(
                f"the threshold {self.threshold} is no number from 1 to {len(self.keys)}, the number of keys; lower it, or name more keys"
            )


@dataclass(frozen=True, slots=True)
class SignedLocation:
    """A signed bundle: whom to trust, and the path or URL, unchanged."""

    trust: TrustRoot
    location: str


@dataclass(frozen=True, slots=True)
class DevelopmentLocation:
    """Policies in the making, unsigned."""

    path: str


HexgateKey: TypeAlias = SignedLocation | DevelopmentLocation


def parse_hexgate_key(text: str) -> HexgateKey:
    """What the setting means. Raises HexgateKeyError; there is no default."""
    if not text.strip():
        raise HexgateKeyError(f"HEXGATE_KEY is not set; set it to {_FORM}")
    if text != text.strip() or any(not character.isprintable() for character in text):
        raise HexgateKeyError("HEXGATE_KEY has white space around it or control characters in it; remove them")
    if text.startswith(_DEVELOPMENT):
        return _development(text[len(_DEVELOPMENT) :])
    before, at, location = text.partition("@")
    if not at:
        raise HexgateKeyError(f"HEXGATE_KEY has no `@` between keys and location; the form is {_FORM}")
    trust = _trust_root(before)
    bundle_name(location)
    return SignedLocation(trust, location)


def bundle_name(location: str) -> str:
    """The name that the bundle at a location must be signed under: what stands before `.hexgate` at its end. Raises
    HexgateKeyError."""
    path = location
    if "://" in location:
        if not location.startswith("https://"):
            raise HexgateKeyError("the location of HEXGATE_KEY is a path or begins with `https://`")
        path = re.split(r"[?#]", location.removeprefix("https://"), maxsplit=1)[0]
        if "/" not in path:
            raise HexgateKeyError(f"the location of HEXGATE_KEY ends in NAME{SUFFIX}, and this URL has no path")
    last = re.split(r"[/\\]", path)[-1]
    name = last.removesuffix(SUFFIX)
    if name == last or not NAME.fullmatch(name):
        raise HexgateKeyError(
            f"the location of HEXGATE_KEY ends in NAME{SUFFIX}, where NAME has lower-case letters, digits, `.`, `_` and `-`"
        )
    return name


def _development(path: str) -> DevelopmentLocation:
    if not path:
        raise HexgateKeyError("`dev:` names no policies; write `dev:` and their path")
    if "ed25519:" in path or "://" in path:
        raise HexgateKeyError("`dev:` mixes with nothing: it takes a path of policies, no keys and no address")
    return DevelopmentLocation(path)


def _trust_root(text: str) -> TrustRoot:
    threshold = 1
    before, slash, keys = text.partition("/")
    if slash and "ed25519:" not in before:
        if not _THRESHOLD.fullmatch(before):
            raise HexgateKeyError("the threshold before `/` in HEXGATE_KEY is a number from 1, without sign or leading zero")
        threshold = int(before)
    else:
        keys = text
    made = []
    for number, key in enumerate(keys.split(","), 1):
        try:
            made.append(parse_public_key(key))
        except KeyRefusedError as error:
            raise HexgateKeyError(f"key {number} of HEXGATE_KEY cannot be used: {error}") from None
    return TrustRoot(threshold, tuple(made))
