"""Make a call on which engines disagree small: leave out and simplify what the disagreement does not need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hexgate.decision.decision import User
from hexgate.parity.call import Call
from hexgate.parity.near_times import NOW

TRIALS = 3_000
"""Calls that are tried at most."""


def shrink(call: Call, differs: Callable[[Call], bool]) -> Call:
    """A call on which the engines still differ, from which nothing can be left out that was tried. `differs` must hold
    for `call`. Deterministic."""
    trials = 0
    improved = True
    while improved and trials < TRIALS:
        improved = False
        for smaller in _smaller_calls(call):
            trials += 1
            if differs(smaller):
                call, improved = smaller, True
                break
            if trials >= TRIALS:
                break
    return call


def _smaller_calls(call: Call) -> Iterator[Call]:
    if call.ctx is not None:
        yield call._replace(ctx=None)
    if call.resource is not None:
        yield call._replace(resource=None)
    user = call.user
    if type(user) is User:
        if user.attrs:
            yield call._replace(user=User(user.user_id, user.role))
        if user.user_id != "alice":
            yield call._replace(user=User("alice", user.role, user.attrs))
        for attrs in _smaller(user.attrs, 0):
            yield call._replace(user=User(user.user_id, user.role, attrs))
    if call.now != NOW:
        yield call._replace(now=NOW)
        yield call._replace(now=0)
    for args in _smaller(call.args, 0):
        yield call._replace(args=args)
    for ctx in _smaller(call.ctx, 0):
        yield call._replace(ctx=ctx)
    for resource in _smaller(call.resource, 0):
        yield call._replace(resource=resource)


def _smaller(value: Any, depth: int) -> Iterator[Any]:
    """Simpler values than this one, the simplest first."""
    if depth > 8:
        return
    if type(value) is dict:
        yield from _smaller_map(value, depth)
    elif type(value) in (list, tuple):
        yield from _smaller_list(list(value), depth)
    elif type(value) in (str, bytes):
        yield from _smaller_text(value)
    elif type(value) is int and abs(value) > 1:
        yield from (candidate for candidate in (0, 1, value // 10, value - 1 if value > 0 else value + 1) if abs(candidate) < abs(value))
    elif type(value) is float and value not in (0.0, 1.0) and value == value:
        yield from (candidate for candidate in (0.0, 1.0, float(round(value)) if abs(value) < 1e15 else value) if repr(candidate) != repr(value) and abs(candidate) <= abs(value))


def _smaller_map(value: dict[Any, Any], depth: int) -> Iterator[Any]:
    if len(value) > 8:
        names = list(value)
        yield {name: value[name] for name in names[: len(names) // 2]}
        yield {name: value[name] for name in names[len(names) // 2 :]}
    for name in value:
        yield {other: member for other, member in value.items() if other != name}
    for name, member in value.items():
        for smaller in _smaller(member, depth + 1):
            yield {**value, name: smaller}


def _smaller_list(value: list[Any], depth: int) -> Iterator[Any]:
    if len(value) > 3:
        yield from (value[: len(value) // 2], value[len(value) // 2 :])
    if len(value) <= 200:
        for position in range(len(value)):
            yield value[:position] + value[position + 1 :]
        for position, element in enumerate(value):
            for smaller in _smaller(element, depth + 1):
                yield [*value[:position], smaller, *value[position + 1 :]]
    elif value:
        yield value[1:]


def _smaller_text(value: Any) -> Iterator[Any]:
    if value:
        yield value[:0]
    if len(value) > 3:
        yield from (value[: len(value) // 2], value[len(value) // 2 :])
    if len(value) <= 64:
        for position in range(len(value)):
            yield value[:position] + value[position + 1 :]
        if type(value) is str:
            for position, character in enumerate(value):
                if character != "a" and character not in "0 /":
                    yield value[:position] + "a" + value[position + 1 :]
    elif value:
        yield value[1:]
