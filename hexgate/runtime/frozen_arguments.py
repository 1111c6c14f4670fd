"""Freeze the arguments of a call: what is decided is what is executed.

A tool must run with the values that were decided on, whatever another thread, a callback or the tool's caller does with the
lists and dicts that they came in.
"""

from __future__ import annotations

from typing import Any

from hexgate.limits import REQUEST_DEPTH

COPIED_DEPTH = 2 * REQUEST_DEPTH
"""Lists and maps nested deeper are not copied: to the language they are unsupported values, whatever they hold."""

_PLAIN = frozenset({str, int, float, bool, type(None), bytes})


def frozen(arguments: Any) -> Any:
    """A copy of arguments that shares no list, dict or buffer with them.

    Only exact types are copied, so that no method of a caller's object runs: an object of any other type is an unsupported
    value to the language, and stays the same object. What occurs twice, or in itself, does so in the copy.
    """
    if type(arguments) is dict:
        copied = dict(arguments)
        if not any(type(value) not in _PLAIN for value in copied.values()):
            return copied
    return _copy(arguments, 0, {})


def _copy(value: Any, depth: int, known: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in _PLAIN or depth > COPIED_DEPTH:
        return value
    made = known.get(id(value))
    if made is not None:
        return made
    if kind is dict:
        made = known[id(value)] = {}
        # A list first: another thread may add a key meanwhile.
        for key, member in list(value.items()):
            made[key] = _copy(member, depth + 1, known)
        return made
    if kind is list:
        made = known[id(value)] = []
        made.extend([_copy(element, depth + 1, known) for element in list(value)])
        return made
    if kind is tuple:
        made = known[id(value)] = tuple([_copy(element, depth + 1, known) for element in value])
        return made
    if kind is bytearray:
        return bytearray(value)
    if kind is memoryview:
        return _copy_of_view(value)
    return value


def _copy_of_view(view: memoryview) -> memoryview:
    """A view of a copy of the bytes; one that is released, or of a shape that bytes do not have, stays as it is."""
    try:
        return memoryview(bytes(view)) if view.ndim == 1 and view.format == "B" else view
    except ValueError:
        return view
