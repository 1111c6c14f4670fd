"""What `hexgate diff` compares: policies on disk, policies at a git revision, or bundles, each as a side with its engines."""

from __future__ import annotations

import time
from dataclasses import dataclass

from hexgate.decision.policy_table import read_table
from hexgate.diagnostics import PolicyInvalidError
from hexgate.difference.side import Side, names_in_policy, names_in_table
from hexgate.policy.checked import CheckedPolicy
from hexgate.policy.tool_schemas import parse_tool_schemas
from hexgate_cli.engines import open_engines
from hexgate_cli.failures import InputError
from hexgate_cli.git_revisions import read_revision, split_revision
from hexgate_cli.inputs import BUNDLE_SUFFIX, is_bundle, is_there, read_bytes, refuse_trust_in_policies
from hexgate_cli.options import Engine
from hexgate_cli.policies import Inspection, inspect_files, require_policy, require_valid
from hexgate_cli.source_text import SourceText


@dataclass(frozen=True, slots=True)
class OpenedSide:
    """A side with the name that the user gave it, and the lines of its files. `on_disk`: places of it name files that are there."""

    name: str
    side: Side
    sources: SourceText
    on_disk: bool


def open_sides(old: str, new: str, trust: str | None, tools: str | None) -> tuple[OpenedSide, OpenedSide]:
    """Both sides. Raises CommandError."""
    if not (is_bundle(old) or is_bundle(new)):
        refuse_trust_in_policies(trust)
    opened = _open(old, trust, tools), _open(new, trust, tools)
    if all(side.side.policy is None for side in opened):
        raise InputError(
            "neither bundle has policies in it that could say what to try", help="compare with the policies, or sign with them: leave out `--no-sources`"
        )
    return opened


def _open(path: str, trust: str | None, tools: str | None) -> OpenedSide:
    parts = None if is_there(path) else split_revision(path)
    if parts is not None:
        if path.endswith(BUNDLE_SUFFIX):
            raise InputError(f"`{path}` is a bundle at a revision", help="bundles are read from files: write it to one with `git show`")
        return _open_revision(path, parts, tools)
    if is_bundle(path):
        return _open_bundle(path, trust, tools)
    policy = require_policy(path, tools)
    return OpenedSide(path, _side_of(policy), SourceText(), True)


def _side_of(policy: CheckedPolicy) -> Side:
    return Side(policy, open_engines(policy, Engine.BOTH), names_in_policy(policy), is_compiled_here=True)


def _open_revision(path: str, parts: tuple[str, str], tools: str | None) -> OpenedSide:
    files = read_revision(*parts)
    sources = SourceText({name: data.decode("utf-8-sig", "replace") for name, data in files.items()}, on_disk=False)
    try:
        schemas = None if tools is None else parse_tool_schemas(tools, read_bytes(tools))
        inspection = inspect_files(files, schemas)
    except PolicyInvalidError as error:
        inspection = Inspection(None, error.diagnostics)
    return OpenedSide(path, _side_of(require_valid(path, inspection, sources)), sources, False)


def _open_bundle(path: str, trust: str | None, tools: str | None) -> OpenedSide:
    from hexgate_cli.bundle_files import require_bundle  # policies alone need no keys and no signatures
    from hexgate_cli.bundled_policy import open_bundle

    subject = open_bundle(path, trust, Engine.BOTH, tools)
    if "interpreter" in subject.engines:
        return OpenedSide(path, Side(subject.policy, subject.engines, names_in_policy(subject.policy)), subject.sources, False)
    table = read_table(require_bundle(path, trust, time.time_ns()).table_json)
    return OpenedSide(path, Side(None, subject.engines, names_in_table(table.roles, table.rules)), subject.sources, False)
