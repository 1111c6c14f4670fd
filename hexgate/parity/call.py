"""A call as parity runs decide it, and places in it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

from hexgate.decision.decision import User


class Call(NamedTuple):
    """One call, handed to every engine as it is. `now` is in nanoseconds since the epoch."""

    tool: Any
    args: Any
    user: User | None
    ctx: Any
    resource: Any
    now: int


class _Absent:
    """The type of `ABSENT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()
"""As a member's value: the member is left out."""

Path: TypeAlias = tuple[str | int, ...]
"""A place in a request: a root, names of members, positions in lists: `("args", "orders", 0, "total")`, `("now",)`."""

Request: TypeAlias = dict[str, Any]
"""A request as a tree: `args`, `user` (`id`, `attrs`), `ctx`, `resource`, `now`."""


def put(tree: Any, path: Path, value: Any) -> Any:
    """The tree with a value at a path. What is not on the path is shared with the old tree, which stays as it is; what
    stands in the way and is no map, or no list, becomes one. A position past the end of a list is its end."""
    name = path[0]
    if type(name) is int:
        elements = list(tree) if type(tree) is list else []
        inner = elements[name] if name < len(elements) else None
        elements[name : name + 1] = [] if value is ABSENT and len(path) == 1 else [value if len(path) == 1 else put(inner, path[1:], value)]
        return elements
    changed = dict(tree) if type(tree) is dict else {}
    if len(path) > 1:
        changed[name] = put(changed.get(name), path[1:], value)
    elif value is ABSENT:
        changed.pop(name, None)
    else:
        changed[name] = value
    return changed


def get(tree: Any, path: Path) -> Any:
    """What a tree holds at a path, `ABSENT` where nothing."""
    for name in path:
        inside = name < len(tree) if type(tree) is list and type(name) is int else type(tree) is dict and name in tree
        if not inside:
            return ABSENT
        tree = tree[name]
    return tree


def call_of(request: Request, role: str, tool: str) -> Call:
    """The call of a request tree."""
    user = request["user"]
    return Call(
        tool, request.get("args"), User(user.get("id"), role, user.get("attrs")), request.get("ctx"), request.get("resource"),
        request["now"],
    )  # fmt: skip
