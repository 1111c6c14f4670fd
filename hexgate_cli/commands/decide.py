"""`hexgate decide`: one tool call, decided and explained."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate.decision.decision import Decision, User, Verdict
from hexgate_cli.engines import Request, Subject, agree, decide_with, open_engines
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError
from hexgate_cli.inputs import instant_or_now, is_bundle, parse_json_object, refuse_trust_in_policies
from hexgate_cli.options import Engine, Format, FormatOption, Now, PolicyOrBundlePath, ToolSchemas, Trust
from hexgate_cli.output import format_json
from hexgate_cli.policies import require_policy
from hexgate_cli.rendering.decision_human import Call, format_decision
from hexgate_cli.rendering.decision_json import decision_to_dict
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, Screen, escape_text, screen_of

EXIT_CODES = {
    Verdict.ALLOW: ExitCode.OK,
    Verdict.DENY: ExitCode.DENIED,
    Verdict.APPROVAL_REQUIRED: ExitCode.APPROVAL_REQUIRED,
}


def command(
    path: PolicyOrBundlePath,
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="The user's role.", show_default=False)],
    tool: Annotated[str, typer.Option("--tool", metavar="TOOL", help="The tool that is called.", show_default=False)],
    args: Annotated[
        str, typer.Option("--args", metavar="JSON", help="The tool's arguments: JSON, @FILE, or - for standard input.")
    ] = "{}",
    user: Annotated[str, typer.Option("--user", metavar="ID", help="The user's id.")] = "user",
    attrs: Annotated[str, typer.Option("--attrs", metavar="JSON", help="The user's attributes.")] = "{}",
    ctx: Annotated[str, typer.Option("--ctx", metavar="JSON", help="What the host adds to the request.")] = "{}",
    resource: Annotated[str, typer.Option("--resource", metavar="JSON", help="Records the host looked up.")] = "{}",
    now: Now = None,
    engine: Annotated[
        Engine, typer.Option("--engine", help="Both: decide twice, and fail loudly where the answers differ.")
    ] = Engine.BOTH,
    tools: ToolSchemas = None,
    trust: Trust = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """Shows the verdict, the rule and the constraint that decided, and the values that it read. This is a development
    tool: it takes policies that nobody has signed, and by default it asks both engines. A bundle (NAME.hexgate) is verified
    first; its module decides, and the interpreter with the policies in it.
    """
    if [args, attrs, ctx, resource].count("-") > 1:
        raise InputError("only one option can read standard input", help="put the others in files: `@FILE`")
    request = Request(
        tool,
        parse_json_object("--args", args),
        User(user, role, parse_json_object("--attrs", attrs)),
        parse_json_object("--ctx", ctx),
        parse_json_object("--resource", resource),
        instant_or_now(now),
    )
    subject = _open(path, trust, engine, tools)
    answers = decide_with(subject.engines, request)
    if not agree(answers):
        sys.stdout.write(_format_disagreement(answers, subject, request, format_))
        return ExitCode.FAILURE
    decision = next(iter(answers.values()))
    sys.stdout.write(_format_answer(decision, list(answers), subject, request, format_))
    return EXIT_CODES[decision.verdict]


def _open(path: str, trust: str | None, engine: Engine, tools: str | None) -> Subject:
    if is_bundle(path):
        from hexgate_cli.bundled_policy import open_bundle  # policies alone need no keys and no signatures

        return open_bundle(path, trust, engine, tools)
    refuse_trust_in_policies(trust)
    policy = require_policy(path, tools)
    return Subject(policy, open_engines(policy, engine), SourceText(), policy.reads_for)


def _format_answer(
    decision: Decision, engines: list[str], subject: Subject, request: Request, format_: Format
) -> str:
    if format_ is Format.JSON:
        return format_json({**decision_to_dict(decision), "engines": engines})
    who = "both engines alike" if len(engines) == 2 else f"the {engines[0]} engine"
    return format_decision(decision, subject.policy, Call(request.roots), who, subject.sources, screen_of(sys.stdout))


def _format_disagreement(
    answers: dict[str, Decision], subject: Subject, request: Request, format_: Format
) -> str:
    """Both answers. That there are two is a fault of Hexgate, never of a policy."""
    if format_ is Format.JSON:
        return format_json({"disagreement": {name: decision_to_dict(answer) for name, answer in answers.items()}})
    screen: Screen = screen_of(sys.stdout)
    head = screen.paint("the engines disagree", Colour.BOLD_RED)
    text = f"{head}: this is a fault of Hexgate; please report it with the policy and the call\n"
    for name, answer in answers.items():
        text += "\n" + format_decision(
            answer, subject.policy, Call(request.roots), f"the {escape_text(name)} engine", subject.sources, screen
        )
    return text
