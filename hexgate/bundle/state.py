"""The last accepted bundle under each name, kept over restarts: the floor below which nothing is accepted again.

One small JSON file for each pair of name and location. A file that cannot be understood is an error and never "nothing was
accepted yet", or whoever can damage it could bring an old bundle back.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hexgate.atomic_file import replace_file
from hexgate.bundle.trust import Floor
from hexgate.strict_json import Json, StrictJsonError, parse_json

STATE_FILE_BYTES = 4_096
"""Length of a state file."""

LOCK_SECONDS = 10.0
"""How long to wait for another process that holds a floor's lock. It holds it for one read and one write."""

VERSION_MAX = 2**53 - 1
SECONDS_MAX = 253_402_300_799
"""9999-12-31T23:59:59Z in seconds since the epoch."""

_FORMAT = 1
_MEMBERS = ("format", "name", "location", "version", "digest", "seen")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_POLL_SECONDS = 0.01
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class StateError(Exception):
    """What was accepted before is unknown or not to be relied on: nothing may be accepted. The text is a sentence and a way forward."""

    def __init__(self, sentence: str, help: str) -> None:  # noqa: A002
        super().__init__(f"{sentence}; {help}")
        self.sentence = sentence
        self.help = help


class FloorLoweredError(StateError):
    """Another process has accepted a later bundle, or another one of the same version, since the floor was read."""


