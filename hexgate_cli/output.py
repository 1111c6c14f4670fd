"""What leaves the command: JSON, and files that are there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import stat
from io import RawIOBase
from pathlib import Path
from typing import Any

from hexgate.atomic_file import replace_file
from hexgate_cli.failures import CommandError
from hexgate_cli.inputs import describe_os_error
from hexgate_cli.terminal import escape_json


def format_json(value: Any) -> str:
    """An indented JSON text with a line break at its end."""
    return escape_json(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def format_json_line(value: Any) -> str:
    """A JSON text in one line, with a line break at its end (NDJSON)."""
    return escape_json(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) + "\n"


def write_file(path: str, data: bytes) -> None:
    """Write a file by replacing it: a reader sees the old content or the new. Keeps the permissions of a file that was
    there. What is no file, a device or a pipe, is written to and stays. Raises CommandError, and leaves nothing
    behind."""
    try:
        mode = _mode_of(path)
        if mode is None or stat.S_ISREG(mode):
            replace_file(Path(path), data)
        else:
            with Path(path).open("wb", buffering=0) as stream:
                _write_all(stream, data)
    except OSError as error:
        raise CommandError(f"cannot write `{path}`: {describe_os_error(error)}") from None
    except ValueError as error:
        raise CommandError(f"cannot write `{path}`: {error}") from None


def _mode_of(path: str) -> int | None:
    """What stands at a path: its kind and permissions, None where there is nothing. Raises OSError where it may not be
    written."""
    if not path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return None
    if not os.access(path, os.W_OK):
        # Replacing needs no right to the file itself; its owner said that it is not to be changed.
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return mode


def _write_all(stream: RawIOBase, data: bytes) -> None:
    """Write without a buffer: what a device refuses is an error here, not at some later flush."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) or 0 :]
