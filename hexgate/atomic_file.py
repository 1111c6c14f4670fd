"""Files that are there whole or not at all, whenever the process or the machine stops."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""How file systems say that a file has one name only: FAT, some network mounts."""

_UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF, errno.EACCES})
"""How file systems say that a directory cannot be synced: network mounts, and directories that one may write only."""


def replace_file(target: Path, data: bytes, *, mode: int | None = None, temporary: Path | None = None) -> None:
    """Give a file new content by renaming a synced temporary file over it (POSIX.1-2017, rename): a reader sees the old
    content or the new, also after a loss of power.

    A symbolic link is followed, and what it leads to is replaced. `mode` is the permissions; without it the file keeps its own,
    and a new file takes what the umask leaves. `temporary` names the temporary file, which must lie in the target's directory;
    whoever names it holds a lock, and what a killed writer left under that name is overwritten. Without it the name is random,
    so that several writers may race; a killed one leaves `.hexgate.<16 hex>.partial` behind, which nothing reads.

    Raises OSError, and then leaves the target as it was and nothing behind; only where syncing the directory is what failed, the
    new content is there, and may not outlast a loss of power.
    """
    target = Path(os.path.realpath(target))
    if mode is None:
        mode = _mode_of(target)
    if temporary is None:
        temporary = target.with_name(f".hexgate.{secrets.token_hex(8)}.partial")
    else:
        temporary.unlink(missing_ok=True)
    try:
        _write_synced(temporary, data, mode)
        os.replace(temporary, target)  # noqa: PTH105
    finally:
        temporary.unlink(missing_ok=True)  # after a rename there is none
    sync_directory(target.parent)


def create_file(target: Path, data: bytes, *, mode: int) -> None:
    """Make a file that is not there yet, whole or not at all, with these permissions. What is there is never replaced, not even by
    two writers at once: a synced temporary file is linked to the name, and linking fails where something has it (POSIX.1-2017, link).
    Where the file system has no links the file is written under its name, and a killed writer leaves a part of it.

    Raises FileExistsError and OSError, and then leaves nothing behind.
    """
    temporary = target.with_name(f".hexgate.{secrets.token_hex(8)}.partial")
    try:
        _write_synced(temporary, data, mode)
        try:
            os.link(temporary, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _write_new(target, data, mode)
    finally:
        temporary.unlink(missing_ok=True)
    sync_directory(target.parent)


def _write_new(target: Path, data: bytes, mode: int) -> None:
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    try:
        _write_synced(target, data, mode)
    except FileExistsError:
        raise
    except OSError:
        target.unlink(missing_ok=True)
        raise


def sync_directory(directory: Path) -> None:
    """Make a rename within the directory outlast a loss of power, where the system can. Raises OSError for a failing disk."""
    if os.name == "nt":  # a directory cannot be opened there, and NTFS writes renames to its journal
        return
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def _write_synced(path: Path, data: bytes, mode: int | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o666 if mode is None else mode & 0o600)
    try:
        if mode is not None and os.name != "nt":
            os.fchmod(descriptor, mode)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]  # a disk that is nearly full takes a part, and then raises
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mode_of(target: Path) -> int | None:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None
