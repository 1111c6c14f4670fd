"""What the commands of approvals take: the store, the log, who approves; and how refusals end them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from hexgate.approvals.evidence import Evidence, by_key, by_token
from hexgate.approvals.refusal import ApprovalRefusal, ApprovalRefusedError, ApprovalStoreError
from hexgate.approvals.request import ApprovalRequest, State
from hexgate.approvals.steps import Steps, StoredRequest
from hexgate.approvals.store import STORE_FILE, ApprovalStore
from hexgate.audit.log import AuditLog
from hexgate.audit.unavailable import AuditUnavailableError
from hexgate.bundle.state import default_state_path
from hexgate.identity.attenuate import NarrowingError
from hexgate.identity.refusal import TokenRefusedError
from hexgate.identity.verifier import IdentityVerifier
from hexgate.runtime.held_calls import open_steps
from hexgate.runtime.recording import FOLDER
from hexgate_cli.exit_codes import ExitCode
from hexgate_cli.failures import CommandError, InputError
from hexgate_cli.signing_keys import read_signing_keys
from hexgate_cli.token_inputs import identity_settings, read_token

RequestId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="The request's id, or its first digits.", show_default=False)]
StorePath: TypeAlias = Annotated[
    str | None, typer.Option("--store", metavar="FILE", help="The store; else `approvals.sqlite` in the state directory.")
]
LogDirectory: TypeAlias = Annotated[
    str | None, typer.Option("--log", metavar="DIR", help="The log that has the gate's decisions; else `audit` beside the store.")
]
TokenOption: TypeAlias = Annotated[str | None, typer.Option("--token", metavar="FILE", help="Decide as who this token says.")]
KeyOption: TypeAlias = Annotated[str | None, typer.Option("--key", metavar="FILE", help="Decide as the holder of this private key (PEM).")]
RootKeys: TypeAlias = Annotated[
    list[str] | None, typer.Option("--root-key", metavar="[ID=]KEY", help="A public key `ed25519:…` that signs tokens, and its id.")
]
BundleOption: TypeAlias = Annotated[
    str | None, typer.Option("--bundle", metavar="BUNDLE", help="A bundle whose `identity` says whose tokens count; verified first.")
]
Audience: TypeAlias = Annotated[str | None, typer.Option("--audience", metavar="NAME", help="The runtime's audience, with --root-key.")]

LISTED = 10_000
"""Requests that are listed, at most."""

_UNTRUSTED = {ApprovalRefusal.EVIDENCE, ApprovalRefusal.OWN_REQUEST, ApprovalRefusal.NOT_AN_APPROVER}
_HELP = {
    ApprovalRefusal.UNKNOWN_REQUEST: "`hexgate approvals list` shows the requests",
    ApprovalRefusal.NOT_AN_APPROVER: "`hexgate approvals show` says who may decide",
    ApprovalRefusal.OWN_REQUEST: "ask somebody else whom the policy names",
    ApprovalRefusal.EVIDENCE: "`hexgate token verify` says what is wrong with a token; it must permit the tool `hexgate.approve`",
    ApprovalRefusal.ALTERED: "the store was changed by something else than Hexgate: find out by whom",
}


def require_store(path: str | None) -> ApprovalStore:
    """The store, which must be there. Raises InputError."""
    if path is None:
        state = default_state_path(os.environ)
        if state is None:
            raise InputError("the environment names no home directory", help="name the store: `--store FILE`")
        found = state / STORE_FILE
    else:
        found = Path(path)
    store = ApprovalStore(found)
    if not store.exists:
        shown = path if path is not None else STORE_FILE
        raise InputError(f"there is no store of approvals `{shown}`", help="a gate makes it: `Gate.from_env(approvals=True)`")
    return store


@contextmanager
def steps_on(store: ApprovalStore, log: str | None) -> Iterator[Steps]:
    """The steps on a store, recorded. What they refuse ends the command."""
    with AuditLog(store.path.parent / FOLDER if log is None else log) as opened, refusals_reported():
        yield open_steps(store, opened)


@contextmanager
def refusals_reported() -> Iterator[None]:
    """Turns what steps raise into CommandError."""
    try:
        yield
    except ApprovalRefusedError as error:
        refusal = error.refusal
        code = ExitCode.UNTRUSTED if refusal in _UNTRUSTED else ExitCode.USAGE if refusal is ApprovalRefusal.UNKNOWN_REQUEST else ExitCode.FAILURE
        raise CommandError(f"refused ({refusal.value}): {error}", help=_HELP.get(refusal, ""), code=code) from None
    except ApprovalStoreError as error:
        sentence, _, way = str(error).partition("; ")
        raise CommandError(sentence, help=way) from None
    except AuditUnavailableError as error:
        raise CommandError(f"the step cannot be recorded, and so it is not made: {error.detail}") from None


def find_request(steps: Steps, text: str) -> StoredRequest:
    """The request of an id, or the only one whose id begins so. Raises ApprovalRefusedError and InputError."""
    if len(text) >= 32:
        return steps.get(text)
    ids = [found if isinstance(found, str) else found.request.id for found in steps.all(None, LISTED)]
    matching = [id_ for id_ in ids if text and id_.startswith(text)]
    if len(matching) > 1:
        raise InputError(f"{len(matching)} requests begin with `{text}`", help="write more of the id")
    return steps.get(matching[0] if matching else text)


class Signatory:
    """Who decides: evidence for a request, and the reader of tokens that judges it first."""

    def __init__(
        self, token: str | None, key: str | None, root_key: list[str] | None, bundle: str | None, trust: str | None, audience: str | None, now: int
    ) -> None:
        """Raises CommandError where it is not clear who decides."""
        if (token is None) == (key is None):
            raise InputError("who decides is not clear", help="pass `--token FILE` or `--key FILE`")
        if key is not None and any(option is not None for option in (root_key, bundle, trust, audience)):
            raise InputError("--root-key, --bundle, --trust and --audience go with --token", help="a key counts where the policy names it in `approvers`")
        self._token = None if token is None else read_token(token)
        self._key = None if key is None else read_signing_keys([key])[0]
        self.verifier = None if token is None else IdentityVerifier(identity_settings(root_key, bundle, trust, audience, now))

    def evidence(self, request: ApprovalRequest) -> Evidence:
        """The evidence for a request. Raises CommandError."""
        if self._key is not None:
            return by_key(self._key, request)
        try:
            return by_token(self._token or "", request)
        except NarrowingError as error:
            raise CommandError(f"the token cannot be narrowed to the request: {error}", help="use a token that is not narrowed so often", code=ExitCode.UNTRUSTED) from None
        except TokenRefusedError as error:
            raise CommandError(f"the token is refused ({error.refusal.value}): {error.detail}", help="`hexgate token mint` makes a token", code=ExitCode.UNTRUSTED) from None


def state_at(stored: StoredRequest, now: int) -> State:
    """Where a request stands: what is overdue is expired, whether or not a step has marked it yet."""
    overdue = stored.state in (State.PENDING, State.APPROVED) and stored.request.expires <= now
    return State.EXPIRED if overdue else stored.state
