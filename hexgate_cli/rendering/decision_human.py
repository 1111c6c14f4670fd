"""Decisions for people: the verdict, why, and the line of the policy that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hexgate.decision.decision import ConstraintReference, Decision, Reason, RuleReference, Verdict
from hexgate.faults import Fault
from hexgate.limits import REQUEST_BYTES
from hexgate.policy.checked import CheckedConstraint, CheckedPolicy, CheckedRole
from hexgate_cli.failures import help_for_unknown
from hexgate_cli.rendering.excerpt import format_excerpt, format_place, gutter_width
from hexgate_cli.rendering.readings import Reading, readings_of
from hexgate_cli.source_text import SourceText
from hexgate_cli.terminal import Colour, Screen, escape_name, escape_text, pad, width_of, wrap

WORDS = {
    Verdict.ALLOW: ("ALLOW", Colour.BOLD_GREEN),
    Verdict.APPROVAL_REQUIRED: ("APPROVAL REQUIRED", Colour.BOLD_YELLOW),
    Verdict.DENY: ("DENY", Colour.BOLD_RED),
}

FAULTS: dict[Fault, str] = {
    Fault.NO_SUCH_OVERLOAD: "an operation does not take values of these types",
    Fault.NO_SUCH_KEY: "a member that it reads is absent",
    Fault.INDEX_OUT_OF_RANGE: "an index is outside its list or string",
    Fault.DIVIDE_BY_ZERO: "a division by zero",
    Fault.OVERFLOW: "a number or time leaves its range",
    Fault.INVALID_ARGUMENT: "a function does not take this argument",
    Fault.DUPLICATE_KEY: "a map has one key twice",
    Fault.UNSUPPORTED_VALUE: "it reads a value that the language does not have",
    Fault.NOT_A_BOOL: "its value is no bool",
    Fault.UNDECLARED_REFERENCE: "a name has no meaning",
    Fault.ITERATION_BUDGET_EXCEEDED: "it takes too many steps",
    Fault.ALLOCATION_BUDGET_EXCEEDED: "it builds values that are too large",
}
"""What each fault means, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Call:
    """What was decided on: the request's roots by name (`args`, `user`, `tool`, `ctx`, `resource`, `now`)."""

    roots: Mapping[str, Any]


def format_decision(
    decision: Decision, policy: CheckedPolicy, call: Call, engines: str, sources: SourceText, screen: Screen
) -> str:
    """The decision, several lines. `engines` says who decided."""
    word, colour = WORDS[decision.verdict]
    tool = escape_name(decision.tool or "(no tool)")
    role = escape_name(decision.role or "(no role)")
    head = f"{screen.paint(word, colour)}  {screen.paint(tool, Colour.BOLD)} for role {screen.paint(role, Colour.BOLD)}"
    lines = [head, *_indent(wrap(_reason_sentence(decision, policy), max(screen.width - 2, 20)))]
    rule = decision.rule
    if rule is not None:
        readings = _readings_by_constraint(rule, policy, call)
        lines += ["", *_rule_lines(decision, rule, readings, sources, screen)]
    lines += ["", *_facts(decision, engines, screen)]
    return "\n".join(lines) + "\n"


def _reason_sentence(decision: Decision, policy: CheckedPolicy) -> str:
    role, tool = escape_name(decision.role or ""), escape_name(decision.tool or "")
    match decision.reason:
        case Reason.RULE:
            return _rule_sentence(decision)
        case Reason.CONSTRAINT_FAILED:
            return "no rule for the tool holds: a constraint is false"
        case Reason.EVALUATION_ERROR:
            fault = decision.fault
            detail = "" if fault is None else f": {FAULTS[fault]} ({fault.code})"
            return f"a constraint has no value, which denies{detail}"
        case Reason.UNKNOWN_TOOL:
            return f"nothing in role `{role}` names the tool `{tool}`, and the role has no default policy"
        case Reason.UNKNOWN_ROLE:
            hint = help_for_unknown(decision.role or "", policy.roles, "role")
            return f"the policy set has no role `{role}` that a user can hold; {escape_text(hint)}"
        case Reason.MISSING_USER:
            return "nobody is calling: the user has no id"
        case Reason.REQUEST_TOO_LARGE:
            return f"what the rules of the tool read is longer than {REQUEST_BYTES} bytes"
        case Reason.MALFORMED_REQUEST:
            return "the module could not read the request"
        case Reason.ENGINE_FAULT:
            return "the engine failed, which denies"
        case Reason.BUNDLE_EXPIRED:
            return "the bundle is past its expiry, and denies every call"
        case Reason.TOKEN_REQUIRED:
            return "the bundle asks for a token of the caller's, and there is none"
        case Reason.TOKEN_REFUSED:
            return "the caller's token does not permit this call"
        case Reason.AUDIT_UNAVAILABLE:
            return "the decision could not be recorded, which denies"


