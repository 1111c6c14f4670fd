"""Notes on what a policy does: roles wider than their parents, rules that never decide, entries that never allow.

Rules are compared by mode and by the texts of their constraints: what is not provably as strict is noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hexgate.decision.decision import Verdict
from hexgate.decision.tool_patterns import is_pattern, literal_prefix, patterns_overlap
from hexgate.diagnostics import Diagnostic, Related, Severity
from hexgate.policy.linked import LinkedEntry, LinkedPolicy, LinkedRole
from hexgate.policy.source import SourceRule, SourceText
from hexgate.values import Value

_RANK = {Verdict.ALLOW: 0, Verdict.APPROVAL_REQUIRED: 1, Verdict.DENY: 2}
_CONSTANT = re.compile(r"\bconsts\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)")


def notes_on(policy: LinkedPolicy) -> list[Diagnostic]:
    """Every note, for each entry where it was written."""
    notes: list[Diagnostic] = []
    for role in policy.roles.values():
        for entry in _own_entries(role):
            notes += _widening(policy, role, entry)
            notes += _dead_rules(entry)
            notes += _never_allows(entry)
        notes += _wider_default(role)
        if role.default is not None:
            notes += _dead_rules(role.default)
            notes += _never_allows(role.default)
    if policy.boundary is not None:
        default = policy.boundary.default
        for entry in (*policy.boundary.entries.values(), *((default,) if default is not None else ())):
            notes += _dead_rules(entry)
    return notes


def _own_entries(role: LinkedRole) -> list[LinkedEntry]:
    return [role.entries[source.name] for source in role.source.entries]


def _widening(policy: LinkedPolicy, role: LinkedRole, entry: LinkedEntry) -> Iterator[Diagnostic]:
    """An entry that lets through what a parent's entry for the same tools would not."""
    seen: set[int] = set()
    for parent in role.parents:
        for other in _entries_displaced(parent, entry.source.name):
            if id(other.source) in seen:
                continue
            seen.add(id(other.source))
            theirs = policy.roles[other.role].constants if other.role is not None else {}
            if not _is_as_strict(_Rules(entry, role.constants), _Rules(other, theirs)):
                related = (Related(other.source.place, f"`{other.role}` has this entry"),)
                message = f"`{role.name}` is wider than `{parent.name}` for `{entry.source.name}`"
                help_ = "keep the parent's constraints if this is not meant"
                yield Diagnostic("HG501", message, entry.source.place, help_, related, Severity.NOTE)


def _entries_displaced(parent: LinkedRole, name: str) -> list[LinkedEntry]:
    """A parent's entries that an own entry stands in place of for some tool; its default policy is not inherited, and so
    not displaced. A tool that nothing names in the parent is new."""
    same = parent.entries.get(name)
    if same is not None:
        return [same]
    if not is_pattern(name):
        found = parent.entry_for(name)
        return [found] if found is not None and found is not parent.default else []
    prefix = len(literal_prefix(name))
    return [
        entry
        for pattern, entry in parent.entries.items()
        if is_pattern(pattern) and len(literal_prefix(pattern)) <= prefix and patterns_overlap(pattern, name)
    ]


def _wider_default(role: LinkedRole) -> Iterator[Diagnostic]:
    """A default policy that lets through what a parent's, or the lack of one, denies."""
    if role.default is None:
        return
    for parent in role.parents:
        if parent.default is not None:
            theirs = _Rules(parent.default, parent.constants)
            if _is_as_strict(_Rules(role.default, role.constants), theirs):
                continue
            related: tuple[Related, ...] = (Related(parent.default.source.place, f"`{parent.name}` has this one"),)
        elif all(rule.mode is Verdict.DENY for rule in role.default.source.rules):
            continue
        else:
            related = (Related(parent.source.place, f"`{parent.name}` has none, and denies"),)
        message = f"`{role.name}` is wider than `{parent.name}` for tools that nothing names"
        help_ = "a default policy is not inherited; deny by default if this is not meant"
        yield Diagnostic("HG501", message, role.default.source.place, help_, related, Severity.NOTE)


class _Rules:
    """The rules of an entry, each constraint as its text with the values of the constants in it."""

    def __init__(self, entry: LinkedEntry, constants: Mapping[str, Value]) -> None:
        self.rules: list[tuple[SourceRule, frozenset[str]]] = [
            (rule, frozenset(_meaning(text, constants) for text in rule.constraints)) for rule in entry.source.rules
        ]


def _meaning(text: SourceText, constants: Mapping[str, Value]) -> str:
    words = " ".join(text.text.split())
    values = [f"{name}={constants.get(name)!r}" for name in _CONSTANT.findall(words)]
    return " ".join([words, *values])


def _is_as_strict(own: _Rules, parent: _Rules) -> bool:
    """Whether each rule that grants is covered: the parent has a rule that grants as much under no more constraints, and
    what the parent decides more strictly before that rule, the role decides as strictly before its own."""
    return all(
        rule.mode is Verdict.DENY or any(_covers(own, position, parent, other) for other in range(len(parent.rules)))
        for position, (rule, _) in enumerate(own.rules)
    )


def _covers(own: _Rules, position: int, parent: _Rules, other: int) -> bool:
    rule, texts = own.rules[position]
    parent_rule, parent_texts = parent.rules[other]
    if parent_rule.mode is Verdict.DENY or _RANK[parent_rule.mode] > _RANK[rule.mode] or not parent_texts <= texts:
        return False
    return all(
        any(_RANK[mine.mode] >= _RANK[stricter.mode] and found <= under for mine, found in own.rules[:position])
        for stricter, under in parent.rules[:other]
        if _RANK[stricter.mode] > _RANK[rule.mode]
    )


def _dead_rules(entry: LinkedEntry) -> Iterator[Diagnostic]:
    """A rule that holds only where an earlier one does."""
    earlier: list[tuple[SourceRule, frozenset[str]]] = []
    for rule in entry.source.rules:
        texts = frozenset(" ".join(text.text.split()) for text in rule.constraints)
        before = next((found for found, under in earlier if under <= texts), None)
        if before is not None:
            why = "this rule always holds" if not before.constraints else "this rule holds whenever that one does"
            related = (Related(before.place, why),)
            message, help_ = "the rule can never decide", "put it first, or remove it"
            yield Diagnostic("HG502", message, rule.place, help_, related, Severity.WARNING)
        earlier.append((rule, texts))


def _never_allows(entry: LinkedEntry) -> Iterator[Diagnostic]:
    rules = entry.source.rules
    if all(rule.mode is Verdict.DENY for rule in rules) and any(rule.constraints for rule in rules):
        message = f"the entry of `{entry.source.name}` never allows: without a rule that holds the call is denied"
        help_ = "add a rule with `mode: allow`, or drop the constraints"
        yield Diagnostic("HG503", message, entry.source.place, help_, (), Severity.WARNING)
