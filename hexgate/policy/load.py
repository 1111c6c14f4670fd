"""Read a policy set from disk: the only file access of the policy package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePath

from hexgate.diagnostics import Diagnostic, PolicyInvalidError
from hexgate.place import Place
from hexgate.policy.parse import BOUNDARY_FILE, parse, parse_with_diagnostics
from hexgate.policy.reading import ROLE_NAME
from hexgate.policy.source import SourcePolicy
from hexgate.policy.yaml_tree import FILE_BYTES

SUFFIXES = (".yaml", ".yml")
TEST_SUFFIX = "_test"
"""How the name of a file with tests ends, before its suffix: it is no part of the set."""

FILES = 10_000
"""Files of a policy set, at most."""


def load_policy(path: str | Path) -> SourcePolicy:
    """The policy set at a path: a directory of role files, one file with `roles:`, or one role file with its parents and
    the boundary beside it. Raises PolicyInvalidError."""
    return parse(read_files(Path(path)))


def read_files(path: Path) -> dict[str, bytes]:
    """The contents of a set's files by the name to show. Raises PolicyInvalidError where it cannot be read."""
    try:
        if path.is_dir():
            return _read_directory(path)
        return with_family(path, _read(path), _read_beside)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        where = path if error.filename is None else Path(error.filename)
        help_ = "check the path and its permissions"
        raise _unreadable(where, f"the policy set cannot be read: {reason}", help_) from error


def _read_directory(path: Path) -> dict[str, bytes]:
    found = sorted(entry for entry in path.iterdir() if is_policy_file(entry))
    if len(found) > FILES:
        raise _unreadable(path, f"the directory has more than {FILES} policy files", "split the set")
    if not found:
        help_ = "write a role, for example `billing.yaml`; `hexgate init` makes one"
        raise _unreadable(path, "the directory has no policy file", help_)
    wrong = [entry for entry in found if entry.suffix not in SUFFIXES]
    if wrong:
        help_ = "rename the file, so that no tool overlooks it"
        raise PolicyInvalidError(
            tuple(_problem(entry, f"the suffix `{entry.suffix}` is not in lower case", help_) for entry in wrong)
        )
    return {str(entry): _read(entry) for entry in found}


def is_policy_file(path: PurePath) -> bool:
    """Whether a name in a directory is that of a policy file, so that a missing target or an odd file is an error."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.stem.endswith(TEST_SUFFIX)


def _read(path: Path) -> bytes:
    """The bytes of a file; no more than are needed to see that it is too large."""
    if path.exists() and not path.is_file():
        raise _unreadable(path, f"`{path.name}` is not a file", "move it elsewhere, or give it another suffix")
    with path.open("rb") as file:
        return file.read(FILE_BYTES + 1)


def _read_beside(path: PurePath) -> bytes | None:
    beside = Path(path)
    return _read(beside) if beside.exists() or beside.is_symlink() else None


def with_family(path: PurePath, data: bytes, read: Callable[[PurePath], bytes | None]) -> dict[str, bytes]:
    """A file given alone: a set with `roles:`, or a role with its ancestors' files and the boundary's beside it. `read` gives
    the content of a file, None where there is none."""
    files = {str(path): data}
    policy, _ = parse_with_diagnostics(files)
    if list(policy.roles) != [path.stem] or path.stem == BOUNDARY_FILE:
        return files
    pending = [BOUNDARY_FILE, *(parent.name for parent in policy.roles[path.stem].inherits)]
    seen = {path.stem}
    while pending:
        name = pending.pop()
        if name in seen or not ROLE_NAME.fullmatch(name):
            continue
        seen.add(name)
        for beside in (path.parent / f"{name}{suffix}" for suffix in SUFFIXES):
            content = read(beside)
            if content is not None:
                files[str(beside)] = content
                relative, _ = parse_with_diagnostics({str(beside): content})
                pending += [parent.name for role in relative.roles.values() for parent in role.inherits]
    return files


def _problem(path: Path, message: str, help_: str) -> Diagnostic:
    return Diagnostic("HG211", message, Place(str(path), 1, 1), help_)


def _unreadable(path: Path, message: str, help_: str) -> PolicyInvalidError:
    return PolicyInvalidError((_problem(path, message, help_),))
