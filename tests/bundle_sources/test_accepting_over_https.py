"""What a mirror serves, in order, and what comes of each fetch: source, verification and floor together."""

from __future__ import annotations

import dataclasses
import ssl
from pathlib import Path

import pytest

from hexgate.bundle.floors import Floors, ProcessFloors
from hexgate.bundle.keys import SigningKey, generate_key
from hexgate.bundle.refusal import BundleRefusedError
from hexgate.bundle.sign import candidate, sign_bundle
from hexgate.bundle.state import StateDirectory
from hexgate.bundle.trust import advance
from hexgate.bundle.trust_root import TrustRoot
from hexgate.bundle.verify import verify
from hexgate.limits import BUNDLE_BYTES
from hexgate.runtime.https_source import HttpsSource
from hexgate.runtime.source import NotModified, SourceError, Validators
from tests.bundle_sources.certificates import Authority, make_authority
from tests.bundle_sources.misbehaving_server import Connection, answer, serving

NOW = 1_795_000_000
DAY = 86_400
KEY, OTHER_KEY = generate_key(), generate_key()


def bundle(version: int, *, name: str = "billing", module: bytes = b"module", issued: int = NOW - DAY, key: SigningKey = KEY) -> bytes:
    """A signed bundle that is valid for 30 days."""
    unsigned = candidate(
        module, b"{}", name=name, version=version, issued_at=issued, not_after=issued + 30 * DAY, sources={}, vectors=()
    )
    return sign_bundle(unsigned, [key])


UNSIGNED = candidate(b"m", b"{}", name="billing", version=9, issued_at=NOW - DAY, not_after=NOW + DAY, sources={}, vectors=())
SEVEN = bundle(7)
ALTERED = SEVEN.replace(b'"policy.wasm":"bW9kdWxl"', b'"policy.wasm":"bW9kdWxm"')
UNCHANGED = b""
"""Served as 304 Not Modified."""

SERVED: list[tuple[str, list[tuple[bytes, str]]]] = [
    # what it is about; the bundles that are served, and what comes of each
    ("new ones", [(SEVEN, "version 7"), (bundle(8), "version 8"), (bundle(20), "version 20")]),
    ("the same again", [(SEVEN, "version 7"), (SEVEN, "version 7")]),
    ("unchanged for ever", [(SEVEN, "version 7"), (UNCHANGED, "unchanged"), (UNCHANGED, "unchanged")]),
    ("unchanged at first", [(UNCHANGED, "protocol"), (SEVEN, "version 7")]),
    ("an old one", [(SEVEN, "version 7"), (bundle(6), "rollback"), (SEVEN, "version 7")]),
    ("other content", [(SEVEN, "version 7"), (bundle(7, module=b"other"), "same_version_other_content"), (bundle(8), "version 8")]),
    ("another bundle", [(bundle(8, name="orders"), "wrong_name"), (SEVEN, "version 7")]),
    ("expired", [(bundle(8, issued=NOW - 31 * DAY), "expired"), (SEVEN, "version 7")]),
    ("from the future", [(bundle(8, issued=NOW + DAY), "not_yet_valid"), (SEVEN, "version 7")]),
    ("another's signature", [(SEVEN, "version 7"), (bundle(8, key=OTHER_KEY), "signatures")]),
    ("no signature", [(UNSIGNED, "signatures")]),
    ("an altered artifact", [(ALTERED, "artifact_digest"), (SEVEN, "version 7")]),
    ("half of one", [(SEVEN[: len(SEVEN) // 2], "malformed"), (SEVEN, "version 7")]),
    ("a page", [(b"<html>Sign in to the wireless network</html>", "malformed"), (SEVEN, "version 7")]),
]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "Tests")


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server("localhost")


class _Mirror:
    def __init__(self, data: list[bytes]) -> None:
        self._left = list(data)

    def __call__(self, connection: Connection) -> None:
        data = self._left.pop(0)
        connection.send(answer("304 Not Modified", length=None) if data is UNCHANGED else answer("200 OK", data, 'ETag: "same"'))


@dataclasses.dataclass
class _Client:
    """Fetches, verifies and remembers, as a runtime does; `floors` outlast a restart only in the state directory."""

    source: HttpsSource
    state: Path
    floors: Floors
    validators: Validators | None = None

    def restart(self) -> None:
        self.floors = Floors(StateDirectory(self.state), ProcessFloors())

    def refresh(self) -> str:
        try:
            fetched = self.source.fetch(self.validators)
            if isinstance(fetched, NotModified):
                return "unchanged"
            trust, location = TrustRoot(1, (KEY.public,)), self.source.location
            verified = verify(fetched.data, trust, name="billing", now=NOW, floor=self.floors.read("billing", location))
            floor = self.floors.update("billing", location, lambda current: advance(current, verified, NOW))
        except SourceError as error:
            return error.kind.value
        except BundleRefusedError as error:
            return error.refusal.value
        self.validators = fetched.validators
        return f"version {floor.version}"


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("served", [row[1] for row in SERVED], ids=[row[0] for row in SERVED])
def test_what_comes_of_each_fetch(
    authority: Authority, tls: ssl.SSLContext, tmp_path: Path, served: list[tuple[bytes, str]], restarts: bool
) -> None:
    with serving([_Mirror([data for data, _ in served])], tls) as server:
        source = HttpsSource(f"https://localhost:{server.port}/billing.hexgate", limit=BUNDLE_BYTES, context=authority.client())
        client = _Client(source, tmp_path / "state", Floors(None if not restarts else StateDirectory(tmp_path / "state"), ProcessFloors()))
        outcomes = []
        for _ in served:
            outcomes.append(client.refresh())
            if restarts:
                client.restart()
    assert outcomes == [expected for _, expected in served]


def test_of_two_processes_the_later_version_wins(tmp_path: Path) -> None:
    """One verifies an older bundle against the floor that it has read, and another accepts a newer one before it is remembered."""
    trust, location = TrustRoot(1, (KEY.public,)), "/billing.hexgate"
    one, other = (Floors(StateDirectory(tmp_path / "state"), ProcessFloors()) for _ in range(2))
    late = verify(SEVEN, trust, name="billing", now=NOW, floor=one.read("billing", location))
    eight = verify(bundle(8), trust, name="billing", now=NOW, floor=other.read("billing", location))
    other.update("billing", location, lambda floor: advance(floor, eight, NOW))
    with pytest.raises(BundleRefusedError) as caught:
        one.update("billing", location, lambda floor: advance(floor, late, NOW))
    assert caught.value.refusal.value == "rollback"
    kept = one.read("billing", location)
    assert kept is not None
    assert kept.version == 8
