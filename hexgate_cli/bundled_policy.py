"""A bundle where a command takes policies: verified first; its module decides, and beside it the interpreter on the policies in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hexgate.bundle.statement import source_digest
from hexgate.bundle.verify import VerifiedBundle
from hexgate.decision.decision import BundleReference, Decision, User
from hexgate.decision.engine import DecisionEngine
from hexgate.decision.policy_table import read_table
from hexgate.decision.reads import Reads
from hexgate.diagnostics import PolicyInvalidError
from hexgate.policy.check import check
from hexgate.policy.checked import CheckedPolicy, CheckedRole
from hexgate.policy.link import link
from hexgate.policy.parse import parse
from hexgate.policy.tool_schemas import parse_tool_schemas
from hexgate.runtime.bundle_engine import load
from hexgate_cli.bundle_files import refusals_reported, require_bundle
from hexgate_cli.engines import Subject
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.inputs import read_bytes
from hexgate_cli.options import Engine
from hexgate_cli.source_text import SourceText


def open_bundle(path: str, trust: str | None, engine: Engine, tools: str | None) -> Subject:
    """The engines of a bundle, the interpreter first. Without published policies the policy has its roles' names only. Trust is judged
    by this machine's clock. Raises CommandError."""
    verified = require_bundle(path, trust, time.time_ns())
    with refusals_reported(path):
        module = load(verified)
    engines: dict[str, DecisionEngine] = {}
    policy = _names_only(read_table(verified.table_json).roles)
    texts = {name: data.decode("utf-8-sig", errors="replace") for name, data in verified.sources.items()}
    if verified.sources:
        policy = _policy_in(verified, path, tools)
        if engine in (Engine.INTERPRETER, Engine.BOTH):
            engines["interpreter"] = _NamingTheBundle(policy, _reference_of(verified))
    elif engine is Engine.INTERPRETER:
        raise _no_policies(path)
    if engine in (Engine.WASM, Engine.BOTH):
        engines["wasm"] = module
    return Subject(policy, engines, SourceText(texts, on_disk=False), module.table.reads_for)


def require_bundled_policy(path: str, trust: str | None, tools: str | None) -> CheckedPolicy:
    """The policy whose text a verified bundle carries. Raises CommandError."""
    verified = require_bundle(path, trust, time.time_ns())
    if not verified.sources:
        raise _no_policies(path)
    return _policy_in(verified, path, tools)


def _no_policies(path: str) -> InputError:
    return InputError(f"`{path}` has no policies in it, only what they were compiled to", help="sign it with its sources: leave out `--no-sources`")


def _reference_of(verified: VerifiedBundle) -> BundleReference:
    predicate = verified.statement.predicate
    return BundleReference(predicate.name, predicate.version, verified.digest)


def _policy_in(verified: VerifiedBundle, path: str, tools: str | None) -> CheckedPolicy:
    if source_digest(verified.sources) != verified.statement.predicate.source_digest:
        raise CommandError(
            f"the policies in `{path}` are not those that it was compiled from", help="sign the policies again", code=ExitCode.UNTRUSTED
        )
    try:
        schemas = None if tools is None else parse_tool_schemas(tools, read_bytes(tools))
        return check(link(parse(dict(verified.sources))), schemas)
    except PolicyInvalidError as error:
        raise CommandError(
            f"the policies in `{path}` do not check: {error}", help="use the release that signed them", code=ExitCode.POLICY_INVALID
        ) from None


def _names_only(roles: tuple[str, ...]) -> CheckedPolicy:
    """Enough of a policy to tell roles that exist."""
    return CheckedPolicy({name: CheckedRole(name, {}, (), None) for name in roles}, None, {}, (), Reads())


class _NamingTheBundle:
    """An interpreter whose decisions name the bundle, as the module's do."""

    def __init__(self, policy: CheckedPolicy, bundle: BundleReference) -> None:
        from hexgate.policy.interpret import InterpreterEngine

        self._engine = InterpreterEngine(policy)
        self._bundle = bundle

    def decide(
        self,
        tool: str,
        args: Mapping[str, Any],
        user: User | None,
        *,
        ctx: Mapping[str, Any] | None = None,
        resource: Mapping[str, Any] | None = None,
        now: int | None = None,
    ) -> Decision:
        decision = self._engine.decide(tool, args, user, ctx=ctx, resource=resource, now=now)
        return replace(decision, bundle=self._bundle)
