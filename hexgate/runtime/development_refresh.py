"""The snapshot of policies in the making: read again when they have changed, decided by the interpreter."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from hexgate.development import CheckedPolicy, DevelopmentPolicy, InterpreterEngine, PolicyInvalidError
from hexgate.runtime.recording import LOG, record_in
from hexgate.runtime.refresh import RefreshOutcome, RefreshResult
from hexgate.runtime.snapshot import Snapshot

if TYPE_CHECKING:
    from hexgate.audit.log import AuditLog


class DevelopmentRefresher:
    """As BundleRefresher, for sources that nobody has signed. Says so when it begins."""

    quick = True

    def __init__(self, path: str, clock: Callable[[], int], *, log: AuditLog | None = None) -> None:
        """Loads at once. Raises PolicyInvalidError."""
        self._log = log
        self._policy = DevelopmentPolicy(path, clock)
        self._clock = clock
        self._failure: str | None = None
        self._lock = threading.Lock()
        loaded = self._policy.load()
        if loaded is None:
            raise AssertionError("what has not been loaded has changed")
        self.snapshot = self._snapshot(*loaded)
        LOG.warning("HEXGATE IS IN DEVELOPMENT MODE: unsigned policies at %s decide, and whoever can write there decides too", path)

    def refresh(self) -> RefreshResult:
        """Loads the policies again where they have changed; policies with errors are logged, and the last good ones kept."""
        with self._lock:
            try:
                loaded = self._policy.load()
            except PolicyInvalidError as error:
                return self._failed(str(error))
        self._failure = None
        if loaded is None:
            return RefreshResult(RefreshOutcome.UNCHANGED, None)
        self.snapshot = self._snapshot(*loaded)
        LOG.info("the policies have changed, and decide from now on")
        return RefreshResult(RefreshOutcome.UPDATED, None)

    def _snapshot(self, engine: InterpreterEngine, policy: CheckedPolicy) -> Snapshot:
        return Snapshot(engine, self._clock, record=record_in(self._log, policy.reads_for, policy.masks), masks=tuple(policy.masks))

    def _failed(self, sentence: str) -> RefreshResult:
        if sentence != self._failure:
            self._failure = sentence
            LOG.warning("the policies before the last change go on deciding: %s", sentence)
        return RefreshResult(RefreshOutcome.FAILED, None, sentence)
