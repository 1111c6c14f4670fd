"""`hexgate compile`: a policy set as a WebAssembly module, or as a text on the way to it."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from hexgate.compiler.compile import CompiledPolicy, compile_policy
from hexgate.compiler.program import format_program
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.options import PolicyPath, ToolSchemas
from hexgate_cli.output import write_file
from hexgate_cli.policies import require_policy
from hexgate_cli.terminal import escape_text


class Emit(StrEnum):
    """What is written."""

    WASM = "wasm"
    WAT = "wat"
    PROGRAM = "program"


def command(
    path: PolicyPath,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; texts go to standard output without it."),
    ] = None,
    emit: Annotated[
        Emit, typer.Option("--emit", help="The module, its text form, or the program before it became WebAssembly.")
    ] = Emit.WASM,
    tools: ToolSchemas = None,
) -> ExitCode:
    """The same sources give the same bytes on any machine. The module alone is not signed: whoever can
    write the file decides what it allows.
    """
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


def _content(compiled: CompiledPolicy, emit: Emit) -> bytes:
    match emit:
        case Emit.WASM:
            return compiled.wasm
        case Emit.WAT:
            return (compiled.wat.rstrip("\n") + "\n").encode()
        case Emit.PROGRAM:
            return (format_program(compiled.program).rstrip("\n") + "\n").encode()
