"""Keep a snapshot up to date: fetch, verify, load, remember, swap. A failure keeps the last good one, and says so."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import ReferenceType, WeakSet, ref

from hexgate.bundle.floors import Floors
from hexgate.bundle.refusal import BundleRefusedError, Refusal
from hexgate.bundle.state import StateError
from hexgate.bundle.trust import advance
from hexgate.bundle.trust_root import TrustRoot
from hexgate.bundle.verify import VerifiedBundle, verify
from hexgate.decision.decision import BundleReference
from hexgate.decision.mask_paths import Masked, MaskPathError, parse_path
from hexgate.runtime.bundle_engine import load
from hexgate.runtime.callers import identify_by, open_verifier
from hexgate.runtime.recording import LOG, record_in
from hexgate.runtime.snapshot import NANOSECONDS, Snapshot
from hexgate.runtime.source import BundleSource, NotModified, SourceError, Validators

if TYPE_CHECKING:
    from hexgate.audit.log import AuditLog

JITTER = 0.2
"""By how much of itself an interval is shortened or lengthened, so that many processes do not ask at once."""


class RefreshOutcome(Enum):
    """What a refresh came to."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RefreshResult:
    """What a refresh came to, the bundle that decides now, and for a failure one sentence on why."""

    outcome: RefreshOutcome
    bundle: BundleReference | None
    error: str | None = None


class Refresher(Protocol):
    """Has a snapshot, and can bring it up to date. `quick`: that costs a look at a file, not a request to a server."""

    snapshot: Snapshot
    quick: bool

    def refresh(self) -> RefreshResult:
        """Brings the snapshot up to date. Raises nothing for what a file, a server or a bundle can influence."""


