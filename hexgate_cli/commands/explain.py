"""`hexgate explain`: what a role may do after inheritance, and which line of which file says so."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hexgate.policy.checked import CheckedPolicy, CheckedRole
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import InputError, help_for_unknown
from hexgate_cli.inputs import is_bundle, refuse_trust_in_policies
from hexgate_cli.options import Format, FormatOption, PolicyOrBundlePath, ToolSchemas, Trust
from hexgate_cli.output import format_json
from hexgate_cli.policies import require_policy
from hexgate_cli.rendering.explain_human import entries_of, format_holder, format_matrix
from hexgate_cli.rendering.explain_json import holder_to_dict, matrix_to_dict
from hexgate_cli.role_matrix import build_matrix
from hexgate_cli.terminal import Screen, escape_name, screen_of


def command(
    path: PolicyOrBundlePath,
    role: Annotated[str | None, typer.Option("--role", metavar="ROLE", help="The role to explain.")] = None,
    tool: Annotated[
        str | None, typer.Option("--tool", metavar="TOOL", help="Only the entry that decides on this tool.")
    ] = None,
    tools: ToolSchemas = None,
    trust: Trust = None,
    format_: FormatOption = Format.HUMAN,
) -> ExitCode:
    """With --role, the role's effective rules in the order in which they are tried, and the boundary's. Without --tool,
    also the matrix of all roles and tools: `allow if` means that constraints must hold.
    Of a bundle (NAME.hexgate), which is verified first, the policies in it are explained.
    """
    if is_bundle(path):
        from hexgate_cli.bundled_policy import require_bundled_policy  # policies alone need no keys and no signatures

        policy = require_bundled_policy(path, trust, tools)
    else:
        refuse_trust_in_policies(trust)
        policy = require_policy(path, tools)
    holder = None if role is None else _find_role(policy, role)
    if tool is not None and holder is None:
        raise InputError("--tool needs --role", help="pass the role too: `--role ROLE`")
    if format_ is Format.JSON:
        sys.stdout.write(format_json(_to_dict(policy, holder, tool)))
    else:
        sys.stdout.write(_format(policy, holder, tool, screen_of(sys.stdout)))
    return ExitCode.OK


def _find_role(policy: CheckedPolicy, name: str) -> CheckedRole:
    role = policy.roles.get(name)
    if role is None:
        raise InputError(
            f"the policy set has no role `{name}` that a user can hold",
            help=help_for_unknown(name, policy.roles, "role"),
        )
    return role


def _format(policy: CheckedPolicy, holder: CheckedRole | None, tool: str | None, screen: Screen) -> str:
    blocks = []
    if holder is not None:
        subject = "" if tool is None else f", tool {escape_name(tool)}"
        missing = "any other tool is denied" if tool is None else "nothing names the tool: denied"
        entries = entries_of(holder, tool)
        otherwise = "" if holder.default is not None or (tool is not None and entries) else missing
        blocks.append(format_holder(f"role {escape_name(holder.name)}{subject}", entries, otherwise, holder.name, screen))
        if policy.boundary is not None:
            entries = entries_of(policy.boundary, tool)
            otherwise = "" if entries else "no opinion on the tool"
            title = "boundary, beside every role: the stricter verdict wins"
            blocks.append(format_holder(title, entries, otherwise, None, screen))
    if tool is None:
        blocks.append(format_matrix(build_matrix(policy), screen))
    return "\n\n".join(blocks) + "\n"


def _to_dict(policy: CheckedPolicy, holder: CheckedRole | None, tool: str | None) -> dict[str, object]:
    return {
        "role": None if holder is None else holder_to_dict(holder, tool),
        "boundary": None if policy.boundary is None or holder is None else holder_to_dict(policy.boundary, tool),
        "matrix": None if tool is not None else matrix_to_dict(build_matrix(policy)),
    }
