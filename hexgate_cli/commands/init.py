"""`hexgate init`: a starter policy set."""

from __future__ import annotations

import sys
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError
from hexgate_cli.inputs import describe_os_error
from hexgate_cli.terminal import escape_text


def command(
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="Where to write; made where it is missing.")
    ] = ".",
) -> ExitCode:
    """Writes `policies/` with two roles, a boundary and a first file of tests, and `calls.jsonl` with calls and the verdicts they should get.
    Nothing that is there already is overwritten.
    """
    files = sorted(_starter_files(resources.files("hexgate_cli") / "starter", ""))
    root = Path(directory)
    for name, _ in files:
        if (root / name).exists() or (root / name).is_symlink():
            raise CommandError(f"`{root / name}` exists already", help="pass another directory: `hexgate init DIR`")
    _write_all(root, files)
    shown = escape_text(str(root))
    prefix = "" if shown == "." else f"{shown}/"
    lines = [f"wrote {prefix}{name}" for name, _ in files]
    lines += [
        "",
        "next:",
        f"  hexgate check {prefix}policies",
        f"  hexgate test {prefix}policies",
        f"  hexgate explain {prefix}policies",
        f"  hexgate replay {prefix}policies {prefix}calls.jsonl",
        f"  hexgate decide {prefix}policies --role billing --tool refund_order"
        ' --args \'{"amount": 900, "currency": "USD"}\'',
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.OK


def _starter_files(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    files = []
    for child in folder.iterdir():
        if child.is_dir():
            files += _starter_files(child, f"{prefix}{child.name}/")
        elif child.name.endswith((".yaml", ".jsonl")):
            files.append((f"{prefix}{child.name}", child.read_bytes()))
    return files


def _write_all(root: Path, files: list[tuple[str, bytes]]) -> None:
    """Write all files or, on a failure, none: what was made is taken away again."""
    made: list[Path] = []
    try:
        for name, data in files:
            path = root / name
            for parent in reversed(path.parents):
                if not parent.exists():
                    parent.mkdir()
                    made.append(parent)
            with path.open("xb") as file:
                made.append(path)
                file.write(data)
    except OSError as error:
        for path in reversed(made):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
        raise CommandError(f"cannot write into `{root}`: {describe_os_error(error)}") from None
