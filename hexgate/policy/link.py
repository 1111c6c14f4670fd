"""Link a policy set: follow `inherits`, resolve constants, refuse what two parents disagree on (docs/language.md P1, P3,
P4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from hexgate.decision.mask_paths import MaskPath
from hexgate.decision.tool_patterns import is_pattern, literal_prefix, patterns_overlap
from hexgate.diagnostics import Diagnostic, PolicyInvalidError, Related
from hexgate.language.suggest import help_for
from hexgate.place import Place
from hexgate.policy.inheritance import parents_first
from hexgate.policy.linked import LinkedEntry, LinkedPolicy, LinkedRole
from hexgate.policy.parse import BOUNDARY_FILE
from hexgate.policy.source import SourceConstant, SourceEntry, SourceParent, SourcePolicy, SourceRole
from hexgate.values import Value

_CONSTANT = re.compile(r"\bconsts\b")
_SHOWN_NAMES = 8


def link(policy: SourcePolicy) -> LinkedPolicy:
    """The linked policy. Raises PolicyInvalidError with everything that does not link."""
    linker = _Linker(policy)
    linked = linker.run()
    if linker.diagnostics:
        raise PolicyInvalidError(tuple(sorted(linker.diagnostics, key=_order)))
    return linked


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str, str]:
    place = diagnostic.place or Place("", 0, 0)
    return place.file, place.line, place.column, diagnostic.code, diagnostic.message


class _Linker:
    def __init__(self, policy: SourcePolicy) -> None:
        self._policy = policy
        self._linked: dict[str, LinkedRole] = {}
        self._common = {constant.name: constant for constant in policy.constants}
        self._common_values = _values(self._common)
        self.diagnostics: list[Diagnostic] = []

    def run(self) -> LinkedPolicy:
        """All roles, parents before children. Cycles are cut where they close, and reported."""
        order, cycles = parents_first(self._policy.roles)
        for parent, path in cycles:
            message = f"roles inherit in a circle: {' -> '.join(path)}"
            self._report("HG302", message, parent.place, "remove one of these parents")
        for name in order:
            self._linked[name] = self._link_role(self._policy.roles[name])
        boundary = self._policy.boundary
        return LinkedPolicy(
            self._linked, None if boundary is None else self._link_role(boundary), _all_masks(self._policy)
        )

    def _report(self, code: str, message: str, place: Place, help_: str = "", related: tuple[Related, ...] = ()) -> None:
        self.diagnostics.append(Diagnostic(code, message, place, help_, related))

    def _link_role(self, role: SourceRole) -> LinkedRole:
        found = [(parent, self._parent(role, parent)) for parent in role.inherits]
        parents = [(written, parent) for written, parent in found if parent is not None]
        declarations, constants = self._constants(role, parents)
        author = None if role is self._policy.boundary else role.name
        default = None if role.default is None else LinkedEntry(role.default, author)
        entries = self._entries(role, author, parents)
        return LinkedRole(role, tuple(parent for _, parent in parents), entries, default, constants, declarations)

    def _parent(self, role: SourceRole, parent: SourceParent) -> LinkedRole | None:
        """A parent; None where it is unknown, or where it is left out to cut a cycle."""
        if parent.name in self._policy.roles:
            return self._linked.get(parent.name)
        names = [name for name in self._policy.roles if name != role.name]
        help_ = help_for(parent.name, names, _listing(names))
        if parent.name == BOUNDARY_FILE:
            help_ = "the boundary holds for every role as it is; remove it here"
        self._report("HG301", f"`{parent.name}` is not a role", parent.place, help_)
        return None

    def _entries(
        self, role: SourceRole, author: str | None, parents: list[tuple[SourceParent, LinkedRole]]
    ) -> Mapping[str, LinkedEntry]:
        """The effective entries: the role's own replace those of its parents, which must agree on the others."""
        if not role.entries and len(parents) == 1:
            return parents[0][1].entries
        own = {entry.name: entry for entry in role.entries}
        entries: dict[str, LinkedEntry] = {}
        replaced: dict[str, list[LinkedEntry]] = {}
        from_first = 0
        for written, parent in parents:
            for name, entry in parent.entries.items():
                if name in own:
                    replaced.setdefault(name, []).append(entry)
                first = entries.setdefault(name, entry)
                if first is not entry and name not in own and not self._same_entry(first, entry):
                    self._report_conflict(role, written, name, (first, entry))
            from_first = from_first or len(entries)
        added = list(entries)[from_first:]
        for name, source in own.items():
            entries[name] = LinkedEntry(source, author, _distinct(replaced.get(name, ())))
        self._refuse_ties(role, entries, {*own, *added})
        return entries

    def _same_entry(self, left: LinkedEntry, right: LinkedEntry) -> bool:
        """Whether two entries say the same, so that it does not matter which of them a role inherits."""
        if _meaning(left.source) != _meaning(right.source):
            return False
        if not any(_CONSTANT.search(text.text) for rule in left.source.rules for text in rule.constraints):
            return True
        authors = [self._linked[entry.role] for entry in (left, right) if entry.role is not None]
        return same_value(dict(authors[0].constants), dict(authors[-1].constants))  # type: ignore[arg-type]

    def _report_conflict(
        self, role: SourceRole, parent: SourceParent, name: str, entries: tuple[LinkedEntry, LinkedEntry]
    ) -> None:
        related = tuple(Related(entry.source.place, f"`{entry.role}` has this one") for entry in entries)
        message = f"`{role.name}` inherits two different entries for `{name}`"
        self._report("HG303", message, parent.place, f"write the entry of `{name}` in `{role.name}`", related)

    def _constants(
        self, role: SourceRole, parents: list[tuple[SourceParent, LinkedRole]]
    ) -> tuple[Mapping[str, SourceConstant], Mapping[str, Value]]:
        """What the role's own constraints see: its own constants, its parents', those of the whole set (P4)."""
        if not role.constants and len(parents) < 2:
            parent = parents[0][1] if parents else None
            return (self._common, self._common_values) if parent is None else (parent.declarations, parent.constants)
        own = {constant.name: constant for constant in role.constants}
        merged: dict[str, SourceConstant] = {}
        holders: dict[str, str] = {}
        for written, parent in parents:
            for name, constant in parent.declarations.items():
                first = merged.setdefault(name, constant)
                holder = holders.setdefault(name, parent.name)
                if first is not constant and name not in own and not same_value(first.value, constant.value):
                    related = (
                        Related(first.place, f"`{holder}` has this one"),
                        Related(constant.place, f"`{parent.name}` has this one"),
                    )
                    message = f"`{role.name}` inherits two values of the constant `{name}`"
                    self._report("HG305", message, written.place, f"declare `{name}` in `{role.name}`", related)
        declarations = {**self._common, **merged, **own}
        return declarations, _values(declarations)

    def _refuse_ties(self, role: SourceRole, entries: Mapping[str, LinkedEntry], added: Iterable[str]) -> None:
        """Two patterns with equally long literal prefixes must not cover one name. `added` are the names that no one
        parent has besides all others, so that each pair is looked at once."""
        new = {name for name in added if is_pattern(name)}
        if not new:
            return
        by_prefix: dict[str, list[str]] = {}
        for name in entries:
            if is_pattern(name):
                by_prefix.setdefault(literal_prefix(name), []).append(name)
        for names in by_prefix.values():
            for first, second in _pairs(names, new):
                if patterns_overlap(first, second):
                    related = (Related(entries[first].source.place, "this one is as specific"),)
                    message = f"`{second}` and `{first}` cover common names, and neither is more specific"
                    of_role = entries[second].role == role.name or entries[second].role is None
                    place = entries[second].source.place if of_role else role.inherits[-1].place
                    help_ = "lengthen the text before the first `*` of one, or write the tools' names"
                    self._report("HG304", message, place, help_, related)


