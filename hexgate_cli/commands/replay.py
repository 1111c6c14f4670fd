"""`hexgate replay`: recorded tool calls, decided and counted."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from hexgate.decision.engine import DecisionEngine
from hexgate_cli.engines import decide_with, open_engines
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import (
    describe_os_error,
    instant_or_now,
    is_bundle,
    open_standard_input,
    refuse_trust_in_policies,
)
from hexgate_cli.options import Engine, Format, FormatOption, Now, PolicyOrBundlePath, ToolSchemas, Trust
from hexgate_cli.output import format_json
from hexgate_cli.policies import require_policy
from hexgate_cli.recorded_calls import Defaults, parse_calls
from hexgate_cli.rendering.replay_human import format_replay
from hexgate_cli.rendering.replay_json import replay_to_dict
from hexgate_cli.replay_tally import Tally
from hexgate_cli.terminal import screen_of

LINE_BYTES = 16_777_216
"""Longest line of a file of calls, in bytes."""

PROGRESS_SECONDS = 0.5
"""How often the count is shown on a terminal."""


def command(
    path: PolicyOrBundlePath,
    calls: Annotated[
        str,
        typer.Argument(metavar="CALLS", help="JSON lines, one call each; - for standard input.", show_default=False),
    ],
    role: Annotated[
        str | None, typer.Option("--role", metavar="ROLE", help="The role of calls that do not name one.")
    ] = None,
    user: Annotated[str, typer.Option("--user", metavar="ID", help="The user of calls that do not name one.")] = "user",
    now: Now = None,
    engine: Annotated[Engine, typer.Option("--engine", help="Both: decide twice, and compare.")] = Engine.BOTH,
    tools: ToolSchemas = None,
    trust: Trust = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """A call is a JSON object with `tool` and `args`, and optionally `role`, `user` (an id, or an object with `id`,
    `role`, `attrs`), `attrs`, `ctx`, `resource`, `now`. With `expect`, a verdict, and optionally `reason`, `constraint`,
    `fault`, it says what it should be answered. Other keys are left to whoever recorded the calls. The exit code is 1
    where an expectation is not met or the engines disagree; denials alone do not change it.
    """
    engines = _open(path, trust, engine, tools)
    defaults = Defaults(role, user, instant_or_now(now))
    tally = Tally()
    with _open_lines(calls) as lines, _Progress() as progress:
        for call in parse_calls(lines, calls, defaults):
            tally.add(call, decide_with(engines, call.request))
            progress.show(tally.calls)
    if not tally.calls:
        raise InputError(f"there is no call in `{calls}`")
    if format_ is Format.JSON:
        sys.stdout.write(format_json(replay_to_dict(tally, list(engines))))
    else:
        sys.stdout.write(format_replay(tally, calls, list(engines), screen_of(sys.stdout)))
    return ExitCode.FAILURE if tally.failed else ExitCode.OK


def _open(path: str, trust: str | None, engine: Engine, tools: str | None) -> dict[str, DecisionEngine]:
    if is_bundle(path):
        from hexgate_cli.bundled_policy import open_bundle  # policies alone need no keys and no signatures

        return open_bundle(path, trust, engine, tools).engines
    refuse_trust_in_policies(trust)
    return open_engines(require_policy(path, tools), engine)


@contextmanager
def _open_lines(path: str) -> Iterator[Iterable[bytes]]:
    """The lines of a file or of standard input, as bytes. Raises CommandError where they cannot be read."""
    try:
        if path == "-":
            yield _bounded_lines(open_standard_input().readline, path)
            return
        with Path(path).open("rb") as file:
            yield _bounded_lines(file.readline, path)
    except FileNotFoundError:
        raise InputError(f"there is no file `{path}`") from None
    except OSError as error:
        raise CommandError(f"cannot read `{path}`: {describe_os_error(error)}") from None


def _bounded_lines(read_line: Callable[[int], bytes], path: str) -> Iterator[bytes]:
    for number in itertools.count(1):
        line = read_line(LINE_BYTES + 1)
        if not line:
            return
        if len(line) > LINE_BYTES:
            raise InputError(f"{path}:{number}: the line is longer than {LINE_BYTES} bytes")
        yield line


class _Progress:
    """A count on standard error while the command runs, where that is a terminal; gone when it is done."""

    def __init__(self) -> None:
        self._shown = False
        self._next = time.monotonic() + PROGRESS_SECONDS if sys.stderr.isatty() else None

    def show(self, count: int) -> None:
        if self._next is None or count % 64 or time.monotonic() < self._next:
            return
        sys.stderr.write(f"\rdecided {count:,} calls")
        sys.stderr.flush()
        self._shown = True
        self._next = time.monotonic() + PROGRESS_SECONDS

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
