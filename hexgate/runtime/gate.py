"""The gate: every tool call of an application's agents is decided here, by the one bundle that it trusts."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar, overload

from hexgate.bundle.floors import Floors, open_floors
from hexgate.bundle.keys import KeyRefusedError, PublicKey, parse_public_key
from hexgate.bundle.state import StateDirectory, default_state_path
from hexgate.bundle.trust_root import (
    DevelopmentLocation,
    HexgateKeyError,
    SignedLocation,
    TrustRoot,
    bundle_name,
    parse_hexgate_key,
)
from hexgate.decision.decision import BundleReference, Decision, TokenUser, User
from hexgate.limits import BUNDLE_BYTES
from hexgate.runtime.guarded_call import UserOf, guard
from hexgate.runtime.recording import open_log
from hexgate.runtime.refresh import BackgroundRefresh, BundleRefresher, Refresher, RefreshResult
from hexgate.runtime.run_scope import Run
from hexgate.runtime.source import open_source

if TYPE_CHECKING:
    from hexgate.approvals.store import ApprovalStore
    from hexgate.audit.log import AuditLog
    from hexgate.runtime.held_calls import HeldCalls
    from hexgate.runtime.snapshot import Snapshot

ENVIRONMENT_VARIABLE = "HEXGATE_KEY"
REFRESH_SECONDS = 60.0
"""Between two looks at the location, unless a run looks sooner."""

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class Gate:
    """Decides tool calls with the bundle at a location, and keeps that up to date.

    Safe to use from several threads, from coroutines (`decide` waits for nothing) and in forked children.
    """

    def __init__(
        self,
        refresher: Refresher,
        *,
        refresh_seconds: float | None = REFRESH_SECONDS,
        log: AuditLog | None = None,
        approvals: HeldCalls | None = None,
    ) -> None:
        """`refresh_seconds` is None for no refresh in the background; `log` is closed with the gate; `approvals` are for its held
        calls. Use one of the constructors below."""
        self._refresher = refresher
        self._log = log
        self.approvals = approvals
        """Requests and approvals of held calls; None where the gate has no store for them."""
        self._background = None if refresh_seconds is None else BackgroundRefresh(refresher, refresh_seconds)

    @classmethod
    def from_env(
        cls,
        *,
        state: str | Path | None = None,
        audit: AuditLog | bool = True,
        revocations: str | Path | None = None,
        approvals: ApprovalStore | bool = False,
        refresh_seconds: float | None = REFRESH_SECONDS,
    ) -> Gate:
        """The gate that `HEXGATE_KEY` names. The variable is read now and not again.

        The rest is as in `from_bundle`, which also says what is raised; besides, HexgateKeyError where the variable is unset or
        malformed.
        """
        key = os.environ.get(ENVIRONMENT_VARIABLE, "")
        return cls.from_key(
            key, state=state, audit=audit, revocations=revocations, approvals=approvals, refresh_seconds=refresh_seconds
        )

    @classmethod
    def from_key(
        cls,
        key: str,
        *,
        state: str | Path | None = None,
        audit: AuditLog | bool = True,
        revocations: str | Path | None = None,
        approvals: ApprovalStore | bool = False,
        refresh_seconds: float | None = REFRESH_SECONDS,
    ) -> Gate:
        """As `from_env`, with the text of the variable. Development policies are recorded only where `audit` is a log."""
        match parse_hexgate_key(key):
            case SignedLocation(trust, location):
                return cls._of_bundle(location, trust, state, audit, revocations, approvals, refresh_seconds, time.time_ns)
            case DevelopmentLocation(path):
                log = None if isinstance(audit, bool) else audit
                held = _store(approvals, state)
                return cls.from_source(f"dev:{path}", audit=log, approvals=held or False, refresh_seconds=refresh_seconds)

    @classmethod
    def from_bundle(
        cls,
        location: str | Path,
        keys: Iterable[PublicKey | str],
        *,
        threshold: int = 1,
        state: str | Path | None = None,
        audit: AuditLog | bool = True,
        revocations: str | Path | None = None,
        approvals: ApprovalStore | bool = False,
        refresh_seconds: float | None = REFRESH_SECONDS,
        clock: Callable[[], int] = time.time_ns,
    ) -> Gate:
        """The gate of the bundle at a path or an `https://` URL that ends in `NAME.hexgate`, signed by so many of the keys, each a
        PublicKey or its text `ed25519:…`.

        `state` is the directory that remembers the last accepted version (default: the XDG state directory). Decisions are recorded in
        the log `audit`, by default the one in the state directory; False records nothing. `revocations` is a file with ids of revoked
        tokens. `refresh_seconds` is between two looks at the location, None for none in the background. `clock` gives nanoseconds
        since the epoch.

        Raises HexgateKeyError for keys or a location that cannot be trusted, SourceError where the location cannot be read,
        BundleRefusedError for what it has, StateError where it is unknown what was accepted before, AuditUnavailableError where
        nothing can be recorded.
        """
        try:
            trust = TrustRoot(threshold, tuple(parse_public_key(key) if isinstance(key, str) else key for key in keys))
        except KeyRefusedError as error:
            raise HexgateKeyError(f"a key to trust cannot be used: {error}; `hexgate key show` prints a key's text") from None
        return cls._of_bundle(str(location), trust, state, audit, revocations, approvals, refresh_seconds, clock)

    @classmethod
    def from_source(
        cls,
        source: str,
        *,
        audit: AuditLog | None = None,
        approvals: ApprovalStore | bool = False,
        refresh_seconds: float | None = REFRESH_SECONDS,
        clock: Callable[[], int] = time.time_ns,
    ) -> Gate:
        """The gate of the unsigned policies at `dev:PATH`, decided by the interpreter: for development, and logged as such.

        Raises HexgateKeyError for anything but `dev:PATH`, PolicyInvalidError for policies with errors.
        """
        from hexgate.runtime.development_refresh import DevelopmentRefresher

        found = parse_hexgate_key(source)
        if not isinstance(found, DevelopmentLocation):
            raise HexgateKeyError("`from_source` takes `dev:PATH`; for a signed bundle use `from_key` or `from_bundle`")
        refresher = DevelopmentRefresher(found.path, clock, log=audit)
        return cls(refresher, refresh_seconds=refresh_seconds, approvals=_held(refresher, _store(approvals, None), audit))

    @classmethod
    def _of_bundle(
        cls,
        location: str,
        trust: TrustRoot,
        state: str | Path | None,
        audit: AuditLog | bool,
        revocations: str | Path | None,
        approvals: ApprovalStore | bool,
        refresh_seconds: float | None,
        clock: Callable[[], int],
    ) -> Gate:
        floors = open_floors(os.environ) if state is None else Floors(StateDirectory(Path(state)))
        source = open_source(location, limit=BUNDLE_BYTES)
        revoked = None if revocations is None else Path(revocations)
        with ExitStack() as opened:
            own_log = open_log(_state_path(state)) if audit is True else None
            if own_log is not None:
                opened.callback(own_log.close)
            log = own_log if isinstance(audit, bool) else audit
            name = bundle_name(location)
            refresher = BundleRefresher(source, trust, name, floors, clock, log=log, revocations=revoked)
            held = _held(refresher, _store(approvals, state), log)
            gate = cls(refresher, refresh_seconds=refresh_seconds, log=own_log, approvals=held)
            opened.pop_all()
        return gate

    @property
    def bundle(self) -> BundleReference | None:
        """The bundle that decides now; None for policies in development."""
        return self._refresher.snapshot.bundle

    @property
    def snapshot(self) -> Snapshot:
        """What decides now: whoever asks it for several answers gets them from one bundle."""
        return self._refresher.snapshot

    @property
    def expired(self) -> bool:
        """Whether every call is denied because the bundle is past its expiry."""
        return self._refresher.snapshot.expired

    def decide(
        self,
        tool: str,
        args: Any,
        *,
        user: User | TokenUser | None,
        ctx: Any = None,
        resource: Any = None,
        now: int | None = None,
        call_id: str | None = None,
    ) -> Decision:
        """The decision on one call of a tool with these arguments, for this user, recorded.

        Never raises for anything that a model, a tool or a caller's token can influence: what goes wrong decides `deny`.
        `ctx` is what the host adds to the request, `resource` records that it looked up, `now` what constraints read as `now`, in
        nanoseconds since the epoch; `call_id` names the call in the log. Run the tool with the very arguments that were
        decided on: `guard` does, and `frozen` makes a copy that nobody else can change.
        """
        snapshot = self._refresher.snapshot
        if snapshot.plain and type(user) is not TokenUser and snapshot.clock() < snapshot.expires:
            # What Snapshot.decide comes to where nothing is recorded, without a call of it.
            return snapshot.engine.decide(tool, args, user, ctx=ctx, resource=resource, now=now)  # type: ignore[arg-type]
        return snapshot.decide(tool, args, user, ctx=ctx, resource=resource, now=now, call_id=call_id)

    def run(self, user: User | TokenUser | None = None) -> Run:
        """One run of an agent for a user, a context manager: it is decided by one bundle from its start to its end.

        The bundle is brought up to date first: at once where it is a file, by the background thread where it is a URL.
        """
        if self._refresher.quick or self._background is None:
            self._refresher.refresh()
        else:
            self._background.soon()
        return Run(self._refresher.snapshot, user)

    @overload
    def guard(
        self, function: Callable[_Parameters, _Result], *, tool: str | None = None, user: UserOf = None
    ) -> Callable[_Parameters, _Result]: ...

    @overload
    def guard(
        self, *, tool: str | None = None, user: UserOf = None
    ) -> Callable[[Callable[_Parameters, _Result]], Callable[_Parameters, _Result]]: ...

    def guard(self, function: Callable[..., Any] | None = None, *, tool: str | None = None, user: UserOf = None) -> Any:
        """A function that runs only when its call is allowed; `async` functions stay so. Also a decorator, plain or with options.

        `tool` is its name in the policy (default: the function's). `user` is a User, a function that gives the one who is calling,
        or None for the user of the run that the call happens in. A denied call raises ToolDeniedError, a held one
        ApprovalRequiredError; the function runs with a copy of the arguments, the one that was decided on. With a store of
        approvals the first held call makes a request, and the same call after an approval runs, once.
        """
        if function is None:
            return partial(self.guard, tool=tool, user=user)
        hold = None
        if self.approvals is not None:
            from hexgate.runtime.held_calls import hold_by

            hold = hold_by(self.approvals)
        return guard(lambda: self._refresher.snapshot, function, tool, user, hold)

    def refresh(self) -> RefreshResult:
        """Look at the location now. A failure keeps the last good bundle until it expires."""
        return self._refresher.refresh()

    async def refresh_async(self) -> RefreshResult:
        """As `refresh`, in another thread."""
        import asyncio  # slow to load, and here already where there is a coroutine

        return await asyncio.to_thread(self._refresher.refresh)

    def close(self) -> None:
        """Stop refreshing in the background, and close the log that the gate has opened: nothing is allowed from then on, unless
        decisions are not recorded or their log is the caller's."""
        if self._background is not None:
            self._background.stop()
        if self._log is not None:
            self._log.close()

    def __reduce__(self) -> NoReturn:
        """A gate has threads, locks and a log. Raises TypeError."""
        raise TypeError("a gate belongs to its process: make one in each, as by `Gate.from_env()`")

    def __enter__(self) -> Gate:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _store(approvals: ApprovalStore | bool, state: str | Path | None) -> ApprovalStore | None:
    """The store that is asked for. Raises ApprovalStoreError where the environment names no place for it."""
    if approvals is False:
        return None
    from hexgate.approvals.refusal import ApprovalStoreError
    from hexgate.approvals.store import STORE_FILE, ApprovalStore

    if isinstance(approvals, ApprovalStore):
        return approvals
    path = default_state_path(os.environ) if state is None else Path(state)
    if path is None:
        raise ApprovalStoreError("the environment names no home directory to keep approvals in; pass `state=`, or a store as `approvals=`")
    return ApprovalStore(path / STORE_FILE)


def _held(refresher: Refresher, store: ApprovalStore | None, log: AuditLog | None) -> HeldCalls | None:
    """The held calls of a gate with a store. Raises ApprovalStoreError where it cannot be used: that is better found at the start."""
    if store is None:
        return None
    from hexgate.runtime.held_calls import HeldCalls, open_steps

    with store.reading():
        return HeldCalls(open_steps(store, log), lambda: refresher.snapshot)


def _state_path(state: str | Path | None) -> Path:
    """The directory of the log beside the floors. Raises AuditUnavailableError where the environment names none."""
    path = default_state_path(os.environ) if state is None else Path(state)
    if path is None:
        from hexgate.audit.unavailable import AuditUnavailableError

        raise AuditUnavailableError(
            "the environment names no home directory to record decisions in; pass `state=`, a log as `audit=`, or `audit=False`"
        )
    return path
