"""The one function that replaces files: its order of system calls, its permissions, and what it leaves after a failure."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hexgate.atomic_file import replace_file


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_content_is_synced_before_the_rename_and_the_rename_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power loss cannot be had in a test: the order of the calls is what outlasts one."""
    calls: list[str] = []

    def note(name: str) -> Callable[..., Any]:
        original = getattr(os, name)

        def noted(first: Any, *rest: Any, **options: Any) -> Any:
            kind = ""
            if name == "fsync":
                kind = " directory" if stat.S_ISDIR(os.fstat(first).st_mode) else " file"
            calls.append(name + kind)
            return original(first, *rest, **options)

        return noted

    for name in ("write", "fsync", "replace"):
        monkeypatch.setattr(os, name, note(name))
    replace_file(tmp_path / "file", b"new")
    assert calls == ["write", "fsync file", "replace", "fsync directory"]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


MODES = [
    # mode of the file that is there, mode asked for, umask, mode afterwards
    (None, None, 0o022, 0o644),
    (None, None, 0o077, 0o600),
    (None, 0o600, 0o000, 0o600),
    (None, 0o644, 0o077, 0o644),
    (0o640, None, 0o077, 0o640),
    (0o755, None, 0o022, 0o755),
    (0o644, 0o600, 0o022, 0o600),
]


@pytest.mark.parametrize(("before", "asked", "umask", "after"), MODES)
def test_permissions(tmp_path: Path, before: int | None, asked: int | None, umask: int, after: int) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(b"old")
        path.chmod(before)
    former = os.umask(umask)
    try:
        replace_file(path, b"new", mode=asked)
    finally:
        os.umask(former)
    assert (path.read_bytes(), _mode(path)) == (b"new", after)
    assert _names(tmp_path) == ["file"]


def test_a_secret_is_never_readable_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[int] = []
    original = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode=0: opened.append(mode) or original(path, flags, mode))
    replace_file(tmp_path / "file", b"secret", mode=0o600)
    assert opened[0] == 0o600


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("folder/file")
    replace_file(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").read_bytes() == b"new"
    assert _names(tmp_path / "folder") == ["file"]


def test_parts_of_a_write_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: original(descriptor, data[:3]))
    replace_file(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "close"])
@pytest.mark.parametrize("named", [False, True])
def test_a_failure_leaves_the_old_content_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, named: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    original = getattr(os, call)

    def fail(*arguments: Any, **options: Any) -> Any:
        if call == "close":
            original(*arguments)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(OSError, match="Input/output error"):
            replace_file(path, b"new", temporary=tmp_path / "temporary" if named else None)
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["file"]


def test_what_lies_under_the_temporary_name_is_neither_kept_nor_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "temporary").symlink_to("other")
    replace_file(tmp_path / "file", b"new", temporary=tmp_path / "temporary")
    assert (tmp_path / "other").read_bytes() == b"other"
    assert _names(tmp_path) == ["file", "other"]


@pytest.mark.parametrize(("code", "raises"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_a_file_system_that_cannot_sync_directories_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, raises: bool
) -> None:
    original = os.fsync

    def refuse(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="Input/output error") if raises else contextlib.nullcontext():
        replace_file(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    assert _names(tmp_path) == ["file"]
