"""The bytes that stand for a call's whole arguments, whatever the order of their members."""

from __future__ import annotations

from typing import Any

import ormsgpack

from hexgate.decision.request import OPTIONS, encode_extension, pack_carefully

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
