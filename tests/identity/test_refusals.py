"""What is refused, with the whole sentence: one row for each way in which a token can be wrong."""

from __future__ import annotations

import datetime
from base64 import urlsafe_b64decode, urlsafe_b64encode

import biscuit_auth
import pytest

from hexgate.bundle.keys import signing_key_of
from hexgate.bundle.statement import IdentitySettings, TokenRootKey
from hexgate.decision.decision import User
from hexgate.identity.envelope import read_envelope
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.verifier import IdentityVerifier
from hexgate.identity.wire import BYTES, NUMBER, REPEATED, Fields, data_field
from hexgate.values import Timestamp
from tests.identity.tokens import (
    ALICE,
    NOW,
    NOW_SECONDS,
    ROOT,
    SECOND,
    private_key,
    refusal_of,
    settings,
    text,
    token,
    verifier,
)

OTHER = signing_key_of(bytes(32))
RULE = "a block of the token derives facts, or chooses whom to trust"
FACT = "a block after the first states facts"
CALL_FACT = "the token states facts about a call, which only the gate does"
CHECK = "a check of the token has a form that is not evaluated"
IDENTITY = "the token does not name exactly one user and one role in its first block"
ATTRIBUTE = "an attribute of the token is stated twice, or has no name or value to use"

BLOCKS: list[tuple[tuple[str, ...], str, str]] = [
    # a role or a user from elsewhere than the first block
    ((ALICE, 'role("admin")'), "fact", FACT),
    ((ALICE, 'user("bob")'), "fact", FACT),
    ((ALICE, "", 'role("admin")'), "fact", FACT),
    (('user("alice"); role("billing") <- user("alice")',), "rule", RULE),
    (('user("alice"); role("admin") <- tool("x")',), "rule", RULE),
    ((ALICE + 'role("admin") <- user($u)',), "rule", RULE),
    ((ALICE, 'role("admin") <- user($u)'), "rule", RULE),
    ((ALICE, "check if tool($t) trusting previous"), "check", CHECK),
    # not exactly one
    (("",), "identity", IDENTITY),
    (('user("alice")',), "identity", IDENTITY),
    (('role("billing")',), "identity", IDENTITY),
    ((ALICE + 'user("bob")',), "identity", IDENTITY),
    ((ALICE + 'role("admin")',), "identity", IDENTITY),
    (('user("alice", "bob"); role("billing")',), "identity", IDENTITY),
    (('user("alice"); role("billing", "admin")',), "identity", IDENTITY),
    (('user("alice"); role("billing"); role("admin", 1)',), "identity", IDENTITY),
    (("user(7); role(\"billing\")",), "identity", IDENTITY),
    (('user("alice"); role(true)',), "identity", IDENTITY),
    (('user(["alice"]); role("billing")',), "identity", IDENTITY),
    (('user({"a": "alice"}); role("billing")',), "identity", IDENTITY),
    (('user(""); role("billing")',), "identity", IDENTITY),
    (('user("alice"); role("")',), "identity", IDENTITY),
    (('user("alice"); role("b\u0456lling")',), "identity", IDENTITY),
    ((f'user("{"a" * 257}"); role("billing")',), "identity", IDENTITY),
    ((f'user("alice"); role("{"a" * 257}")',), "identity", IDENTITY),
    # other facts
    ((ALICE + 'attr("a", 1); attr("a", 2)',), "identity", ATTRIBUTE),
    ((ALICE + 'attr("", 1)',), "identity", ATTRIBUTE),
    ((ALICE + 'attr("a")',), "identity", ATTRIBUTE),
    ((ALICE + 'attr(1, "a")',), "identity", ATTRIBUTE),
    ((ALICE + 'attr("a", {"b": 1})',), "identity", ATTRIBUTE),
    ((ALICE + 'attr("a", [[1]])',), "identity", ATTRIBUTE),
    ((ALICE + "".join(f'attr("{number}", 1);' for number in range(65)),), "identity", "the token states more than 64 attributes"),
    ((ALICE + "narrower_role(1)",), "identity", "a fact `narrower_role` of the token is no name, or there are more than 16"),
    ((ALICE + 'audience("")',), "identity", "a fact `audience` of the token is no name, or there are more than 8"),
    ((ALICE + "".join(f'audience("{number}");' for number in range(9)),), "identity",
     "a fact `audience` of the token is no name, or there are more than 8"),
    # facts that would satisfy a check
    ((ALICE + 'arg("amount", 1)', 'check if arg("amount", $a), $a < 2'), "fact", CALL_FACT),
    ((ALICE + 'tool("x")',), "fact", CALL_FACT),
    ((ALICE + "time(2020-01-01T00:00:00Z)",), "fact", CALL_FACT),
    ((ALICE + 'arg_opaque("x")',), "fact", CALL_FACT),
    ((ALICE, 'tool("x"); check if tool("x")'), "fact", FACT),
    # checks of other forms
    ((ALICE, "check if true"), "check", CHECK),
    ((ALICE, 'check if role("admin")'), "check", CHECK),
    ((ALICE, "check if user($u)"), "check", CHECK),
    ((ALICE, 'check if tool("a", "b")'), "check", CHECK),
    ((ALICE, "check if tool(1)"), "check", CHECK),
    ((ALICE, "check if arg($name, $value)"), "check", CHECK),
    ((ALICE, 'check if arg("", 1)'), "check", CHECK),
    ((ALICE, 'check if arg("a")'), "check", CHECK),
    ((ALICE, 'check if arg("a", hex:00)'), "check", CHECK),
    ((ALICE, 'check if arg("a", [1])'), "check", CHECK),
    ((ALICE, "check if time(2026-01-01T00:00:00Z)"), "check", CHECK),
    ((ALICE, "check if arg_opaque($name)"), "check", CHECK),
    ((ALICE, 'reject if tool("x")'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), $a + 1 < 3'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), $a < 1 || $a > 3'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), $a.matches("a")'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), $a.length() < 3'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), !(!($a < 3))'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), 1 < 3'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), 1 < $a'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), [1, 2].any($x -> $x == $a)'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), {1, 2}.contains($a) && true'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), [1, "x"].contains($a)'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), [1, true].contains($a)'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), [].contains($a)'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), [null].contains($a)'), "check", CHECK),
    ((ALICE, 'check if arg("a", $a), $a.type() == "string"'), "check", CHECK),
    ((ALICE + "check if true",), "check", CHECK),
    ((ALICE, "check if " + " or ".join(['tool("x")'] * 9)), "check", CHECK),
    ((ALICE, "check if " + ", ".join(['tool("x")'] * 5)), "check", CHECK),
    ((ALICE, "check if tool($t)" + ', $t == "x"' * 9), "check", CHECK),
    ((ALICE, f"check if tool($t), {{{', '.join(map(str, range(65)))}}}.contains($t)"), "check", CHECK),
    ((ALICE, 'check if tool("x");' * 33), "check", CHECK),
    ((ALICE, "".join(f'check if arg("{number}", 1);' for number in range(17))), "check",
     "the checks of the token read more than 16 arguments"),
    ((ALICE, *['check if tool("x");' * 32] * 5), "too_large", "the blocks of a token have at most 256 parts"),
    ((ALICE + "".join(f"f({number});" for number in range(255)),), "too_large", "the blocks of a token have at most 256 parts"),
    ((ALICE, *[""] * 8), "too_many_blocks", "a token has at most 8 blocks"),
]  # fmt: skip


