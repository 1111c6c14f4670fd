"""Expressions with what is found in them: sources marked `>`, below each its type or its findings, underlined.

    == plain
    > args.amount <= 500
      : bool
    > arg.amount <= 500
      ^^^ HG110 `arg` is not a name
      did you mean `args`?

`==` names the environment of the sources that follow. In a source `␤` stands for a line feed.
`HEXGATE_BLESS=1 pytest tests/language` rewrites what is expected.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hexgate.diagnostics import Severity
from hexgate.language.finding import Finding

LINE_FEED = "␤"


@dataclass(frozen=True, slots=True)
class Case:
    """A source with the lines that are expected below it. `heading` is that of its section."""

    place: str
    heading: str
    source: str
    expected: tuple[str, ...]


def read_cases(path: Path) -> list[Case]:
    """The cases of a file. Raises ValueError where there are none, or a line belongs to none."""
    cases: list[Case] = []
    heading, source, number, lines = "", None, 0, []
    for at, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), "> "], 1):
        if line.startswith(("> ", "== ", "#")) or not line.strip():
            if source is not None:
                cases.append(Case(f"{path.stem}:{number}", heading, source.replace(LINE_FEED, "\n"), tuple(lines)))
                source = None
            if line.startswith("== "):
                heading = line[3:]
            elif line.startswith("> "):
                source, number, lines = line[2:], at, []
        elif source is None:
            raise ValueError(f"{path.name}:{at}: {line!r} stands below no source")
        else:
            lines.append(line)
    if not cases:
        raise ValueError(f"there are no cases in {path}")
    return cases


def lines_of(source: str, findings: tuple[Finding, ...]) -> Iterator[str]:
    """The lines that show findings below a source."""
    for finding in findings:
        start, end = finding.span
        if not 0 <= start < end <= max(1, len(source)):
            raise AssertionError(f"the span {finding.span} is not within {source!r}")
        mark = {Severity.ERROR: "^", Severity.WARNING: "~", Severity.NOTE: "."}[finding.severity] * (end - start)
        yield f"  {' ' * start}{mark} {finding.code} {finding.message}"
        if finding.help:
            yield f"  {finding.help}"


def bless(path: Path, answer: Callable[[str, str], list[str]]) -> None:
    """Rewrites a file with what `answer(heading, source)` says."""
    lines: list[str] = []
    heading = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            heading = line[3:]
        if line.startswith("> "):
            lines += [line, *answer(heading, line[2:].replace(LINE_FEED, "\n"))]
        elif not line.startswith("  "):
            lines.append(line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


BLESS = os.environ.get("HEXGATE_BLESS") == "1"
