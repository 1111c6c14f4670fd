"""The one failure of recording: what could not be recorded must not run, and a denial that was not recorded is counted."""

from __future__ import annotations

import threading


class AuditUnavailableError(Exception):
    """An event was not recorded as its mode asks. `detail` is one sentence for the operator; it holds no argument."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class UnrecordedDenials:
    """How many denials no event was written for, and no record counts yet. Safe from threads."""

    __slots__ = ("_lock", "count")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.count = 0

    def add(self, denials: int) -> None:
        """Count more, or fewer."""
        with self._lock:
            self.count += denials
