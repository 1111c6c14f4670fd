"""`hexgate fmt`: constraints in their canonical form, everything else byte for byte."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from hexgate.policy.load import SUFFIXES, TEST_SUFFIX
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import describe_os_error, read_bytes
from hexgate_cli.options import PolicyPaths
from hexgate_cli.output import write_file
from hexgate_cli.policy_layout import format_policy_text
from hexgate_cli.rendering.diagnostics_human import format_diagnostics
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, Screen, escape_text, screen_of


def command(
    paths: PolicyPaths,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 where a file would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="As --check, and show what would change.")] = False,
) -> ExitCode:
    """Constraints get their canonical spelling: single spaces, double quotes, no needless parentheses. Comments and
    layout stay as they are, and so does the meaning: every file is parsed again before it is written. A constraint
    with a comment inside is left alone. Where any constraint does not parse, it is reported and nothing is written.
    """
    files = find_policy_files(paths)
    before = {file: _read_text(file) for file in files}
    formatted = {file: format_policy_text(file, text) for file, text in before.items()}
    findings = [finding for result in formatted.values() for finding in result.findings]
    if findings:
        sys.stderr.write(format_diagnostics(findings, SourceText(), screen_of(sys.stderr)))
        return ExitCode.POLICY_INVALID
    changed = [file for file in files if formatted[file].text != before[file]]
    for file in changed:
        if diff:
            sys.stdout.write(_format_diff(file, before[file], formatted[file].text, screen_of(sys.stdout)))
        elif not check:
            write_file(file, formatted[file].text.encode())
    dry = check or diff
    _report(files, changed, dry)
    return ExitCode.FAILURE if dry and changed else ExitCode.OK


def find_policy_files(paths: list[str]) -> list[str]:
    """The policy files of directories, and the files named, in order, each once. Raises CommandError."""
    found: dict[str, None] = {}
    for path in paths:
        target = Path(path)
        try:
            if not path:  # Path("") would be the current directory
                raise InputError("there is no file or directory ``")
            if target.is_dir():
                inside = sorted(str(child) for child in target.iterdir() if _is_policy_file(child))
                if not inside:
                    raise InputError(f"there is no policy file in `{path}`", help="policy files end in `.yaml`")
                found.update(dict.fromkeys(inside))
            elif target.exists():
                found[path] = None
            else:
                raise InputError(f"there is no file or directory `{path}`")
        except (OSError, ValueError) as error:
            detail = describe_os_error(error) if isinstance(error, OSError) else str(error)
            raise CommandError(f"cannot read `{path}`: {detail}") from None
    return list(found)


def _is_policy_file(path: Path) -> bool:
    """Those that belong to a policy set: not hidden, no policy tests."""
    named = path.suffix in SUFFIXES and not path.name.startswith(".") and not path.stem.endswith(TEST_SUFFIX)
    return named and path.is_file()


def _read_text(file: str) -> str:
    try:
        return read_bytes(file).decode()
    except UnicodeDecodeError:
        raise CommandError(f"`{file}` is not UTF-8", code=ExitCode.POLICY_INVALID) from None


def _format_diff(file: str, old: str, new: str, screen: Screen) -> str:
    colours = {"+": Colour.GREEN, "-": Colour.RED, "@": Colour.CYAN}
    lines = []
    for line in difflib.unified_diff(_lines(old), _lines(new), escape_text(file), escape_text(file), lineterm=""):
        text = escape_text(line)
        lines.append(screen.paint(text, colours[text[0]]) if text[:1] in colours else text)
    return "\n".join(lines) + "\n"


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")


def _report(files: list[str], changed: list[str], dry: bool) -> None:
    for file in changed:
        sys.stdout.write(f"{'would rewrite' if dry else 'rewrote'} {escape_text(file)}\n")
    same = len(files) - len(changed)
    if not changed:
        sys.stdout.write(f"{same} {_files(same)} left as {'it is' if same == 1 else 'they are'}\n")


def _files(count: int) -> str:
    return "file" if count == 1 else "files"
