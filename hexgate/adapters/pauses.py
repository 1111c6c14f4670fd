"""The calls that a framework was paused for: an approval that comes back fits only the call that was asked about.

A framework's own record of a pause can be edited, replayed or given by another user; this one is Hexgate's. It holds a digest of
tool, arguments, user, role, bundle, rule and call id, when that is over, and nothing of the call itself.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import ormsgpack

from hexgate.decision.argument_digest import canonical_arguments, is_identified
from hexgate.decision.decision import Decision, TokenUser, User

DEFAULT_SECONDS = 24 * 60 * 60
"""How long a held call may be approved where its rule has no `expires_in`."""

PAUSES = 10_000
"""Calls that one store remembers, at most; the oldest are forgotten, which refuses them."""

WAIT_SECONDS = 5.0
"""How long one waits for another writer of the file."""

_VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS held (digest BLOB PRIMARY KEY NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ends ON held (expires);
PRAGMA user_version = {_VERSION};
"""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class HeldCall:
    """A call that the policy holds. `args` are the frozen arguments, `user` is who is calling, verified; `caller` is what says so."""

    decision: Decision
    args: Any
    user: User
    caller: User | TokenUser
    call_id: str | None = None
    run_id: str | None = None

    @property
    def identified(self) -> bool:
        """Whether the digest tells this call from all others."""
        return is_identified(self.args) and is_identified(self.call_id)

    @property
    def seconds(self) -> int:
        """How long the call may be approved."""
        rule = self.decision.rule
        return DEFAULT_SECONDS if rule is None or rule.expires_in is None else rule.expires_in

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything that an approval is bound to."""
        decision, rule = self.decision, self.decision.rule
        bundle = None if decision.bundle is None else decision.bundle.digest
        held_by = None if rule is None else [rule.role, rule.tool, rule.number, [each.text for each in rule.constraints]]
        bound = [decision.tool, self.user.user_id, self.user.role, bundle, held_by, self.call_id]
        return sha256(ormsgpack.packb(bound) + b"\0" + canonical_arguments(self.args)).digest()


class Pauses(Protocol):
    """Remembers which calls a framework was paused for. Safe between threads."""

    def add(self, digest: bytes, expires: float) -> bool:
        """Remember a call until a time in seconds since the epoch; whether that is done. Never raises."""

    def take(self, digest: bytes) -> bool:
        """Whether the call was asked about and is not over, and nobody has taken it before. Never raises."""


class PausesInMemory:
    """The held calls of one process."""

    def __init__(self) -> None:
        """Empty."""
        self._expires: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def add(self, digest: bytes, expires: float) -> bool:
        """As the protocol says."""
        with self._lock:
            self._expires.pop(digest, None)
            self._expires[digest] = expires
            while len(self._expires) > PAUSES:
                del self._expires[next(iter(self._expires))]
        return True

    def take(self, digest: bytes) -> bool:
        """As the protocol says."""
        with self._lock:
            expires = self._expires.pop(digest, None)
        return expires is not None and time.time() < expires


class PausesInFile:
    """The held calls of all processes that name one SQLite file, which its owner alone can read. Every use opens a connection of its
    own: pauses are rare, and a connection must not cross a fork. What goes wrong with the file refuses the call."""

    def __init__(self, path: str | Path) -> None:
        """Touches no file before the first held call."""
        self.path = Path(path)

    def add(self, digest: bytes, expires: float) -> bool:
        """As the protocol says."""
        with suppress(OSError, sqlite3.Error), closing(self._connect()) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM held WHERE expires <= ?", (time.time(),))
            connection.execute(
                "DELETE FROM held WHERE digest IN (SELECT digest FROM held ORDER BY expires DESC LIMIT -1 OFFSET ?)", (PAUSES - 1,)
            )
            connection.execute("INSERT OR REPLACE INTO held (digest, expires) VALUES (?, ?)", (digest, expires))
            connection.execute("COMMIT")
            return True
        return False

    def take(self, digest: bytes) -> bool:
        """As the protocol says. The removal is on disk before the call runs."""
        with suppress(OSError, sqlite3.Error), closing(self._connect()) as connection:
            taken = connection.execute("DELETE FROM held WHERE digest = ? AND expires > ?", (digest, time.time()))
            return taken.rowcount == 1
        return False

    def _connect(self) -> sqlite3.Connection:
        """Raises OSError and sqlite3.Error."""
        if not self.path.exists():
            self._make()
        status = self.path.lstat()
        if not stat.S_ISREG(status.st_mode) or (os.name != "nt" and stat.S_IMODE(status.st_mode) & _OTHERS):
            raise PermissionError("the file is not this user's alone")
        connection = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
                connection.executescript(_SCHEMA)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _make(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
