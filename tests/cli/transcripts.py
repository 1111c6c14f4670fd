"""Transcripts: a scenario is a text file with the files it starts from, command lines, and what they must answer.

    # What the scenario shows.
    == file policies/billing.yaml
    version: 1
    == env COLUMNS=60
    == run check policies
    == in
    standard input
    == out
    standard output
    == err
    standard error
    == wrote
    one changed file per line
    == exit 0

`file`, `approvals`, `env` and `in` are given; `approvals FILE` is a store with the open requests of the lines below it; `out`, `err`, `wrote` (left out where empty) and `exit` are expected. Commands run in
an empty directory with the scenario's files, one after the other; `show FILE` in place of `run` prints a file. Escape
characters are written `␛`, counts of bytes and SHA-256 digests `…`. A command that fails must have written nothing.
`HEXGATE_BLESS=1 pytest tests/cli` rewrites what is expected.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hexgate.approvals.request import read_request
from hexgate.approvals.store import ApprovalStore, Row
from hexgate_cli.main import run_command

SCENARIOS = Path(__file__).parent / "scenarios"
GIVEN = ("file", "approvals", "env", "run", "in", "show")
EXPECTED = ("out", "err", "wrote", "exit")
WROTE_NOTHING = (1, 2, 5, 6)
"""Exit statuses of commands that failed."""


@dataclass(slots=True)
class Section:
    """`== kind argument` and the text below it."""

    kind: str
    argument: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answered."""

    out: str
    err: str
    exit: int
    wrote: tuple[str, ...] = ()


@dataclass(slots=True)
class Step:
    """A given section, and what was expected of it if it is a command."""

    given: Section
    stdin: str = ""
    expected: list[Section] = field(default_factory=list)


def parse_scenario(text: str) -> tuple[str, list[Step]]:
    """The leading comment and the steps of a scenario. Raises ValueError for a section of an unknown kind."""
    head: list[str] = []
    sections: list[Section] = []
    for line in text.splitlines(keepends=True):
        if line.startswith("== "):
            kind, _, argument = line[3:].rstrip("\n").partition(" ")
            if kind not in GIVEN + EXPECTED:
                raise ValueError(f"unknown section {kind!r}")
            sections.append(Section(kind, argument))
        elif sections:
            sections[-1].text += line
        else:
            head.append(line)
    steps: list[Step] = []
    for section in sections:
        if section.kind == "in":
            steps[-1].stdin = section.text
        elif section.kind in GIVEN:
            steps.append(Step(section))
        else:
            steps[-1].expected.append(section)
    return "".join(head), steps


def format_scenario(head: str, steps: list[Step]) -> str:
    """The text of a scenario: the inverse of `parse_scenario`."""
    parts = [head]
    for step in steps:
        sections = [step.given]
        if step.stdin:
            sections.append(Section("in", "", step.stdin))
        for section in [*sections, *step.expected]:
            parts.append(f"== {section.kind} {section.argument}".rstrip() + "\n" + section.text)
    return "".join(parts)


def expectations(answer: Answer) -> list[Section]:
    """An answer as sections."""
    sections = []
    for kind, text in (("out", answer.out), ("err", answer.err), ("wrote", "\n".join(answer.wrote))):
        if text:
            visible = _DIGEST.sub("…", _BYTE_COUNT.sub("… bytes", text.replace("\x1b", "␛")))
            for pattern, shown in _MEASURED:
                visible = pattern.sub(shown, visible)
            sections.append(Section(kind, "", visible if visible.endswith("\n") else visible + "\n"))
    return [*sections, Section("exit", str(answer.exit))]


_BYTE_COUNT = re.compile(r"\b[0-9,]+ bytes")
_MEASURED = (
    (re.compile(r"\b[0-9][0-9,.]* (seconds|cases/s)"), r"… \1"),
    (re.compile(r"\b[0-9]+ %"), "… %"),
    (re.compile(r'("(?:seconds|cases_per_second|generate|interpreter|wasm|compare)": )[0-9.]+'), r"\g<1>0"),
    (re.compile(r'( time=)"[0-9.]+"'), r'\1"…"'),
)
"""Times differ from run to run; in JSON they are written 0, so that it stays JSON."""
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
"""Sizes and digests of modules change whenever the compiler does."""

Run = Callable[[list[str], str], Answer]


def run_in_process(arguments: list[str], stdin: str) -> Answer:
    """Run the command in this process, through its entry point."""
    out, err = io.StringIO(), io.StringIO()
    previous = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = run_command(arguments)
    finally:
        sys.stdin = previous
    return Answer(out.getvalue(), err.getvalue(), int(status))


def play(steps: list[Step], directory: Path, run: Run) -> Iterator[tuple[Step, list[Section]]]:
    """Carry out the steps in a directory; yields each command with what it answered."""
    for step in steps:
        given = step.given
        if given.kind == "file":
            path = directory / given.argument
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(given.text.encode())
        elif given.kind == "approvals":
            _write_store(directory / given.argument, given.text)
        elif given.kind == "env":
            name, _, value = given.argument.partition("=")
            os.environ[name] = value
        elif given.kind == "show":
            yield step, expectations(Answer((directory / given.argument).read_bytes().decode(), "", 0))
        else:
            before = _contents(directory)
            answer = run(shlex.split(given.argument), step.stdin)
            after = _contents(directory)
            wrote = tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))
            if answer.exit in WROTE_NOTHING and wrote:
                raise AssertionError(f"{given.argument!r} failed and left {', '.join(wrote)}")
            yield step, expectations(Answer(answer.out, answer.err, answer.exit, wrote))


def _write_store(path: Path, text: str) -> None:
    with ApprovalStore(path).writing() as rows:
        for line in text.splitlines():
            found = read_request(line)
            rows.add(Row(found.id, "", "", "pending", found.created, found.expires, line))


def _contents(directory: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
    }
