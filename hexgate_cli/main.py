"""The `hexgate` command: which subcommands there are, and how every failure is told.

A subcommand's module is imported when it is run: `hexgate --help` loads no parser, no engine, no renderer.
"""

from __future__ import annotations

import importlib
import inspect
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple, TextIO

import typer
from typer.core import TyperGroup

from hexgate import __version__
from hexgate_cli.exit_codes import ExitCode, format_exit_codes
from hexgate_cli.failure_report import report_failure
from hexgate_cli.failures import CommandError, help_for_unknown

_ALWAYS = (ExitCode.OK, ExitCode.FAILURE, ExitCode.USAGE)
_DECIDING = (*_ALWAYS, ExitCode.DENIED, ExitCode.APPROVAL_REQUIRED, ExitCode.POLICY_INVALID, ExitCode.UNTRUSTED)
_SIGNING = (*_ALWAYS, ExitCode.POLICY_INVALID, ExitCode.UNTRUSTED)
_READING = (*_ALWAYS, ExitCode.POLICY_INVALID)


class Subcommand(NamedTuple):
    """A subcommand: the module of `hexgate_cli.commands` whose `command` it is, its line of `--help`, its exit codes."""

    module: str
    summary: str
    exit_codes: tuple[ExitCode, ...]
    members: Mapping[str, Subcommand] | None = None
    """Of a group: its own subcommands. Then the module is none."""


AUDIT_SUBCOMMANDS: dict[str, Subcommand] = {
    "tail": Subcommand("audit_tail", "Follow an audit log as it grows.", _ALWAYS),
    "show": Subcommand("audit_show", "Show one recorded decision, and prove that it is in the log.", _ALWAYS),
    "stats": Subcommand("audit_stats", "Count verdicts, denials by constraint, and latencies.", _ALWAYS),
    "verify": Subcommand("audit_verify", "Find what was edited, deleted, moved or cut off.", _ALWAYS),
    "export": Subcommand("audit_export", "Write events as CSV, OCSF or CloudEvents.", _ALWAYS),
    "replay": Subcommand("audit_replay", "Decide every recorded call again under another policy.", _READING),
}


TOKEN_SUBCOMMANDS: dict[str, Subcommand] = {
    "keygen": Subcommand("token_keygen", "Make a root key, which signs tokens.", _ALWAYS),
    "mint": Subcommand("token_mint", "Make a token: who its bearer is.", _ALWAYS),
    "attenuate": Subcommand("token_attenuate", "Narrow a token to tools, bounds and a time.", (*_ALWAYS, ExitCode.UNTRUSTED)),
    "inspect": Subcommand("token_inspect", "Show what a token says, and what it restricts.", (*_ALWAYS, ExitCode.UNTRUSTED)),
    "verify": Subcommand("token_verify", "Check a token as a runtime does.", (*_ALWAYS, ExitCode.DENIED, ExitCode.UNTRUSTED)),
}


APPROVAL_SUBCOMMANDS: dict[str, Subcommand] = {
    "list": Subcommand("approvals_list", "List requests for approval.", _ALWAYS),
    "show": Subcommand("approvals_show", "Show a request: the call, its arguments, who may decide.", _ALWAYS),
    "approve": Subcommand("approvals_approve", "Let one call run once.", (*_ALWAYS, ExitCode.UNTRUSTED)),
    "deny": Subcommand("approvals_deny", "Say no to one call.", (*_ALWAYS, ExitCode.UNTRUSTED)),
    "expire": Subcommand("approvals_expire", "Record the end of overdue requests.", _ALWAYS),
}


SUBCOMMANDS: dict[str, Subcommand] = {
    "init": Subcommand("init", "Write a starter policy set that passes its own check.", _ALWAYS),
    "check": Subcommand("check", "Find what is wrong with policies.", _READING),
    "fmt": Subcommand("fmt", "Rewrite constraints in their canonical form.", _READING),
    "explain": Subcommand("explain", "Show what a role may do, and which file says so.", _SIGNING),
    "decide": Subcommand("decide", "Decide one tool call, and show why.", _DECIDING),
    "replay": Subcommand("replay", "Decide recorded tool calls, and count.", _SIGNING),
    "diff": Subcommand("diff", "Show what a change of policies lets through or denies.", _SIGNING),
    "test": Subcommand("test", "Run the tests beside the policies.", _READING),
    "test-parity": Subcommand("test_parity", "Prove on a policy that all engines decide alike.", _READING),
    "eval": Subcommand("eval", "Evaluate expressions.", _READING),
    "audit": Subcommand("", "Read, verify and replay audit logs.", _READING, AUDIT_SUBCOMMANDS),
    "token": Subcommand(
        "", "Make, narrow and check tokens that say who calls.", (*_ALWAYS, ExitCode.DENIED, ExitCode.UNTRUSTED), TOKEN_SUBCOMMANDS
    ),
    "approvals": Subcommand("", "Decide on calls that wait for an approval.", (*_ALWAYS, ExitCode.UNTRUSTED), APPROVAL_SUBCOMMANDS),
    "coverage": Subcommand("coverage", "Show which tools an agent reaches, and how each is gated.", _SIGNING),
    "mcp-proxy": Subcommand("mcp_proxy", "Put the gate in front of an MCP server.", (*_SIGNING, ExitCode.INTERRUPTED, ExitCode.BROKEN_PIPE)),
    "compile": Subcommand("compile", "Compile a policy set to a WebAssembly module.", _READING),
    "keygen": Subcommand("keygen", "Make a key to sign with.", _ALWAYS),
    "key": Subcommand("key", "Show the public side of keys: the HEXGATE_KEY line.", _ALWAYS),
    "sign": Subcommand("sign", "Sign policies: a bundle that runtimes trust.", _SIGNING),
    "verify": Subcommand("verify", "Check a bundle as a runtime does, and say what was checked.", _SIGNING),
    "inspect": Subcommand("inspect", "Show what is in a bundle, without running it.", (*_ALWAYS, ExitCode.UNTRUSTED)),
}
"""Every subcommand, in the order of `--help`."""


