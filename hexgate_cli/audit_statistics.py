"""Counts over a log of any size: memory grows with the number of tools, roles and constraints, and those are bounded."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from hexgate.audit.event import AuditEvent
from hexgate.decision.decision import Verdict
from hexgate.place import Place

NAMES = 10_000
"""Tools, roles and constraints that are counted by name. A model chooses the names of tools, so there must be an end."""

OTHERS = "(others)"
_STEPS = 64
"""Buckets for each doubling of a latency: percentiles are exact to 1.1 %."""


@dataclass(slots=True)
class Latencies:
    """A histogram of nanoseconds."""

    buckets: Counter[int] = field(default_factory=Counter)
    count: int = 0
    longest: int = 0

    def add(self, nanoseconds: int) -> None:
        """Count one."""
        self.buckets[round(math.log2(max(1, nanoseconds)) * _STEPS)] += 1
        self.count += 1
        self.longest = max(self.longest, nanoseconds)

    def percentile(self, part: float) -> int:
        """The latency in nanoseconds that so large a part does not exceed."""
        rank = max(1, math.ceil(part * self.count))
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank <= 0:
                return min(self.longest, round(2 ** (bucket / _STEPS)))
        return self.longest


Cause = tuple[str, str, Place | None]
"""Why a call was not simply allowed: the reason, the constraint's text, its place."""


@dataclass(slots=True)
class Statistics:
    """What a log's decisions come to. `first` and `last` are in nanoseconds since the epoch."""

    events: int = 0
    first: int = 0
    last: int = 0
    tools: dict[str, Counter[Verdict]] = field(default_factory=dict)
    roles: dict[str, Counter[Verdict]] = field(default_factory=dict)
    causes: Counter[Cause] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)

    def add(self, event: AuditEvent) -> None:
        """Count one decision."""
        outcome = event.outcome
        self.first = min(self.first, event.timestamp) if self.events else event.timestamp
        self.last = max(self.last, event.timestamp)
        self.events += 1
        _count(self.tools, outcome.tool, outcome.verdict)
        _count(self.roles, outcome.role, outcome.verdict)
        if outcome.verdict is Verdict.DENY:
            reason = outcome.reason.value if outcome.fault is None else f"{outcome.reason.value} ({outcome.fault})"
            cause: Cause = (reason, outcome.constraint or "", outcome.constraint_place or outcome.rule_place)
            if cause not in self.causes and len(self.causes) >= NAMES:
                cause = (OTHERS, "", None)
            self.causes[cause] += 1
        if event.latency is not None:
            self.latencies.add(event.latency)

    def total(self, verdict: Verdict) -> int:
        """Decisions with a verdict."""
        return sum(counts[verdict] for counts in self.tools.values())

    def top_causes(self, number: int) -> list[tuple[Cause, int]]:
        """The most frequent causes of denials; of equally frequent ones, the first by text and place."""

        def key(item: tuple[Cause, int]) -> tuple[int, str, str, str, int]:
            (reason, text, place), count = item
            return (-count, reason, text, "" if place is None else place.file, 0 if place is None else place.line)

        return sorted(self.causes.items(), key=key)[:number]


def _count(table: dict[str, Counter[Verdict]], name: str | None, verdict: Verdict) -> None:
    key = "-" if name is None else name
    if key not in table and len(table) >= NAMES:
        key = OTHERS
    table.setdefault(key, Counter())[verdict] += 1
