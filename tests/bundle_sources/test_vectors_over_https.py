"""Every bundle vector, fetched over HTTPS by what refreshes a gate: the same one answer."""

from __future__ import annotations

import ssl

import pytest

from hexgate.bundle.floors import Floors, ProcessFloors
from hexgate.bundle.refusal import BundleRefusedError
from hexgate.decision.decision import User
from hexgate.limits import BUNDLE_BYTES
from hexgate.runtime.https_source import HttpsSource
from hexgate.runtime.refresh import BundleRefresher
from hexgate.runtime.source import SourceError
from tests.bundle_sources.certificates import Authority, make_authority
from tests.bundle_sources.misbehaving_server import answer, sends, serving
from tests.bundle_vectors import ACCEPTED, BundleVector, load_bundle_vectors

CLERK = User("alice", "clerk")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "Tests")


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server("localhost")


@pytest.mark.parametrize("vector", load_bundle_vectors(), ids=lambda vector: vector.id)
def test_a_vector_over_https(vector: BundleVector, authority: Authority, tls: ssl.SSLContext) -> None:
    with serving([sends(answer("200 OK", vector.data))], tls) as server:
        url = f"https://localhost:{server.port}/{vector.name}.hexgate"
        floors = Floors(None, ProcessFloors())
        if vector.floor is not None:
            known = vector.floor
            floors.update(vector.name, url, lambda _: known)
        source = HttpsSource(url, limit=BUNDLE_BYTES, context=authority.client())
        try:
            refresher = BundleRefresher(source, vector.trust, vector.name, floors, lambda: vector.now * 10**9)
        except BundleRefusedError as error:
            assert error.refusal.value == vector.expect
        except SourceError as error:
            assert error.kind.value == vector.expect  # too_large: cut off before it is all here
        else:
            assert vector.expect == ACCEPTED
            decide = refresher.snapshot.decide
            assert [decide("pay", {"amount": amount}, CLERK).allowed for amount in (100, 101)] == [True, False]
