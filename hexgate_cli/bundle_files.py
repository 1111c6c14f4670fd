"""Bundles as commands take them: read from files and addresses, and refused as the end of a command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from hexgate.bundle.refusal import BundleRefusedError
from hexgate.bundle.trust_root import SUFFIX, HexgateKeyError, SignedLocation, TrustRoot, bundle_name, parse_hexgate_key
from hexgate.bundle.verify import VerifiedBundle, verify
from hexgate.limits import BUNDLE_BYTES
from hexgate.runtime.source import NotModified, SourceError, open_source
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import read_start

VARIABLE = "HEXGATE_KEY"
_TRUST_HELP = "pass `--trust ed25519:…`; `hexgate key show` prints the public key of a private one"


def read_bundle_file(path: str) -> bytes:
    """A bundle's file, or of a longer file as much as shows that it is too large. Raises CommandError."""
    return read_start(path, BUNDLE_BYTES + 1)


def fetch_bundle(location: str) -> bytes:
    """The bundle at a path or an `https://` address. Raises CommandError."""
    if "://" not in location:
        return read_bundle_file(location)
    try:
        fetched = open_source(location, limit=BUNDLE_BYTES).fetch(None)
    except SourceError as error:
        raise CommandError(error.sentence, help=error.help) from None
    if isinstance(fetched, NotModified):
        raise AssertionError("a source without validators has something to hand over")
    return fetched.data


@contextmanager
def refusals_reported(path: str) -> Iterator[None]:
    """What is refused in this block ends the command with the exit code of what is not trusted."""
    try:
        yield
    except BundleRefusedError as error:
        sentence, _, way = error.detail.partition("; ")
        raise CommandError(f"`{path}` is refused ({error.refusal.value}): {sentence}", help=way, code=ExitCode.UNTRUSTED) from None


def trust_of(text: str | None) -> tuple[TrustRoot, str | None]:
    """Whom `--trust`, or else HEXGATE_KEY, trusts, and the location that it names, if any. Raises InputError."""
    given = os.environ.get(VARIABLE, "") if text is None else text
    located = text is None or "@" in given
    try:
        found = parse_hexgate_key(given if located else f"{given}@keys{SUFFIX}")
    except HexgateKeyError as error:
        sentence, _, way = str(error).partition("; ")
        if text is not None:
            raise InputError(sentence.replace("HEXGATE_KEY", "`--trust`"), help=way or _TRUST_HELP) from None
        raise InputError(sentence, help=_TRUST_HELP if not given else way or _TRUST_HELP) from None
    if not isinstance(found, SignedLocation):
        raise InputError("`dev:` names policies that nobody signs, and trusts no key", help=_TRUST_HELP)
    return found.trust, found.location if located else None


def name_of(location: str, name: str | None) -> str:
    """The name that the bundle at a location must be signed under, unless another is asked for. Raises InputError."""
    if name is not None:
        return name
    try:
        return bundle_name(location)
    except HexgateKeyError:
        raise InputError(
            f"`{location}` does not say which bundle is asked for", help="a bundle lies at NAME.hexgate: rename it, or pass `--name NAME`"
        ) from None


def require_bundle(path: str, trust: str | None, now: int) -> VerifiedBundle:
    """The bundle of a file, verified at a time in nanoseconds since the epoch. Raises CommandError with the exit code of what is
    not trusted."""
    root, _ = trust_of(trust)
    with refusals_reported(path):
        return verify(read_bundle_file(path), root, name=name_of(path, None), now=now // 10**9, floor=None)