def _all_masks(policy: SourcePolicy) -> tuple[MaskPath, ...]:
    """What anyone masks, in order of text: a log that several roles write to hides what one of them wants hidden."""
    holders = [*policy.roles.values(), *([policy.boundary] if policy.boundary is not None else [])]
    paths = {*policy.masks}
    for role in holders:
        paths.update(role.masks, *(entry.masks for entry in role.entries))
    return tuple(sorted(paths, key=lambda path: (str(path), path.masked.value)))


def _pairs(names: list[str], new: set[str]) -> Iterator[tuple[str, str]]:
    """Each pair of which one is new, in order; the second one is new."""
    for position, second in enumerate(names):
        if second in new:
            yield from ((first, second) for first in names[:position])
            yield from ((later, second) for later in names[position + 1 :] if later not in new)


def _listing(names: list[str]) -> str:
    if not names:
        return "there is no other role"
    more = ", …" if len(names) > _SHOWN_NAMES else ""
    return "the roles are " + ", ".join(f"`{name}`" for name in names[:_SHOWN_NAMES]) + more


def _distinct(entries: Iterable[LinkedEntry]) -> tuple[LinkedEntry, ...]:
    return tuple({id(entry.source): entry for entry in entries}.values())


def _values(declarations: Mapping[str, SourceConstant]) -> dict[str, Value]:
    return {name: constant.value for name, constant in declarations.items()}


def _meaning(entry: SourceEntry) -> tuple[object, ...]:
    """What an entry says, without its places."""
    return tuple(
        (rule.mode, tuple(text.text.strip() for text in rule.constraints), rule.message, rule.approvers, rule.expires_in)
        for rule in entry.rules
    )


def same_value(left: Value, right: Value) -> bool:
    """Whether two constants are the same value of the same type: 1, 1.0, true and "1" are four."""
    if type(left) is not type(right):
        return False
    if type(left) is tuple and type(right) is tuple:
        return len(left) == len(right) and all(map(same_value, left, right))
    if type(left) is dict and type(right) is dict:
        return list(left) == list(right) and all(same_value(left[key], right[key]) for key in left)
    # Zero and minus zero are equal and not the same.
    return left == right and (type(left) is not float or str(left) == str(right))
