"""What is asked again on every use of a token: revocation, time, keys; and that the library's failures are refusals."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path

import biscuit_auth
import pytest

import hexgate.identity.biscuit as fence
from hexgate.bundle.statement import TokenRootKey
from hexgate.decision.decision import User
from hexgate.identity.envelope import read_envelope
from hexgate.identity.refusal import TokenRefusal, TokenRefusedError
from hexgate.identity.revocation import RevocationFile, RevocationsUnavailableError, read_revocations
from hexgate.identity.verifier import IdentityVerifier
from tests.identity.tokens import ALICE, NOW, NOW_SECONDS, ROOT, SECOND, refusal_of, settings, text, verifier

REVOKED = (TokenRefusal.REVOKED, "the token is revoked")
UNAVAILABLE = (TokenRefusal.REVOCATIONS_UNAVAILABLE, "the list of revoked tokens cannot be read")


def test_any_block_can_be_revoked() -> None:
    found = text(ALICE, 'check if tool("x")', 'check if tool("y")')
    ids = read_envelope(found).ids
    assert len(set(ids)) == 3
    for id_ in ids:
        assert refusal_of(found, verifier(revoked=("00", id_))) == REVOKED
    assert refusal_of(found, verifier(revoked=("00", ids[0][:-2]))) is None


def test_revoking_the_first_block_revokes_all_that_came_of_it() -> None:
    from hexgate.identity.attenuate import Narrowing, attenuate

    first = text()
    reader = verifier(revoked=(read_envelope(first).ids[0],))
    assert refusal_of(attenuate(first, Narrowing(tools=("x",))), reader) == REVOKED


def test_a_kept_token_is_looked_up_on_every_use() -> None:
    revoked: set[str] = set()
    reader = IdentityVerifier(settings(), lambda: revoked)
    found = text()
    user = reader.user(found, NOW)
    assert user.permits("t", {}, NOW) is None
    revoked.add(user.token_id)
    assert user.permits("t", {}, NOW) is TokenRefusal.REVOKED
    assert refusal_of(found, reader) == REVOKED
    revoked.clear()
    assert reader.user(found, NOW) is user


def test_a_kept_token_expires() -> None:
    reader = verifier()
    found = text(ALICE + "check if time($t), $t < 2026-11-18T11:06:41Z")
    user = reader.user(found, NOW)
    assert user.permits("t", {}, NOW + SECOND) is TokenRefusal.EXPIRED
    assert refusal_of(found, reader, NOW + SECOND) == (TokenRefusal.EXPIRED, "the token is expired")


def test_a_kept_token_ends_with_its_key() -> None:
    reader = IdentityVerifier(settings(TokenRootKey(1, ROOT.public, NOW_SECONDS, NOW_SECONDS + 1)))
    found = text()
    user = reader.user(found, NOW)
    for now in (NOW - 1, NOW + SECOND):
        assert user.permits("t", {}, now) is TokenRefusal.KEY_NOT_VALID
        assert refusal_of(found, reader, now) == (TokenRefusal.KEY_NOT_VALID, "the root key of the token is not valid at this time")


def test_narrowed_users_stand_and_fall_with_the_token() -> None:
    revoked: set[str] = set()
    reader = IdentityVerifier(settings(), lambda: revoked)
    caller = User.from_token(text(ALICE + 'narrower_role("read_only")', 'check if tool("x")'), role="read_only")
    user = reader.caller(caller, NOW)
    assert user.permits("x", {}, NOW) is None
    assert user.permits("y", {}, NOW) is TokenRefusal.ATTENUATION
    revoked.add(user.token_id)
    assert user.permits("x", {}, NOW) is TokenRefusal.REVOKED


LISTS: list[tuple[str, frozenset[str] | str]] = [
    ("", frozenset()),
    ("00ff\n", frozenset({"00ff"})),
    ("# why\n 00ff  # alice\n\n01\r\n", frozenset({"00ff", "01"})),
    ("00FF", "line 1 of the list is no revocation id in lower-case hex"),
    ("00\n0", "line 2 of the list is no revocation id in lower-case hex"),
    ("00 01", "line 1 of the list is no revocation id in lower-case hex"),
    ("0" * 258, "line 1 of the list is no revocation id in lower-case hex"),
]


@pytest.mark.parametrize(("listed", "expected"), LISTS)
def test_lists(listed: str, expected: frozenset[str] | str) -> None:
    if isinstance(expected, frozenset):
        assert read_revocations(listed) == expected
    else:
        with pytest.raises(RevocationsUnavailableError) as found:
            read_revocations(listed)
        assert str(found.value) == expected


def test_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "revoked"
    ticks = itertools.count(0.0, 0.5)
    reader = IdentityVerifier(settings(), RevocationFile(path, timer=lambda: next(ticks)).ids)
    found = text()
    assert refusal_of(found, reader) == UNAVAILABLE
    path.write_text("")
    assert refusal_of(found, reader) == UNAVAILABLE, "it is looked at once a second"
    assert refusal_of(found, reader) is None
    path.write_text(f"{read_envelope(found).ids[0]}\n")
    answers = [refusal_of(found, reader) for _ in range(3)]
    assert answers[-1] == REVOKED
    path.write_text("nonsense\n")
    answers = [refusal_of(found, reader) for _ in range(3)]
    assert answers[-1] == UNAVAILABLE
    path.unlink()
    assert [refusal_of(found, reader) for _ in range(3)][-1] == UNAVAILABLE
    path.write_text("")
    assert [refusal_of(found, reader) for _ in range(3)][-1] is None


def test_a_file_that_stays_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that was changed within two seconds once more, since its times may be too coarse to tell."""
    path = tmp_path / "revoked"
    path.write_text("00\n")
    changed = path.stat().st_mtime_ns
    clock = iter([changed, changed + 2 * SECOND, changed + 3 * SECOND])
    ticks = itertools.count(0.0, 1.0)
    found = RevocationFile(path, timer=lambda: next(ticks), clock=lambda: next(clock))
    for _ in range(6):
        assert found.ids() == {"00"}
    assert next(clock, None) is None


