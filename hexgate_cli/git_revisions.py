"""Policies as they were at a git revision: read from the repository's objects, nothing checked out, nothing run.

What a user names never becomes an option of git's: a revision is first resolved to the digest of a tree, and all that
follows is asked for by digest. Blobs are read without filters and drivers that a repository may configure.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from dataclasses import dataclass
from pathlib import PurePosixPath

from hexgate.policy.load import FILES, is_policy_file, with_family
from hexgate.policy.yaml_tree import FILE_BYTES
from hexgate_cli.failures import CommandError, InputError

GIT_SECONDS = 60
"""How long one call of git may take."""

_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "LC_ALL": "C"}
"""Nothing is locked, asked for or fetched: what a repository names as a remote may be a program (gitremote-helpers(7)). No protocol is
called `none`, and a git older than 2.45 knows no other way to forbid it."""

_REGULAR = ("100644", "100755")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a tree: `size` in bytes, None for what is no blob."""

    mode: str
    digest: str
    size: int | None


def split_revision(text: str) -> tuple[str, str] | None:
    """`REVISION:PATH` as its two parts; None for what has no colon outside of braces (gitrevisions(7))."""
    depth = 0
    for position, character in enumerate(text):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
        elif character == ":" and depth <= 0:
            return text[:position], text[position + 1 :]
    return None


def read_revision(revision: str, path: str) -> dict[str, bytes]:
    """The contents of a policy set's files at a revision, by their path in the repository: of a directory, or of a file as
    `hexgate.policy.load.read_files` reads it. Raises CommandError."""
    shown = f"{revision}:{path}"
    commit = _resolve(revision, shown)
    inside = _within_repository(path, shown)
    entries = _list(commit, inside)
    if inside and not entries:
        file = PurePosixPath(inside)
        beside = _list(commit, "" if str(file.parent) == "." else str(file.parent))
        if file.name not in beside:
            raise InputError(f"there is no file or directory `{shown}`", help="`git ls-tree -r --name-only REVISION` lists what there is")
        return with_family(file, _blob(beside[file.name], file), lambda other: _blob(beside[other.name], other) if other.name in beside else None)
    found = {PurePosixPath(inside) / name: entry for name, entry in entries.items() if is_policy_file(PurePosixPath(name))}
    if not found:
        raise InputError(f"there is no policy file in `{shown}`", help="policy files end in `.yaml`")
    if len(found) > FILES:
        raise CommandError(f"`{shown}` has more than {FILES} policy files", help="split the set")
    return {str(file): _blob(entry, file) for file, entry in sorted(found.items())}


def _resolve(revision: str, shown: str) -> str:
    """The digest of a revision's commit."""
    if not revision or revision.startswith("-") or any(ord(character) < 32 for character in revision):
        raise InputError(f"`{shown}` names no revision", help="write `REVISION:PATH`, as in `HEAD~1:policies`")
    answer = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", missing=f"git knows no revision `{revision}` here")
    digest = answer.decode("ascii", "replace").strip()
    if _DIGEST.fullmatch(digest) is None:
        raise InputError(f"git knows no revision `{revision}` here", help="`git log --oneline` lists revisions")
    return digest


def _within_repository(path: str, shown: str) -> str:
    """A path from the repository's root, without `.` and `..`; one that begins with them is meant from the current directory."""
    if "\0" in path:
        raise InputError(f"`{shown}` is no path")
    if path.startswith(("./", "../")) or path in (".", ".."):
        prefix = _git("rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").removesuffix("\n")
        path = posixpath.join(prefix, path)
    normal = posixpath.normpath(path) if path else ""
    if normal.startswith(("/", "..")):
        raise InputError(f"`{shown}` is outside the repository", help="write the path from the repository's root")
    return "" if normal == "." else normal


def _list(commit: str, directory: str) -> dict[str, _Entry]:
    """The entries of a directory by name; empty where there is none. `directory` follows a digest and a colon: it is no option."""
    listed = _git("ls-tree", "-z", "-l", "--full-tree", f"{commit}:{directory}", optional=True)
    entries: dict[str, _Entry] = {}
    for line in listed.split(b"\0")[:-1]:
        facts, _, name = line.partition(b"\t")
        mode, _, digest, size = facts.decode("ascii").split()
        # Git writes `BAD` for the size of an object that it does not have.
        entries[name.decode("utf-8", "surrogateescape")] = _Entry(mode, digest, int(size) if size.isdecimal() else None)
    return entries


def _blob(entry: _Entry, file: PurePosixPath | object) -> bytes:
    if entry.mode in _REGULAR and entry.size is None:
        raise CommandError(f"the repository does not have the content of `{file}` in that revision", help="a partial clone lacks some: `git fetch --refetch`")
    if entry.mode not in _REGULAR or entry.size is None:
        raise CommandError(f"`{file}` is not a file in that revision", help="links, directories and submodules are not followed")
    if entry.size > FILE_BYTES:
        raise CommandError(f"`{file}` is longer than {FILE_BYTES} bytes in that revision", help="split the policy")
    return _git("cat-file", "blob", entry.digest)


def _git(*arguments: str, optional: bool = False, missing: str = "") -> bytes:
    """What git writes. `optional`: nothing where it fails. Raises CommandError; InputError with `missing` where that is given."""
    environment = {**os.environ, **_ENVIRONMENT}
    try:
        done = subprocess.run(
            ["git", "--no-pager", "--no-replace-objects", *map(os.fsencode, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=GIT_SECONDS, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise CommandError("there is no `git` to read a revision with", help="install git, or name directories") from None
    except subprocess.TimeoutExpired:
        raise CommandError(f"git did not answer within {GIT_SECONDS} seconds") from None
    except (OSError, ValueError) as error:
        raise CommandError(f"git cannot be run: {error}") from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if any("not a git repository" in line for line in said):
        raise InputError("this is no git repository, and a revision was named", help="run it inside of the repository, or name directories")
    if any("dubious ownership" in line for line in said):
        raise CommandError("git does not read this repository, which belongs to another user", help="`git config --global --add safe.directory DIRECTORY` says that you trust it")
    if missing:
        raise InputError(missing, help="`git log --oneline` lists revisions; a shallow clone does not have them all")
    if optional:
        return b""
    raise CommandError(f"git failed: {said[0].removeprefix('fatal: ') if said else 'it does not say why'}")
