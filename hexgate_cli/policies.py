"""From a path to a checked policy, with everything there is to say about it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hexgate.diagnostics import Diagnostic, PolicyInvalidError
from hexgate.policy.check import check_with_notes
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.link import link
from hexgate.policy.load import read_files
from hexgate.policy.parse import parse_with_diagnostics
from hexgate.policy.source import SourcePolicy
from hexgate.policy.tool_schemas import ToolSchemas, parse_tool_schemas
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import describe_os_error, is_bundle, read_bytes
from hexgate_cli.rendering.diagnostics_human import format_diagnostics
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import screen_of

_NAMES_AND_CONSTANTS = ("HG110", "HG113")
"""Findings in expressions that may only follow from a file that could not be read."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A policy set, None where it has errors, what was found, and what it was read from: the contents of its files by the name to
    show, and the tools' schemas."""

    policy: CheckedPolicy | None
    diagnostics: tuple[Diagnostic, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    schemas: ToolSchemas | None = None


def inspect_policy(path: str, tools: str | None = None) -> Inspection:
    """Load, link and check a policy set, typed by the schemas in the file `tools` if there is one. Raises CommandError
    where a path cannot be read."""
    _require_readable(path)
    try:
        schemas = None if tools is None else parse_tool_schemas(tools, read_bytes(tools))
        files = read_files(Path(path))
    except PolicyInvalidError as error:
        return Inspection(None, error.diagnostics)
    return inspect_files(files, schemas)


def inspect_files(files: Mapping[str, bytes], schemas: ToolSchemas | None = None) -> Inspection:
    """As `inspect_policy`, for the contents of a set's files by the name to show."""
    source, found = parse_with_diagnostics(dict(files))
    if found:
        return Inspection(None, (*found, *_expression_findings(source, schemas)))
    try:
        policy, notes = check_with_notes(link(source), schemas)
    except PolicyInvalidError as error:
        return Inspection(None, error.diagnostics)
    return Inspection(policy, notes, files, schemas)


def _expression_findings(source: SourcePolicy, schemas: ToolSchemas | None) -> tuple[Diagnostic, ...]:
    """What is wrong with the constraints of a set that could be read in part: never what the missing part explains."""
    try:
        check_with_notes(link(source), schemas)
    except PolicyInvalidError as error:
        return tuple(
            diagnostic
            for diagnostic in error.diagnostics
            if diagnostic.code.startswith(("HG1", "HG4")) and diagnostic.code not in _NAMES_AND_CONSTANTS
        )
    return ()


def _require_readable(path: str) -> None:
    try:
        target = Path(path)
        if not path or not target.exists():  # Path("") would be the current directory
            raise InputError(
                f"there is no file or directory `{path}`", help="pass a directory of role files, or one policy file"
            )
        if target.is_dir():
            next(target.iterdir(), None)
        else:
            target.open("rb").close()
    except OSError as error:
        raise CommandError(f"cannot read `{path}`: {describe_os_error(error)}") from None
    except ValueError as error:
        raise InputError(f"`{path}` is no path: {error}") from None
    if is_bundle(path):
        raise InputError(f"`{path}` is a bundle, and policies are needed", help="name what it was signed from; `hexgate inspect` shows what is in it")


def require_policy(path: str, tools: str | None = None) -> CheckedPolicy:
    """The checked policy. Where it has errors, shows them on standard error and raises CommandError with the exit code
    of an invalid policy."""
    return require_inspection(path, tools)[0]


def require_inspection(path: str, tools: str | None = None) -> tuple[CheckedPolicy, Inspection]:
    """As `require_policy`, with what the policy was read from."""
    inspection = inspect_policy(path, tools)
    return require_valid(path, inspection), inspection


def require_valid(path: str, inspection: Inspection, sources: SourceText | None = None) -> CheckedPolicy:
    """The policy of an inspection; one with errors ends the command as in `require_policy`. `sources` has the lines to show, else
    the disk."""
    if inspection.policy is not None:
        return inspection.policy
    screen = screen_of(sys.stderr)
    sys.stderr.write(format_diagnostics(inspection.diagnostics, sources or SourceText(), screen))
    raise CommandError(
        f"the policy `{path}` is invalid",
        help="nothing is decided with a policy that does not check",
        code=ExitCode.POLICY_INVALID,
    )
