"""`hexgate mcp-proxy`: the gate in front of any Model Context Protocol server."""

from __future__ import annotations

import io
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hexgate.adapters.guard import Guard
from hexgate.adapters.pauses import PausesInMemory
from hexgate.mcp_proxy.child_process import ChildProcess
from hexgate.mcp_proxy.conversation import Conversation
from hexgate.mcp_proxy.judge import GateJudge
from hexgate.mcp_proxy.own_streams import OwnStreams
from hexgate.mcp_proxy.relay import Ending, Relay
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.gate_inputs import caller_of, opened_gate
from hexgate_cli.inputs import describe_os_error, open_standard_input, parse_json_object
from hexgate_cli.options import Trust
from hexgate_cli.server_inputs import headers_of, url_in
from hexgate_cli.terminal import escape_text

if TYPE_CHECKING:
    from hexgate.mcp_proxy.http_upstream import HttpUpstream

_LOG = logging.getLogger("hexgate")
_SEE_ERRORS = "look at what the server writes to standard error"


def command(
    server: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- COMMAND...", help="The server: a program and its arguments, or a URL.", show_default=False),
    ] = None,
    role: Annotated[str | None, typer.Option("--role", metavar="ROLE", help="The caller's role; of a token, the one to narrow it to.")] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="ID", help="The caller's id; else the login name.")] = None,
    token: Annotated[str | None, typer.Option("--token", metavar="FILE", help="A file with the caller's token, in place of --role.")] = None,
    attrs: Annotated[str | None, typer.Option("--attrs", metavar="JSON", help="The caller's attributes.")] = None,
    ctx: Annotated[str, typer.Option("--ctx", metavar="JSON", help="What constraints read as `ctx`.")] = "{}",
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="PATH", help="Unsigned policies or a bundle; else what HEXGATE_KEY names.")
    ] = None,
    trust: Trust = None,
    log: Annotated[str | None, typer.Option("--log", metavar="DIR", help="Where decisions are recorded; else `audit` in the state directory.")] = None,
    header: Annotated[
        list[str] | None, typer.Option("--header", metavar="NAME=VARIABLE", help="A header for a URL, its value in an environment variable.")
    ] = None,
    approvals: Annotated[bool, typer.Option("--approvals", help="Ask for approvals of held calls in the store of the state directory.")] = False,
) -> ExitCode:
    """The client speaks to this command over standard input and output, and it to the server. The server's tools, resources and prompts are
    listed as far as the caller may use them, each use is decided and recorded, and all else passes as it is. A refused call is a tool's
    error, and the conversation goes on. What the server writes to standard error passes too.
    """
    if not server:
        raise InputError("no server is named", help="write its command or URL after `--`: `hexgate mcp-proxy --role ROLE -- COMMAND ARGS`")
    url = url_in(server)
    headers = headers_of(header, url)
    if "-" in (token, attrs, ctx):
        raise InputError("standard input is the client's", help="put what an option reads in a file: `@FILE`, and for --token FILE")
    caller = caller_of(role, user, attrs, token)
    context = parse_json_object("--ctx", ctx)
    with opened_gate(policy, trust, log, caller, approvals=approvals) as gate:
        client = _own_streams()
        judge = GateJudge(Guard(gate, pauses=PausesInMemory()), caller, ctx=context)
        return _relay(Conversation(judge), client, server, url, headers)


def _relay(conversation: Conversation, client: OwnStreams, server: Sequence[str], url: str | None, headers: Mapping[str, str]) -> ExitCode:
    opened: ChildProcess | HttpUpstream = _start(server) if url is None else _connect(url, headers)
    relay = Relay(conversation, client, opened, _note)
    with _stopped_by_signals(relay):
        ending = relay.run()
    match ending:
        case Ending.CLIENT_CLOSED:
            return ExitCode.OK
        case Ending.CLIENT_GONE:
            return ExitCode.BROKEN_PIPE
        case Ending.STOPPED:
            return ExitCode.INTERRUPTED
        case Ending.SERVER_STALLED:
            raise CommandError(f"{ending.value}: it was ended", help=_SEE_ERRORS)
        case Ending.FAILED:
            raise CommandError(f"{ending.value}: this is a fault of Hexgate", help="please report it with what stands above")
        case Ending.SERVER_ENDED if opened.status == 0 and not relay.unanswered:
            return ExitCode.OK
    if url is not None:
        raise CommandError("the connection to the server is lost", help="look whether the server is there")
    raise CommandError(f"the server {_describe(opened.status)}", help=_SEE_ERRORS)


def _connect(url: str, headers: Mapping[str, str]) -> HttpUpstream:
    try:
        from hexgate.mcp_proxy.http_upstream import HttpUpstream  # slow to load, and an extra
    except ImportError:
        raise CommandError("the package `mcp` is not installed, which speaks HTTP", help="`pip install 'hexgate[mcp]'`") from None
    # Its warnings quote messages.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    try:
        return HttpUpstream(url, headers)
    except ValueError as error:
        raise InputError(str(error), help="write `https://HOST/PATH`, with escapes for what is no ASCII") from None
    except OSError as error:
        sentence = f"the certificates to trust cannot be read: {describe_os_error(error)}"
        raise CommandError(sentence, help="look at what SSL_CERT_FILE and SSL_CERT_DIR name") from None


def _start(server: Sequence[str]) -> ChildProcess:
    try:
        return ChildProcess(server)
    except FileNotFoundError:
        raise InputError(f"there is no program `{server[0]}`", help="write the server's command after `--`, as in a shell") from None
    except (OSError, ValueError) as error:
        detail = describe_os_error(error) if isinstance(error, OSError) else str(error)
        raise CommandError(f"cannot start `{server[0]}`: {detail}") from None


def _own_streams() -> OwnStreams:
    try:
        return OwnStreams(open_standard_input().fileno(), sys.stdout.fileno())
    except (io.UnsupportedOperation, ValueError):
        raise InputError("standard input and output are no streams", help="let the client start this command") from None


@contextmanager
def _stopped_by_signals(relay: Relay) -> Iterator[None]:
    """Whoever ends this process ends the server in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        relay.stop()

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before: list[Any] = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _note(sentence: str) -> None:
    _LOG.warning("%s", escape_text(sentence))


def _describe(status: int | None) -> str:
    if status is None:
        return "has closed its output and does not end"
    return f"has ended with exit status {status}" if status >= 0 else f"was ended by signal {-status}"
