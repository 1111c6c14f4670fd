"""`hexgate compile`: a policy set as a WebAssembly module, as a text on the way to it, or as a bundle to be signed."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from hexgate.bundle.trust_root import SUFFIX
from hexgate.compiler.compile import CompiledPolicy, compile_policy
from hexgate.compiler.program import format_program
from hexgate.decision.policy_table import write_table
from hexgate_cli.bundle_contents import contents_of_policies, name_files_within_set
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.options import PolicyPath, ToolSchemas
from hexgate_cli.output import write_file
from hexgate_cli.policies import require_policy
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


class Emit(StrEnum):
    """What is written."""

    WASM = "wasm"
    WAT = "wat"
    PROGRAM = "program"
    TABLE = "table"


def command(
    path: PolicyPath,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; texts go to standard output without it."),
    ] = None,
    emit: Annotated[
        Emit, typer.Option("--emit", help="The module, its text form, the program before it, or the policy table beside it.")
    ] = Emit.WASM,
    bundle: Annotated[bool, typer.Option("--bundle", help="Write a bundle for `hexgate sign`: NAME.hexgate.")] = False,
    name: Name = None,
    version: Version = None,
    expires: Expires = None,
    audit_mode: AuditModeOption = None,
    settings: Settings = None,
    sources: Sources = True,
    issued: Issued = None,
    tools: ToolSchemas = None,
) -> ExitCode:
    """The same sources give the same bytes on any machine. The module alone is not signed: whoever can
    write the file decides what it allows. With --bundle it is ready to be signed, and until then no runtime accepts it.
    """
    options = StatementOptions(name, version, expires, audit_mode, settings, sources, issued)
    if bundle:
        return _write_bundle(path, tools, options, output)
    if options.given:
        raise InputError("what is said of a bundle goes with --bundle", help="add `--bundle`, or leave it out")
    if output is None and emit is Emit.WASM:
        raise InputError("a module is not text", help="name a file: `-o policy.wasm`, or ask for `--emit wat`")
    compiled = compile_policy(require_policy(path, tools))
    data = _content(compiled, emit)
    if output is None or output == "-":
        sys.stdout.flush()
        if emit is Emit.WASM:
            sys.stdout.buffer.write(data)
        else:
            sys.stdout.write(data.decode())
        return ExitCode.OK
    write_file(output, data)
    sys.stdout.write(f"wrote {escape_text(output)}, {len(data):,} bytes\n")
    return ExitCode.OK


def _write_bundle(path: str, tools: str | None, options: StatementOptions, output: str | None) -> ExitCode:
    if output is None:
        raise InputError("there is no name for the bundle", help=f"name a file: `-o policy{SUFFIX}`")
    data = make_candidate(contents_of_policies(path, tools), options, output)
    write_file(output, data)
    sys.stdout.write(f"wrote {escape_text(output)}, {len(data):,} bytes; no runtime accepts it before it is signed\n")
    return ExitCode.OK


def _content(compiled: CompiledPolicy, emit: Emit) -> bytes:
    match emit:
        case Emit.WASM:
            return compiled.wasm
        case Emit.WAT:
            return (compiled.wat.rstrip("\n") + "\n").encode()
        case Emit.PROGRAM:
            return (format_program(compiled.program).rstrip("\n") + "\n").encode()
        case Emit.TABLE:
            return write_table(name_files_within_set(compiled.table))
