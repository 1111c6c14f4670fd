"""Differences as GitHub Actions workflow commands, which annotate the lines of a pull request."""

from __future__ import annotations

from hexgate.decision.decision import Decision
from hexgate.difference.change import Difference, Effect
from hexgate.difference.compare import Report
from hexgate.place import Place
from hexgate_cli.diff_sides import OpenedSide
from hexgate_cli.rendering.diagnostics_github import format_workflow_command
from hexgate_cli.rendering.diff_human import TITLES, call_parts, count_sentence, what_it_is
from hexgate_cli.rendering.replay_human import describe_cause

_COMMANDS = {Effect.WIDENING: "warning", Effect.TERMS: "warning", Effect.NARROWING: "notice"}


def format_diff_github(report: Report, before: OpenedSide, after: OpenedSide) -> str:
    """One line per difference, at the line that decides on the new side where that is a file; then what the report is."""
    lines = [_annotation(found, after) for found in report.differences]
    if report.disagreement is not None:
        text = f"the engines of the {report.disagreement.side} side disagree: this is a fault of Hexgate; run `hexgate test-parity`"
        lines.append(format_workflow_command("error", None, "hexgate diff", text))
    lines.append(f"{count_sentence(report)}. {what_it_is(report, before, after)}")
    return "\n".join(lines) + "\n"


def _annotation(found: Difference, after: OpenedSide) -> str:
    call = ", ".join(f"{name} {text}" for name, text in call_parts(found.call, found.tool))
    text = "\n".join([
        f"{found.tool} for role {found.role}, as with {call}",
        *(f"{name}: {decision.verdict.value}, {describe_cause(decision)}" for name, decision in (("old", found.old), ("new", found.new))),
    ])  # fmt: skip
    place = _place(found.new) if after.on_disk else None
    return format_workflow_command(_COMMANDS[found.effect], place, f"hexgate diff: {TITLES[found.change]}", text)


def _place(decision: Decision) -> Place | None:
    if decision.constraint is not None:
        return decision.constraint.place
    return None if decision.rule is None else decision.rule.place
