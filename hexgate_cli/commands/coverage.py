"""`hexgate coverage`: every tool that an agent can reach, how it is gated, and what the policy says of it for each role."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from hexgate.adapters.coverage import Coverage
from hexgate.adapters.frameworks import coverage_of
from hexgate.adapters.guard import AdapterError
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.gate_inputs import unrecorded_gate
from hexgate_cli.options import Format, FormatOption
from hexgate_cli.output import format_json
from hexgate_cli.rendering.coverage_human import format_coverage
from hexgate_cli.terminal import screen_of


def command(
    agent: Annotated[str, typer.Argument(metavar="MODULE:AGENT", help="Where the agent is, as in `shop.agents:support`.")],
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="POLICY", help="Unsigned policies; else what HEXGATE_KEY names.")
    ] = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """The module is imported, from the current folder if it is there; no model and no tool is called. A tool that nobody can gate is
    shown in red: an agent with it does not run for a role whose policy does not allow the tool by name. Exits with 1 if there is one
    that some role is refused for.
    """
    with redirect_stdout(sys.stderr):  # what the user's code prints is no part of the report
        found = _cover(_load(agent), policy)
    if format_ is Format.JSON:
        sys.stdout.write(format_json(found.to_dict()))
    else:
        sys.stdout.write(format_coverage(found, screen_of(sys.stdout)))
    return ExitCode.FAILURE if any(row.ungated and row.refused_for for row in found.rows) else ExitCode.OK


def _cover(agent: Any, policy: str | None) -> Coverage:
    try:
        with unrecorded_gate(policy) as gate:
            return coverage_of(agent, gate)
    except AdapterError as error:
        raise InputError(str(error)) from None


def _load(name: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not colon or not attribute or not all(part.isidentifier() for part in module.split(".")):
        raise InputError(f"`{name}` names no agent", help="write `MODULE:AGENT`, as in `shop.agents:support`")
    sys.path.insert(0, str(Path.cwd()))
    with _failures_reported(module):
        found: Any = import_module(module)
        for each in attribute.split("."):
            if not hasattr(found, each):
                raise InputError(f"`{module}` has no `{attribute}`", help="name a variable of the module that is an agent")
            found = getattr(found, each)
    return found


@contextmanager
def _failures_reported(module: str) -> Iterator[None]:
    """Turns what a module of the user raises, which may be anything, into InputError."""
    try:
        yield
    except InputError:
        raise
    except SystemExit:
        raise InputError(f"`{module}` ends the process when it is imported", help="put what starts the program under `if __name__ == \"__main__\":`") from None
    except ModuleNotFoundError as error:
        if error.name is None:
            raise _failed(module, error) from None
        raise InputError(f"there is no module `{error.name}`", help="run the command where the module can be imported") from None
    except Exception as error:  # noqa: BLE001 - the code is not ours
        raise _failed(module, error) from None


def _failed(module: str, error: Exception) -> InputError:
    detail = str(error).partition("\n")[0] or "it does not say why"
    return InputError(f"`{module}` fails when it is imported: {detail}", help=f"`python -c 'import {module}'` shows where")