class SubcommandGroup(TyperGroup):
    """Finds subcommands in its table and imports each when it is asked for."""

    subcommands: ClassVar[Mapping[str, Subcommand]] = SUBCOMMANDS

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.subcommands)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        subcommand = self.subcommands.get(cmd_name)
        if subcommand is None:
            raise CommandError(
                f"there is no command `{cmd_name}`",
                help=help_for_unknown(cmd_name, self.subcommands, "command"),
                code=ExitCode.USAGE,
            )
        return load_command(cmd_name, subcommand)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, subcommand.summary) for name, subcommand in self.subcommands.items()])


def load_command(name: str, subcommand: Subcommand) -> Any:
    """The command-line parser of a subcommand, from its module's function `command`; or of a group of subcommands."""
    if subcommand.members is not None:
        return _load_group(name, subcommand, subcommand.members)
    function: Callable[..., ExitCode] = importlib.import_module(
        f"hexgate_cli.commands.{subcommand.module}"
    ).command
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(
        name,
        help=f"{subcommand.summary}\n\n{inspect.getdoc(function)}",
        epilog=format_exit_codes(subcommand.exit_codes),
        context_settings=_CONTEXT,
    )(function)
    command = typer.main.get_command(single)
    command.name = name
    return command


def _load_group(name: str, subcommand: Subcommand, members: Mapping[str, Subcommand]) -> Any:
    group = typer.Typer(
        name=name,
        cls=type("Group", (SubcommandGroup,), {"subcommands": members}),
        add_completion=False,
        rich_markup_mode=None,
        context_settings=_CONTEXT,
        epilog=format_exit_codes(subcommand.exit_codes),
    )
    group.callback(help=subcommand.summary)(lambda: None)
    return typer.main.get_command(group)


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    name="hexgate",
    cls=SubcommandGroup,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=_CONTEXT,
    epilog=format_exit_codes(ExitCode),
)


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"hexgate {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Typed, deny-by-default decisions on the tool calls of AI agents."""


USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""What the command-line parser raises for a wrong command line: the parent of its one public error class."""


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run the command on its arguments and return the exit status. Every failure that a user can cause ends here, as a
    sentence on standard error."""
    _prepare_streams()
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout)
        return ExitCode.BROKEN_PIPE
    except OSError as error:
        _silence(sys.stdout)
        reason = (error.strerror or "unknown reason").lower()
        return report_failure(CommandError(f"the output cannot be written: {reason}"))
    return code


def _prepare_streams() -> None:
    """Streams that take any text: characters that the encoding lacks are escaped, what is closed goes nowhere."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _dispatch(arguments: Sequence[str] | None) -> int:
    try:
        command = typer.main.get_command(app)
        result = command.main(
            args=None if arguments is None else list(arguments), prog_name="hexgate", standalone_mode=False
        )
    except CommandError as error:
        return report_failure(error)
    except USAGE_ERROR as error:
        return report_failure(_usage_failure(error))
    except KeyboardInterrupt:
        result = ExitCode.INTERRUPTED
    except SystemExit as exit_:
        # The parser ends the process itself when a pipe breaks.
        raise BrokenPipeError from exit_
    if result == ExitCode.INTERRUPTED:
        return report_failure(CommandError("interrupted", code=ExitCode.INTERRUPTED))
    return int(result or 0)


def _usage_failure(error: Exception) -> CommandError:
    """The parser's finding in our words. Its classes are told apart by what they carry."""
    context = getattr(error, "ctx", None)
    way = f"`{context.command_path if context is not None else 'hexgate'} --help` shows how"
    message = str(getattr(error, "message", error))
    parameter = getattr(error, "param", None)
    option = getattr(error, "option_name", None)
    if parameter is not None:
        kind = parameter.param_type_name
        name = parameter.opts[0] if kind == "option" else (parameter.metavar or parameter.name)
        if not message:
            return CommandError(f"missing {kind} `{name}`", help=way, code=ExitCode.USAGE)
        detail = message.removeprefix("Value error, ").replace("'", "`").rstrip(".")
        return CommandError(f"invalid value for `{name}`: {detail}", help=way, code=ExitCode.USAGE)
    if option is not None and hasattr(error, "possibilities"):
        if error.possibilities:
            way = f"did you mean `{sorted(error.possibilities)[0]}`?"
        elif context is not None and context.info_name == "eval":
            way = "an expression that begins with `-` follows `--`: `hexgate eval -- '-1 < 0'`"
        return CommandError(f"there is no option `{option}`", help=way, code=ExitCode.USAGE)
    sentence = message.replace("'", "`").rstrip(".")
    return CommandError(sentence[:1].lower() + sentence[1:], help=way, code=ExitCode.USAGE)


def _silence(stream: TextIO) -> None:
    """Send the rest of a stream nowhere: the interpreter flushes it once more at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, stream.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(null)


def run() -> None:
    """The console script."""
    sys.exit(run_command())
