"""Differences for people: what widens first, each with its call and the line that decides on each side."""

from __future__ import annotations

import json

from hexgate.decision.decision import Decision
from hexgate.difference.change import Change, Difference, Effect
from hexgate.difference.compare import Disagreement, Report
from hexgate.language.operations_time import format_timestamp
from hexgate.parity.call import Call
from hexgate.parity.near_times import NOW
from hexgate.strict_json import Json
from hexgate.values import Timestamp
from hexgate_cli.diff_sides import OpenedSide
from hexgate_cli.rendering.call_text import call_to_dict
from hexgate_cli.rendering.excerpt import format_excerpt, gutter_width
from hexgate_cli.rendering.replay_human import describe_cause
from hexgate_cli.terminal import Colour, Screen, escape_json, escape_name, escape_text, shorten, wrap

SHOWN_PART = 1_000
"""Longest part of a call, in columns, that is shown whole."""

SHOWN_NAMES = 12
"""How many names that are on one side only are listed."""

TITLES = {
    Change.NEWLY_ALLOWED: "newly allowed",
    Change.NEWLY_HELD: "newly held for approval",
    Change.HELD_OTHERWISE: "held for approval on other terms",
    Change.NEWLY_DENIED: "newly denied",
}
EFFECTS = {Effect.WIDENING: "lets more through", Effect.TERMS: "for people to judge", Effect.NARROWING: "lets less through"}
COLOURS = {Effect.WIDENING: Colour.BOLD_RED, Effect.TERMS: Colour.BOLD_YELLOW, Effect.NARROWING: Colour.BOLD_GREEN}


def format_diff(report: Report, before: OpenedSide, after: OpenedSide, screen: Screen) -> str:
    """The whole report. Ends with a line break."""
    blocks = [_summary(report, before, after, screen)]
    title = None
    for found in report.differences:
        if title != (found.effect, found.change):
            title = found.effect, found.change
            head = screen.paint(TITLES[found.change], COLOURS[found.effect])
            blocks.append(f"{head} ({EFFECTS[found.effect]})")
        blocks.append(_difference(found, before, after, screen))
    if report.disagreement is not None:
        blocks.append(_disagreement(report.disagreement, screen))
    blocks.append("\n".join(wrap(what_it_is(report, before, after), max(screen.width, 20))))
    return "\n\n".join(blocks) + "\n"


def what_it_is(report: Report, before: OpenedSide, after: OpenedSide) -> str:
    """What the report is, and is not."""
    whole = "" if report.is_complete else ", which is not all that they suggest"
    sources = [opened for opened in (before, after) if opened.side.policy is not None]
    derived = "both sides' policies" if len(sources) == 2 else f"`{escape_text(sources[0].name)}` alone, the other side has no policies in it"
    tried = "1 call was" if report.cases == 1 else f"{report.cases:,} calls were"
    return f"{tried} tried, derived from {derived}{whole}. These are differences that were found, not a proof that there are no others."


def count_sentence(report: Report) -> str:
    """How many differences there are, by what they do."""
    if not report.differences:
        return "no difference was found"
    widening, terms, narrowing = map(report.count, Effect)
    parts = [f"{widening:,} let more through"] + ([f"{terms:,} on other terms"] if terms else []) + [f"{narrowing:,} let less through"]
    noun = "difference" if len(report.differences) == 1 else "differences"
    return f"{len(report.differences):,} {noun}: {', '.join(parts)}"


def _summary(report: Report, before: OpenedSide, after: OpenedSide, screen: Screen) -> str:
    colour = COLOURS[report.differences[0].effect] if report.differences else Colour.BOLD_GREEN
    lines = [screen.paint(count_sentence(report), colour), f"  old  {escape_text(before.name)}", f"  new  {escape_text(after.name)}"]
    old, new = before.side.named, after.side.named
    for what, left, right in (("role", old.roles, new.roles), ("tool", (*old.tools, *old.patterns), (*new.tools, *new.patterns))):
        for side, names in (("old", sorted({*left} - {*right})), ("new", sorted({*right} - {*left}))):
            if names:
                shown = ", ".join(escape_name(name) for name in names[:SHOWN_NAMES])
                more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
                lines.append(f"  {what if len(names) == 1 else what + 's'} named in {side} only: {shown}{more}")
    return "\n".join(lines)


def _difference(found: Difference, before: OpenedSide, after: OpenedSide, screen: Screen) -> str:
    lines = [f"{screen.paint(escape_name(found.tool), Colour.BOLD)} for role {screen.paint(escape_name(found.role), Colour.BOLD)}"]
    for name, text in call_parts(found.call, found.tool):
        lines.append(f"  {name:<8}  {shorten(text, SHOWN_PART)}")
    for name, decision, opened in (("old", found.old, before), ("new", found.new, after)):
        lines.append(f"  {screen.paint(f'{name:<8}', Colour.BOLD)}  {decision.verdict.value}, {describe_cause(decision)}{_terms(found, decision)}")
        lines += _excerpt(decision, opened, screen)
    return "\n".join(lines)


def _terms(found: Difference, decision: Decision) -> str:
    rule = decision.rule
    if found.effect is not Effect.TERMS or rule is None:
        return ""
    approvers = ", ".join(escape_text(name) for name in rule.approvers) or "anybody"
    return f"; approved by {approvers}" + ("" if rule.expires_in is None else f" within {rule.expires_in} seconds")


def _excerpt(decision: Decision, opened: OpenedSide, screen: Screen) -> list[str]:
    place = decision.constraint.place if decision.constraint is not None else None if decision.rule is None else decision.rule.place
    if place is None:
        return []
    return [f"    {line}" for line in format_excerpt(place, opened.sources, screen, gutter=gutter_width(place))]


def call_parts(call: Call, tool: str) -> list[tuple[str, str]]:
    """What there is to say of a call, as JSON by name: what is empty, or as in every call, is left out, and the tool where it is `tool`."""
    parts = call_to_dict(call)
    user = parts["user"]
    shown: list[tuple[str, Json]] = [("args", parts["args"])]
    if call.tool != tool:
        shown.insert(0, ("tool", parts["tool"]))
    if isinstance(user, dict):
        if user["id"] != "alice":
            shown.append(("user.id", user["id"]))
        if user["attrs"]:
            shown.append(("attrs", user["attrs"]))
    shown += [(name, parts[name]) for name in ("ctx", "resource") if parts[name]]
    if call.now != NOW:
        shown.append(("now", format_timestamp(Timestamp(call.now))))
    return [(name, escape_json(json.dumps(value, ensure_ascii=False))) for name, value in shown]


def _disagreement(found: Disagreement, screen: Screen) -> str:
    lines = [screen.paint(f"the engines of the {found.side} side disagree", Colour.BOLD_RED)]
    lines += [f"  {name:<8}  {text}" for name, text in call_parts(found.call, "")]
    lines += [f"  {name:<11}  {decision.verdict.value}, {describe_cause(decision)}" for name, decision in found.decisions.items()]
    lines.append("  this is a fault of Hexgate, not of the policy: please report it with these lines")
    return "\n".join(lines)
