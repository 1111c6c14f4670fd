"""Blocks that no library writes, signed by the issuer all the same: read as the library reads them, or refused."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode

import biscuit_auth
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.bundle.keys import signing_key_of
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.wire import data_field, number_field
from tests.identity.tokens import NOW, ROOT, refusal_of, verifier

NEXT = signing_key_of(bytes(32))
USER, ROLE, TIME, QUERY = 10, 6, 5, 27
"""Numbers of default symbols (Biscuit specification, "Symbol table")."""

SYMBOLS = data_field(1, b"alice") + data_field(1, b"billing")


def string(number: int) -> bytes:
    return number_field(3, number)


def variable(number: int) -> bytes:
    return number_field(1, number)


def predicate(name: int, *terms: bytes) -> bytes:
    return number_field(1, name) + b"".join(data_field(2, term) for term in terms)


def fact(name: int, *terms: bytes) -> bytes:
    return data_field(4, data_field(1, predicate(name, *terms)))


def check(*predicates: bytes, kind: int | None = None) -> bytes:
    query = data_field(1, predicate(QUERY)) + b"".join(data_field(2, one) for one in predicates)
    return data_field(6, data_field(1, query) + (b"" if kind is None else number_field(2, kind)))


ALICE = fact(USER, string(1024)) + fact(ROLE, string(1025))
VERSION = number_field(3, 3)
MALFORMED = "malformed"

BLOCKS: list[tuple[str, bytes, str | None]] = [
    ("as libraries write it", SYMBOLS + VERSION + ALICE, None),
    ("no version", SYMBOLS + ALICE, MALFORMED),
    ("version 2", SYMBOLS + number_field(3, 2) + ALICE, MALFORMED),
    ("version 4", SYMBOLS + number_field(3, 4) + ALICE, None),
    ("version 6", SYMBOLS + number_field(3, 6) + ALICE, None),
    ("version 7", SYMBOLS + number_field(3, 7) + ALICE, MALFORMED),
    ("context", SYMBOLS + data_field(2, b"why") + VERSION + ALICE, None),
    ("a symbol that is not there", SYMBOLS + VERSION + ALICE + fact(1026), MALFORMED),
    ("a reserved symbol", SYMBOLS + VERSION + ALICE + fact(28), MALFORMED),
    ("a fact with a variable", SYMBOLS + VERSION + ALICE + fact(1024, variable(1024)), None),
    ("a user in a variable", SYMBOLS + VERSION + fact(USER, variable(1024)) + fact(ROLE, string(1025)), "identity"),
    ("a check on the time", SYMBOLS + VERSION + ALICE + check(predicate(TIME, variable(1024))), None),
    ("`check all` before its version", SYMBOLS + VERSION + ALICE + check(predicate(TIME, variable(1024)), kind=1), MALFORMED),
    ("a kind of check that is none", SYMBOLS + VERSION + ALICE + check(predicate(TIME, variable(1024)), kind=3), MALFORMED),
    ("a variable above 32 bits", SYMBOLS + VERSION + ALICE + check(predicate(TIME, variable(2**32 + 1024))), MALFORMED),
    ("a check of nothing", SYMBOLS + VERSION + ALICE + data_field(6), "check"),
    ("a query of nothing", SYMBOLS + VERSION + ALICE + check(), "check"),
    ("a bool that is 2", SYMBOLS + VERSION + ALICE + fact(1024, number_field(6, 2)), MALFORMED),
    ("a term that is two", SYMBOLS + VERSION + ALICE + fact(1024, number_field(2, 1) + number_field(3, 0)), MALFORMED),
    ("a term that is none", SYMBOLS + VERSION + ALICE + fact(1024, b""), MALFORMED),
    ("facts before the version", SYMBOLS + ALICE + VERSION, MALFORMED),
    ("an unknown field", SYMBOLS + VERSION + ALICE + data_field(9, b""), MALFORMED),
    ("a public key", SYMBOLS + VERSION + ALICE + data_field(8, number_field(1, 0), data_field(2, ROOT.public.raw)), "rule"),
    ("a scope", SYMBOLS + VERSION + ALICE + data_field(7, number_field(1, 0)), "rule"),
    ("nothing", b"", "identity"),
]


def sign(block: bytes) -> str:
    """A token of one block (Biscuit specification, signature payload version 0)."""
    signature = ROOT.sign(block + bytes(4) + NEXT.public.raw)
    key = data_field(2, number_field(1, 0), data_field(2, NEXT.public.raw))
    signed = data_field(1, block) + key + data_field(3, signature)
    return urlsafe_b64encode(number_field(1, 1) + data_field(2, signed) + data_field(4, data_field(1, NEXT.seed))).decode()


@pytest.mark.parametrize(("block", "word"), [(block, word) for _, block, word in BLOCKS], ids=[name for name, _, _ in BLOCKS])
def test_blocks(block: bytes, word: str | None) -> None:
    found = refusal_of(sign(block))
    assert (None if found is None else found[0]) == (None if word is None else TokenRefusal(word))


@pytest.mark.parametrize("block", [block for _, block, word in BLOCKS if word is None])
def test_what_is_accepted_the_library_accepts(block: bytes) -> None:
    key = biscuit_auth.PublicKey.from_bytes(ROOT.public.raw, biscuit_auth.Algorithm.Ed25519)  # type: ignore[call-arg, attr-defined]
    token = biscuit_auth.Biscuit.from_base64(sign(block), key)
    assert biscuit_auth.AuthorizerBuilder("time(2026-01-01T00:00:00Z); allow if true").build(token).authorize() == 0


GOOD = SYMBOLS + VERSION + ALICE + fact(1024, number_field(2, 5)) + check(predicate(TIME, variable(1024)))
MUTATIONS = st.lists(
    st.tuples(st.sampled_from(["change", "drop", "insert", "copy"]), st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4
)


def mutate(steps: list[tuple[str, int, int]]) -> bytes:
    block = bytearray(GOOD)
    for step, position, byte in steps:
        at = position % max(len(block), 1)
        if step == "change" and block:
            block[at] = byte
        elif step == "drop":
            del block[at : at + 1 + byte % 4]
        elif step == "insert":
            block.insert(at, byte)
        else:
            block[at:at] = block[at : at + byte % 16]
    return bytes(block)


EXAMPLES = int(os.environ.get("HEXGATE_FUZZ_EXAMPLES", "1500"))
"""`make fuzz-tokens` asks for more."""


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.binary(max_size=60) | MUTATIONS.map(mutate))
def test_no_block_is_read_otherwise_than_the_library_reads_it(block: bytes) -> None:
    """Nothing but a refusal comes of any bytes, and of what is accepted the library sees the same user."""
    made = sign(block)
    try:
        user = verifier().user(made, NOW).user
    except TokenRefusedError:
        return
    key = biscuit_auth.PublicKey.from_bytes(ROOT.public.raw, biscuit_auth.Algorithm.Ed25519)  # type: ignore[call-arg, attr-defined]
    authorizer = biscuit_auth.AuthorizerBuilder("allow if true").build(biscuit_auth.Biscuit.from_base64(made, key))
    for rule, expected in (("found($x) <- user($x)", user.user_id), ("found($x) <- role($x)", user.role)):
        assert [found.terms for found in authorizer.query(biscuit_auth.Rule(rule))] == [[expected]]
