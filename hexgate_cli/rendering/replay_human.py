"""A replay for people: a table of verdicts by tool, what denied, what was not as expected."""

from __future__ import annotations

from collections.abc import Sequence

from hexgate.decision.decision import Decision, Verdict
from hexgate_cli.rendering.decision_human import WORDS, format_rule_name
from hexgate_cli.rendering.excerpt import format_place
from hexgate_cli.rendering.table import Cell, format_table
from hexgate_cli.replay_tally import Mismatch, Tally, causes_of
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, shorten

SHOWN_MISMATCHES = 20
"""How many calls that were not as expected are shown."""

_SHORT = {Verdict.ALLOW: "allow", Verdict.APPROVAL_REQUIRED: "approval", Verdict.DENY: "deny"}


def format_replay(tally: Tally, file: str, engines: Sequence[str], screen: Screen) -> str:
    """The whole report. Ends with a line break."""
    blocks = [_summary(tally, engines, screen)]
    if tally.tools:
        blocks.append(_verdict_table(tally, screen))
    causes = _causes(tally, screen)
    if causes:
        blocks.append(causes)
    for title, mismatches in (("not as expected", tally.mismatches), ("engines disagree", tally.disagreements)):
        if mismatches:
            blocks.append(_mismatches(title, mismatches, file, screen))
    return "\n\n".join(blocks) + "\n"


def _summary(tally: Tally, engines: Sequence[str], screen: Screen) -> str:
    parts = []
    for verdict in Verdict:
        count = tally.count(verdict)
        text = f"{count:,} {verdict.value.replace('_', ' ')}"
        parts.append(screen.paint(text, WORDS[verdict][1]) if count else text)
    noun = "call" if tally.calls == 1 else "calls"
    lines = [f"{tally.calls:,} {noun}: {', '.join(parts)}; decided by {' and '.join(engines)}"]
    if tally.expected:
        met = tally.expected - len(tally.mismatches)
        text = f"{met:,} of {tally.expected:,} as expected"
        lines.append(screen.paint(text, Colour.BOLD_RED if tally.mismatches else Colour.GREEN))
    return "\n".join(lines)


def _verdict_table(tally: Tally, screen: Screen) -> str:
    rows = []
    for tool, counts in tally.sorted_tools():
        row: list[Cell] = [(shorten(escape_name(tool), 60), None)]
        row.append((f"{sum(counts.verdicts.values()):,}", None))
        for verdict in Verdict:
            count = counts.verdicts[verdict]
            row.append((f"{count:,}" if count else "-", WORDS[verdict][1] if count else Colour.DIM))
        rows.append(row)
    return format_table(["tool", "calls", *_SHORT.values()], rows, "<>>>>", screen)


def _causes(tally: Tally, screen: Screen) -> str:
    """Why calls were not simply allowed."""
    lines = []
    for tool, counts in tally.sorted_tools():
        causes = [(decision, count) for decision, count in causes_of(counts) if not decision.allowed]
        if not causes:
            continue
        lines.append(screen.paint(escape_name(tool), Colour.BOLD))
        for decision, count in causes:
            word = screen.paint(f"{_SHORT[decision.verdict]:<8}", WORDS[decision.verdict][1])
            lines.append(f"  {count:>6,}  {word}  {describe_cause(decision)}")
    return "\n".join(lines)


def describe_cause(decision: Decision) -> str:
    """What decided, with its place: the constraint, or the rule, or the reason alone."""
    constraint, rule, fault = decision.constraint, decision.rule, decision.fault
    reason = decision.reason.value if fault is None else f"{decision.reason.value} ({fault.code})"
    if constraint is not None:
        text = " ".join(escape_text(constraint.text).split())
        return f"{reason}: {shorten(text, 80)}  {format_place(constraint.place)}"
    if rule is not None:
        return f"{reason}: {format_rule_name(rule)}  {format_place(rule.place)}"
    return reason


def _mismatches(title: str, mismatches: list[Mismatch], file: str, screen: Screen) -> str:
    lines = [screen.paint(f"{title}: {len(mismatches):,}", Colour.BOLD_RED)]
    for mismatch in mismatches[:SHOWN_MISMATCHES]:
        call = mismatch.call
        where = f"{escape_text(file)}:{call.line}"
        lines.append(f"  {where}  {escape_name(call.request.tool)} for role {escape_name(call.request.user.role)}")
        if call.expectation is not None:
            lines.append(f"    expected     {escape_text(str(call.expectation))}")
        alike = len(set(mismatch.answers.values())) == 1
        answers = [("answered", next(iter(mismatch.answers.values())))] if alike else list(mismatch.answers.items())
        for name, decision in answers:
            lines.append(f"    {name:<11}  {decision.verdict.value}, {describe_cause(decision)}")
    if len(mismatches) > SHOWN_MISMATCHES:
        lines.append(f"  and {len(mismatches) - SHOWN_MISMATCHES:,} more")
    return "\n".join(lines)
