"""Bundles in files: what is read, when it is read again, and the whole text of each refusal."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hexgate.runtime.file_source import FileSource
from hexgate.runtime.source import Fetched, NotModified, SourceError, SourceFault, Validators, open_source

LIMIT = 1_000
LATER = 10**19
"""A time at which every file has settled, in nanoseconds since the epoch."""


def settled(path: Path) -> FileSource:
    return FileSource(path, limit=LIMIT, clock=lambda: LATER)


def fetched(source: FileSource, previous: Validators | None = None) -> tuple[bytes, Validators | None]:
    result = source.fetch(previous)
    assert isinstance(result, Fetched)
    return result.data, result.validators


def _rewritten(path: Path) -> None:
    path.write_bytes(b"other")


def _rewritten_with_old_time(path: Path) -> None:
    times = path.stat()
    path.write_bytes(b"one")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _renamed_over(path: Path) -> None:
    times = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"two")
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.rename(path)


def _touched(path: Path) -> None:
    os.utime(path, ns=(0, 0))


CHANGES = [_rewritten, _rewritten_with_old_time, _renamed_over, _touched]


@pytest.mark.parametrize("change", CHANGES, ids=[change.__name__ for change in CHANGES])
def test_a_change_is_seen_and_nothing_else_is(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "b.hexgate"
    path.write_bytes(b"one")
    source = settled(path)
    data, validators = fetched(source)
    assert data == b"one"
    assert validators is not None
    assert source.fetch(validators) == NotModified()
    assert fetched(source, Validators(etag='"a"'))[0] == b"one"
    change(path)
    data, later = fetched(source, validators)
    assert data == path.read_bytes()
    assert source.fetch(later) == NotModified()


def test_a_file_that_was_just_written_is_read_again(tmp_path: Path) -> None:
    """A second content may carry the first one's times, where a file system counts them coarsely."""
    path = tmp_path / "b.hexgate"
    path.write_bytes(b"one")
    written = max(path.stat().st_mtime_ns, path.stat().st_ctime_ns)
    now = written + 2 * 10**9 - 1
    source = FileSource(path, limit=LIMIT, clock=lambda: now)
    assert fetched(source) == (b"one", None)
    now += 1
    assert fetched(source)[1] is not None


def test_a_config_map_is_followed_through_its_swap(tmp_path: Path) -> None:
    """Kubernetes: the file is a link to `..data/NAME`, and `..data` a link that is replaced as a whole."""
    for version in ("one", "two"):
        folder = tmp_path / f"..{version}"
        folder.mkdir()
        (folder / "b.hexgate").write_text(version)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "b.hexgate").symlink_to("..data/b.hexgate")
    source = settled(tmp_path / "b.hexgate")
    data, validators = fetched(source)
    assert data == b"one"
    (tmp_path / "..data_tmp").symlink_to("..two")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    assert fetched(source, validators)[0] == b"two"


def _absent(path: Path) -> None:
    pass


def _under_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_bytes(b"")


def _directory(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(path))


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _large(path: Path) -> None:
    path.write_bytes(bytes(LIMIT + 1))


REFUSALS = [
    (_absent, SourceFault.NOT_FOUND, "does not exist; put the signed bundle there, or correct the path"),
    (_under_a_file, SourceFault.NOT_FOUND, "does not exist: a part of its path is a file; correct the path"),
    (_directory, SourceFault.NOT_A_FILE, "is not a regular file; name the bundle's file"),
    (_pipe, SourceFault.NOT_A_FILE, "is not a regular file; name the bundle's file"),
    (_socket, SourceFault.NOT_A_FILE, "is not a regular file; name the bundle's file"),
    (_device, SourceFault.NOT_A_FILE, "is not a regular file; name the bundle's file"),
    (_loop, SourceFault.UNREADABLE, "cannot be read: too many levels of symbolic links; give this process the right to read it"),
    (_large, SourceFault.TOO_LARGE, "has more than 1,000 bytes; name the bundle's file"),
]


