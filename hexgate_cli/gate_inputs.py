"""A gate and a caller, as commands that decide for somebody take them: opened, and known to the policy, before anything else happens."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hexgate.approvals.refusal import ApprovalStoreError
from hexgate.audit.log import AuditLog
from hexgate.audit.unavailable import AuditUnavailableError
from hexgate.bundle.refusal import BundleRefusedError
from hexgate.bundle.state import StateError, StateUnavailableError, default_state_path, make_state_directory
from hexgate.bundle.trust_root import DevelopmentLocation, HexgateKeyError, parse_hexgate_key
from hexgate.decision.decision import Reason, TokenUser, User
from hexgate.decision.request import is_name
from hexgate.diagnostics import PolicyInvalidError
from hexgate.identity.refusal import TokenRefusedError
from hexgate.limits import NAME_BYTES
from hexgate.runtime.gate import ENVIRONMENT_VARIABLE, Gate
from hexgate.runtime.recording import FOLDER
from hexgate.runtime.source import SourceError
from hexgate_cli.bundle_files import trust_of
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError, help_for_unknown
from hexgate_cli.inputs import is_bundle, parse_json_object, refuse_trust_in_policies
from hexgate_cli.policies import require_policy
from hexgate_cli.token_inputs import read_token


@contextmanager
def opened_gate(policy: str | None, trust: str | None, log: str | None, caller: User | TokenUser, *, approvals: bool) -> Iterator[Gate]:
    """The gate of a bundle or of unsigned policies, or else the one that HEXGATE_KEY names, which knows the caller; every decision of it is
    recorded in the log of a directory, or else of the state directory. Raises CommandError."""
    state = default_state_path(os.environ)
    if log is not None:
        place = Path(log)
    elif state is not None:
        place = state / FOLDER
    else:
        raise InputError("the environment names no home directory to record decisions in", help="name the log: `--log DIR`")
    with _refusals_reported(policy), AuditLog(place) as opened, _open(policy, trust, opened, approvals) as gate:
        _require_known(gate, caller)
        if log is None and state is not None:
            with suppress(StateUnavailableError):  # the log says that itself
                make_state_directory(state)
        opened.open()  # what cannot be recorded is better found now
        yield gate


def unrecorded_gate(policy: str | None) -> Gate:
    """The gate of unsigned policies, or else the one that HEXGATE_KEY names, to ask what it would decide: nothing is recorded. Raises
    CommandError."""
    with _refusals_reported(policy):
        if policy is not None:
            require_policy(policy, None)
        return _open(policy, None, None, False)


def caller_of(role: str | None, user: str | None, attrs: str | None, token: str | None) -> User | TokenUser:
    """Who calls. Raises InputError."""
    if token is not None:
        if user is not None or attrs is not None:
            raise InputError("--user and --attrs do not go with --token", help="a token says who its bearer is")
        return TokenUser(read_token(token), role)
    if role is None:
        raise InputError("nobody is calling", help="pass `--role ROLE`, or `--token FILE`")
    name = _login() if user is None else user
    if not is_name(name):
        raise InputError("--user is no id", help=f"an id is a text of 1 to {NAME_BYTES} bytes")
    return User(name, role, parse_json_object("--attrs", attrs or "{}"))


def _require_known(gate: Gate, caller: User | TokenUser) -> None:
    """Refuse a caller whom the policy does not know: every call would be denied. Raises CommandError."""
    snapshot = gate.snapshot
    if type(caller) is User:
        if snapshot.caller("", {}, caller, snapshot.clock()).refusal is Reason.TOKEN_REQUIRED:
            raise CommandError("the bundle asks for a token", help="pass `--token FILE`: `hexgate token mint` makes one", code=ExitCode.UNTRUSTED)
        if caller.role not in snapshot.engine.roles:
            raise InputError(f"the policy has no role `{caller.role}`", help=help_for_unknown(caller.role, snapshot.engine.roles, "role"))
        return
    if snapshot.verifier is None:
        raise CommandError("no token counts: the policy comes without keys that sign tokens", help="sign the policies with `--settings` whose `identity` names them, or name a role: `--role ROLE`", code=ExitCode.UNTRUSTED)
    try:
        snapshot.verifier.caller(caller, snapshot.clock())  # type: ignore[arg-type]
    except TokenRefusedError as error:
        raise CommandError(f"the token is refused ({error.refusal.value}): {error.detail}", help="`hexgate token verify` says more", code=ExitCode.UNTRUSTED) from None


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise InputError("it is not known who runs this", help="pass `--user ID`") from None


def _open(policy: str | None, trust: str | None, log: AuditLog | None, approvals: bool) -> Gate:
    audit = False if log is None else log
    if policy is not None and is_bundle(policy):
        root, _ = trust_of(trust)
        return Gate.from_bundle(policy, root.keys, threshold=root.threshold, audit=audit, approvals=approvals)
    if policy is None:
        key = os.environ.get(ENVIRONMENT_VARIABLE, "")
        found = parse_hexgate_key(key)
        if not isinstance(found, DevelopmentLocation):
            return Gate.from_key(key, audit=audit, approvals=approvals)
        policy = found.path
    refuse_trust_in_policies(trust)
    require_policy(policy, None)
    return Gate.from_source(f"dev:{Path(policy).absolute()}", audit=log, approvals=approvals)


@contextmanager
def _refusals_reported(policy: str | None) -> Iterator[None]:
    """Turns what opening a gate raises into CommandError."""
    try:
        yield
    except HexgateKeyError as error:
        sentence, _, way = str(error).partition("; ")
        raise InputError(sentence, help=f"{way}; or name policies or a bundle with `--policy`") from None
    except (SourceError, StateError) as error:
        raise CommandError(error.sentence, help=error.help) from None
    except StateUnavailableError as error:
        raise CommandError(f"nothing can be kept in the state directory: {error.reason}", help="set XDG_STATE_HOME to a directory of yours") from None
    except BundleRefusedError as error:
        sentence, _, way = error.detail.partition("; ")
        what = "the bundle" if policy is None else f"`{policy}`"
        raise CommandError(f"{what} is refused ({error.refusal.value}): {sentence}", help=way, code=ExitCode.UNTRUSTED) from None
    except AuditUnavailableError as error:
        raise CommandError(f"decisions cannot be recorded, and so nothing would be allowed: {error.detail}", help="name another log: `--log DIR`") from None
    except ApprovalStoreError as error:
        sentence, _, way = str(error).partition("; ")
        raise CommandError(sentence, help=way) from None
    except PolicyInvalidError as error:
        raise CommandError(str(error), help="`hexgate check` says more", code=ExitCode.POLICY_INVALID) from None
