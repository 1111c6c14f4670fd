"""Floors over restarts: what is kept, what is refused, and the whole text of each refusal."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexgate.bundle.floors import Floors, ProcessFloors, open_floors
from hexgate.bundle.state import (
    FloorLoweredError,
    StateDirectory,
    StateError,
    StateUnavailableError,
    default_state_path,
    raise_floor,
)
from hexgate.bundle.trust import Floor

NAME, LOCATION = "billing", "https://example.com/billing.hexgate"
A, B = "a" * 64, "b" * 64
FLOOR = Floor(7, A, 1_000)
HASH = hashlib.sha256(LOCATION.encode()).hexdigest()
GOOD: dict[str, Any] = {"format": 1, "name": NAME, "location": HASH, "version": 7, "digest": A, "seen": 1_000}
HELP = "restore it from a backup, or remove it, after which any bundle with valid signatures is accepted once, old ones too"


def test_a_floor_is_kept_in_a_file_of_its_own(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state" / "hexgate")
    assert state.read(NAME, LOCATION) is None
    assert not state.path.exists()
    assert state.write(NAME, LOCATION, FLOOR) == FLOOR
    path = state.path / f"billing-{HASH[:16]}.json"
    assert state.file(NAME, LOCATION) == path
    assert json.loads(path.read_text()) == GOOD
    assert StateDirectory(state.path).read(NAME, LOCATION) == FLOOR
    assert state.read("other", LOCATION) is None
    assert state.read(NAME, "/other/billing.hexgate") is None
    assert sorted(p.name for p in state.path.iterdir()) == [path.name, path.with_suffix(".lock").name]
    assert {stat.S_IMODE(p.stat().st_mode) for p in state.path.iterdir()} == {0o600}
    assert [stat.S_IMODE(p.stat().st_mode) for p in (state.path, state.path.parent)] == [0o700, 0o700]


UPDATES = [
    # floor so far, next floor, what is kept or the whole error
    (None, Floor(1, A, 5), Floor(1, A, 5)),
    (FLOOR, Floor(8, B, 2_000), Floor(8, B, 2_000)),
    (FLOOR, Floor(8, B, 10), Floor(8, B, 1_000)),
    (FLOOR, FLOOR, FLOOR),
    (FLOOR, Floor(7, A, 2_000), Floor(7, A, 2_000)),
    (FLOOR, Floor(7, A, 10), FLOOR),
    (FLOOR, Floor(6, B, 2_000), "version 7 of `billing` has been accepted meanwhile, after version 6; fetch the bundle again"),
    (FLOOR, Floor(7, B, 2_000), "another bundle has been accepted meanwhile as version 7 of `billing`; "
     "publish every content under a version of its own"),
]  # fmt: skip


@pytest.mark.parametrize("place", ["directory", "process", "both"])
@pytest.mark.parametrize(("before", "following", "expected"), UPDATES)
def test_a_floor_never_goes_back(tmp_path: Path, place: str, before: Floor | None, following: Floor, expected: Floor | str) -> None:
    directory = StateDirectory(tmp_path / "state")
    stores: dict[str, Any] = {
        "directory": directory, "process": ProcessFloors(), "both": Floors(directory, ProcessFloors())
    }  # fmt: skip
    store = stores[place]
    if before is not None:
        store.update(NAME, LOCATION, lambda _: before)
    try:
        kept: Floor | str = store.update(NAME, LOCATION, lambda _: following)
        assert store.read(NAME, LOCATION) == kept
    except FloorLoweredError as error:
        kept = str(error)
        assert store.read(NAME, LOCATION) == before
    assert kept == expected


floors = st.builds(Floor, st.integers(1, 3), st.sampled_from([A, B]), st.integers(0, 3))


@given(st.lists(floors, max_size=12))
def test_versions_and_times_only_rise(sequence: list[Floor]) -> None:
    current: Floor | None = None
    for following in sequence:
        try:
            after = raise_floor(current, following, NAME)
        except FloorLoweredError:
            continue
        assert current is None or (after.version >= current.version and after.seen >= current.seen)
        assert current is None or after.version > current.version or after.digest == current.digest
        current = after


def _replaced(**members: object) -> str:
    return json.dumps(GOOD | members)


DAMAGED = [
    ("", "the JSON is empty (line 1, column 1)"),
    (json.dumps(GOOD)[:40], "not JSON: unterminated string (line 1, column 34)"),
    (json.dumps(GOOD) + "{}", "something follows the JSON value (line 1, column 219)"),
    ("\0" * 300, "not JSON: expecting value (line 1, column 1)"),
    ("null", "its members are not format, name, location, version, digest, seen"),
    ("[[]]", "the JSON is nested deeper than 1 (line 1, column 2)"),
    (json.dumps({k: v for k, v in GOOD.items() if k != "seen"}), "its members are not format, name, location, version, digest, seen"),
    (_replaced(more=1), "its members are not format, name, location, version, digest, seen"),
    (json.dumps(GOOD)[:-1] + ', "version": 1}', "the key `version` appears twice in one object"),
    (_replaced(format=2), "its format is not 1"),
    (_replaced(format=True), "its format is not 1"),
    (_replaced(name="other"), "it is another bundle's"),
    (_replaced(location=B), "it is another bundle's"),
    (_replaced(version=0), "its version is not a whole number from 1 to 9007199254740991"),
    (_replaced(version=2**53), "its version is not a whole number from 1 to 9007199254740991"),
    (_replaced(version=7.0), "its version is not a whole number from 1 to 9007199254740991"),
    (_replaced(version=True), "its version is not a whole number from 1 to 9007199254740991"),
    (_replaced(version="7"), "its version is not a whole number from 1 to 9007199254740991"),
    (_replaced(digest="A" * 64), "its digest is not 64 hexadecimal digits"),
    (_replaced(digest=A[1:]), "its digest is not 64 hexadecimal digits"),
    (_replaced(digest=None), "its digest is not 64 hexadecimal digits"),
    (_replaced(seen=-1), "its seen is not a whole number from 0 to 253402300799"),
    (_replaced(seen=None), "its seen is not a whole number from 0 to 253402300799"),
    (json.dumps(GOOD) + " " * 4_096, "it has more than 4,096 bytes"),
]


@pytest.mark.parametrize(("content", "fault"), DAMAGED)
def test_a_damaged_state_is_an_error_and_not_nothing(tmp_path: Path, content: str, fault: str) -> None:
    state = StateDirectory(tmp_path / "state")
    state.write(NAME, LOCATION, FLOOR)
    path = state.file(NAME, LOCATION)
    path.write_text(content)
    expected = f"the state file `{path}` is damaged: {fault}; {HELP}"
    for store in (state, Floors(state, ProcessFloors())):
        for act in (lambda s: s.read(NAME, LOCATION), lambda s: s.update(NAME, LOCATION, lambda _: Floor(9, B, 9))):
            with pytest.raises(StateError) as caught:
                act(store)
            assert str(caught.value) == expected
    assert path.read_text() == content


def _linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [_linked, _a_directory, _a_pipe])
def test_a_state_that_is_no_file_is_damaged(tmp_path: Path, change: Callable[[Path], None]) -> None:
    state = StateDirectory(tmp_path / "state")
    state.write(NAME, LOCATION, FLOOR)
    path = state.file(NAME, LOCATION)
    change(path)
    with pytest.raises(StateError) as caught:
        state.read(NAME, LOCATION)
    assert str(caught.value) == f"the state file `{path}` is damaged: it is not a regular file; {HELP}"


def test_a_state_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateDirectory(tmp_path / "state")
    state.write(NAME, LOCATION, FLOOR)

    def refuse(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StateError) as caught:
        state.read(NAME, LOCATION)
    monkeypatch.undo()
    assert str(caught.value) == (
        f"the state file `{state.file(NAME, LOCATION)}` cannot be read: input/output error; "
        "give this process the right to read and write it"
    )


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_directory_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    state = StateDirectory(tmp_path / "state")
    state.path.mkdir()
    state.path.chmod(mode)
    expected = (
        f"others may write to the state directory `{state.path}`; "
        f"see that its files are as they should be, then run `chmod 700 {state.path}`"
    )
    for act in (lambda: state.read(NAME, LOCATION), lambda: state.write(NAME, LOCATION, FLOOR)):
        with pytest.raises(StateError) as caught:
            act()
        assert str(caught.value) == expected
    assert list(state.path.iterdir()) == []


def test_another_users_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateDirectory(tmp_path / "state")
    state.write(NAME, LOCATION, FLOOR)
    if state.path.stat().st_uid == 0:
        os.chown(state.path, 12_345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    with pytest.raises(StateError) as caught:
        state.read(NAME, LOCATION)
    assert str(caught.value) == (
        f"the state directory `{state.path}` belongs to another user; "
        "run as its owner, or set XDG_STATE_HOME to a directory of your own"
    )


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "-a", "a" * 65, "a\n", "é"])
def test_only_names_of_bundles_become_paths(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a bundle's name"):
        StateDirectory(tmp_path).file(name, LOCATION)


PLACES = [
    ({"XDG_STATE_HOME": "/state", "HOME": "/home/me"}, "/state/hexgate"),
    ({"HOME": "/home/me"}, "/home/me/.local/state/hexgate"),
    ({"XDG_STATE_HOME": "", "HOME": "/home/me"}, "/home/me/.local/state/hexgate"),
    ({"XDG_STATE_HOME": "state", "HOME": "/home/me"}, "/home/me/.local/state/hexgate"),
    ({"XDG_STATE_HOME": "state", "HOME": "me"}, None),
    ({"HOME": ""}, None),
    ({}, None),
]


@pytest.mark.parametrize(("environ", "expected"), PLACES)
def test_the_state_is_where_the_convention_puts_it(environ: dict[str, str], expected: str | None) -> None:
    assert default_state_path(environ) == (None if expected is None else Path(expected))


def test_without_a_place_for_state_the_process_remembers_and_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    homeless = open_floors({})
    unwritable = Floors(StateDirectory(blocked / "state"), ProcessFloors())
    assert (homeless.warning, unwritable.warning) == (_warning("the environment names no home directory"), None)
    for store in (homeless, unwritable):
        location = f"{tmp_path}/b.hexgate"
        assert store.read(NAME, location) is None
        assert store.update(NAME, location, lambda _: FLOOR) == FLOOR
        assert store.read(NAME, location) == FLOOR
        with pytest.raises(FloorLoweredError):
            store.update(NAME, location, lambda _: Floor(6, A, 1))
    assert unwritable.warning == _warning(f"`{blocked}/state` cannot be written: a part of its path is a file")
    with pytest.raises(StateUnavailableError) as caught:
        StateDirectory(blocked / "state").write(NAME, LOCATION, FLOOR)
    assert str(caught.value) == f"`{blocked}/state` cannot be written: a part of its path is a file"


def _warning(reason: str) -> str:
    return (
        f"which bundle was accepted last is remembered by this process only, since {reason}; set XDG_STATE_HOME to a directory that "
        "outlasts restarts, or after one an older bundle that has not expired is accepted"
    )


def test_a_full_disk_is_reported_and_the_process_remembers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = StateDirectory(tmp_path / "state")
    store = Floors(directory, ProcessFloors())
    store.update(NAME, LOCATION, lambda _: FLOOR)
    write = os.write
    taken: list[int] = []

    def refuse(descriptor: int, data: bytes) -> int:
        if taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken.append(write(descriptor, data[:10]))
        return taken[0]

    monkeypatch.setattr(os, "write", refuse)
    assert store.update(NAME, LOCATION, lambda _: Floor(8, B, 2_000)) == Floor(8, B, 2_000)
    monkeypatch.undo()
    path = directory.file(NAME, LOCATION)
    assert store.warning == _warning(f"`{path}` cannot be written: no space left on device")
    assert (directory.read(NAME, LOCATION), store.read(NAME, LOCATION)) == (FLOOR, Floor(8, B, 2_000))
    assert not path.with_suffix(".partial").exists()
    with pytest.raises(FloorLoweredError):
        store.update(NAME, LOCATION, lambda _: FLOOR)
    assert store.update(NAME, LOCATION, lambda _: Floor(8, B, 3_000)) == Floor(8, B, 3_000) == directory.read(NAME, LOCATION)
    assert store.warning is None


def test_a_floor_that_an_image_was_built_with_counts_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = StateDirectory(tmp_path / "state")
    directory.write(NAME, LOCATION, FLOOR)
    opened = os.open

    def read_only(path: Any, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", read_only)
    store = Floors(directory, ProcessFloors())
    assert store.read(NAME, LOCATION) == FLOOR
    with pytest.raises(FloorLoweredError):
        store.update(NAME, LOCATION, lambda _: Floor(6, B, 2_000))
    assert store.update(NAME, LOCATION, lambda floor: Floor(8, B, floor.seen if floor else 0)) == Floor(8, B, 1_000)
    assert store.read(NAME, LOCATION) == Floor(8, B, 1_000)


def test_a_file_system_without_locks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    directory = StateDirectory(tmp_path / "state")
    store = Floors(directory, ProcessFloors())
    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StateUnavailableError) as caught:
        directory.write(NAME, LOCATION, FLOOR)
    lock = directory.file(NAME, LOCATION).with_suffix(".lock")
    assert str(caught.value) == f"`{lock}` cannot be written: no locks available"
    assert store.update(NAME, LOCATION, lambda _: FLOOR) == FLOOR
    assert store.warning == _warning(f"`{lock}` cannot be written: no locks available")


def test_a_directory_that_cannot_be_reached_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "closed" / "state"
    original = Path.stat

    def refuse(self: Path, **options: Any) -> os.stat_result:
        if self == path:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return original(self, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    store = Floors(StateDirectory(path), ProcessFloors())
    assert store.read(NAME, LOCATION) is None
    assert store.warning == _warning(f"`{path}` cannot be written: permission denied")


def test_what_a_decision_raises_passes_through_and_keeps_the_floor(tmp_path: Path) -> None:
    def refuse(floor: Floor | None) -> Floor:
        assert floor == FLOOR
        raise LookupError

    directory = StateDirectory(tmp_path / "state")
    store = Floors(directory, ProcessFloors())
    store.update(NAME, LOCATION, lambda _: FLOOR)
    with pytest.raises(LookupError):
        store.update(NAME, LOCATION, refuse)
    assert store.read(NAME, LOCATION) == directory.read(NAME, LOCATION) == FLOOR
    directory.write(NAME, LOCATION, FLOOR)  # the lock is free


def test_a_held_lock_is_waited_for_and_then_an_error(tmp_path: Path) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    holder = StateDirectory(tmp_path / "state")
    waiting = StateDirectory(tmp_path / "state", clock=lambda: now[0], sleep=sleep)

    def decide(_: Floor | None) -> Floor:
        with pytest.raises(StateError) as caught:
            waiting.write(NAME, LOCATION, FLOOR)
        assert str(caught.value) == (
            f"another process has held the lock of the state file `{holder.file(NAME, LOCATION)}` for 10 s; "
            "end the process that holds it; a lock ends with its process"
        )
        assert waiting.write("other", LOCATION, FLOOR) == FLOOR
        return FLOOR

    holder.update(NAME, LOCATION, decide)
    assert 10 <= now[0] < 10.1
    assert waiting.write(NAME, LOCATION, FLOOR) == FLOOR


@pytest.mark.parametrize("place", ["directory", "process", "both"])
def test_threads_count_without_a_gap(tmp_path: Path, place: str) -> None:
    directory = StateDirectory(tmp_path / "state")
    stores: dict[str, Any] = {"directory": directory, "process": ProcessFloors(), "both": Floors(directory, ProcessFloors())}

    def count() -> None:
        for _ in range(20):
            stores[place].update(NAME, LOCATION, lambda floor: Floor(floor.version + 1 if floor else 1, A, 0))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[place].read(NAME, LOCATION) == Floor(80, A, 0)
