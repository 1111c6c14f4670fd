"""Change every byte of a bundle to every other value: none of the accepted ones decides differently. `make mutate-bundle`.

Some two million verifications, a few minutes. The test suite does the same with fewer values for each byte (`tests/bundle/test_mutation.py`).
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable

from hexgate.bundle.refusal import BundleRefusedError
from hexgate.bundle.trust_root import TrustRoot
from hexgate.bundle.verify import VerifiedBundle, verify
from tests.bundle_vectors import ACCEPTED, BundleVector, load_bundle_vectors

Values = Callable[[int, int], Iterable[int]]
"""From a position and the byte there to the bytes to put there."""


class DecidesDifferentlyError(Exception):
    """An accepted file is not the bundle that was signed."""


def small_bundle() -> BundleVector:
    """The bundle that is changed."""
    return next(vector for vector in load_bundle_vectors() if vector.id == ACCEPTED)


def mutate(vector: BundleVector, values: Values) -> tuple[Counter[str], frozenset[int]]:
    """How many changed files were refused for which reason, and accepted; and the positions of bytes that may change. Raises
    DecidesDifferentlyError."""
    data = bytearray(vector.data)
    trust = vector.trust
    signed = _verify(bytes(data), vector, trust)
    tally: Counter[str] = Counter()
    free: set[int] = set()
    for position, original in enumerate(vector.data):
        for value in values(position, original):
            if value == original:
                continue
            data[position] = value
            try:
                verified = _verify(bytes(data), vector, trust)
            except BundleRefusedError as error:
                tally[error.refusal.value] += 1
                continue
            if not _decides_alike(signed, verified):
                raise DecidesDifferentlyError(f"byte {position} changed from {original} to {value}")
            tally[ACCEPTED] += 1
            free.add(position)
        data[position] = original
    return tally, frozenset(free)


def _verify(data: bytes, vector: BundleVector, trust: TrustRoot) -> VerifiedBundle:
    return verify(data, trust, name=vector.name, now=vector.now, floor=vector.floor)


def _decides_alike(one: VerifiedBundle, other: VerifiedBundle) -> bool:
    """All that a decision can depend on is the same."""
    return (
        one.digest == other.digest
        and one.statement == other.statement
        and one.wasm == other.wasm
        and one.table_json == other.table_json
        and one.sources == other.sources
        and one.signers == other.signers
    )


def main() -> None:
    """Every byte, every value."""
    started = time.perf_counter()
    tally, _ = mutate(small_bundle(), lambda position, original: range(256))
    seconds = time.perf_counter() - started
    for word, count in tally.most_common():
        sys.stdout.write(f"{count:>9,}  {word}\n")
    sys.stdout.write(f"{tally.total():>9,}  changed files in {seconds:,.0f} s; none decides differently\n")


if __name__ == "__main__":
    main()