def _rule_sentence(decision: Decision) -> str:
    rule = decision.rule
    constraints = 0 if rule is None else len(rule.constraints)
    does = {Verdict.ALLOW: "allows", Verdict.APPROVAL_REQUIRED: "asks for approval", Verdict.DENY: "denies"}
    held = {0: "it has no constraints", 1: "its constraint holds"}.get(constraints, f"its {constraints} constraints hold")
    return f"a rule {does[decision.verdict]}: {held}"


def _readings_by_constraint(
    rule: RuleReference, policy: CheckedPolicy, call: Call
) -> Callable[[ConstraintReference], list[Reading]]:
    checked = _find_constraints(policy, rule)

    def readings(reference: ConstraintReference) -> list[Reading]:
        constraint = checked.get((reference.place.file, reference.place.line, reference.place.column))
        return [] if constraint is None else readings_of(constraint, call.roots)

    return readings


def _find_constraints(policy: CheckedPolicy, rule: RuleReference) -> dict[tuple[str, int, int], CheckedConstraint]:
    """The checked constraints of a rule, by file, line and column."""
    holders: list[CheckedRole] = [*policy.roles.values(), *([] if policy.boundary is None else [policy.boundary])]
    for holder in holders:
        entries = [*holder.exact.values(), *holder.patterns, *([] if holder.default is None else [holder.default])]
        for entry in entries:
            for checked in entry.rules:
                if checked.reference == rule:
                    return {
                        (c.reference.place.file, c.reference.place.line, c.reference.place.column): c
                        for c in checked.constraints
                    }
    return {}


def _rule_lines(
    decision: Decision,
    rule: RuleReference,
    readings: Callable[[ConstraintReference], list[Reading]],
    sources: SourceText,
    screen: Screen,
) -> list[str]:
    """The rule's place, and the constraint that decided, or all that hold."""
    decided = decision.constraint
    shown: Sequence[ConstraintReference] = rule.constraints if decided is None else [decided]
    main = rule.place if decided is None else decided.place
    gutter = gutter_width(rule.place, *(constraint.place for constraint in shown))
    space = " " * gutter
    bar = screen.paint("|", Colour.BLUE)
    lines = [f"{space}{screen.paint('-->', Colour.BLUE)} {format_place(main)}", f"{space} {bar}"]
    if decided is None:
        colour = WORDS[decision.verdict][1]
        lines += format_excerpt(rule.place, sources, screen, gutter=gutter, label="this rule", colour=colour)
        for constraint in shown:
            lines += format_excerpt(
                constraint.place, sources, screen, gutter=gutter, label="holds", colour=Colour.GREEN
            ) or [f"{space} {bar} {escape_text(constraint.text)}"]
    else:
        label = "has no value" if decision.reason is Reason.EVALUATION_ERROR else "is false"
        lines += format_excerpt(decided.place, sources, screen, gutter=gutter, label=label) or [
            f"{space} {bar} {escape_text(decided.text)} {label}"
        ]
    found = {reading.path: reading for constraint in shown for reading in readings(constraint)}
    if found:
        lines.append(f"{space} {bar}")
    widest = max((width_of(path) for path in found), default=0)
    for reading in found.values():
        value = screen.paint(reading.value, Colour.BOLD)
        lines.append(f"{space} {screen.paint('=', Colour.BLUE)} {pad(reading.path, widest)} is {value}")
    return lines


def format_rule_name(rule: RuleReference) -> str:
    """Which rule: `refund_order of role billing`, with its number where it has siblings before it."""
    owner = "the boundary" if rule.role is None else f"role {escape_name(rule.role)}"
    number = f", rule {rule.number + 1}" if rule.number else ""
    return f"{escape_name(rule.tool)} of {owner}{number}"


def format_seconds(seconds: int) -> str:
    """A span in the largest units that it has: `1h 30m`."""
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def _facts(decision: Decision, engines: str, screen: Screen) -> list[str]:
    facts: list[tuple[str, str]] = []
    rule = decision.rule
    if rule is not None:
        facts.append(("rule", f"{format_rule_name(rule)}, mode {rule.mode.value} ({format_place(rule.place)})"))
        if rule.message is not None:
            facts.append(("message", escape_text(rule.message)))
        if rule.approvers and decision.verdict is Verdict.APPROVAL_REQUIRED:
            facts.append(("approvers", ", ".join(escape_text(name) for name in rule.approvers)))
        if rule.expires_in is not None and decision.verdict is Verdict.APPROVAL_REQUIRED:
            facts.append(("expires", f"{format_seconds(rule.expires_in)} after it was asked for"))
    facts.append(("reason", decision.reason.value))
    facts.append(("decided", f"by {engines}"))
    if decision.bundle is not None:
        facts.append(("bundle", f"{decision.bundle.name} version {decision.bundle.version}, sha256 {decision.bundle.digest}"))
    lines = []
    for name, text in facts:
        first, *rest = wrap(text, max(screen.width - 12, 20))
        lines.append(f"  {screen.paint(pad(name, 10), Colour.DIM)}{first}")
        lines += [" " * 12 + line for line in rest]
    return lines


def _indent(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]
