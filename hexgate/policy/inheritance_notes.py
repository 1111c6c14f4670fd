"""What is wrong with what a role gets from several parents, and notes on constants that it declares anew (docs/language.md P1,
P4)."""

from __future__ import annotations

from collections.abc import Iterator

from hexgate.decision.tool_patterns import is_pattern, literal_prefix, matches_pattern, patterns_overlap
from hexgate.diagnostics import Diagnostic, Related, Severity
from hexgate.policy.link import same_value
from hexgate.policy.linked import LinkedEntry, LinkedPolicy, LinkedRole
from hexgate.policy.strictness import Rules, constants_in, is_as_strict

_Wider = tuple[LinkedRole, str, LinkedEntry, LinkedEntry]
"""A parent, a name of another parent, that one's entry for it, and the parent's stricter one."""


def notes_on_inheritance(policy: LinkedPolicy) -> Iterator[Diagnostic]:
    """Every finding on roles' inheritance, where a role says whom it inherits or what its constants are."""
    wider: dict[tuple[int, ...], list[_Wider]] = {}
    for role in policy.roles.values():
        if len(role.parents) > 1:
            key = tuple(map(id, role.parents))
            if key not in wider:
                wider[key] = list(_wider_names(policy, role.parents))
            yield from _widened_by_another_parent(role, wider[key])
        yield from _constants_without_effect(policy, role)


def entries_displaced(parent: LinkedRole, name: str) -> list[LinkedEntry]:
    """A parent's entries that an entry for a name or pattern stands in place of for some tool; its default policy is not
    inherited, and so not displaced. A tool that nothing names in the parent is new."""
    same = parent.entries.get(name)
    if same is not None:
        return [same]
    # What overlaps agrees on the shorter one of the literal prefixes.
    near = [
        (literal_prefix(pattern), pattern)
        for pattern in parent.entries
        if is_pattern(pattern) and name.startswith(literal_prefix(pattern))
    ]
    if is_pattern(name):
        return [parent.entries[pattern] for _, pattern in near if patterns_overlap(pattern, name)]
    covering = [(len(prefix), pattern) for prefix, pattern in near if matches_pattern(pattern, name)]
    return [parent.entries[max(covering)[1]]] if covering else []


def _wider_names(policy: LinkedPolicy, parents: tuple[LinkedRole, ...]) -> Iterator[_Wider]:
    """What one parent lets through that a pattern of another one would not: `delete_order` beside `delete_*`."""
    names = {name: entry for parent in reversed(parents) for name, entry in parent.entries.items()}
    for parent in parents:
        if not any(map(is_pattern, parent.entries)):
            continue
        for name, entry in names.items():
            if name in parent.entries:
                continue
            for other in entries_displaced(parent, name):
                if not is_as_strict(_rules(policy, entry), _rules(policy, other)):
                    yield parent, name, entry, other


def _widened_by_another_parent(role: LinkedRole, wider: list[_Wider]) -> Iterator[Diagnostic]:
    own = {entry.name for entry in role.source.entries}
    places = {parent.name: parent.place for parent in role.source.inherits}
    for parent, name, entry, other in wider:
        if name in own:
            continue
        giver = next(one.name for one in role.parents if name in one.entries)
        related = (
            Related(entry.source.place, f"`{giver}` has this entry"),
            Related(other.source.place, f"`{parent.name}` has this one"),
        )
        message = f"`{role.name}` inherits `{name}` from `{giver}`, and from `{parent.name}` a stricter entry for the same tools"
        yield Diagnostic("HG303", message, places[giver], f"write the entry of `{name}` in `{role.name}`", related)


def _rules(policy: LinkedPolicy, entry: LinkedEntry) -> Rules:
    return Rules(entry, policy.roles[entry.role].constants if entry.role is not None else {})


def _constants_without_effect(policy: LinkedPolicy, role: LinkedRole) -> Iterator[Diagnostic]:
    """A constant that the role declares anew while constraints that it inherits keep another value."""
    if not role.parents:
        return
    inherited = [entry for entry in role.entries.values() if entry.role is not None and entry.role != role.name]
    for constant in role.source.constants:
        reading = next(
            (
                text
                for entry in inherited
                for rule in entry.source.rules
                for text in rule.constraints
                if constant.name in constants_in(text)
                and not same_value(policy.roles[str(entry.role)].constants.get(constant.name), constant.value)
            ),
            None,
        )
        if reading is not None:
            message = f"`{role.name}` inherits constraints that do not see its own value of `{constant.name}`"
            related = (Related(reading.at(0, len(reading.text)), "this one keeps the value that its own role gives it"),)
            help_ = f"write the entry in `{role.name}` too, or give the constant another name"
            yield Diagnostic("HG505", message, constant.place, help_, related, Severity.WARNING)
