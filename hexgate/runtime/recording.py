"""Recording decisions: from a policy and an audit log to what a snapshot calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hexgate.bundle.state import StateUnavailableError, make_state_directory
from hexgate.decision.decision import Decision
from hexgate.decision.mask_paths import MaskPath
from hexgate.decision.reads import Reads
from hexgate.runtime.snapshot import Record

if TYPE_CHECKING:
    from hexgate.audit.log import AuditLog

LOG = logging.getLogger("hexgate")
FOLDER = "audit"
"""The log's folder in a state directory."""


def open_log(state: Path) -> AuditLog:
    """The log of a state directory, opened. Raises AuditUnavailableError: what cannot be recorded is better found at the start."""
    from hexgate.audit.log import AuditLog

    with suppress(StateUnavailableError):  # the log says that itself
        make_state_directory(state)  # first, or the log would make it as one that others may write to, where the umask has them
    log = AuditLog(state / FOLDER)
    log.open()
    return log


def record_in(
    log: AuditLog | None, reads_for: Callable[[str], Reads], masks: Iterable[MaskPath], *, durable: bool = False
) -> Record | None:
    """What records the decisions of one policy; None without a log. A failure is logged for the operator, once until it changes."""
    if log is None:
        return None
    from hexgate.audit.masking import Masking
    from hexgate.audit.recorder import AuditPolicy
    from hexgate.audit.unavailable import AuditUnavailableError

    recorder = log.recorder(AuditPolicy(reads_for, Masking(tuple(masks)), durable))
    told: list[str] = []

    def record(decision: Decision, **event: Any) -> bool:
        try:
            recorder.record(decision, **event)
        except AuditUnavailableError as error:
            if told != [error.detail]:
                told[:] = [error.detail]
                LOG.error("decisions cannot be recorded, and so nothing is allowed: %s", error.detail)
            return False
        if told:
            told.clear()
            LOG.info("decisions can be recorded again")
        return True

    return record
