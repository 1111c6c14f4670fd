"""The gate: which bundle decides, when it changes, and that nothing but a decision comes out."""

from __future__ import annotations

import asyncio
import copy
import gc
import logging
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.signed_policies import EXPIRES, ISSUED, KEY, refunds_up_to, signed
from benchmarks.swap_campaign import run
from hexgate.bundle.keys import generate_key
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.state import StateDirectory, StateError
from hexgate.bundle.statement import IdentitySettings, TokenRootKey
from hexgate.bundle.trust_root import HexgateKeyError
from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.diagnostics import PolicyInvalidError
from hexgate.runtime.gate import Gate
from hexgate.runtime.refresh import BackgroundRefresh, RefreshOutcome
from hexgate.runtime.source import SourceError
from tests.bundle_state.writers import die_at

ALICE = User("alice", "billing")
OTHER = generate_key()


class Clock:
    """A clock that stands still until it is set; nanoseconds since the epoch."""

    def __init__(self, seconds: int = ISSUED) -> None:
        self.seconds = seconds

    def __call__(self) -> int:
        return self.seconds * 10**9


class Place:
    """A folder with a bundle, and gates on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "policy.hexgate"
        self.clock = Clock()

    def publish(self, data: bytes) -> None:
        beside = self.folder / "next"
        beside.write_bytes(data)
        beside.replace(self.file)

    def gate(self) -> Gate:
        return Gate.from_bundle(
            self.file, [KEY.public], state=self.folder / "state", refresh_seconds=None, clock=self.clock
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.publish(signed(500, 1))
    return made


def _decide(gate: Gate, amount: object, tool: str = "refund") -> Decision:
    return gate.decide(tool, {"amount": amount}, user=ALICE)


def test_a_gate_decides_by_its_bundle(place: Place) -> None:
    gate = place.gate()
    verdicts = [_decide(gate, amount).verdict for amount in (500, 501, "x")] + [_decide(gate, 1, "wire").verdict]
    assert verdicts == [Verdict.ALLOW, Verdict.DENY, Verdict.DENY, Verdict.APPROVAL_REQUIRED]
    assert _decide(gate, 1).bundle == gate.bundle
    assert gate.bundle is not None and (gate.bundle.name, gate.bundle.version) == ("policy", 1)


def test_a_refresh_swaps_the_bundle_and_a_run_keeps_its_own(place: Place) -> None:
    gate = place.gate()
    with gate.run(ALICE) as run:
        place.publish(signed(100, 2))
        assert gate.refresh().outcome is RefreshOutcome.UPDATED
        assert run.decide("refund", {"amount": 300}).allowed
        assert not _decide(gate, 300).allowed
        assert run.bundle is not None and run.bundle.version == 1
    assert not gate.run(ALICE).decide("refund", {"amount": 300}).allowed


def test_a_run_begins_with_what_is_published(place: Place) -> None:
    gate = place.gate()
    place.publish(signed(100, 2))
    assert not gate.run(ALICE).decide("refund", {"amount": 300}).allowed


def test_the_same_bundle_again_changes_nothing(place: Place) -> None:
    gate = place.gate()
    assert gate.refresh().outcome is RefreshOutcome.UNCHANGED
    place.publish(signed(500, 1))
    assert gate.refresh().outcome is RefreshOutcome.UNCHANGED


FAILURES = (
    (lambda: signed(900, 1), "another content has been accepted as version 1 before; publish this one under a later version"),
    (lambda: signed(900, 2, keys=(OTHER,)), "0 of the trusted keys have signed the bundle, and 1 must"),
    (lambda: signed(900, 2, name="other"), "the bundle is signed as `other`, and `policy` is asked for; give the file its own name"),
    (lambda: signed(900, 2)[:-40], "the file is not a bundle: "),
    (lambda: signed(900, 2, issued_at=ISSUED - 9, not_after=ISSUED), "the bundle expired at 2026-09-21T14:13:20Z; sign the policies again"),
    (lambda: b"", "the file is not a bundle: the JSON is empty (line 1, column 1); fetch it again, or sign the policies again"),
)


@pytest.mark.parametrize(("bundle", "sentence"), FAILURES, ids=range(len(FAILURES)))
def test_a_failed_refresh_keeps_the_last_good_bundle_and_says_so_once(
    place: Place, bundle: object, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    gate = place.gate()
    caplog.clear()
    place.publish(bundle())  # type: ignore[operator]
    results = [gate.refresh(), gate.refresh()]
    assert [result.outcome for result in results] == [RefreshOutcome.FAILED] * 2
    assert results[0].error is not None and results[0].error.startswith(sentence)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert _decide(gate, 500).allowed and not _decide(gate, 501).allowed
    place.publish(signed(600, 3))
    assert gate.refresh().outcome is RefreshOutcome.UPDATED
    assert _decide(gate, 600).allowed


def test_a_bundle_that_asks_for_a_library_that_is_not_there_is_a_failed_refresh(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no end of the thread that refreshes."""
    gate = place.gate()
    for module in [name for name in sys.modules if name.startswith("hexgate.identity.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "biscuit_auth", None)
    place.publish(signed(100, 2, identity=IdentitySettings(root_keys=(TokenRootKey(0, OTHER.public),))))
    result = gate.refresh()
    assert (result.outcome, result.error) == (RefreshOutcome.FAILED, "import of biscuit_auth halted; None in sys.modules")
    assert _decide(gate, 500).allowed
    place.publish(signed(600, 3))
    assert gate.refresh().outcome is RefreshOutcome.UPDATED


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e300])
def test_an_interval_that_nobody_can_wait_for_is_refused(place: Place, seconds: float) -> None:
    before = set(threading.enumerate())
    with pytest.raises(ValueError, match=r"^`refresh_seconds` is a number above 0, or None for no refresh in the background$"):
        Gate.from_bundle(place.file, [KEY.public], state=place.folder / "state", refresh_seconds=seconds, clock=place.clock)
    assert not [one for one in set(threading.enumerate()) - before if one.name == "hexgate-refresh"]


