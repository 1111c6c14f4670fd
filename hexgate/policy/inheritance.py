"""The order in which roles are linked: every role after its parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hexgate.policy.source import SourceParent, SourceRole

Cycle = tuple[SourceParent, list[str]]
"""The parent that closes a circle, and the roles along it, the first one again at the end."""


def parents_first(roles: Mapping[str, SourceRole]) -> tuple[list[str], list[Cycle]]:
    """The roles' names, each after its known parents, and the cycles. A parent that closes a cycle is passed over.

    Iterative: a chain of thousands of roles is deeper than Python's stack.
    """
    order: list[str] = []
    cycles: list[Cycle] = []
    is_done: dict[str, bool] = {}
    for start in roles:
        if start in is_done:
            continue
        path: list[tuple[str, Iterator[SourceParent]]] = [(start, iter(roles[start].inherits))]
        is_done[start] = False
        while path:
            name, parents = path[-1]
            parent = next((parent for parent in parents if parent.name in roles), None)
            if parent is None:
                path.pop()
                is_done[name] = True
                order.append(name)
            elif parent.name not in is_done:
                is_done[parent.name] = False
                path.append((parent.name, iter(roles[parent.name].inherits)))
            elif not is_done[parent.name]:
                names = [entry[0] for entry in path]
                cycles.append((parent, [*names[names.index(parent.name) :], parent.name]))
    return order, cycles
