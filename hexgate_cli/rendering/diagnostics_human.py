"""Diagnostics for people: the sentence, the line with the place underlined, what explains it, a way forward."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hexgate.diagnostics import Diagnostic, Severity
from hexgate_cli.rendering.excerpt import format_excerpt, format_place, gutter_width
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, Screen, escape_text, wrap

_COLOURS = {
    Severity.ERROR: Colour.BOLD_RED,
    Severity.WARNING: Colour.BOLD_YELLOW,
    Severity.NOTE: Colour.BOLD_CYAN,
}


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file, line and column; those without a place first. The same on every machine."""

    def key(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
        place = diagnostic.place
        where = ("", 0, 0) if place is None else (place.file, place.line, place.column)
        return (*where, diagnostic.code, diagnostic.message)

    return sorted(diagnostics, key=key)


def format_diagnostic(diagnostic: Diagnostic, sources: SourceText, screen: Screen) -> str:
    """One diagnostic, several lines."""
    colour = _COLOURS[diagnostic.severity]
    head = screen.paint(f"{diagnostic.severity.value}[{diagnostic.code}]", colour)
    lines = [f"{head}: {screen.paint(escape_text(diagnostic.message), Colour.BOLD)}"]
    gutter = gutter_width(diagnostic.place, *(related.place for related in diagnostic.related))
    space = " " * gutter
    bar = screen.paint("|", Colour.BLUE)
    place = diagnostic.place
    if place is not None:
        lines.append(f"{space}{screen.paint('-->', Colour.BLUE)} {format_place(place)}")
        excerpt = format_excerpt(place, sources, screen, gutter=gutter, colour=colour)
        if excerpt:
            lines += [f"{space} {bar}", *excerpt]
    for related in diagnostic.related:
        lines.append(f"{space}{screen.paint(':::', Colour.BLUE)} {format_place(related.place)}")
        excerpt = format_excerpt(
            related.place, sources, screen, gutter=gutter, label=escape_text(related.message), colour=Colour.CYAN
        )
        if excerpt:
            lines += [f"{space} {bar}", *excerpt]
        else:
            lines.append(f"{space} {screen.paint('=', Colour.BLUE)} {escape_text(related.message)}")
    if diagnostic.help:
        lines += _help_lines(diagnostic.help, space, screen)
    return "\n".join(lines)


def _help_lines(text: str, space: str, screen: Screen) -> list[str]:
    lead = f"{space} {screen.paint('=', Colour.BLUE)} {screen.paint('help:', Colour.BOLD_GREEN)} "
    indent = " " * (len(space) + len(" = help: "))
    wrapped = wrap(escape_text(text), max(screen.width - len(indent), 20))
    return [lead + wrapped[0], *(indent + line for line in wrapped[1:])]


def format_summary(diagnostics: Sequence[Diagnostic], screen: Screen) -> str:
    """`2 errors, 1 warning`, or an empty text."""
    parts = []
    for severity in Severity:
        count = sum(1 for diagnostic in diagnostics if diagnostic.severity is severity)
        if count:
            word = severity.value if count == 1 else f"{severity.value}s"
            parts.append(screen.paint(f"{count} {word}", _COLOURS[severity]))
    return ", ".join(parts)


def format_diagnostics(diagnostics: Iterable[Diagnostic], sources: SourceText, screen: Screen) -> str:
    """All diagnostics, sorted, an empty line between them, and their count. Ends with a line break; empty for none."""
    found = sort_diagnostics(diagnostics)
    if not found:
        return ""
    blocks = [format_diagnostic(diagnostic, sources, screen) for diagnostic in found]
    return "\n\n".join([*blocks, format_summary(found, screen)]) + "\n"
