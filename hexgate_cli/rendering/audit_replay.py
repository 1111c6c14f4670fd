"""What another policy would have made of a log, for people and for programs."""

from __future__ import annotations

from typing import Any

from hexgate.audit.event import Outcome, format_timestamp, outcome_to_dict
from hexgate_cli.audit_replay import Difference, Replay
from hexgate_cli.rendering.audit_line import SHORT, clock, name, why
from hexgate_cli.rendering.decision_human import WORDS
from hexgate_cli.rendering.excerpt import format_place
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, pad, shorten

SHOWN_DIFFERENCES = 20


def format_replayed(found: Replay, engines: list[str], screen: Screen) -> str:
    """The report. Ends with a line break."""
    changed = f"{found.changed:,} would have another verdict"
    noun = "decision" if found.events == 1 else "decisions"
    lines = [
        f"{found.events:,} {noun}, decided again by {' and '.join(engines)}: "
        f"{screen.paint(changed, Colour.BOLD_YELLOW) if found.changed else changed}, "
        f"{found.same_verdict:,} the same one for another reason, {found.same:,} are the same"
    ]
    if found.disagreements:
        lines.append(screen.paint(f"the engines disagree on {found.disagreements:,}", Colour.BOLD_RED))
    undecided = found.undecidable.total()
    if undecided:
        lines.append(f"{undecided:,} cannot be decided again:")
        for reason, count in sorted(found.undecidable.items(), key=lambda item: (-item[1], item[0]))[:10]:
            lines.append(f"  {count:>8,}  {escape_name(reason)}")
    if found.changes:
        lines.append("")
        for (tool, role, before, after), count in sorted(found.changes.items(), key=lambda item: (-item[1], item[0][0], item[0][1], item[0][2].value)):
            arrow = f"{screen.paint(SHORT[before], WORDS[before][1])} -> {screen.paint(SHORT[after], WORDS[after][1])}"
            lines.append(f"  {count:>8,}  {arrow}  {escape_name(tool)} for role {escape_name(role)}")
        lines.append("")
        for difference in found.differences[:SHOWN_DIFFERENCES]:
            lines += _difference(difference, screen)
        if found.changed > SHOWN_DIFFERENCES:
            lines.append(f"and {found.changed - SHOWN_DIFFERENCES:,} more")
    return "\n".join(lines) + "\n"


def _difference(difference: Difference, screen: Screen) -> list[str]:
    event, answer = difference.event, difference.answer
    head = f"{clock(event.timestamp)}  {name(event.outcome.tool)}  {name(event.user)} ({name(event.outcome.role)})  {name(event.decision_id)}"
    old = screen.paint(pad(SHORT[event.outcome.verdict], 8), WORDS[event.outcome.verdict][1])
    new = screen.paint(pad(SHORT[answer.verdict], 8), WORDS[answer.verdict][1])
    return [head, f"  was    {old}  {why(event)}", f"  would  {new}  {_why(answer)}"]


def _why(answer: Outcome) -> str:
    reason = answer.reason.value if answer.fault is None else f"{answer.reason.value} ({answer.fault})"
    if answer.constraint is not None and answer.constraint_place is not None:
        return f"{reason}: {shorten(escape_text(' '.join(answer.constraint.split())), 80)}  {format_place(answer.constraint_place)}"
    return reason if answer.rule_place is None else f"{reason}  {format_place(answer.rule_place)}"


def replayed_to_dict(found: Replay, engines: list[str]) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "decisions": found.events,
        "engines": engines,
        "same": found.same,
        "same_verdict": found.same_verdict,
        "changed": found.changed,
        "disagreements": found.disagreements,
        "undecidable": [{"reason": reason, "count": count} for reason, count in sorted(found.undecidable.items())],
        "changes": [
            {"tool": tool, "role": role, "was": before.value, "would": after.value, "count": count}
            for (tool, role, before, after), count in sorted(found.changes.items(), key=lambda item: [str(part) for part in item[0]])
        ],
        "differences": [
            {
                "decision_id": difference.event.decision_id,
                "timestamp": format_timestamp(difference.event.timestamp),
                "user": difference.event.user,
                "was": outcome_to_dict(difference.event.outcome),
                "would": outcome_to_dict(difference.answer),
            }
            for difference in found.differences
        ],
    }
