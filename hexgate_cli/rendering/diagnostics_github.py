"""Diagnostics as GitHub Actions workflow commands, which annotate the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from hexgate.diagnostics import Diagnostic, Severity
from hexgate.place import Place
from hexgate_cli.rendering.diagnostics_human import sort_diagnostics

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def format_github(diagnostics: Iterable[Diagnostic]) -> str:
    """One line per diagnostic. Ends with a line break; empty for none."""
    return "".join(_format_command(diagnostic) + "\n" for diagnostic in sort_diagnostics(diagnostics))


def _format_command(diagnostic: Diagnostic) -> str:
    text = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    return format_workflow_command(_COMMANDS[diagnostic.severity], diagnostic.place, f"hexgate {diagnostic.code}", text)


def format_workflow_command(command: str, place: Place | None, title: str, text: str) -> str:
    """A workflow command (`error`, `warning` or `notice`) that annotates a place, without a line break at its end."""
    properties = []
    if place is not None:
        properties = [
            f"file={_escape_property(place.file)}",
            f"line={place.line}",
            f"col={place.column}",
            f"endColumn={place.column + max(place.length, 1)}",
        ]
    properties.append(f"title={_escape_property(title)}")
    return f"::{command} {','.join(properties)}::{_escape_data(text)}"


def _escape_data(text: str) -> str:
    """As the runner unescapes it: `%` first, then the line breaks that would end the command."""
    return _encodable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    """As data, and the signs that end a property."""
    return _escape_data(text).replace(":", "%3A").replace(",", "%2C")


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
