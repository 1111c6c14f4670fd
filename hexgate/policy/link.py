"""Link a policy set: follow `inherits`, resolve constants, order patterns (docs/language.md P1, P3, P4)."""

from __future__ import annotations

from collections.abc import Mapping

from hexgate.decision.tool_patterns import is_pattern, literal_prefix, patterns_overlap
from hexgate.diagnostics import Diagnostic, Place, PolicyInvalidError, Related
from hexgate.language.suggest import help_for
from hexgate.policy.linked import LinkedEntry, LinkedPolicy, LinkedRole
from hexgate.policy.source import SourceConstant, SourcePolicy, SourceRole
from hexgate.values import Value


def link(policy: SourcePolicy) -> LinkedPolicy:
    """The linked policy. Raises PolicyInvalidError with everything that does not link."""
    linker = _Linker(policy)
    linked = linker.run()
    if linker.diagnostics:
        raise PolicyInvalidError(tuple(sorted(linker.diagnostics, key=_order)))
    return linked


def _order(diagnostic: Diagnostic) -> tuple[str, int, int, str]:
    place = diagnostic.place
    return (place.file, place.line, place.column, diagnostic.code) if place else ("", 0, 0, diagnostic.code)


class _Linker:
    def __init__(self, policy: SourcePolicy) -> None:
        self._policy = policy
        self._linked: dict[str, LinkedRole] = {}
        self._common = self._constants_of(policy.constants, {})
        self.diagnostics: list[Diagnostic] = []

    def run(self) -> LinkedPolicy:
        for name in self._parents_first():
            self._linked[name] = self._link_role(self._policy.roles[name])
        boundary = self._policy.boundary
        return LinkedPolicy(self._linked, None if boundary is None else self._link_role(boundary))

    def _report(self, code: str, message: str, place: Place, help_: str = "", related: tuple[Related, ...] = ()) -> None:
        self.diagnostics.append(Diagnostic(code, message, place, help_, related))

    def _parents_first(self) -> list[str]:
        """The roles so that each comes after its parents. Cycles are reported and cut."""
        order: list[str] = []
        state: dict[str, int] = {}
        for start in self._policy.roles:
            stack = [(start, iter(self._known_parents(start)))] if start not in state else []
            state.setdefault(start, 1)
            while stack:
                name, parents = stack[-1]
                parent = next(parents, None)
                if parent is None:
                    stack.pop()
                    state[name] = 2
                    order.append(name)
                elif state.get(parent) == 1:
                    self._report_cycle([entry[0] for entry in stack], parent)
                elif parent not in state:
                    state[parent] = 1
                    stack.append((parent, iter(self._known_parents(parent))))
        return order

    def _known_parents(self, name: str) -> list[str]:
        return [parent.name for parent in self._policy.roles[name].inherits if parent.name in self._policy.roles]

    def _report_cycle(self, path: list[str], back_to: str) -> None:
        cycle = [*path[path.index(back_to) :], back_to]
        last = self._policy.roles[path[-1]]
        place = next(parent.place for parent in last.inherits if parent.name == back_to)
        self._report("HG302", f"roles inherit in a circle: {' -> '.join(cycle)}", place, "remove one of these parents")

    def _constants_of(self, own: tuple[SourceConstant, ...], inherited: Mapping[str, Value]) -> dict[str, Value]:
        return {**inherited, **{constant.name: constant.value for constant in own}}

    def _link_role(self, role: SourceRole) -> LinkedRole:
        parents = [self._parent(role, position) for position in range(len(role.inherits))]
        known = [parent for parent in parents if parent is not None]
        inherited = self._inherited_entries(role, known)
        entries = dict(inherited)
        for source in role.entries:
            replaced = inherited.get(source.name)
            entries[source.name] = LinkedEntry(source, role.name, (replaced,) if replaced else ())
        if role.entries or len(known) > 1:
            self._refuse_ties(role, entries)
        default = None if role.default is None else LinkedEntry(role.default, role.name)
        constants = self._constants_of(role.constants, self._inherited_constants(role, known))
        return LinkedRole(role, entries, default, constants)

    def _parent(self, role: SourceRole, position: int) -> LinkedRole | None:
        parent = role.inherits[position]
        if parent.name in self._policy.roles:
            return self._linked.get(parent.name)
        names = [name for name in self._policy.roles if name != role.name]
        known = "the roles are " + ", ".join(f"`{name}`" for name in names) if names else "there is no other role"
        help_ = "the boundary holds for every role; it is not inherited" if parent.name == "boundary" else help_for(parent.name, names, known)
        self._report("HG301", f"`{parent.name}` is not a role", parent.place, help_)
        return None

    def _inherited_entries(self, role: SourceRole, parents: list[LinkedRole]) -> dict[str, LinkedEntry]:
        """The parents' entries together. Two different ones for one name are an error unless the role has its own."""
        if len(parents) == 1:
            return dict(parents[0].entries)
        own = {entry.name for entry in role.entries}
        merged: dict[str, LinkedEntry] = {}
        for parent in parents:
            for name, entry in parent.entries.items():
                first = merged.setdefault(name, entry)
                if first.source is not entry.source and name not in own:
                    self._report_conflict(role, name, first, entry)
        return merged

    def _report_conflict(self, role: SourceRole, name: str, first: LinkedEntry, second: LinkedEntry) -> None:
        related = tuple(Related(entry.source.place, f"`{entry.role}` has this one") for entry in (first, second))
        message = f"`{role.name}` inherits two different entries for `{name}`"
        place = role.inherits[-1].place if role.inherits else role.place
        self._report("HG303", message, place, f"write the entry of `{name}` in `{role.name}`", related)

    def _inherited_constants(self, role: SourceRole, parents: list[LinkedRole]) -> dict[str, Value]:
        own = {constant.name for constant in role.constants}
        merged: dict[str, Value] = dict(self._common)
        seen: dict[str, tuple[str, Value]] = {}
        for parent in parents:
            for name, value in parent.constants.items():
                first = seen.setdefault(name, (parent.name, value))
                if not same_value(first[1], value) and name not in own:
                    message = f"`{role.name}` inherits two values for the constant `{name}`, from `{first[0]}` and `{parent.name}`"
                    self._report("HG305", message, role.inherits[-1].place, f"declare `{name}` in `{role.name}`")
                merged[name] = first[1]
        return merged

    def _refuse_ties(self, role: SourceRole, entries: Mapping[str, LinkedEntry]) -> None:
        """Two patterns with equally long literal prefixes must not cover one name."""
        by_prefix: dict[str, list[str]] = {}
        for name in entries:
            if is_pattern(name):
                by_prefix.setdefault(literal_prefix(name), []).append(name)
        for names in by_prefix.values():
            for position, first in enumerate(names):
                for second in names[position + 1 :]:
                    if patterns_overlap(first, second):
                        related = (Related(entries[first].source.place, "this one is as specific"),)
                        message = f"`{second}` and `{first}` cover common names and neither is more specific"
                        self._report("HG304", message, entries[second].source.place, "make one literal prefix longer, or write the tools' names", related)


def same_value(left: Value, right: Value) -> bool:
    """Whether two constants are the same value of the same type: 1, 1.0, true and "1" are four."""
    if type(left) is not type(right):
        return False
    if type(left) is tuple and type(right) is tuple:
        return len(left) == len(right) and all(same_value(a, b) for a, b in zip(left, right, strict=True))
    if type(left) is dict and type(right) is dict:
        return left.keys() == right.keys() and all(same_value(left[key], right[key]) for key in left)
    return left == right
