"""Lists of revoked tokens: a text with a revocation id in hex on each line, and a file with one."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

REVOCATION_BYTES = 64 * 2**20
"""Length of a list's file."""

RELOAD_SECONDS = 1.0
"""Between two looks at a file: a revocation counts after at most this time."""

SETTLED_NANOSECONDS = 2 * 10**9
"""Age of a change from which on the file's times tell it from the next one."""

_ID = re.compile(r"(?:[0-9a-f]{2}){1,128}")


class RevocationsUnavailableError(Exception):
    """It cannot be known which tokens are revoked. The text is a sentence for the operator."""


def read_revocations(text: str) -> frozenset[str]:
    """The ids of a list. White space around them, empty lines and what follows `#` do not count. Raises RevocationsUnavailableError."""
    ids = set()
    for number, line in enumerate(text.split("\n"), 1):
        entry = line.partition("#")[0].strip()
        if entry:
            if not _ID.fullmatch(entry):
                raise RevocationsUnavailableError(f"line {number} of the list is no revocation id in lower-case hex")
            ids.add(entry)
    return frozenset(ids)


class RevocationFile:
    """A list in a file, read again when the file changed. Safe to use from several threads."""

    def __init__(
        self, path: Path, *, timer: Callable[[], float] = time.monotonic, clock: Callable[[], int] = time.time_ns
    ) -> None:
        """`timer` gives seconds, `clock` nanoseconds since the epoch. The file is read first when `ids` is called."""
        self._path = path
        self._timer = timer
        self._clock = clock
        self._looked = float("-inf")
        self._mark: tuple[int, ...] | None = None
        self._ids: frozenset[str] | None = None

    def ids(self) -> frozenset[str]:
        """The ids of now. Raises RevocationsUnavailableError, and goes on raising it until the file is good again."""
        now = self._timer()
        if now - self._looked >= RELOAD_SECONDS:
            if self._ids is not None:
                self._looked = now  # other threads go on with the list they have; before the first one each has to look
            try:
                self._look()
            finally:
                self._looked = now
        ids = self._ids
        if ids is None:
            raise RevocationsUnavailableError("the list of revoked tokens cannot be read")
        return ids

    def _look(self) -> None:
        """Read the file if it changed; what cannot be read leaves no list at all."""
        try:
            status = self._path.stat()
            mark = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
            if mark == self._mark:
                return
            if status.st_size > REVOCATION_BYTES:
                raise RevocationsUnavailableError(f"the list of revoked tokens is longer than {REVOCATION_BYTES:,} bytes")
            ids = read_revocations(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError, RevocationsUnavailableError) as error:
            self._ids = self._mark = None
            raise RevocationsUnavailableError("the list of revoked tokens cannot be read") from error
        # Some file systems count time coarsely: what was changed just now may change again under the same times.
        settled = self._clock() - max(status.st_mtime_ns, status.st_ctime_ns) > SETTLED_NANOSECONDS
        self._ids, self._mark = ids, mark if settled else None