def test_a_missing_file_keeps_the_last_good_bundle(place: Place) -> None:
    gate = place.gate()
    place.file.unlink()
    assert gate.refresh().outcome is RefreshOutcome.FAILED
    assert _decide(gate, 500).allowed


def test_an_older_bundle_is_refused_after_a_restart(place: Place) -> None:
    place.publish(signed(100, 2))
    place.gate()
    place.publish(signed(500, 1))
    with pytest.raises(BundleRefusedError) as caught:
        place.gate()
    assert caught.value.refusal is Refusal.ROLLBACK


def test_a_damaged_state_file_is_no_empty_one(place: Place) -> None:
    place.gate()
    (state,) = (place.folder / "state").glob("*.json")
    state.write_bytes(b"{}")
    with pytest.raises(StateError):
        place.gate()


def test_a_bundle_denies_from_its_expiry_on_and_a_clock_moved_back_revives_nothing(place: Place) -> None:
    gate = place.gate()
    place.clock.seconds = EXPIRES - 1
    assert _decide(gate, 500).allowed and not gate.expired
    place.clock.seconds = EXPIRES
    denied = _decide(gate, 500)
    assert (denied.verdict, denied.reason, denied.bundle) == (Verdict.DENY, Reason.BUNDLE_EXPIRED, gate.bundle)
    place.clock.seconds = ISSUED
    assert _decide(gate, 500).reason is Reason.BUNDLE_EXPIRED and gate.expired
    place.publish(signed(500, 2))
    assert gate.refresh().outcome is RefreshOutcome.UPDATED
    assert _decide(gate, 500).allowed


