"""The bundle vectors through the library: verified and loaded, each with its one answer."""

from __future__ import annotations

import pytest

from hexgate.bundle.refusal import BundleRefusedError
from hexgate.bundle.trust import advance
from hexgate.bundle.verify import VerifiedBundle, verify
from hexgate.decision.decision import User
from hexgate.runtime.bundle_engine import load
from tests.bundle_vectors import ACCEPTED, EXPECTATIONS, FOLDER, BundleVector, load_bundle_vectors
from tests.vectors.bundle.generate import files
from tests.vectors.bundle.material import contents_of

VECTORS = load_bundle_vectors()
CLERK = User("alice", "clerk")


def _accept(vector: BundleVector) -> VerifiedBundle:
    """What a runtime does with a file, up to the point where it decides."""
    verified = verify(vector.data, vector.trust, name=vector.name, now=vector.now, floor=vector.floor)
    engine = load(verified)
    assert [engine.decide("pay", {"amount": amount}, CLERK).allowed for amount in (100, 101)] == [True, False]
    return verified


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.id)
def test_vector(vector: BundleVector) -> None:
    """B4, in its order."""
    if vector.expect == ACCEPTED:
        verified = _accept(vector)
        assert advance(vector.floor, verified, vector.now).version == verified.statement.predicate.version
        return
    with pytest.raises(BundleRefusedError) as caught:
        _accept(vector)
    assert caught.value.refusal.value == vector.expect
    assert "; " in caught.value.detail, "a refusal names a way forward"


def test_every_word_of_the_vocabulary_has_a_vector() -> None:
    assert {vector.expect for vector in VECTORS} == set(EXPECTATIONS)


ATTACKS = (
    "arbitrary_installation", "rollback", "freeze", "mix_and_match", "endless_data", "extraneous_artifact", "wrong_name",
    "malicious_mirror_serves_another", "lost_key", "rotated_key_alone", "one_key_under_two_ids", "stripped_signature",
    "duplicated_signature", "payload_type_confusion", "key_in_the_bundle", "key_carried_as_keyid", "same_version_other_content",
    "clock_moved_back",
)  # fmt: skip
"""The attacks of The Update Framework that a file or a mirror can make, and those on signatures."""


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_named_attack_is_refused(attack: str) -> None:
    assert next(vector.expect for vector in VECTORS if vector.id == attack) != ACCEPTED


def test_the_files_are_what_the_generator_makes() -> None:
    """From the committed module, every byte of every file: run `python -m tests.vectors.bundle.generate`."""
    made = files(contents_of((FOLDER / "bundles" / "accepted.hexgate").read_bytes()))
    there = {path.relative_to(FOLDER).as_posix(): path.read_bytes() for pattern in ("*.json", "bundles/*") for path in FOLDER.glob(pattern)}
    assert sorted(there) == sorted(made)
    assert [name for name, data in made.items() if there[name] != data] == []
