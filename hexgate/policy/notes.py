"""Notes on what a policy does: roles wider than their parents, rules that never decide, entries that never allow."""

from __future__ import annotations

from collections.abc import Iterator

from hexgate.decision.decision import Verdict
from hexgate.diagnostics import Diagnostic, Related, Severity
from hexgate.policy.linked import LinkedEntry, LinkedPolicy, LinkedRole
from hexgate.policy.source import SourceRule

_RANK = {Verdict.ALLOW: 0, Verdict.APPROVAL_REQUIRED: 1, Verdict.DENY: 2}


def notes_on(policy: LinkedPolicy) -> list[Diagnostic]:
    """Every note, for each entry where it was written."""
    notes: list[Diagnostic] = []
    for role in policy.roles.values():
        own = [entry for entry in role.entries.values() if entry.role == role.name]
        for entry in [*own, *([role.default] if role.default is not None else [])]:
            notes.extend(_widening(role, entry))
            notes.extend(_dead_rules(entry))
            notes.extend(_never_allows(entry))
    if policy.boundary is not None:
        for entry in policy.boundary.entries.values():
            notes.extend(_dead_rules(entry))
    return notes


def _widening(role: LinkedRole, entry: LinkedEntry) -> Iterator[Diagnostic]:
    """An entry that lets through what the inherited one would not, as far as modes and texts of constraints tell."""
    for replaced in entry.replaces:
        if not _as_strict(entry.source.rules, replaced.source.rules):
            related = (Related(replaced.source.place, f"`{replaced.role}` has this entry"),)
            message = f"`{role.name}` is wider than `{replaced.role}` for `{entry.source.name}`"
            yield Diagnostic("HG501", message, entry.source.place, "keep the parent's constraints if this is not meant", related, Severity.NOTE)


def _as_strict(rules: tuple[SourceRule, ...], parent: tuple[SourceRule, ...]) -> bool:
    """Whether each granting rule is a rule of the parent's with the same mode or a stricter one, and no fewer
    constraints, and nothing that the parent denies is left out."""
    denials = [rule for rule in parent if rule.mode is Verdict.DENY and rule.constraints]
    if any(not any(_texts(d) == _texts(r) and r.mode is Verdict.DENY for r in rules) for d in denials):
        return False
    return all(
        rule.mode is Verdict.DENY
        or any(_RANK[p.mode] <= _RANK[rule.mode] and _texts(p) <= _texts(rule) for p in parent if p.mode is not Verdict.DENY)
        for rule in rules
    )


def _texts(rule: SourceRule) -> set[str]:
    return {" ".join(constraint.text.split()) for constraint in rule.constraints}


def _dead_rules(entry: LinkedEntry) -> Iterator[Diagnostic]:
    rules = entry.source.rules
    for position, rule in enumerate(rules[:-1]):
        if not rule.constraints:
            related = (Related(rule.place, "this rule always holds"),)
            yield Diagnostic("HG502", "the rule can never decide", rules[position + 1].place, "put it before the rule without constraints", related, Severity.WARNING)
            return


def _never_allows(entry: LinkedEntry) -> Iterator[Diagnostic]:
    rules = entry.source.rules
    if all(rule.mode is Verdict.DENY for rule in rules) and any(rule.constraints for rule in rules):
        yield Diagnostic(
            "HG503", f"the entry of `{entry.source.name}` never allows: without a rule that holds the call is denied",
            entry.source.place, "add a rule with `mode: allow`, or drop the constraints", (), Severity.WARNING,
        )  # fmt: skip