@pytest.mark.parametrize(("make", "kind", "text"), REFUSALS, ids=[row[0].__name__ for row in REFUSALS])
def test_refusals(tmp_path: Path, make: Callable[[Path], None], kind: SourceFault, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    path = folder / "b.hexgate"
    make(path)
    with pytest.raises(SourceError) as caught:
        settled(path).fetch(None)
    assert str(caught.value) == f"the bundle `{path}` {text}"
    assert caught.value.kind is kind


def test_a_path_that_is_none() -> None:
    with pytest.raises(SourceError) as caught:
        settled(Path("/b\0\n.hexgate")).fetch(None)
    assert str(caught.value) == "the bundle `/b\\u0000\\u000a.hexgate` is not a path; correct the path"


def test_a_file_without_read_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.hexgate"
    path.write_bytes(b"one")

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # permissions do not bind a superuser, as whom the tests may run
    with pytest.raises(SourceError) as caught:
        settled(path).fetch(None)
    monkeypatch.undo()
    assert str(caught.value) == f"the bundle `{path}` cannot be read: permission denied; give this process the right to read it"


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    path = tmp_path / "b.hexgate"
    path.write_bytes(b"half a bun")
    read, left = os.read, [writes]

    def read_and_change(descriptor: int, count: int) -> bytes:
        data = read(descriptor, count)
        if not data and left[0]:
            left[0] -= 1
            with path.open("ab") as file:
                file.write(b"dle")
        return data

    monkeypatch.setattr(os, "read", read_and_change)
    if writes < 3:
        assert fetched(settled(path))[0] == b"half a bun" + b"dle" * writes
        return
    with pytest.raises(SourceError) as caught:
        settled(path).fetch(None)
    assert str(caught.value) == (
        f"the bundle `{path}` changed each of 3 times that it was read; replace the file by renaming another over it"
    )
    assert caught.value.kind is SourceFault.CHANGING


def test_a_file_that_grows_past_the_limit_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.hexgate"
    path.write_bytes(b"x")
    monkeypatch.setattr(os, "read", lambda descriptor, count: b"x" * 400)
    with pytest.raises(SourceError) as caught:
        settled(path).fetch(None)
    assert caught.value.kind is SourceFault.TOO_LARGE


def test_a_relative_path_stays_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.hexgate").write_bytes(b"one")
    source = open_source("b.hexgate", limit=LIMIT)
    monkeypatch.chdir("/")
    assert source.location == str(tmp_path / "b.hexgate")
    assert isinstance(source.fetch(None), Fetched)


LOCATIONS = [
    ("b.hexgate", "FileSource"),
    ("/a/b.hexgate", "FileSource"),
    ("C:\\b.hexgate", "FileSource"),
    ("./http://b.hexgate", "FileSource"),
    ("https://example.com/b.hexgate", "HttpsSource"),
    ("HTTPS://example.com/b.hexgate", "HttpsSource"),
    ("http://example.com/b.hexgate", "a bundle is read from a path or from an `https://` address only; name one of these"),
    ("file:///b.hexgate", "a bundle is read from a path or from an `https://` address only; name one of these"),
]


@pytest.mark.parametrize(("location", "expected"), LOCATIONS)
def test_the_location_selects_the_source(location: str, expected: str) -> None:
    try:
        found = type(open_source(location, limit=LIMIT)).__name__
    except SourceError as error:
        found = str(error)
    assert found == expected


def test_a_bundle_in_a_file_loads_no_web_client() -> None:
    code = (
        "import sys\n"
        "from hexgate.runtime.source import open_source\n"
        "try: open_source('absent.hexgate', limit=1).fetch(None)\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print(sorted({'ssl', 'http.client', 'socket', 'email', 'urllib.request'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"SourceError\n\[\]\n", done.stdout), done.stdout
