"""The bytes that stand for a call's whole arguments, whatever the order of their members."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import ormsgpack

from hexgate.decision.request import OPTIONS, UNSUPPORTED, encode_extension, instant_of, pack_carefully
from hexgate.limits import INT_MIN, UINT_MAX
from hexgate.values import Duration, Timestamp, UInt

_OPTIONS = OPTIONS | ormsgpack.OPT_SORT_KEYS


def canonical_arguments(args: Any) -> bytes:
    """MessagePack of the arguments with members sorted by name. Equal for equal calls; what the language has no value for
    is the unsupported value, so calls that differ only there are equal too. Never raises."""
    try:
        return ormsgpack.packb(args, encode_extension, _OPTIONS)
    except (TypeError, ValueError, BufferError):
        try:
            return ormsgpack.packb(ormsgpack.unpackb(pack_carefully(args), ext_hook=ormsgpack.Ext), encode_extension, _OPTIONS)
        except (TypeError, ValueError, BufferError):
            return pack_carefully(args)


IDENTIFIED_DEPTH = 64
"""Nesting of arguments that are told apart."""

_PLAIN = frozenset({bool, bytes, type(None), UInt})


def is_identified(args: Any, depth: int = 0) -> bool:
    """Whether `canonical_arguments` tells these arguments from all others: nothing in them is a value that the language does not
    have. Looks at exact types only."""
    kind = type(args)
    if kind in _PLAIN:
        return True
    if kind is str:
        try:
            args.encode()
        except UnicodeEncodeError:
            return False
        return True
    if kind is int:
        return bool(INT_MIN <= args <= UINT_MAX)
    if kind is float:
        return math.isfinite(args)
    if kind is datetime:
        return instant_of(args) is not None
    if kind is Timestamp or kind is Duration:
        return encode_extension(args) is not UNSUPPORTED
    if depth >= IDENTIFIED_DEPTH:
        return False
    if kind is list or kind is tuple:
        return all(is_identified(element, depth + 1) for element in args)
    if kind is dict:
        return all(type(key) is str and is_identified(key) and is_identified(member, depth + 1) for key, member in args.items())
    return False