def test_no_state_directory_leaves_the_floor_of_the_process(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    blocked = place.folder / "file"
    blocked.write_bytes(b"")

    def gate() -> Gate:
        return Gate.from_bundle(place.file, [KEY.public], state=blocked / "state", audit=False, refresh_seconds=None, clock=place.clock)

    place.publish(signed(100, 2))
    gate()
    assert any("remembered by this process only" in record.message for record in caplog.records)
    place.publish(signed(500, 1))
    with pytest.raises(BundleRefusedError) as caught:
        gate()
    assert caught.value.refusal is Refusal.ROLLBACK


@pytest.mark.skipif(os.name == "nt", reason="this system has no modes")
@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077])
def test_the_state_directory_is_the_users_own_whatever_the_umask(place: Place, umask: int) -> None:
    """The log is opened before the first floor is written, and lies in the same directory."""
    before = os.umask(umask)
    try:
        place.gate().close()
        place.gate().close()
    finally:
        os.umask(before)
    state = place.folder / "state"
    made = {path.relative_to(state).as_posix(): path.stat().st_mode & 0o777 for path in (state, *state.glob("*"))}
    assert made.pop(".") == made.pop("audit") == 0o700
    assert set(made.values()) == {0o600} and len(made) == 2


def test_hostile_callers_get_a_decision(place: Place) -> None:
    gate = place.gate()

    class Liar(str):
        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        __hash__ = str.__hash__

    calls = [(None, None, None), ("refund", {Liar("amount"): 1}, ALICE), (Liar("refund"), [], ALICE), ("refund", {}, "alice")]
    for tool, args, user in calls:
        assert gate.decide(tool, args, user=user).verdict is Verdict.DENY  # type: ignore[arg-type]


def test_the_environment_is_read_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.publish(signed(500, 1, issued_at=ISSUED, not_after=4_000_000_000))
    monkeypatch.setenv("HEXGATE_KEY", f"{KEY.public.text}@{place.file}")
    gate = Gate.from_env(state=place.folder / "state", refresh_seconds=None)
    monkeypatch.setenv("HEXGATE_KEY", f"dev:{place.folder}")
    gate.refresh()
    assert _decide(gate, 500).bundle == gate.bundle is not None


