"""What an issuer can say, and that it comes back as it was said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.identity.mint import Grant, GrantError, mint
from tests.identity.tokens import NOW, NOW_SECONDS, ROOT, verifier

LATER = NOW_SECONDS + 60
ATTRIBUTE = "an attribute has a name or a value that a token cannot have"
NAME = "a role or an audience is empty, too long, or not ASCII"

ERRORS: list[tuple[Grant, int | None, str]] = [
    (Grant("", "r", LATER), 1, "the user's id is empty, too long, or no Unicode"),
    (Grant("\ud800", "r", LATER), 1, "the user's id is empty, too long, or no Unicode"),
    (Grant("u", "", LATER), 1, NAME),
    (Grant("u", "ü", LATER), 1, NAME),
    (Grant("u", "r", LATER, narrower_roles=("",)), 1, NAME),
    (Grant("u", "r", LATER, audiences=("x" * 257,)), 1, NAME),
    (Grant("u", "r", LATER, attributes={"": 1}), 1, ATTRIBUTE),
    (Grant("u", "r", LATER, attributes={"a": 1.5}), 1, ATTRIBUTE),
    (Grant("u", "r", LATER, attributes={"a": None}), 1, ATTRIBUTE),
    (Grant("u", "r", LATER, attributes={"a": 2**63}), 1, ATTRIBUTE),
    (Grant("u", "r", LATER, attributes={"a": [[1]]}), 1, ATTRIBUTE),
    (Grant("u", "r", LATER, attributes={"a": {"b": 1}}), 1, ATTRIBUTE),
    (Grant("u", "r", LATER, attributes={"a": "\ud800"}), 1, ATTRIBUTE),
    (Grant("u", "r", -1), 1, "a time is before 1970 or after the year 9999"),
    (Grant("u", "r", LATER, not_before=LATER), 1, "the token would never be valid"),
    (Grant("u", "r", 253_402_300_800), 1, "a time is before 1970 or after the year 9999"),
    (Grant("u", "r", LATER), -1, "the id of a root key is between 0 and 4294967295"),
    (Grant("u", "r", LATER), 2**32, "the id of a root key is between 0 and 4294967295"),
    (Grant("u", "r", LATER, attributes={"a": "x" * 9_000}), 1, "this makes no token: a token has at most 8,192 characters"),
    (Grant("u", "r", LATER, audiences=tuple("abcdefghi")), 1,
     "this makes no token: a fact `audience` of the token is no name, or there are more than 8"),
    (Grant("u", "r", LATER, attributes={str(number): 1 for number in range(65)}), 1,
     "this makes no token: the token states more than 64 attributes"),
]  # fmt: skip


@pytest.mark.parametrize(("grant", "key_id", "sentence"), ERRORS)
def test_what_no_token_says(grant: Grant, key_id: int | None, sentence: str) -> None:
    with pytest.raises(GrantError) as found:
        mint(grant, ROOT, key_id)
    assert str(found.value) == sentence


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
PLAIN = st.text(st.characters(max_codepoint=126, min_codepoint=32), min_size=1, max_size=12)
SCALARS: st.SearchStrategy[Any] = st.one_of(TEXTS, st.integers(-(2**63), 2**63 - 1), st.booleans())
GRANTS = st.builds(
    Grant,
    user_id=NAMES,
    role=PLAIN,
    expires=st.none() | st.just(LATER),
    not_before=st.none() | st.just(NOW_SECONDS),
    attributes=st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=3), max_size=4),
    narrower_roles=st.lists(PLAIN, max_size=2).map(tuple),
)


@settings(max_examples=80, deadline=None)
@given(GRANTS)
def test_what_is_said_is_read(grant: Grant) -> None:
    found = verifier().user(mint(grant, ROOT, 1), NOW)
    attributes = {name: tuple(value) if isinstance(value, list) else value for name, value in grant.attributes.items()}
    assert (found.user.user_id, found.user.role, found.user.attrs) == (grant.user_id, grant.role, attributes)
    assert [type(value) for value in found.user.attrs.values()] == [type(attributes[name]) for name in found.user.attrs]
    assert found.roles == {grant.role, *grant.narrower_roles}
    assert found.expires == grant.expires


def test_a_key_without_an_id() -> None:
    assert verifier().user(mint(Grant("u", "r", LATER), ROOT, None), NOW).user.user_id == "u"