class BundleRefresher:
    """The snapshot of a signed bundle at a location. Safe to use from several threads: one refreshes, others wait for it."""

    def __init__(
        self,
        source: BundleSource,
        trust: TrustRoot,
        name: str,
        floors: Floors,
        clock: Callable[[], int],
        *,
        log: AuditLog | None = None,
        revocations: Path | None = None,
    ) -> None:
        """Fetches and verifies at once. `clock` gives nanoseconds since the epoch; decisions are recorded in `log`; `revocations` is
        a file with more ids of revoked tokens than the bundle has.

        Raises SourceError, BundleRefusedError, StateError: without a bundle there is nothing that could decide.
        """
        self._source = source
        self._trust = trust
        self._name = name
        self._floors = floors
        self._clock = clock
        self._log = log
        self._revocations = revocations
        self._validators: Validators | None = None
        self._lock = threading.Lock()
        self._failure: str | None = None
        self._warning: str | None = None
        _ALIVE.add(self)
        self.quick = not source.location.lower().startswith("https://")
        self._digest = ""
        self.snapshot = self._fetch_first()
        LOG.info("bundle %s version %d (%.12s) decides", self._name, self._reference.version, self._digest)
        self._say_floors_warning()

    def refresh(self) -> RefreshResult:
        """Brings the snapshot up to date. What goes wrong is logged once until it changes, and keeps the last good one."""
        with self._lock:
            try:
                outcome = self._refresh()
            except (SourceError, BundleRefusedError, StateError, OSError, ImportError, MemoryError) as error:
                # A bundle may ask for a library that is not there (tokens), or for more memory: no reason to stop looking for a better one.
                return self._failed(str(error) or "there is no memory for it")
        if self._failure is not None:
            self._failure = None
            LOG.info("bundle %s can be refreshed again", self._name)
        self._say_floors_warning()
        return RefreshResult(outcome, self.snapshot.bundle)

    @property
    def _reference(self) -> BundleReference:
        assert self.snapshot.bundle is not None
        return self.snapshot.bundle

    def _say_floors_warning(self) -> None:
        """Tells the operator, once until it changes, that nothing outlasts a restart."""
        warning = self._floors.warning
        if warning != self._warning:
            self._warning = warning
            if warning is not None:
                LOG.warning("%s", warning)

    def _failed(self, sentence: str) -> RefreshResult:
        if sentence != self._failure:
            self._failure = sentence
            LOG.warning(
                "bundle %s version %d goes on deciding, since a newer one could not be had: %s",
                self._name, self._reference.version, sentence,
            )  # fmt: skip
        return RefreshResult(RefreshOutcome.FAILED, self.snapshot.bundle, sentence)

    def _fetch_first(self) -> Snapshot:
        fetched = self._source.fetch(None)
        if isinstance(fetched, NotModified):
            raise AssertionError("a source without validators has something to hand over")
        snapshot = self._accept(fetched.data)
        self._validators = fetched.validators
        return snapshot

    def _refresh(self) -> RefreshOutcome:
        fetched = self._source.fetch(self._validators)
        if isinstance(fetched, NotModified):
            return RefreshOutcome.UNCHANGED
        before = self._digest
        snapshot = self._accept(fetched.data)
        self._validators = fetched.validators
        if self._digest == before:
            return RefreshOutcome.UNCHANGED
        self.snapshot = snapshot  # one assignment: every decision is made by one bundle or by the other
        LOG.info("bundle %s version %d (%.12s) decides from now on", self._name, self._reference.version, self._digest)
        return RefreshOutcome.UPDATED

    def _accept(self, data: bytes) -> Snapshot:
        """The snapshot of a bundle that passes every check, its floor remembered before it decides anything."""
        location, now = self._source.location, self._clock() // NANOSECONDS
        floor = self._floors.read(self._name, location)
        verified = verify(data, self._trust, name=self._name, now=now, floor=floor)
        snapshot = self._snapshot(verified)
        self._floors.update(self._name, location, lambda current: advance(current, verified, now))
        self._digest = verified.digest
        return snapshot

    def _snapshot(self, verified: VerifiedBundle) -> Snapshot:
        predicate = verified.statement.predicate
        engine = load(verified, self._clock)
        audit = predicate.audit
        try:
            masks = [*(parse_path(path, Masked.MASK) for path in audit.mask), *(parse_path(path, Masked.HASH) for path in audit.hash)]
        except MaskPathError as error:
            sentence = f"the bundle masks what is no path: {error}; sign the policies again"
            raise BundleRefusedError(Refusal.MALFORMED_STATEMENT, sentence) from error
        verifier = open_verifier(predicate.identity, self._revocations)
        return Snapshot(
            engine,
            self._clock,
            BundleReference(predicate.name, predicate.version, verified.digest),
            predicate.not_after,
            identify=identify_by(verifier),
            requires_token=predicate.identity.require_token,
            record=record_in(self._log, engine.table.reads_for, masks, durable=audit.mode == "durable"),
            masks=tuple(masks),
            verifier=verifier,
        )

    def renew_lock(self) -> None:
        """In a forked child: a thread of the parent may have held the lock, and does not exist here to release it."""
        self._lock = threading.Lock()


class BackgroundRefresh:
    """A thread that refreshes now and then. It holds its refresher weakly, and ends with it."""

    def __init__(self, refresher: Refresher, interval: float) -> None:
        """`interval` is in seconds, drawn anew within `JITTER` each time. Raises ValueError for one that no thread can wait for."""
        if not 0 < interval <= threading.TIMEOUT_MAX / (1 + JITTER):
            raise ValueError("`refresh_seconds` is a number above 0, or None for no refresh in the background")
        self._refresher: ReferenceType[Refresher] = ref(refresher)
        self._interval = interval
        self._wake = threading.Event()
        self._stopped = False
        _ALIVE.add(self)
        self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="hexgate-refresh", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.wait(self._interval * random.uniform(1 - JITTER, 1 + JITTER))
            self._wake.clear()
            refresher = self._refresher()
            if self._stopped or refresher is None:
                return
            refresher.refresh()
            del refresher

    def soon(self) -> None:
        """Refresh as soon as the thread runs."""
        self._wake.set()

    def stop(self) -> None:
        """No refresh begins after this."""
        self._stopped = True
        self._wake.set()

    def renew_lock(self) -> None:
        """In a forked child, which has no other thread: start it anew."""
        self._wake = threading.Event()
        if not self._stopped:
            self._start()


_ALIVE: WeakSet[BundleRefresher | BackgroundRefresh] = WeakSet()


def _renew_after_fork() -> None:
    for one in tuple(_ALIVE):
        one.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)
