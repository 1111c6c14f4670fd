"""The one failure of recording: what could not be recorded must not run."""

from __future__ import annotations


class AuditUnavailableError(Exception):
    """An event was not recorded as its mode asks. `detail` is one sentence for the operator; it holds no argument."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
