"""What leaves the command: JSON, and files that are there whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

from hexgate_cli.failures import CommandError
from hexgate_cli.inputs import describe_os_error
from hexgate_cli.terminal import escape_json


def format_json(value: Any) -> str:
    """An indented JSON text with a line break at its end."""
    return escape_json(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def format_json_line(value: Any) -> str:
    """A JSON text in one line, with a line break at its end (NDJSON)."""
    return escape_json(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) + "\n"


def write_file(path: Path, data: bytes) -> None:
    """Write a file by replacing it: a reader sees the old content or the new. Keeps the permissions of a file that was
    there. Raises CommandError, and leaves nothing behind."""
    target = Path(os.path.realpath(path))
    temporary = None
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode if mode is not None else 0o666 & ~_umask())  # noqa: PTH101
        os.replace(temporary, target)  # noqa: PTH105
        temporary = None
    except OSError as error:
        raise CommandError(f"cannot write `{path}`: {describe_os_error(error)}") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
