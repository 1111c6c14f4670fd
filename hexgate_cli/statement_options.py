"""What a publisher says of a bundle when it is made: options of `sign` and of `compile --bundle`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Annotated, TypeAlias

import typer

from hexgate.audit.masking import Masking
from hexgate.bundle.keys import KeyRefusedError
from hexgate.bundle.refusal import BundleRefusedError
from hexgate.bundle.sign import candidate
from hexgate.bundle.statement import (
    VERSION_MAX,
    AuditSettings,
    IdentitySettings,
    read_audit_settings,
    read_identity_settings,
)
from hexgate.bundle.strict_members import MemberError, format_time
from hexgate.bundle.trust_root import NAME, SUFFIX
from hexgate.decision.mask_paths import Masked, MaskPathError
from hexgate.strict_json import StrictJsonError, parse_json
from hexgate_cli.bundle_contents import Contents
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import instant_or_now, parse_instant, read_bytes

EXPIRES = "90d"
"""How long a bundle is valid where nobody says."""

_SECOND = 10**9
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhdw])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LAST_SECOND = 253_402_300_799  # of the year 9999


class AuditMode(StrEnum):
    """When a decision counts as recorded."""

    WRITTEN = "written"
    DURABLE = "durable"


Name: TypeAlias = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="The bundle's name; else the output's without `.hexgate`.")
]
Version: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--version", metavar="N", min=1, max=VERSION_MAX, help="Higher than of any before; else the time of issue in seconds."
    ),
]
Expires: TypeAlias = Annotated[
    str | None,
    typer.Option("--expires", metavar="WHEN", help=f"After `12h`, `30d`, `8w`, or at a day or RFC 3339 time; else {EXPIRES}."),
]
AuditModeOption: TypeAlias = Annotated[
    AuditMode | None, typer.Option("--audit-mode", help="Decisions are recorded: written, or also synced to disk.")
]
Settings: TypeAlias = Annotated[
    str | None,
    typer.Option("--settings", metavar="FILE", help="JSON with the members `audit` and `identity` of the statement."),
]
Sources: TypeAlias = Annotated[
    bool, typer.Option("--sources/--no-sources", help="Put the policies into the bundle too, for `explain` and reviewers.")
]
Issued: TypeAlias = Annotated[
    str | None,
    typer.Option("--issued", metavar="INSTANT", help="The time of issue; else SOURCE_DATE_EPOCH, or the clock's."),
]


@dataclass(frozen=True, slots=True)
class StatementOptions:
    """What was said on the command line; the defaults where nothing was."""

    name: str | None = None
    version: int | None = None
    expires: str | None = None
    audit_mode: AuditMode | None = None
    settings: str | None = None
    sources: bool = True
    issued: str | None = None

    @property
    def given(self) -> bool:
        return self != StatementOptions()


def make_candidate(contents: Contents, options: StatementOptions, output: str) -> bytes:
    """The unsigned bundle of contents. Raises InputError for what cannot be said of it."""
    issued_at = instant_or_now(options.issued or os.environ.get("SOURCE_DATE_EPOCH")) // _SECOND
    if not 1 <= issued_at <= _LAST_SECOND:
        raise InputError("a bundle is issued after 1970", help="give another `--issued`, or set SOURCE_DATE_EPOCH or the clock")
    audit, identity = _read_settings(options.settings)
    mode = audit.mode if options.audit_mode is None else options.audit_mode.value
    name = _name(options.name, output)
    not_after = parse_expiry(options.expires or EXPIRES, issued_at)
    try:
        return candidate(
            contents.wasm,
            contents.table_json,
            name=name,
            version=options.version or issued_at,
            issued_at=issued_at,
            not_after=not_after,
            sources=contents.sources,
            vectors=contents.vectors,
            publish_sources=options.sources,
            audit=AuditSettings(
                mode, _joined(contents, Masked.MASK, audit.mask), _joined(contents, Masked.HASH, audit.hash)
            ),
            identity=identity,
            tool_schemas=contents.tool_schemas,
        )
    except BundleRefusedError as error:
        raise InputError(f"this makes no bundle: {error.detail}") from None


def parse_expiry(text: str, issued_at: int) -> int:
    """Seconds since the epoch of an expiry: a duration after the issue, a day (its start in UTC), or an instant. Raises InputError."""
    duration = _DURATION.fullmatch(text)
    if duration is not None:
        expiry = issued_at + int(duration[1]) * _UNITS[duration[2]]
    else:
        expiry = parse_instant(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text) // _SECOND
    if expiry > _LAST_SECOND:
        raise InputError(f"`--expires {text}` is after the year 9999", help="give a time that will be lived to see")
    if expiry <= issued_at:
        raise InputError(
            f"`--expires {text}` is not after the time of issue, {format_time(issued_at)}", help="give a later time, or a duration such as `30d`"
        )
    return expiry


def _name(name: str | None, output: str) -> str:
    last = PurePath(output).name
    if not last.endswith(SUFFIX):
        raise InputError(f"`{output}` is no name of a bundle", help=f"a bundle's file is named NAME{SUFFIX}")
    chosen = last.removesuffix(SUFFIX) if name is None else name
    if not NAME.fullmatch(chosen):
        raise InputError(
            f"`{chosen}` is no bundle's name",
            help="a name has at most 64 of lower-case letters, digits, `.`, `_` and `-`, and begins with a letter or digit",
        )
    return chosen


def _joined(contents: Contents, masked: Masked, more: tuple[str, ...]) -> tuple[str, ...]:
    """The paths of the policies and of the settings, each once."""
    return tuple(sorted({*(str(path) for path in contents.masks if path.masked is masked), *more}))


def _read_settings(file: str | None) -> tuple[AuditSettings, IdentitySettings]:
    """The settings of a file."""
    audit, identity = AuditSettings(), IdentitySettings()
    if file is not None:
        help_ = 'for example `{"audit": {"mode": "written", "mask": [], "hash": []}}`; docs/bundle.md B3 has every member'
        try:
            document = parse_json(read_bytes(file))
            if not isinstance(document, dict) or not set(document) <= {"audit", "identity"}:
                raise MemberError("it is not an object with `audit` or `identity` or both")
            if "audit" in document:
                audit = read_audit_settings(document["audit"])
                Masking.parse(audit.mask, audit.hash)
            if "identity" in document:
                identity = read_identity_settings(document["identity"])
        except (StrictJsonError, MemberError, KeyRefusedError, MaskPathError) as error:
            raise InputError(f"`{file}` has no settings of a bundle: {error}", help=help_) from None
    return audit, identity
