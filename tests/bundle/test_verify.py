"""What is said when a bundle is refused, in whole sentences; the floor; what importing costs (docs/bundle.md B4, B5)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hexgate
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.trust import CLOCK_SKEW_SECONDS, Floor, advance, require_current
from hexgate.bundle.verify import VerifiedBundle, verify
from tests.bundle_vectors import ACCEPTED, load_bundle_vectors
from tests.vectors.bundle.material import EXPIRES, ISSUED, MALLORY, RELEASE, SECOND, seconds

VECTORS = {vector.id: vector for vector in load_bundle_vectors()}
AGAIN = "fetch it again, or sign the policies again"
_KEY, _SECOND = RELEASE.public.fingerprint, SECOND.public.fingerprint

SENTENCES = {
    "endless_data": "the bundle has 16777217 bytes, more than 16777216; leave the sources out of it",
    "trailing_data": f"the file is not a bundle: something follows the JSON value (line 2, column 1); {AGAIN}",
    "other_payload_type": "the envelope's payload is not of type `application/vnd.in-toto+json`; fetch a bundle in place of this file",
    "unsigned": f"0 of the trusted keys have signed the bundle, and 1 must ({_KEY}); sign it with these keys, or trust the key that signed it",
    "stripped_signature": f"1 of the trusted keys have signed the bundle, and 2 must ({_KEY}, {_SECOND});"
    " sign it with these keys, or trust the key that signed it",
    "statement_without_expiry": "the signed statement is malformed: the predicate has no `notAfter`; sign the policies again",
    "predicate_type": "the statement is about something else than a policy bundle of this version; update the runtime, or fetch another file",
    "runtime_too_old": f"the bundle asks for runtime 999.0.0, and this is {hexgate.__version__}; update Hexgate",
    "other_abi": "the module has interface 2, and this runtime 1; compile with a release that fits the runtime",
    "limits_fuel": "the bundle asks for fuel of 1000000001, and this runtime gives 1000000000; sign it with lower limits",
    "limits_memory": "the bundle asks for memory of 16777217, and this runtime gives 16777216; sign it with lower limits",
    "limits_functions": "the bundle asks for functions of 20001, and this runtime gives 20000; sign it with lower limits",
    "wrong_name": "the bundle is signed as `policy`, and `payments` is asked for; give the file its own name",
    "not_yet_valid": f"the bundle was issued at {ISSUED}, which is in the future; set the clock of this machine, or the signer's",
    "expired": f"the bundle expired at {EXPIRES}; sign the policies again",
    "rollback": "the bundle has version 7, and version 8 has been accepted before; publish the old content under a later version",
    "same_version_other_content": "another content has been accepted as version 7 before; publish this one under a later version",
    "missing_module": f"the bundle has no `policy.wasm`; {AGAIN}",
    "extraneous_artifact": f"the bundle has a file that nobody has signed; {AGAIN}",
    "shortened_module": "`policy.wasm` has another length than the signed one; fetch the bundle again",
    "altered_table": "`policy.json` is not the file that was signed; fetch the bundle again",
}
"""Those of table, module and vectors are in tests/runtime/test_bundle_engine.py."""


@pytest.mark.parametrize("name", SENTENCES)
def test_a_refusal_says_what_and_what_to_do(name: str) -> None:
    vector = VECTORS[name]
    with pytest.raises(BundleRefusedError) as caught:
        verify(vector.data, vector.trust, name=vector.name, now=vector.now, floor=vector.floor)
    assert caught.value.detail == str(caught.value) == SENTENCES[name]
    assert caught.value.refusal.value == vector.expect


def test_every_refusal_of_verification_has_its_sentence() -> None:
    loading = {Refusal.TABLE, Refusal.MODULE, Refusal.VECTORS}
    assert {VECTORS[name].expect for name in SENTENCES} == {refusal.value for refusal in Refusal if refusal not in loading}


def _accepted() -> VerifiedBundle:
    vector = VECTORS[ACCEPTED]
    return verify(vector.data, vector.trust, name=vector.name, now=vector.now, floor=None)


BUNDLE = _accepted()
FIRST, LAST = seconds(ISSUED), seconds(EXPIRES)
DIGEST = BUNDLE.digest


@pytest.mark.parametrize(
    ("floor", "now", "following"),
    [
        (None, FIRST + 60, Floor(7, DIGEST, FIRST + 60)),
        (None, FIRST - 60, Floor(7, DIGEST, FIRST)),
        (Floor(6, "ab", FIRST), FIRST + 60, Floor(7, DIGEST, FIRST + 60)),
        (Floor(6, "ab", FIRST + 90), FIRST + 60, Floor(7, DIGEST, FIRST + 90)),
        (Floor(7, DIGEST, FIRST + 90), FIRST + 60, Floor(7, DIGEST, FIRST + 90)),
    ],
)
def test_the_floor_after_acceptance(floor: Floor | None, now: int, following: Floor) -> None:
    assert advance(floor, BUNDLE, now) == following


@pytest.mark.parametrize(
    ("floor", "now", "refusal"),
    [
        (Floor(8, "ab", FIRST), FIRST + 60, Refusal.ROLLBACK),
        (Floor(7, "ab", FIRST), FIRST + 60, Refusal.SAME_VERSION_OTHER_CONTENT),
        (Floor(6, "ab", LAST), FIRST + 60, Refusal.EXPIRED),
        (None, LAST, Refusal.EXPIRED),
        (None, FIRST - CLOCK_SKEW_SECONDS - 1, Refusal.NOT_YET_VALID),
    ],
)
def test_the_floor_is_held_at_acceptance_too(floor: Floor | None, now: int, refusal: Refusal) -> None:
    """Another process may have raised it since verification."""
    with pytest.raises(BundleRefusedError) as caught:
        advance(floor, BUNDLE, now)
    assert caught.value.refusal is refusal


_FLOORS = st.none() | st.builds(Floor, st.integers(1, 12), st.sampled_from([DIGEST, "ab"]), st.integers(FIRST - 900, LAST + 900))


@settings(max_examples=300, deadline=None)
@given(_FLOORS, st.integers(FIRST - 900, LAST + 900), st.integers(FIRST - 900, LAST + 900))
def test_a_floor_never_falls_and_holds_what_it_accepted(floor: Floor | None, now: int, later: int) -> None:
    try:
        first = advance(floor, BUNDLE, now)
    except BundleRefusedError:
        return
    assert floor is None or (first.version >= floor.version and first.seen >= floor.seen)
    assert first.seen < LAST
    predicate = BUNDLE.statement.predicate
    if later >= now:  # what was accepted once is accepted until it expires
        try:
            require_current(predicate, DIGEST, later, first)
        except BundleRefusedError as error:
            assert error.refusal is Refusal.EXPIRED and later >= LAST


def test_threshold_counts_key_bytes_and_names_signers_in_the_order_of_trust() -> None:
    vector = VECTORS["accepted_beside_strangers"]
    assert verify(vector.data, vector.trust, name="policy", now=vector.now, floor=None).signers == (RELEASE.public,)
    assert MALLORY.public not in BUNDLE.signers


def test_verification_loads_no_compiler_no_parser_and_no_command_line() -> None:
    code = (
        "import sys, hexgate.bundle.verify, hexgate.bundle.state\n"
        "print(sorted({'lark', 'yaml', 'jsonschema', 'typer', 'rich', 're2', 'wasmtime', 'ormsgpack', 'hexgate.language', 'hexgate.policy',"
        " 'hexgate.compiler', 'hexgate.runtime', 'hexgate.decision', 'cryptography.hazmat.primitives.serialization'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