@pytest.mark.parametrize(("blocks", "word", "sentence"), BLOCKS)
def test_what_the_blocks_say(blocks: tuple[str, ...], word: str, sentence: str) -> None:
    assert refusal_of(text(*blocks)) == (TokenRefusal(word), sentence)


TIMES: list[tuple[str, int, str | None]] = [
    ("check if time($t), $t < 2026-11-18T11:06:41Z", NOW, None),
    ("check if time($t), $t < 2026-11-18T11:06:41Z", NOW + SECOND - 1, None),
    ("check if time($t), $t < 2026-11-18T11:06:41Z", NOW + SECOND, "expired"),
    ("check if time($t), $t <= 2026-11-18T11:06:41Z", NOW + 2 * SECOND - 1, None),
    ("check if time($t), $t <= 2026-11-18T11:06:41Z", NOW + 2 * SECOND, "expired"),
    ("check all time($t), $t <= 2026-11-18T11:06:41Z", NOW + 2 * SECOND, "expired"),
    ("check if time($t), $t >= 2026-11-18T11:06:41Z", NOW + SECOND - 1, "not_yet_valid"),
    ("check if time($t), $t >= 2026-11-18T11:06:41Z", NOW + SECOND, None),
    ("check if time($t), $t > 2026-11-18T11:06:41Z", NOW + 2 * SECOND - 1, "not_yet_valid"),
    ("check if time($t), $t > 2026-11-18T11:06:41Z", NOW + 2 * SECOND, None),
    ("check if time($t), $t > 2026-01-01T00:00:00Z, $t < 2026-11-18T11:06:40Z", NOW, "expired"),
    ("check if time($t), $t < 2026-11-18T11:06:40Z; check if time($t), $t > 2027-01-01T00:00:00Z", NOW, "expired"),
]
SENTENCES = {"expired": "the token is expired", "not_yet_valid": "the token is not valid yet"}


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(("check", "now", "word"), TIMES)
def test_times(check: str, now: int, word: str | None, place: int) -> None:
    """The same as the library's own evaluation, to the nanosecond, in the first block and in one that was added."""
    made = token(ALICE + check) if place == 0 else token(ALICE, check)
    expected = None if word is None else (TokenRefusal(word), SENTENCES[word])
    assert refusal_of(made.to_base64(), now=now) == expected
    instant = datetime.datetime.fromtimestamp(now // SECOND, datetime.UTC)
    authorizer = biscuit_auth.AuthorizerBuilder("time({instant}); allow if true", {"instant": instant}).build(made)
    if word is None:
        assert authorizer.authorize() == 0
    else:
        with pytest.raises(biscuit_auth.AuthorizationError):
            authorizer.authorize()


AUDIENCES: list[tuple[str, str | None, bool]] = [
    ("", None, True),
    ("", "prod", False),
    ('audience("prod")', "prod", True),
    ('audience("test"); audience("prod")', "prod", True),
    ('audience("prod")', "test", False),
    ('audience("prod")', None, False),
    ('audience("prod")', "PROD", False),
]


@pytest.mark.parametrize(("facts", "audience", "accepted"), AUDIENCES)
def test_audiences(facts: str, audience: str | None, accepted: bool) -> None:
    expected = None if accepted else (TokenRefusal.AUDIENCE, "the token is not for this audience")
    assert refusal_of(text(ALICE + facts), verifier(audience=audience)) == expected


UNKNOWN = (TokenRefusal.UNKNOWN_KEY, "the token names no root key that is trusted")
FORGED = (TokenRefusal.SIGNATURE, "a signature of the token does not verify")
NOT_VALID = (TokenRefusal.KEY_NOT_VALID, "the root key of the token is not valid at this time")
KEYS = [
    (1, [TokenRootKey(1, ROOT.public)], None),
    (2, [TokenRootKey(1, ROOT.public)], UNKNOWN),
    (None, [TokenRootKey(1, ROOT.public)], None),
    (None, [TokenRootKey(1, ROOT.public), TokenRootKey(2, OTHER.public)], UNKNOWN),
    (1, [TokenRootKey(1, OTHER.public)], FORGED),
    (1, [TokenRootKey(1, OTHER.public), TokenRootKey(2, ROOT.public)], FORGED),
    (2, [TokenRootKey(1, OTHER.public), TokenRootKey(2, ROOT.public)], None),
    (1, [TokenRootKey(1, ROOT.public, not_before=NOW_SECONDS)], None),
    (1, [TokenRootKey(1, ROOT.public, not_before=NOW_SECONDS + 1)], NOT_VALID),
    (1, [TokenRootKey(1, ROOT.public, not_after=NOW_SECONDS + 1)], None),
    (1, [TokenRootKey(1, ROOT.public, not_after=NOW_SECONDS)], NOT_VALID),
]


@pytest.mark.parametrize(("key_id", "keys", "expected"), KEYS)
def test_root_keys(key_id: int | None, keys: list[TokenRootKey], expected: tuple[TokenRefusal, str] | None) -> None:
    assert refusal_of(text(key_id=key_id), IdentityVerifier(settings(*keys))) == expected


def test_without_root_keys_nobody_is_known() -> None:
    for key_id in (None, 0, 1):
        assert refusal_of(text(key_id=key_id), IdentityVerifier(IdentitySettings())) == UNKNOWN


MALFORMED = (TokenRefusal.MALFORMED, "the text is not a Biscuit token")


@pytest.mark.parametrize(
    "found", ["", "=", "a", "ä", "\ud800", "not a token", text() + "\n", text() + "=", text()[:-4], text().rstrip("=")[:-1], " " + text()]
)
def test_texts_that_are_no_token(found: str) -> None:
    assert refusal_of(found) == MALFORMED


@pytest.mark.parametrize("found", [None, 7, b"token", ["token"]])
def test_what_is_no_text(found: object) -> None:
    assert refusal_of(found) == MALFORMED  # type: ignore[arg-type]


def test_a_subclass_of_str_is_no_text() -> None:
    class Text(str):
        def __hash__(self) -> int:
            raise AssertionError("no method of it runs")

    assert refusal_of(Text(text())) == MALFORMED


def test_long_texts() -> None:
    assert refusal_of("A" * 8_193) == (TokenRefusal.TOO_LARGE, "a token has at most 8,192 characters")
    assert refusal_of("A" * 8_192) == MALFORMED


def test_a_third_party_cannot_add_a_role() -> None:
    made = token()
    block = made.third_party_request().create_block(private_key(OTHER.seed), biscuit_auth.BlockBuilder('role("admin")'))
    public = biscuit_auth.PublicKey.from_bytes(OTHER.public.raw, biscuit_auth.Algorithm.Ed25519)  # type: ignore[call-arg, attr-defined]
    made = made.append_third_party(public, block)
    assert refusal_of(made.to_base64()) == (TokenRefusal.THIRD_PARTY, "the token has a block that a third party signed")


def test_every_changed_byte_is_refused() -> None:
    """No change keeps the token good, so no second text has the same rights under another revocation id."""
    data = urlsafe_b64decode(text(ALICE, 'check if tool("x")'))
    reader = verifier()
    assert refusal_of(urlsafe_b64encode(data).decode(), reader) is None
    for position in range(len(data)):
        for mask in (0x01, 0x80, 0x7F):
            changed = bytearray(data)
            changed[position] ^= mask
            assert refusal_of(urlsafe_b64encode(changed).decode(), reader) is not None, (position, mask)


def test_a_signature_with_the_order_added_is_refused() -> None:
    """RFC 8032, 5.1.7: S is below the order, or there would be two signatures of one block."""
    order = 2**252 + 27742317777372353535851937790883648493
    made = text()
    data = urlsafe_b64decode(made)
    signature = bytes.fromhex(token_ids(made)[0])
    scalar = int.from_bytes(signature[32:], "little") + order
    changed = data.replace(signature[32:], scalar.to_bytes(32, "little"))
    assert changed != data
    assert refusal_of(urlsafe_b64encode(changed).decode()) == FORGED


def token_ids(made: str) -> tuple[str, ...]:
    return read_envelope(made).ids


def test_blocks_cannot_be_dropped_or_swapped() -> None:
    made = text(ALICE, 'check if tool("x")', 'check if tool("y")')
    data = urlsafe_b64decode(made)
    second, third = _blocks(made)
    head, proof = data[: data.index(second)], data[data.index(third) + len(third) :]
    assert head + second + third + proof == data
    for blocks in (b"", second, third, third + second, second + second + third):
        assert refusal_of(urlsafe_b64encode(head + blocks + proof).decode()) == FORGED


def _blocks(made: str) -> tuple[bytes, bytes]:
    fields = Fields(urlsafe_b64decode(made), {1: NUMBER, 2: BYTES, 3: REPEATED, 4: BYTES})
    one, two = (data_field(3, block) for block in fields.all(3))
    return one, two


def test_users_are_read_as_they_are() -> None:
    code = (
        ALICE + 'attr("s", "x\\"y"); attr("i", -7); attr("b", true); attr("n", null); attr("d", 2026-01-01T00:00:00Z); attr("h", hex:00ff);'
        'attr("l", ["b", 1]); attr("set", {3, 1, 2}); something("else"); narrower_role("read_only");'
    )
    made = text(code)
    found = verifier().user(made, NOW)
    assert found.user == User(
        "alice",
        "billing",
        {"s": 'x"y', "i": -7, "b": True, "n": None, "d": Timestamp(1_767_225_600 * SECOND), "h": b"\x00\xff", "l": ("b", 1), "set": (1, 2, 3)},
    )
    assert type(found.user) is User
    assert found.roles == {"billing", "read_only"}
    assert found.token_id == token_ids(made)[0]
    assert found.expires is None


def test_datalog_in_a_name_stays_a_name() -> None:
    evil = 'alice"); role("admin'
    found = verifier().user(text('user({user}); role("billing")', parameters={"user": evil}), NOW)
    assert (found.user.user_id, found.user.role) == (evil, "billing")


def test_the_caller_narrows_the_role_and_never_widens_it() -> None:
    reader = verifier()
    made = text(ALICE + 'narrower_role("read_only")')
    assert reader.caller(User.from_token(made), NOW).user.role == "billing"
    assert reader.caller(User.from_token(made, role="billing"), NOW).user.role == "billing"
    narrowed = reader.caller(User.from_token(made, role="read_only"), NOW)
    assert narrowed.user == User("alice", "read_only")
    assert narrowed is reader.caller(User.from_token(made, role="read_only"), NOW)
    for role in ("admin", "", "READ_ONLY", "read_only ", ["read_only"], 7):
        with pytest.raises(TokenRefusedError, match=r"^the token does not grant the role that is asked for$") as found:
            reader.caller(User.from_token(made, role=role), NOW)  # type: ignore[arg-type]
        assert found.value.refusal is TokenRefusal.ROLE_NOT_GRANTED


def test_no_text_of_a_user_shows_the_token() -> None:
    assert repr(User.from_token("secret", role="r")) == "TokenUser(role='r')"
