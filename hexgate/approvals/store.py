"""The store of requests: one SQLite file that its owner alone can read, safe between threads, processes and forks.

Every use opens a connection of its own: a call that waits for people is rare, and a connection must not cross a fork.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hexgate.approvals.refusal import ApprovalStoreError
from hexgate.approvals.request import State

STORE_FILE = "approvals.sqlite"
"""The store's name in a state directory."""

WAIT_SECONDS = 5.0
"""How long one waits for another writer."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS requests (
    id TEXT PRIMARY KEY NOT NULL,
    call TEXT NOT NULL,
    user TEXT NOT NULL,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    request TEXT NOT NULL,
    evidence TEXT,
    approver TEXT,
    decided INTEGER,
    consumed INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS calls ON requests (call, created);
CREATE INDEX IF NOT EXISTS states ON requests (state, expires);
PRAGMA user_version = {_VERSION};
"""
_COLUMNS = "id, call, user, state, created, expires, request, evidence, approver, decided, consumed"


@dataclass(frozen=True, slots=True)
class Row:
    """One request as it is stored; nothing of it is believed before it is checked. `call` stands for the call that the request is for,
    `user` for who made it, both as keyed hashes."""

    id: str
    call: str
    user: str
    state: str
    created: int
    expires: int
    request: str
    evidence: str | None = None
    approver: str | None = None
    decided: int | None = None
    consumed: int | None = None


class Rows:
    """The requests inside one transaction. What it raises is sqlite3's; the transaction turns that into ApprovalStoreError."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, row: Row) -> None:
        """A new request."""
        values = tuple(getattr(row, name) for name in _COLUMNS.split(", "))
        self._connection.execute(f"INSERT INTO requests ({_COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)

    def get(self, id_: str) -> Row | None:
        """The request of an id."""
        return next(self._select("WHERE id = ?", id_), None)

    def of_call(self, call: str) -> list[Row]:
        """The requests for a call, the latest first."""
        return list(self._select("WHERE call = ? ORDER BY created DESC, id LIMIT 100", call))

    def open_of(self, user: str, now: int) -> int:
        """How many requests of a user nobody has decided on, and still may."""
        found = self._connection.execute(
            "SELECT count(*) FROM requests WHERE user = ? AND state = ? AND expires > ?", (user, State.PENDING.value, now)
        )
        return int(found.fetchone()[0])

    def overdue(self, now: int, limit: int) -> list[Row]:
        """Open and approved requests whose time is over."""
        states = (State.PENDING.value, State.APPROVED.value)
        return list(self._select("WHERE state IN (?, ?) AND expires <= ? ORDER BY expires, id LIMIT ?", *states, now, limit))

    def all(self, state: State | None, limit: int) -> list[Row]:
        """Requests, the latest first."""
        if state is None:
            return list(self._select("ORDER BY created DESC, id LIMIT ?", limit))
        return list(self._select("WHERE state = ? ORDER BY created DESC, id LIMIT ?", state.value, limit))

    def decide(self, id_: str, after: State, at: int, evidence: str | None, approver: str) -> None:
        """Write down who has decided; evidence of an earlier decision goes."""
        self._connection.execute(
            "UPDATE requests SET state = ?, decided = ?, evidence = ?, approver = ? WHERE id = ?", (after.value, at, evidence, approver, id_)
        )

    def open_again(self, id_: str) -> None:
        """As if nobody had decided."""
        self._connection.execute(
            "UPDATE requests SET state = ?, decided = NULL, evidence = NULL, approver = NULL WHERE id = ?", (State.PENDING.value, id_)
        )

    def change(self, id_: str, before: State, after: State, at: int) -> bool:
        """Move a request on from a state, if it is in that: nobody else has then."""
        column = "consumed" if after is State.CONSUMED else "decided"
        changed = self._connection.execute(
            f"UPDATE requests SET state = ?, {column} = ? WHERE id = ? AND state = ?", (after.value, at, id_, before.value)
        )
        return changed.rowcount == 1

    def forget(self, before: int) -> int:
        """Remove requests that ended before a time; how many."""
        ended = (State.DENIED.value, State.EXPIRED.value, State.CONSUMED.value)
        return self._connection.execute("DELETE FROM requests WHERE state IN (?, ?, ?) AND expires < ?", (*ended, before)).rowcount

    def _select(self, rest: str, *values: object) -> Iterator[Row]:
        for found in self._connection.execute(f"SELECT {_COLUMNS} FROM requests {rest}", values):
            yield Row(*found)


class ApprovalStore:
    """The store at a path, made on first use."""

    def __init__(self, path: str | Path) -> None:
        """Touches no file yet."""
        self.path = Path(path)

    @contextmanager
    def writing(self) -> Iterator[Rows]:
        """A transaction that keeps every other writer out, kept only if the block ends. Raises ApprovalStoreError."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Rows(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[Rows]:
        """One state of the store. Raises ApprovalStoreError."""
        with self._connected() as connection:
            connection.execute("BEGIN")
            yield Rows(connection)

    @property
    def exists(self) -> bool:
        """Whether there is a store."""
        return self.path.exists()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            self._require_own_file()
            with closing(sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
                # A consumption that a power cut could take back would be one too many.
                connection.execute("PRAGMA synchronous = FULL")
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version != _VERSION:
                    raise ApprovalStoreError(f"`{self.path.name}` is no store of approvals of this version; name another file")
                yield connection
        except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeEncodeError) as error:
            raise ApprovalStoreError(f"the store of approvals cannot be used: {str(error)[:200].lower()}") from error

    def _require_own_file(self) -> None:
        """The file, this user's alone: SQLite gives its other files the same permissions. It is looked at without being opened, since
        closing it would give back the locks of other threads (POSIX). Raises ApprovalStoreError."""
        try:
            try:
                status = self.path.lstat()
            except FileNotFoundError:
                self._make()
                status = self.path.lstat()
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise ApprovalStoreError(f"the store of approvals cannot be opened: {reason}") from None
        if not stat.S_ISREG(status.st_mode):
            raise ApprovalStoreError(f"`{self.path.name}` is no file; name another one")
        if os.name != "nt" and stat.S_IMODE(status.st_mode) & _OTHERS:
            raise ApprovalStoreError(f"`{self.path.name}` can be used by others than its owner; give it the permissions 0600")

    def _make(self) -> None:
        """A new store, whole before it is there. Of several processes that make it, one wins. Raises OSError, sqlite3.Error."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}.partial")
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_SCHEMA)
            with suppress(FileExistsError):
                os.link(partial, self.path)
        finally:
            partial.unlink()
