"""No change of a single byte makes a bundle that is accepted and decides differently.

Every position, with values that hit what parsers look at: the neighbour, the other case, a bit of its own, a space, a quote, a digit, a letter. All 255
values for each byte: `make mutate-bundle`.
"""

from __future__ import annotations

import random

from benchmarks.bundle_mutation import mutate, small_bundle
from hexgate.bundle.refusal import BundleRefusedError
from hexgate.bundle.verify import verify


def _telling(position: int, original: int) -> tuple[int, ...]:
    return tuple({original ^ 1, original ^ (0x20, 1 << position % 8)[position % 2], (0x20, 0x22, 0x41, 0x30)[position % 4]})


def test_no_changed_byte_decides_differently() -> None:
    """What may change lies outside of what is signed: the keyid, which is a hint, and the white space at the end."""
    vector = small_bundle()
    data = vector.data
    tally, free = mutate(vector, _telling)
    assert tally.total() > 2 * len(data)
    assert {"malformed", "signatures", "artifact_digest", "payload_type", "accepted"} <= set(tally)
    keyid = data.index(b'"keyid":"') + len(b'"keyid":"')
    assert free <= {*range(keyid, keyid + 64), len(data) - 1}


def test_no_cut_and_no_doubled_byte_is_accepted() -> None:
    """Deleting or repeating bytes: never accepted, but for the white space at the end."""
    vector = small_bundle()
    data = vector.data
    choose = random.Random(7)
    changed = [data[:end] for end in range(0, len(data) - 1, 7)]
    for _ in range(2_000):
        start = choose.randrange(len(data) - 1)
        end = start + choose.randrange(1, 40)
        changed += [data[:start] + data[end:], data[:end] + data[start:]]
    keyid = data.index(b'"keyid":"')
    for one in changed:
        try:
            verified = verify(one, vector.trust, name=vector.name, now=vector.now, floor=None)
        except BundleRefusedError:
            continue
        # A keyid may have any length; nothing else may change.
        assert one[:keyid] == data[:keyid]
        assert verified.digest == verify(data, vector.trust, name=vector.name, now=vector.now, floor=None).digest
