"""Notes on what a policy does: roles wider than their parents, rules that never decide, entries that never allow, patterns
that cross, a role that looks like a boundary.

Rules are compared by mode and by the texts of their constraints: what is not provably as strict is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hexgate.decision.decision import Verdict
from hexgate.decision.tool_patterns import is_pattern, literal_prefix, matches_pattern, patterns_overlap
from hexgate.diagnostics import Diagnostic, Related, Severity
from hexgate.language.suggest import suggest
from hexgate.policy.inheritance_notes import entries_displaced, notes_on_inheritance
from hexgate.policy.linked import LinkedEntry, LinkedPolicy, LinkedRole
from hexgate.policy.source import SourceRule
from hexgate.policy.strictness import Rules, is_as_strict, same_text

SHOWN_PATTERNS = 8
"""Patterns that are shown beside one that they beat, at most."""


def notes_on(policy: LinkedPolicy) -> list[Diagnostic]:
    """Every note, for each entry where it was written."""
    notes: list[Diagnostic] = []
    for role in policy.roles.values():
        for entry in _own_entries(role):
            notes += _widening(policy, role, entry)
            notes += _dead_rules(entry)
            notes += _never_allows(entry)
        notes += _wider_default(role)
        notes += _crossing_patterns(role)
        if role.default is not None:
            notes += _dead_rules(role.default)
            notes += _never_allows(role.default)
    notes += notes_on_inheritance(policy)
    if policy.boundary is None:
        notes += _almost_boundary(policy)
    else:
        notes += _crossing_patterns(policy.boundary)
        notes += _limits_replaced(policy.boundary)
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
        for other in entries_displaced(parent, entry.source.name):
            if id(other.source) in seen:
                continue
            seen.add(id(other.source))
            theirs = policy.roles[other.role].constants if other.role is not None else {}
            if not is_as_strict(Rules(entry, role.constants), Rules(other, theirs)):
                related = (Related(other.source.place, f"`{other.role}` has this entry"),)
                message = f"`{role.name}` is wider than `{parent.name}` for `{entry.source.name}`"
                help_ = "keep the parent's constraints if this is not meant"
                yield Diagnostic("HG501", message, entry.source.place, help_, related, Severity.NOTE)


def _wider_default(role: LinkedRole) -> Iterator[Diagnostic]:
    """A default policy that lets through what a parent's, or the lack of one, denies."""
    if role.default is None:
        return
    for parent in role.parents:
        if parent.default is not None:
            theirs = Rules(parent.default, parent.constants)
            if is_as_strict(Rules(role.default, role.constants), theirs):
                continue
            related: tuple[Related, ...] = (Related(parent.default.source.place, f"`{parent.name}` has this one"),)
        elif all(rule.mode is Verdict.DENY for rule in role.default.source.rules):
            continue
        else:
            related = (Related(parent.source.place, f"`{parent.name}` has none, and denies"),)
        message = f"`{role.name}` is wider than `{parent.name}` for tools that nothing names"
        help_ = "a default policy is not inherited; deny by default if this is not meant"
        yield Diagnostic("HG501", message, role.default.source.place, help_, related, Severity.NOTE)


def _dead_rules(entry: LinkedEntry) -> Iterator[Diagnostic]:
    """A rule that holds only where an earlier one does."""
    if len(entry.source.rules) < 2:
        return
    earlier: list[tuple[SourceRule, frozenset[str]]] = []
    for rule in entry.source.rules:
        texts = _texts(rule)
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


def _crossing_patterns(role: LinkedRole) -> Iterator[Diagnostic]:
    """A pattern that does not decide on all names for which it was written: another one, with a longer literal prefix, is
    wider and decides on some. Neither covers all that the other does, so neither is an exception to the other. Where the
    stricter one is inherited, the role is wider than its parent, and noted as such."""
    own = {entry.name for entry in role.source.entries}
    patterns = [name for name in role.entries if is_pattern(name)]
    # `a*` covers all that has a longer prefix: what beats it is an exception to it.
    for beaten in (name for name in patterns if name in own and name.index("*") < len(name) - 1):
        entry = role.entries[beaten]
        rules = Rules(entry, role.constants)
        wider = (
            role.entries[name]
            for name in patterns
            if _beats_in_part(name, beaten) and not is_as_strict(Rules(role.entries[name], role.constants), rules)
        )
        found = list(islice(wider, SHOWN_PATTERNS))
        if found:
            related = tuple(Related(other.source.place, "this one is wider, and decides where both match") for other in found)
            message = f"`{beaten}` does not decide on all names that it covers"
            help_ = "write entries for the names that both cover, or lengthen the text before its first `*`"
            yield Diagnostic("HG504", message, entry.source.place, help_, related, Severity.WARNING)


def _beats_in_part(name: str, beaten: str) -> bool:
    """Whether a pattern decides before another on some of the names that both cover, and covers others besides."""
    prefix = literal_prefix(beaten)
    if len(literal_prefix(name)) <= len(prefix) or not name.startswith(prefix):
        return False
    return patterns_overlap(beaten, name) and not matches_pattern(beaten, name)


def _limits_replaced(boundary: LinkedRole) -> Iterator[Diagnostic]:
    """A condition under which a pattern of the boundary denies, and that a more specific entry does not repeat: only one
    entry decides (P3), in the boundary too. A pattern that always denies is there to have exceptions."""
    for pattern, limit in boundary.entries.items():
        if not is_pattern(pattern):
            continue
        denying = [rule for rule in limit.source.rules if rule.mode is Verdict.DENY]
        for name, entry in boundary.entries.items():
            if name != pattern and matches_pattern(pattern, name):
                rules = [rule for rule in denying if rule.constraints]
            elif is_pattern(name) and _beats_in_part(name, pattern) and _only_denies(entry):
                rules = denying  # an entry that grants is noted as crossing
            else:
                continue
            denied = [_texts(rule) for rule in entry.source.rules if rule.mode is Verdict.DENY]
            lost = next((rule for rule in rules if not any(texts <= _texts(rule) for texts in denied)), None)
            if lost is not None:
                message = f"for `{name}` the boundary's entry of `{pattern}` does not hold: the more specific one decides alone"
                related = (Related(lost.place, "this rule is not tried"),)
                help_ = f"repeat the rule in the entry of `{name}` if it is meant to hold there too"
                yield Diagnostic("HG507", message, entry.source.place, help_, related, Severity.WARNING)


def _only_denies(entry: LinkedEntry) -> bool:
    return all(rule.mode is Verdict.DENY for rule in entry.source.rules)


def _texts(rule: SourceRule) -> frozenset[str]:
    return frozenset(same_text(text) for text in rule.constraints)


def _almost_boundary(policy: LinkedPolicy) -> Iterator[Diagnostic]:
    """A role that was probably meant to be the boundary."""
    for role in policy.roles.values():
        if role.name == "boundaries" or suggest(role.name, ("boundary",)) is not None:
            message = f"`{role.name}` is a role and limits no other role"
            help_ = "call it `boundary` if it was meant to limit all roles"
            yield Diagnostic("HG506", message, role.source.place, help_, (), Severity.WARNING)
