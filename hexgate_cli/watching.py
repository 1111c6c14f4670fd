"""Wait for files to change: by looking, which works on every file system."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

LOOK_SECONDS = 0.4
"""Time between two looks."""

FILES = 10_000
"""Files that are looked at, at most."""

_WATCHED = (".yaml", ".yml", ".json")

_State = dict[Path, tuple[int, int]]
"""Time of the last change in nanoseconds and size in bytes, by path."""


def watch_files(paths: Callable[[], Iterable[Path]], looks: int | None = None) -> Iterator[None]:
    """Yields at once, and then after every change of the files, or of policies and schemas below the folders; for ever, or for so many
    looks. `paths` is asked before each yield: what is to be watched may be written in a file that changed. A change during the caller's
    own work is seen at the next look."""
    while looks is None or looks > 0:
        watched = list(paths())
        before = _state(watched)
        yield
        while _state(watched) == before:
            if looks is not None:
                looks -= 1
                if looks <= 0:
                    return
            time.sleep(LOOK_SECONDS)


def _state(paths: list[Path]) -> _State:
    found: _State = {}
    for path in paths:
        for file in _files(path):
            try:
                status = file.stat()
            except OSError:
                continue
            found[file] = status.st_mtime_ns, status.st_size
    return found


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    count = 0
    for file in path.rglob("*"):
        if file.suffix.lower() in _WATCHED and not any(part.startswith(".") for part in file.relative_to(path).parts):
            count += 1
            if count > FILES:
                return
            yield file