class StateUnavailableError(Exception):
    """Nothing can be kept here: the directory cannot be made, or not be written to. `reason` is a clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def default_state_path(environ: Mapping[str, str]) -> Path | None:
    """Where the state belongs: `$XDG_STATE_HOME/hexgate`, else `$HOME/.local/state/hexgate` (XDG Base Directory Specification 0.8; a
    relative path counts as unset), on Windows `%LOCALAPPDATA%\\hexgate`. None if the environment names no such place."""
    if os.name == "nt":
        candidates = [environ.get("LOCALAPPDATA", "")]
    else:
        home = environ.get("HOME", "")
        candidates = [environ.get("XDG_STATE_HOME", ""), home and f"{home}/.local/state"]
    for candidate in candidates:
        if candidate and Path(candidate).is_absolute():
            return Path(candidate) / "hexgate"
    return None


class StateDirectory:
    """Floors in files of a directory that belongs to this user alone. Safe between threads and between processes."""

    def __init__(
        self, path: Path, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Touches nothing yet. `clock` gives seconds and never goes back."""
        self.path = path
        self._clock = clock
        self._sleep = sleep

    def file(self, name: str, location: str) -> Path:
        """The state file of a bundle: its name, and what tells its location from others without showing it."""
        if not _NAME.fullmatch(name):  # it becomes part of a path
            raise ValueError(f"not a bundle's name: {name!r}")
        return self.path / f"{name}-{_digest(location)[:16]}.json"

    def read(self, name: str, location: str) -> Floor | None:
        """What was accepted last; None if nothing was. Raises StateError for a state that cannot be understood or relied on."""
        path = self.file(name, location)
        self._require_own_directory()
        data = _read_file(path)
        return None if data is None else _parse(data, path, name, location)

    def update(self, name: str, location: str, decide: Callable[[Floor | None], Floor]) -> Floor:
        """Replace a floor by what `decide` makes of it, with every other process kept out, and return the new one.

        What `decide` raises passes through, and nothing is written then. Raises FloorLoweredError for a result below the floor, StateError
        as `read` does, StateUnavailableError when it cannot be written.
        """
        path = self.file(name, location)
        with self._locked(path):
            current = self.read(name, location)
            following = raise_floor(current, decide(current), name)
            if following != current:
                try:
                    replace_file(path, _format(following, name, location), mode=0o600, temporary=path.with_suffix(".partial"))
                except OSError as error:
                    raise _unavailable(path, error) from None
        return following

    def write(self, name: str, location: str, floor: Floor) -> Floor:
        """`update` to a floor that is known already. `seen` never goes back: the later of both is kept."""
        return self.update(name, location, lambda _: floor)

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Hold the lock of a state file: a file beside it that stays, since one that is removed locks nobody out."""
        make_state_directory(self.path)
        self._require_own_directory()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(path.with_suffix(".lock"), flags, 0o600)
        except OSError as error:
            raise _unavailable(path.with_suffix(".lock"), error) from None
        try:
            self._wait_for_lock(descriptor, path)
            try:
                yield
            finally:
                _unlock(descriptor)  # said aloud: a child forked meanwhile has the descriptor too, and would keep the lock
        finally:
            os.close(descriptor)

    def _wait_for_lock(self, descriptor: int, path: Path) -> None:
        end = self._clock() + LOCK_SECONDS
        while not _try_lock(descriptor, path):
            if self._clock() >= end:
                raise StateError(
                    f"another process has held the lock of the state file `{path}` for {LOCK_SECONDS:g} s",
                    "end the process that holds it; a lock ends with its process",
                )
            self._sleep(_POLL_SECONDS)

    def _require_own_directory(self) -> None:
        if os.name == "nt":
            return
        try:
            status = self.path.stat()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return
            raise _unavailable(self.path, error) from None
        if status.st_mode & _OTHERS_MAY_WRITE:
            raise StateError(
                f"others may write to the state directory `{self.path}`",
                f"see that its files are as they should be, then run `chmod 700 {self.path}`",
            )
        if status.st_uid not in (0, os.geteuid()):
            raise StateError(
                f"the state directory `{self.path}` belongs to another user",
                "run as its owner, or set XDG_STATE_HOME to a directory of your own",
            )


def make_state_directory(path: Path) -> None:
    """Make a directory and those above it that are missing, open to this user only whatever the umask (XDG: "created with an access mode of
    0700"). Raises StateUnavailableError."""
    missing = []
    try:
        for directory in (path, *path.parents):
            if directory.is_dir():
                break
            missing.append(directory)
        for directory in reversed(missing):
            directory.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:  # mkdir's word for a file where a directory should be
        raise StateUnavailableError(f"`{path}` cannot be written: a part of its path is a file") from None
    except OSError as error:
        raise _unavailable(path, error) from None


def raise_floor(current: Floor | None, following: Floor, name: str) -> Floor:
    """`following`, unless that would lower the floor, with the later `seen` of both. Raises FloorLoweredError."""
    if current is None:
        return following
    if following.version < current.version:
        raise FloorLoweredError(
            f"version {current.version} of `{name}` has been accepted meanwhile, after version {following.version}",
            "fetch the bundle again",
        )
    if following.version == current.version and following.digest != current.digest:
        raise FloorLoweredError(
            f"another bundle has been accepted meanwhile as version {current.version} of `{name}`",
            "publish every content under a version of its own",
        )
    return Floor(following.version, following.digest, max(current.seen, following.seen))


def _format(floor: Floor, name: str, location: str) -> bytes:
    values = (_FORMAT, name, _digest(location), floor.version, floor.digest, floor.seen)
    return (json.dumps(dict(zip(_MEMBERS, values, strict=True)), indent=1) + "\n").encode("ascii")


def _parse(data: bytes, path: Path, name: str, location: str) -> Floor:
    """Every member, each of its type and range, and no other. Raises StateError."""
    try:
        value = parse_json(data, depth=1)
    except StrictJsonError as error:
        raise _damaged(path, str(error)) from None
    if type(value) is not dict or sorted(value) != sorted(_MEMBERS):
        raise _damaged(path, f"its members are not {', '.join(_MEMBERS)}")
    if value["format"] != _FORMAT or type(value["format"]) is not int:
        raise _damaged(path, f"its format is not {_FORMAT}")
    if value["name"] != name or value["location"] != _digest(location):
        raise _damaged(path, "it is another bundle's")
    version, digest, seen = value["version"], value["digest"], value["seen"]
    if type(digest) is not str or not _SHA256.fullmatch(digest):
        raise _damaged(path, "its digest is not 64 hexadecimal digits")
    return Floor(_integer(version, 1, VERSION_MAX, "version", path), digest, _integer(seen, 0, SECONDS_MAX, "seen", path))


def _integer(value: Json, least: int, most: int, member: str, path: Path) -> int:
    if type(value) is not int or not least <= value <= most:
        raise _damaged(path, f"its {member} is not a whole number from {least} to {most}")
    return value


def _read_file(path: Path) -> bytes | None:
    """The content of a state file; None if there is none. A file that is there and cannot be read is an error."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _damaged(path, "it is not a regular file")
            data = os.read(descriptor, STATE_FILE_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        if error.errno == errno.ELOOP:
            raise _damaged(path, "it is not a regular file") from None
        raise StateError(
            f"the state file `{path}` cannot be read: {_reason(error)}", "give this process the right to read and write it"
        ) from None
    if len(data) > STATE_FILE_BYTES:
        raise _damaged(path, f"it has more than {STATE_FILE_BYTES:,} bytes")
    return data


def _damaged(path: Path, fault: str) -> StateError:
    return StateError(
        f"the state file `{path}` is damaged: {fault}",
        "restore it from a backup, or remove it, after which any bundle with valid signatures is accepted once, old ones too",
    )


def _unavailable(path: Path, error: OSError) -> StateUnavailableError:
    return StateUnavailableError(f"`{path}` cannot be written: {_reason(error)}")


def _reason(error: OSError) -> str:
    text = error.strerror or "the system does not say why"
    return text[:1].lower() + text[1:]


def _digest(location: str) -> str:
    return hashlib.sha256(location.encode("utf-8", "surrogateescape")).hexdigest()


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, path: Path) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLK):
                return False
            raise _unavailable(path.with_suffix(".lock"), error) from None
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int, path: Path) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise _unavailable(path.with_suffix(".lock"), error) from None
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
