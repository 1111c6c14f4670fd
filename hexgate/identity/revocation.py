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
    """A list in a file, read again when the file changed."""

    def __init__(self, path: Path, *, timer: Callable[[], float] = time.monotonic) -> None:
        """`timer` gives seconds. The file is read first when `ids` is called."""
        self._path = path
        self._timer = timer
        self._looked = float("-inf")
        self._mark: tuple[int, int, int] | None = None
        self._ids: frozenset[str] | None = None

    def ids(self) -> frozenset[str]:
        """The ids of now. Raises RevocationsUnavailableError, and goes on raising it until the file is good again."""
        now = self._timer()
        if now - self._looked >= RELOAD_SECONDS:
            self._looked = now
            self._look()
        if self._ids is None:
            raise RevocationsUnavailableError("the list of revoked tokens cannot be read")
        return self._ids

    def _look(self) -> None:
        """Read the file if it changed; what cannot be read leaves no list at all."""
        try:
            status = self._path.stat()
            mark = (status.st_mtime_ns, status.st_size, status.st_ino)
            if mark == self._mark and self._ids is not None:
                return
            self._ids = None
            if status.st_size > REVOCATION_BYTES:
                raise RevocationsUnavailableError(f"the list of revoked tokens is longer than {REVOCATION_BYTES:,} bytes")
            self._ids = read_revocations(self._path.read_text(encoding="ascii"))
            self._mark = mark
        except (OSError, ValueError) as error:
            self._ids = None
            raise RevocationsUnavailableError("the list of revoked tokens cannot be read") from error
