"""A parity run for people: how much was compared, what the policy's constraints were seen to do, where engines differ."""

from __future__ import annotations

import json

from hexgate.parity.coverage import Coverage
from hexgate.parity.possible import Outcome
from hexgate.parity.run import Disagreement, Report
from hexgate_cli.rendering.call_text import call_to_dict
from hexgate_cli.rendering.excerpt import format_excerpt, format_place, gutter_width
from hexgate_cli.rendering.replay_human import describe_cause
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, Screen, escape_json, escape_text, shorten

SHOWN_MISSES = 20
"""How many outcomes that were never seen are listed."""

SHOWN_PART = 2_000
"""Longest part of a call, in columns, that is shown whole."""


def format_parity(report: Report, sources: SourceText, screen: Screen) -> str:
    """The whole report. Ends with a line break."""
    blocks = [_summary(report, screen)]
    if report.coverage is not None:
        blocks.append(_coverage(report.coverage, screen))
    if report.disagreement is not None:
        blocks.append(_disagreement(report.disagreement, report.seed, sources, screen))
    return "\n\n".join(blocks) + "\n"


def _summary(report: Report, screen: Screen) -> str:
    engines = " and ".join((", ".join(report.engines[:-1]), report.engines[-1]))
    if report.disagreement is None:
        verdict = screen.paint(f"{report.cases:,} calls, all decided alike", Colour.BOLD_GREEN) + f" by {engines}"
    else:
        verdict = screen.paint(f"{engines} disagree", Colour.BOLD_RED) + f" after {report.disagreement.number - 1:,} calls decided alike"
    whole = "" if report.is_complete else ", not all that the policy suggests"
    rate = report.cases / report.seconds if report.seconds else 0
    parts = ", ".join(f"{name} {round(100 * seconds / max(report.seconds, 1e-9))} %" for name, seconds in report.parts.items())
    return "\n".join([
        verdict,
        f"{report.derived:,} derived from the policy ({len(report.targets):,} pairs of role and tool){whole}; {report.random:,} random, seed {report.seed}",
        f"{report.seconds:,.1f} seconds, {rate:,.0f} cases/s: {parts}",
    ])  # fmt: skip


def _coverage(coverage: Coverage, screen: Screen) -> str:
    seen, missed, impossible = coverage.branches
    total = seen + missed
    text = f"{seen:,} of {total:,} outcomes of {len(coverage.constraints):,} constraints seen"
    lines = [screen.paint(text, Colour.GREEN if not missed else Colour.YELLOW) + (f"; {impossible:,} more {'is' if impossible == 1 else 'are'} impossible" if impossible else "")]
    for possible, word in ((True, "never seen"), (False, "impossible")):
        found = [
            (outcome, constraint)
            for constraint in coverage.constraints
            for outcome in Outcome
            if not constraint.count(outcome) and (outcome in constraint.possible) is possible
        ]
        for outcome, constraint in found[:SHOWN_MISSES]:
            told = " ".join(escape_text(constraint.reference.text).split())
            lines.append(f"  {word} {outcome.value:<5}  {shorten(told, 70)}  {format_place(constraint.reference.place)}")
        if len(found) > SHOWN_MISSES:
            lines.append(f"  and {len(found) - SHOWN_MISSES:,} more {word}")
    return "\n".join(lines)


def _disagreement(found: Disagreement, seed: int, sources: SourceText, screen: Screen) -> str:
    lines = [screen.paint(f"the smallest call that differs (call {found.number:,}, seed {seed})", Colour.BOLD_RED)]
    for name, value in call_to_dict(found.call).items():
        if value is not None:
            text = escape_json(json.dumps(value, ensure_ascii=False))
            lines.append(f"  {name:<11}  {shorten(text, SHOWN_PART)}")
    for name, decision in found.decisions.items():
        lines.append(f"  {screen.paint(f'{name:<11}', Colour.BOLD)}  {decision.verdict.value}, {describe_cause(decision)}")
    if found.place is not None:
        lines += [f"    {line}" for line in format_excerpt(found.place, sources, screen, gutter=gutter_width(found.place))]
    lines.append("  this is a fault of Hexgate, not of the policy: please report it with these lines")
    return "\n".join(lines)
