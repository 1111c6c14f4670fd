"""Lines of the user's files, to show beside a finding. A file that cannot be read shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

SOURCE_BYTES = 4_194_304
"""Longest file, in bytes, of which lines are shown."""


class SourceText:
    """Reads each file once. What is shown is what is on disk when it is shown."""

    def __init__(self, texts: Mapping[str, str] | None = None, *, on_disk: bool = True) -> None:
        """`texts` are those that stand in no file, by the name that places give them; `on_disk` says whether other names are files."""
        self._on_disk = on_disk
        self._lines = {name: text.split("\n") for name, text in (texts or {}).items()}

    def line(self, file: str, number: int) -> str | None:
        """A line of a file, by its number from 1, without its end; None where there is no such line."""
        lines = self._lines.get(file)
        if lines is None:
            lines = self._lines[file] = _read_lines(file) if self._on_disk else []
        return lines[number - 1] if 0 < number <= len(lines) else None


def _read_lines(file: str) -> list[str]:
    path = Path(file)
    try:
        if not path.is_file() or path.stat().st_size > SOURCE_BYTES:
            return []
        data = path.read_bytes()
    except (OSError, ValueError):
        return []
    text = data.decode("utf-8-sig", errors="replace")
    # YAML 1.1's line breaks (5.4), as PyYAML counts lines: not those of str.splitlines.
    for line_break in ("\r\n", "\r", "\x85", "\u2028", "\u2029"):
        text = text.replace(line_break, "\n")
    return text.split("\n")
