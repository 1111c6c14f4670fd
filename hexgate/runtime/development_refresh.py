"""The snapshot of policies in the making: read again when they have changed, decided by the interpreter."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hexgate.development import DevelopmentPolicy, PolicyInvalidError
from hexgate.runtime.refresh import LOG, RefreshOutcome, RefreshResult
from hexgate.runtime.snapshot import Snapshot


class DevelopmentRefresher:
    """As BundleRefresher, for sources that nobody has signed. Says so when it begins."""

    quick = True

    def __init__(self, path: str, clock: Callable[[], int]) -> None:
        """Loads at once. Raises PolicyInvalidError."""
        self._policy = DevelopmentPolicy(path, clock)
        self._clock = clock
        self._failure: str | None = None
        self._lock = threading.Lock()
        engine = self._policy.load()
        if engine is None:
            raise AssertionError("what has not been loaded has changed")
        self.snapshot = Snapshot(engine, clock)
        LOG.warning("HEXGATE IS IN DEVELOPMENT MODE: unsigned policies at %s decide, and whoever can write there decides too", path)

    def refresh(self) -> RefreshResult:
        """Loads the policies again where they have changed; policies with errors are logged, and the last good ones kept."""
        with self._lock:
            try:
                engine = self._policy.load()
            except PolicyInvalidError as error:
                return self._failed(str(error))
        self._failure = None
        if engine is None:
            return RefreshResult(RefreshOutcome.UNCHANGED, None)
        self.snapshot = Snapshot(engine, self._clock)
        LOG.info("the policies have changed, and decide from now on")
        return RefreshResult(RefreshOutcome.UPDATED, None)

    def _failed(self, sentence: str) -> RefreshResult:
        if sentence != self._failure:
            self._failure = sentence
            LOG.warning("the policies before the last change go on deciding: %s", sentence)
        return RefreshResult(RefreshOutcome.FAILED, None, sentence)
