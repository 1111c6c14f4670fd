"""A bundle in a file."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from hexgate.runtime.source import Fetched, FetchResult, FileStamp, NotModified, SourceError, SourceFault, Validators

READS = 3
"""Times that a file which changes while it is read is read again."""

SETTLED = 2 * 10**9
"""Nanoseconds that a file must have been left alone before its stamp is relied on: within the granularity of a file
system's times (up to 2 s on FAT, a clock tick on ext4) a second content may carry the stamp of the first."""

_PIECE = 1 << 20
_CANNOT_OPEN = "give this process the right to read it"


class FileSource:
    """A bundle in a regular file; symbolic links are followed, so that an orchestrator may swap what they lead to."""

    def __init__(self, path: Path, *, limit: int, clock: Callable[[], int] = time.time_ns) -> None:
        """`limit` is in bytes, `clock` gives nanoseconds since the epoch. A relative path is taken from the directory that
        is current now. Reads nothing yet."""
        self._path = Path(os.path.abspath(path))  # noqa: PTH100  # absolute, but through the links that it names
        self._limit = limit
        self._clock = clock

    @property
    def location(self) -> str:
        return os.fspath(self._path)

    @property
    def shown(self) -> str:
        return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in self.location)

    def fetch(self, previous: Validators | None) -> FetchResult:
        """The content, or NotModified by times, size and inode. Raises SourceError."""
        try:
            if previous is not None and previous.stamp is not None and _stamp(self._path.stat()) == previous.stamp:
                return NotModified()
            for _ in range(READS):
                fetched = self._read()
                if fetched is not None:
                    return fetched
        except FileNotFoundError:
            raise self._error(SourceFault.NOT_FOUND, "does not exist", "put the signed bundle there, or correct the path") from None
        except NotADirectoryError:
            raise self._error(SourceFault.NOT_FOUND, "does not exist: a part of its path is a file", "correct the path") from None
        except OSError as error:
            raise self._error(SourceFault.UNREADABLE, f"cannot be read: {_reason(error)}", _CANNOT_OPEN) from None
        except ValueError:  # a null character
            raise self._error(SourceFault.ADDRESS, "is not a path", "correct the path") from None
        raise self._error(
            SourceFault.CHANGING, f"changed each of {READS} times that it was read", "replace the file by renaming another over it"
        )

    def _read(self) -> Fetched | None:
        """The content with its stamp; None if the file was written to meanwhile."""
        self._require_regular(self._path.stat())  # opening a device may do something
        # Without waiting for a writer, should the path have become a pipe.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
        descriptor = os.open(self._path, flags)
        try:
            before = os.fstat(descriptor)
            self._require_regular(before)
            if before.st_size > self._limit:
                raise self._too_large()
            data = self._read_all(descriptor)
            now = self._clock()
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        stamp = _stamp(before)
        if _stamp(after) != stamp or len(data) != stamp.size:
            return None
        settled = now - max(stamp.modified, stamp.changed) >= SETTLED
        return Fetched(data, Validators(stamp=stamp) if settled else None)

    def _require_regular(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise self._error(SourceFault.NOT_A_FILE, "is not a regular file", "name the bundle's file")

    def _read_all(self, descriptor: int) -> bytes:
        pieces: list[bytes] = []
        length = 0
        while piece := os.read(descriptor, _PIECE):
            length += len(piece)
            if length > self._limit:  # it has grown since its size was asked for
                raise self._too_large()
            pieces.append(piece)
        return b"".join(pieces)

    def _too_large(self) -> SourceError:
        return self._error(SourceFault.TOO_LARGE, f"has more than {self._limit:,} bytes", "name the bundle's file")

    def _error(self, kind: SourceFault, finding: str, help: str) -> SourceError:  # noqa: A002
        return SourceError(kind, f"the bundle `{self.shown}` {finding}", help)


def _stamp(status: os.stat_result) -> FileStamp:
    return FileStamp(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)


def _reason(error: OSError) -> str:
    text = error.strerror or "the system does not say why"
    return text[:1].lower() + text[1:]
