"""`hexgate sign`: policies, or what was compiled from them, as a signed bundle."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate.bundle.envelope import read_bundle
from hexgate.bundle.keys import SigningKey
from hexgate.bundle.sign import SigningError, sign_bundle
from hexgate.bundle.statement import read_statement
from hexgate.bundle.strict_members import format_time
from hexgate.bundle.trust_root import SUFFIX, TrustRoot
from hexgate.bundle.verify import VerifiedBundle, verify
from hexgate.runtime.bundle_engine import load
from hexgate_cli.bundle_contents import contents_of_module, contents_of_policies
from hexgate_cli.bundle_files import read_bundle_file, refusals_reported
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import is_bundle
from hexgate_cli.options import ToolSchemas
from hexgate_cli.output import write_file
from hexgate_cli.signing_keys import read_signing_keys
from hexgate_cli.statement_options import (
    AuditModeOption,
    Expires,
    Issued,
    Name,
    Settings,
    Sources,
    StatementOptions,
    Version,
    make_candidate,
)
from hexgate_cli.terminal import escape_text


def command(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="Policies, a compiled module (`.wasm`), or a bundle (`.hexgate`).", show_default=False
        ),
    ],
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="FILE", help="A private key in PEM, `-` for standard input; more than one is possible."),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write: NAME.hexgate.", show_default=False)
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="Add a signature to a bundle that has some.")] = False,
    name: Name = None,
    version: Version = None,
    expires: Expires = None,
    audit_mode: AuditModeOption = None,
    settings: Settings = None,
    sources: Sources = True,
    issued: Issued = None,
    table: Annotated[
        str | None, typer.Option("--table", metavar="FILE", help="The policy table of a module (`compile --emit table`).")
    ] = None,
    tools: ToolSchemas = None,
) -> ExitCode:
    """Without --key, the environment variable HEXGATE_SIGNING_KEY has the private key. The passphrase of an encrypted key is in
    HEXGATE_SIGNING_PASSPHRASE, or is asked for. Before anything is written, the bundle is verified and loaded as a runtime
    does it. A bundle from `compile --bundle` is signed as it is. The same input gives the same bytes on any machine.
    """
    options = StatementOptions(name, version, expires, audit_mode, settings, sources, issued)
    if is_bundle(path):
        if options.given or tools is not None or table is not None:
            raise InputError("a bundle is signed as it is", help="leave out what would change it, or sign the policies again")
        unsigned = _read_unsigned(path, add)
        target = output or path
    else:
        if add:
            raise InputError("--add takes a bundle", help=f"name a file that ends in `{SUFFIX}`")
        if output is None:
            raise InputError("there is no name for the bundle", help=f"name a file: `-o policy{SUFFIX}`")
        target = output
        unsigned = _make(path, table, tools, options, target)
    keys = read_signing_keys(key or ())
    signed = _sign(path, unsigned, keys)
    with refusals_reported(path):
        verified = _verify_as_runtimes_do(signed, keys)
    write_file(target, signed)
    sys.stdout.write(_summary(target, len(signed), verified, keys))
    return ExitCode.OK


def _read_unsigned(path: str, add: bool) -> bytes:
    data = read_bundle_file(path)
    with refusals_reported(path):
        signatures = read_bundle(data).envelope.signatures
    if signatures and not add:
        raise InputError(f"`{path}` is signed already", help="pass `--add` for another signature")
    if add and not signatures:
        raise InputError(f"`{path}` has no signature yet", help="leave out `--add`")
    return data


def _make(path: str, table: str | None, tools: str | None, options: StatementOptions, target: str) -> bytes:
    if not path.endswith(".wasm"):
        if table is not None:
            raise InputError("--table belongs to a compiled module", help="policies need no table: leave it out")
        return make_candidate(contents_of_policies(path, tools), options, target)
    if table is None:
        raise InputError("a module is signed with its table", help="pass `--table FILE`; `hexgate compile --emit table` writes it")
    if tools is not None:
        raise InputError("--tools belongs to policies", help="a module was compiled with them or without: leave it out")
    return make_candidate(contents_of_module(path, table), options, target)


def _sign(path: str, unsigned: bytes, keys: list[SigningKey]) -> bytes:
    if len({key.public.raw for key in keys}) < len(keys):
        raise InputError("one key is given twice", help="name each key once")
    try:
        with refusals_reported(path):
            return sign_bundle(unsigned, keys)
    except SigningError as error:
        sentence, _, way = str(error).partition("; ")
        raise InputError(sentence, help=way) from None


def _verify_as_runtimes_do(signed: bytes, keys: list[SigningKey]) -> VerifiedBundle:
    """Nobody signs what no runtime would take; its time of issue is when it has to be valid. Raises BundleRefusedError."""
    predicate = read_statement(read_bundle(signed).envelope.payload).predicate
    trust = TrustRoot(len(keys), tuple(key.public for key in keys))
    verified = verify(signed, trust, name=predicate.name, now=predicate.issued_at, floor=None)
    load(verified)
    return verified


def _summary(target: str, size: int, verified: VerifiedBundle, keys: list[SigningKey]) -> str:
    predicate = verified.statement.predicate
    lines = [
        f"wrote {escape_text(target)}, {size:,} bytes",
        f"  name       {predicate.name}",
        f"  version    {predicate.version}",
        f"  expires    {format_time(predicate.not_after)}",
        f"  digest     {verified.digest}",
        f"  vectors    {len(predicate.vectors)}",
        f"  signed by  {', '.join(key.public.fingerprint for key in keys)}",
    ]
    return "\n".join(lines) + "\n"