@pytest.mark.parametrize("text", ["", "   ", "dev:", "ed25519:x@policy.hexgate", "@policy.hexgate"])
def test_no_default_stands_in_for_a_key(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEXGATE_KEY", text)
    with pytest.raises(HexgateKeyError):
        Gate.from_env()


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_gate_belongs_to_its_process(place: Place, duplicate: Callable[[object], object]) -> None:
    with place.gate() as gate, pytest.raises(TypeError) as caught:
        duplicate(gate)
    assert str(caught.value) == "a gate belongs to its process: make one in each, as by `Gate.from_env()`"


def test_keys_may_be_texts(place: Place) -> None:
    options: dict[str, Any] = {"state": place.folder / "state", "refresh_seconds": None, "clock": place.clock}
    with Gate.from_bundle(place.file, [KEY.public.text], **options) as gate:
        assert _decide(gate, 500).allowed
    with pytest.raises(HexgateKeyError) as caught:
        Gate.from_bundle(place.file, KEY.public.text, **options)
    assert str(caught.value) == (
        "a key to trust cannot be used: a public key begins with `ed25519:`; `hexgate key show` prints a key's text"
    )


def test_without_a_bundle_there_is_no_gate(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        Gate.from_bundle(tmp_path / "policy.hexgate", [KEY.public], state=tmp_path / "state")


def test_development_policies_are_read_again_and_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "billing.yaml").write_bytes(refunds_up_to(500)["billing.yaml"])
    gate = Gate.from_source(f"dev:{policies}", refresh_seconds=None)
    assert caplog.records[0].message.startswith("HEXGATE IS IN DEVELOPMENT MODE: unsigned policies at ")
    assert _decide(gate, 500).allowed and gate.bundle is None
    (policies / "billing.yaml").write_bytes(refunds_up_to(100)["billing.yaml"])
    assert not gate.run(ALICE).decide("refund", {"amount": 300}).allowed
    (policies / "billing.yaml").write_bytes(b"version: 2\n")
    assert gate.refresh().outcome is RefreshOutcome.FAILED
    assert _decide(gate, 100).allowed
    (policies / "billing.yaml").unlink()
    with pytest.raises(PolicyInvalidError):
        Gate.from_source(f"dev:{policies}")


def test_the_background_thread_ends_with_its_gate(place: Place) -> None:
    gate = Gate.from_bundle(place.file, [KEY.public], state=place.folder / "state", refresh_seconds=3600, clock=place.clock)
    (thread,) = [one for one in threading.enumerate() if one.name == "hexgate-refresh"]
    assert thread.daemon
    gate.close()
    thread.join(10)
    assert not thread.is_alive()


def test_the_background_thread_refreshes(place: Place) -> None:
    gate = Gate.from_bundle(place.file, [KEY.public], state=place.folder / "state", refresh_seconds=0.01, clock=place.clock)
    with gate:
        place.publish(signed(100, 2))
        waited = threading.Event()
        for _ in range(500):
            if not _decide(gate, 300).allowed:
                break
            waited.wait(0.01)
        assert not _decide(gate, 300).allowed


def test_a_refresher_that_nobody_holds_ends_its_thread(place: Place) -> None:
    gate = place.gate()
    background = BackgroundRefresh(gate._refresher, 0.001)
    del gate
    gc.collect()
    background._thread.join(10)
    assert not background._thread.is_alive()


def test_a_refresh_from_a_coroutine(place: Place) -> None:
    gate = place.gate()
    place.publish(signed(100, 2))
    assert asyncio.run(gate.refresh_async()).outcome is RefreshOutcome.UPDATED


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_refreshes_and_decides(place: Place) -> None:
    gate = Gate.from_bundle(place.file, [KEY.public], state=place.folder / "state", refresh_seconds=3600, clock=place.clock)
    with gate:
        with _Child() as answer:
            if answer is not None:
                place.publish(signed(100, 2))
                alive = [one for one in threading.enumerate() if one.name == "hexgate-refresh"]
                good = gate.refresh().outcome is RefreshOutcome.UPDATED and not _decide(gate, 300).allowed and len(alive) == 1
                answer.append(good)
        assert _decide(gate, 300).allowed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_kill_at_any_point_of_a_refresh_leaves_the_old_floor_or_the_new(place: Place) -> None:
    """Before each system call in turn. The next start takes what is published."""
    gate = place.gate()
    (state,) = (place.folder / "state").glob("*.json")
    first, versions, code = state.read_bytes(), [], -9
    place.publish(signed(100, 2))
    while code == -9:
        state.write_bytes(first)
        child = os.fork()
        if child == 0:
            die_at(len(versions) + 1, half=False)
            os._exit(0 if gate.refresh().outcome is RefreshOutcome.UPDATED else 1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        floor = StateDirectory(state.parent).read("policy", str(place.file))
        versions.append(0 if floor is None else floor.version)
        with place.gate() as started:
            assert started.bundle is not None and started.bundle.version == 2
    assert code == 0
    assert len(versions) > 8 and sorted(set(versions)) == [1, 2] and versions == sorted(versions)


class _Child:
    """The body runs in a child with a list to answer in, and is passed over in the parent, which requires a true answer."""

    def __enter__(self) -> list[bool] | None:
        self._answer: list[bool] = []
        self._child = os.fork()
        return self._answer if self._child == 0 else None

    def __exit__(self, *raised: object) -> None:
        if self._child == 0:
            os._exit(0 if self._answer == [True] and raised[0] is None else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1]) == 0


@pytest.fixture(autouse=True)
def _logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.WARNING, logger="hexgate"):
        yield


def test_threads_decide_by_one_bundle_or_the_other_while_it_is_swapped(tmp_path: Path) -> None:
    """`python -m benchmarks.swap_campaign` is the long one."""
    done = run(threads=16, decisions=500, swaps=15, folder=tmp_path)
    assert done.wrong == () and done.decisions >= 8_000
