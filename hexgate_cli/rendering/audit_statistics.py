"""Counts over a log, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hexgate.audit.event import format_timestamp
from hexgate.decision.decision import Verdict
from hexgate_cli.audit_statistics import Statistics
from hexgate_cli.rendering.audit_line import SHORT, clock
from hexgate_cli.rendering.decision_human import WORDS
from hexgate_cli.rendering.excerpt import format_place
from hexgate_cli.rendering.table import Cell, format_table
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, shorten

PERCENTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
SHOWN_ROWS = 50


def format_statistics(found: Statistics, top: int, screen: Screen) -> str:
    """The report. Ends with a line break."""
    verdicts = ", ".join(
        screen.paint(f"{found.total(verdict):,} {verdict.value.replace('_', ' ')}", WORDS[verdict][1]) for verdict in Verdict
    )
    noun = "decision" if found.events == 1 else "decisions"
    blocks = [f"{found.events:,} {noun} from {clock(found.first)} to {clock(found.last)}: {verdicts}"]
    blocks += [_table("tool", found.tools, screen), _table("role", found.roles, screen)]
    causes = found.top_causes(top)
    if causes:
        lines = [screen.paint("denied by", Colour.BOLD)]
        for (reason, text, place), count in causes:
            what = reason if not text else f"{reason}: {shorten(escape_text(' '.join(text.split())), 80)}"
            lines.append(f"  {count:>8,}  {what}" + ("" if place is None else f"  {format_place(place)}"))
        blocks.append("\n".join(lines))
    if found.latencies.count:
        parts = [f"{title} {_microseconds(found.latencies.percentile(part))}" for title, part in PERCENTILES]
        blocks.append(f"time to decide: {', '.join(parts)}, longest {_microseconds(found.latencies.longest)}")
    return "\n\n".join(blocks) + "\n"


def _table(title: str, counts: Mapping[str, Counter[Verdict]], screen: Screen) -> str:
    rows: list[list[Cell]] = []
    ordered = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    for name, verdicts in ordered[:SHOWN_ROWS]:
        row: list[Cell] = [(shorten(escape_name(name) or '""', 60), None), (f"{verdicts.total():,}", None)]
        for verdict in Verdict:
            count = verdicts[verdict]
            row.append((f"{count:,}" if count else "-", WORDS[verdict][1] if count else Colour.DIM))
        rows.append(row)
    table = format_table([title, "calls", *SHORT.values()], rows, "<>>>>", screen)
    return table + (f"\nand {len(ordered) - SHOWN_ROWS:,} more" if len(ordered) > SHOWN_ROWS else "")


def _microseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1000:,.1f} us"


def statistics_to_dict(found: Statistics, top: int) -> dict[str, Any]:
    """The counts as JSON."""
    return {
        "decisions": found.events,
        "first": format_timestamp(found.first),
        "last": format_timestamp(found.last),
        "verdicts": {verdict.value: found.total(verdict) for verdict in Verdict},
        "tools": _rows("tool", found.tools),
        "roles": _rows("role", found.roles),
        "denied_by": [
            {"reason": reason, "constraint": text or None, "place": None if place is None else format_place(place), "count": count}
            for (reason, text, place), count in found.top_causes(top)
        ],
        "latency_ns": None
        if not found.latencies.count
        else {**{title: found.latencies.percentile(part) for title, part in PERCENTILES}, "longest": found.latencies.longest},
    }


def _rows(title: str, counts: Mapping[str, Counter[Verdict]]) -> list[dict[str, Any]]:
    return [
        {title: name, **{verdict.value: verdicts[verdict] for verdict in Verdict}} for name, verdicts in sorted(counts.items())
    ]
