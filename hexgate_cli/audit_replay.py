"""Recorded decisions, decided again: the call as it was recorded, whether that is enough, and what became different."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hexgate.audit.event import NAME_CHARACTERS, AuditEvent, Outcome, outcome_of
from hexgate.audit.recordable import restore_value
from hexgate.decision.decision import Decision, Reason, User, Verdict
from hexgate.decision.engine import DecisionEngine
from hexgate.decision.reads import Everything, Members, Reads
from hexgate_cli.audit_statistics import NAMES, OTHERS
from hexgate_cli.engines import Request, decide_with

KEPT = 1_000
"""Differences that are kept one by one; all are counted."""


_GATE_REASONS = frozenset({
    Reason.BUNDLE_EXPIRED, Reason.TOKEN_REQUIRED, Reason.TOKEN_REFUSED, Reason.AUDIT_UNAVAILABLE, Reason.ENGINE_FAULT
})  # fmt: skip
"""Denials that no policy decided: another one would not have been asked either."""


def missing_value(event: AuditEvent, reads: Reads) -> str | None:
    """Why a call cannot be decided again as it was: what a policy reads of it is not in the record. None where it can."""
    if event.outcome.reason in _GATE_REASONS:
        return f"the gate denied without asking a policy ({event.outcome.reason.value})"
    for text in (event.user, event.outcome.role, event.outcome.tool):
        if text is not None and len(text) == NAME_CHARACTERS and text.endswith("…"):
            return "a name is cut off in the record"
    roots: tuple[tuple[str, Members], ...] = (
        ("args", reads.args), ("attrs", reads.attrs), ("ctx", reads.ctx), ("resource", reads.resource)
    )  # fmt: skip
    for kind, pointers in (("masked", event.masked), ("not recorded", event.erased)):
        for pointer in pointers:
            for root, members in roots:
                if _is_read(pointer, root, members):
                    return f"{pointer.removeprefix('/input/')} is {kind}"
    return None


def _is_read(pointer: str, root: str, members: Members) -> bool:
    _, _, found, *rest = pointer.split("/")
    if found != root or not members:
        return False
    if isinstance(members, Everything) or not rest:
        return True
    return rest[0].replace("~1", "/").replace("~0", "~") in members


def decide_again(event: AuditEvent, engines: Mapping[str, DecisionEngine]) -> dict[str, Decision]:
    """Every engine's decision on a recorded call, at the time of the recorded one."""
    roots: dict[str, Any] = {
        root: restore_value(values, f"/input/{root}", dict(event.types)) for root, values in event.input.items()
    }
    for pointer in event.types:
        if pointer.count("/") == 2:
            roots[pointer.removeprefix("/input/")] = object()  # the root was no object
    user = User(event.user or "", event.outcome.role or "", roots.get("attrs", {}))
    request = Request(
        event.outcome.tool or "", roots.get("args", {}), user, roots.get("ctx", {}), roots.get("resource", {}),
        event.timestamp if event.decided_at is None else event.decided_at,
    )
    return decide_with(engines, request)


@dataclass(frozen=True, slots=True)
class Difference:
    """A call that would have been answered otherwise, or about which the engines disagree."""

    event: AuditEvent
    answer: Outcome


Kind = tuple[str, str, Verdict, Verdict]
"""Tool, role, the verdict before and after."""


@dataclass(slots=True)
class Replay:
    """What another policy would have made of a log. `same_verdict` counts decisions for another reason or by another rule."""

    events: int = 0
    same: int = 0
    same_verdict: int = 0
    changes: Counter[Kind] = field(default_factory=Counter)
    undecidable: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    disagreements: int = 0

    def add(self, event: AuditEvent, engines: Mapping[str, DecisionEngine], reads_for: Callable[[str], Reads]) -> None:
        """Decide one event again."""
        self.events += 1
        missing = missing_value(event, reads_for(event.outcome.tool or ""))
        if missing is not None:
            self.undecidable[missing if missing in self.undecidable or len(self.undecidable) < NAMES else OTHERS] += 1
            return
        first, *rest = decide_again(event, engines).values()
        self.disagreements += any(answer != first for answer in rest)
        answer = outcome_of(first)
        before = event.outcome
        if answer.verdict is before.verdict:
            alike = (answer.reason, answer.constraint, answer.fault) == (before.reason, before.constraint, before.fault)
            self.same += alike
            self.same_verdict += not alike
            return
        kind = (before.tool or "-", before.role or "-", before.verdict, answer.verdict)
        if kind not in self.changes and len(self.changes) >= NAMES:
            kind = (OTHERS, OTHERS, before.verdict, answer.verdict)
        self.changes[kind] += 1
        if len(self.differences) < KEPT:
            self.differences.append(Difference(event, answer))

    @property
    def changed(self) -> int:
        """Calls with another verdict."""
        return self.changes.total()