def test_threads_that_ask_while_the_file_is_first_read_are_not_refused(tmp_path: Path) -> None:
    path = tmp_path / "revoked"
    path.write_text("00\n")
    others: list[object] = []

    def clock() -> int:
        """Somebody else asks before the first look is over."""
        if not others:
            others.append(None)
            others[0] = found.ids()
        return 0

    found = RevocationFile(path, timer=lambda: 7.0, clock=clock)
    assert found.ids() == {"00"}
    assert others == [{"00"}]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(RevocationsUnavailableError) as found:
        RevocationFile(tmp_path).ids()
    assert str(found.value) == "the list of revoked tokens cannot be read"


class Panic(BaseException):
    """As what the library raises where it panics: no Exception."""


def fail(error: BaseException) -> object:
    def raise_it(*_: object, **__: object) -> object:
        raise error

    return raise_it


@pytest.mark.parametrize("error", [Panic("secret"), RuntimeError("secret"), MemoryError(), RecursionError(), TypeError("secret")])
def test_what_the_library_does_not_explain(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = verifier()
    found = text(ALICE, 'check if tool("x")')
    user = reader.user(found, NOW)
    monkeypatch.setattr(fence.library, "AuthorizerBuilder", fail(error))
    assert user.permits("x", {}, NOW) is TokenRefusal.LIBRARY_FAULT
    monkeypatch.setattr(fence.library, "Biscuit", type("Biscuit", (), {"from_base64": staticmethod(fail(error))}))
    assert refusal_of(text(ALICE), reader) == (TokenRefusal.LIBRARY_FAULT, "the token library failed")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), GeneratorExit()])
def test_what_ends_the_program_ends_it(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    user = verifier().user(text(ALICE, 'check if tool("x")'), NOW)
    monkeypatch.setattr(fence.library, "AuthorizerBuilder", fail(error))
    with pytest.raises(type(error)):
        user.permits("x", {}, NOW)


def test_the_library_s_panics_are_no_exceptions() -> None:
    """What the fence is for: reading such a fact panics, and `except Exception` does not see it."""
    made = biscuit_auth.AuthorizerBuilder("allow if true").build(
        biscuit_auth.BiscuitBuilder('f(["a"])').build(biscuit_auth.KeyPair().private_key)
    )
    fact = made.query(biscuit_auth.Rule("g($x) <- f($x)"))[0]
    with pytest.raises(BaseException) as found:
        fact.terms  # noqa: B018
    assert not isinstance(found.value, Exception)
    with pytest.raises(TokenRefusedError, match=r"^the token library failed$"):
        fence.call_library(lambda: fact.terms, TokenRefusal.MALFORMED, "")


@pytest.mark.parametrize("now", [-(2**70), 2**70])
def test_times_that_no_clock_has(now: int) -> None:
    user = verifier().user(text(ALICE, 'check if tool("x")'), NOW)
    assert user.permits("x", {}, now) is not None


def test_one_token_in_many_threads() -> None:
    reader = IdentityVerifier(settings(), kept=2)
    tokens = [text(ALICE + f'attr("n", {number})', f'check if arg("n", {number})') for number in range(6)]
    failures: list[object] = []

    def work(start: int) -> None:
        for step in range(60):
            number = (start + step) % 6
            user = reader.user(tokens[number], NOW)
            answers = (user.user.attrs["n"], user.permits("t", {"n": number}, NOW), user.permits("t", {"n": 9}, NOW))
            if answers != (number, None, TokenRefusal.ATTENUATION):
                failures.append(answers)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
