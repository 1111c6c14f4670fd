"""Bundles that are accepted: every rule has something on its good side."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from tests.vectors.bundle.case import Case
from tests.vectors.bundle.material import (
    MALLORY,
    RELEASE,
    SECOND,
    THIRD,
    VERSION,
    Contents,
    honest,
    keys_text,
    signature,
)

OTHER_DIGEST = hashlib.sha256(b"another payload").hexdigest()
LARGEST = 16 * 2**20


def welcome_cases(contents: Contents) -> Iterator[Case]:
    """What must be accepted."""
    draft = honest(contents)
    good = draft.signed(RELEASE)
    digest = hashlib.sha256(draft.payload).hexdigest()
    yield Case("accepted", "one trusted key has signed", good, "accepted")
    yield Case(
        "accepted_two_of_three", "two of three trusted keys have signed, and two must",
        draft.signed(SECOND, THIRD), "accepted", keys_text(RELEASE, SECOND, THIRD, threshold=2),
    )  # fmt: skip
    yield Case(
        "accepted_beside_strangers", "signatures of keys that nobody trusts do no harm",
        draft.signed(MALLORY, RELEASE, THIRD), "accepted",
    )  # fmt: skip
    yield Case(
        "accepted_during_rotation", "the old and the new key are trusted while only the new one signs",
        draft.signed(SECOND), "accepted", keys_text(RELEASE, SECOND),
    )  # fmt: skip
    yield Case(
        "accepted_with_a_wrong_hint", "a keyid is a hint: one that names another key changes nothing",
        draft.file([signature(RELEASE, draft.payload, keyid=MALLORY.public.keyid)]), "accepted",
    )  # fmt: skip
    yield Case(
        "accepted_with_an_empty_hint", "a keyid may be empty", draft.file([signature(RELEASE, draft.payload, keyid="")]), "accepted",
    )  # fmt: skip
    yield Case(
        "accepted_signed_twice_by_one", "the same signature twice counts once, and once is enough",
        draft.file([signature(RELEASE, draft.payload)] * 2), "accepted",
    )  # fmt: skip
    document = json.loads(good)
    turned = {name: document[name] for name in ("artifacts", "dsse", "mediaType")}
    yield Case(
        "accepted_in_another_layout", "white space and the order of members are free outside of what is signed",
        json.dumps(turned, indent=2).encode(), "accepted",
    )  # fmt: skip
    yield Case("accepted_at_the_largest_size", "a file of exactly 16 MiB", good, "accepted", pad_to=LARGEST)
    yield Case(
        "accepted_with_sources", "the policies may be published in the bundle",
        honest(contents, publish_sources=True).signed(RELEASE), "accepted",
    )  # fmt: skip
    yield Case("accepted_in_the_last_second", "one second before it expires", good, "accepted", now="2026-12-23T09:59:59Z")
    yield Case(
        "accepted_ahead_of_the_clock", "a signer's clock may be 300 seconds ahead", good, "accepted", now="2026-11-23T09:55:00Z"
    )
    yield Case(
        "accepted_again", "the version accepted last, with the same content", good, "accepted",
        floor=(VERSION, digest, "2026-11-24T09:00:00Z"),
    )  # fmt: skip
    yield Case(
        "accepted_later_version", "a later version than the last one", good, "accepted",
        floor=(VERSION - 1, OTHER_DIGEST, "2026-11-24T09:00:00Z"),
    )  # fmt: skip
    yield Case(
        "accepted_with_the_clock_behind", "a clock that runs behind what was seen, within the validity", good, "accepted",
        floor=(VERSION, digest, "2026-12-01T00:00:00Z"),
    )  # fmt: skip
