"""The floors that a process holds bundles against: those of the state directory, and its own where there is none."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from weakref import WeakSet

from hexgate.bundle.state import StateDirectory, StateUnavailableError, default_state_path, raise_floor
from hexgate.bundle.trust import Floor


class ProcessFloors:
    """Floors that last as long as the process. Safe between threads; a forked child goes on from its parent's."""

    def __init__(self) -> None:
        self._floors: dict[tuple[str, str], Floor] = {}
        self._lock = threading.Lock()
        _ALIVE.add(self)

    def read(self, name: str, location: str) -> Floor | None:
        """What was accepted last in this process."""
        return self._floors.get((name, location))

    def update(self, name: str, location: str, decide: Callable[[Floor | None], Floor]) -> Floor:
        """Replace a floor by what `decide` makes of it, one thread at a time. Raises FloorLoweredError, and what `decide` raises."""
        with self._lock:
            current = self._floors.get((name, location))
            following = raise_floor(current, decide(current), name)
            self._floors[name, location] = following
            return following

    def renew_lock(self) -> None:
        """In a forked child: a thread of the parent may have held the lock, and does not exist here to release it."""
        self._lock = threading.Lock()


_ALIVE: WeakSet[ProcessFloors] = WeakSet()


def _renew_locks() -> None:
    for floors in tuple(_ALIVE):
        floors.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)

PROCESS_FLOORS = ProcessFloors()
"""One for all that runs in this process, so that a second gate on the same location does not start from nothing."""


class Floors:
    """The floors of a state directory, and the process's: the higher one counts. Where the directory cannot be written, the
    process's go on alone, and `warning` says so. Safe between threads and processes."""

    def __init__(self, directory: StateDirectory | None, process: ProcessFloors = PROCESS_FLOORS) -> None:
        """Without a directory: the environment names no place for one."""
        self._directory = directory
        self._process = process
        self._unavailable = None if directory is not None else "the environment names no home directory"

    @property
    def warning(self) -> str | None:
        """What to tell the operator, as one sentence with a way forward; None while floors are kept over restarts."""
        reason = self._unavailable
        if reason is None:
            return None
        return (
            f"which bundle was accepted last is remembered by this process only, since {reason}; set XDG_STATE_HOME to a directory that "
            "outlasts restarts, or after one an older bundle that has not expired is accepted"
        )

    def read(self, name: str, location: str) -> Floor | None:
        """What was accepted last, here or by any process with this state directory. Raises StateError."""
        return _higher(self._stored(name, location), self._process.read(name, location))

    def update(self, name: str, location: str, decide: Callable[[Floor | None], Floor]) -> Floor:
        """Replace a floor by what `decide` makes of it, and return the new one. `decide` may be called twice and must be pure.

        Raises StateError (FloorLoweredError for a result below the floor), and what `decide` raises; nothing is kept then.
        """

        def decide_on_both(stored: Floor | None) -> Floor:
            return self._process.update(name, location, lambda kept: raise_floor(stored, decide(_higher(stored, kept)), name))

        if self._directory is not None:
            try:
                floor = self._directory.update(name, location, decide_on_both)
            except StateUnavailableError as error:
                self._unavailable = error.reason
            else:
                self._unavailable = None
                return floor
        return decide_on_both(self._stored(name, location))

    def _stored(self, name: str, location: str) -> Floor | None:
        """A directory that cannot be written may still hold a floor, such as one that an image was built with."""
        if self._directory is None:
            return None
        try:
            return self._directory.read(name, location)
        except StateUnavailableError as error:
            self._unavailable = error.reason
            return None


def open_floors(environ: Mapping[str, str]) -> Floors:
    """The floors of this user: in the default state directory, which is made when the first one is written."""
    path = default_state_path(environ)
    return Floors(StateDirectory(path) if path is not None else None)


def _higher(one: Floor | None, other: Floor | None) -> Floor | None:
    """The floor of the later version, with the later `seen`; of one version the first floor, so that the other is refused."""
    if one is None or other is None:
        return one or other
    later = other if other.version > one.version else one
    return Floor(later.version, later.digest, max(one.seen, other.seen))
