"""Read a policy set from disk: the only file access of the policy package."""

from __future__ import annotations

from pathlib import Path

from hexgate.diagnostics import Diagnostic, Place, PolicyInvalidError
from hexgate.policy.parse import parse, parse_with_diagnostics
from hexgate.policy.source import SourcePolicy

SUFFIXES = (".yaml", ".yml")
TEST_SUFFIX = "_test"
FILES = 10_000
"""Files of a policy set, at most."""


def load_policy(path: str | Path) -> SourcePolicy:
    """The policy set at a path: a directory of role files, one file with `roles:`, or one role file with its parents
    beside it. Raises PolicyInvalidError."""
    return parse(read_files(Path(path)))


def read_files(path: Path) -> dict[str, bytes]:
    """The contents of a set's files by the name to show. Raises PolicyInvalidError where it cannot be read."""
    try:
        if path.is_dir():
            names = sorted(p for p in path.iterdir() if _is_policy_file(p))
            if len(names) > FILES:
                raise _unreadable(path, f"the directory has more than {FILES} policy files")
            if not names:
                raise _unreadable(path, "the directory has no policy file", "write a role, for example `billing.yaml`; `hexgate init` makes one")
            return {str(name): name.read_bytes() for name in names}
        return _with_family(path, path.read_bytes())
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise _unreadable(path, f"the policy set cannot be read: {reason}") from error


def _is_policy_file(path: Path) -> bool:
    is_test = path.stem.endswith(TEST_SUFFIX)
    return path.suffix in SUFFIXES and not path.name.startswith(".") and not is_test and path.is_file()


def _with_family(path: Path, data: bytes) -> dict[str, bytes]:
    """A single file; where it is a role with parents, the parents' files and the boundary beside it too."""
    files = {str(path): data}
    pending = [path]
    while pending:
        current = pending.pop()
        policy, _ = parse_with_diagnostics({str(current): files[str(current)]})
        for role in policy.roles.values() if len(policy.roles) == 1 else ():
            for parent in (*(p.name for p in role.inherits), "boundary"):
                for suffix in SUFFIXES:
                    beside = path.parent / f"{parent}{suffix}"
                    if str(beside) not in files and beside.is_file() and _is_role_file(path, data):
                        files[str(beside)] = beside.read_bytes()
                        pending.append(beside)
    return files


def _is_role_file(path: Path, data: bytes) -> bool:
    """Whether a file holds one role under its own name rather than a set."""
    policy, _ = parse_with_diagnostics({str(path): data})
    return list(policy.roles) == [path.stem]


def _unreadable(path: Path, message: str, help_: str = "check the path") -> PolicyInvalidError:
    return PolicyInvalidError((Diagnostic("HG211", message, Place(str(path), 1, 1), help_),))
