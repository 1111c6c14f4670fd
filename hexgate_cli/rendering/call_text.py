"""A call of a parity run as JSON: what JSON lacks is shown as Python writes it, under the key `$python`."""

from __future__ import annotations

import math
import reprlib
from typing import Any

from hexgate.decision.decision import User
from hexgate.limits import INT_MIN, UINT_MAX
from hexgate.parity.call import Call
from hexgate.strict_json import Json

SHOWN_DEPTH = 40
"""Nesting of a value that is shown whole."""

_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = _SHORT.maxlong = 400


def call_to_dict(call: Call) -> dict[str, Json]:
    """Every part of a call; `now` in nanoseconds since the epoch."""
    user = call.user
    return {
        "tool": value_to_json(call.tool),
        "args": value_to_json(call.args),
        "user": {"id": value_to_json(user.user_id), "role": value_to_json(user.role), "attrs": value_to_json(user.attrs)}
        if isinstance(user, User)
        else value_to_json(user),
        "ctx": value_to_json(call.ctx),
        "resource": value_to_json(call.resource),
        "now": call.now,
    }


def value_to_json(value: Any, depth: int = 0) -> Json:
    """A value of any Python type."""
    kind = type(value)
    if value is None or kind is bool:
        return value  # type: ignore[no-any-return]
    if kind is int and INT_MIN <= value <= UINT_MAX:
        return value  # type: ignore[no-any-return]
    if kind is float and math.isfinite(value):
        return value  # type: ignore[no-any-return]
    if kind is str and _is_unicode(value):
        return value  # type: ignore[no-any-return]
    if depth < SHOWN_DEPTH and kind is list:
        return [value_to_json(element, depth + 1) for element in value]
    if depth < SHOWN_DEPTH and kind is dict and all(type(key) is str and _is_unicode(key) for key in value):
        return {key: value_to_json(member, depth + 1) for key, member in value.items()}
    return {"$python": _SHORT.repr(value)}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
