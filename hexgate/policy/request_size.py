"""Whether what is read of a request is surely shorter than a request may be, without encoding it (docs/abi.md A2.4)."""

from __future__ import annotations

from typing import Any

from hexgate.decision.reads import Everything, Members, Reads
from hexgate.limits import NAME_BYTES, REQUEST_BYTES

_FRAME = 64 + 3 * NAME_BYTES
"""What a request takes without its members, at most: the array, the names, the time, empty maps."""

_HEAD = 16
"""What a scalar takes, or the head of a text, at most, in bytes."""

_TEXTS: dict[type, int] = {str: 4, bytes: 1, bytearray: 1}
"""Bytes that an element of a text takes, at most."""

_CONTAINERS: frozenset[type] = frozenset({dict, list, tuple, memoryview})


_SCALARS: frozenset[type] = frozenset({int, float, bool, type(None)})


class SizeBound:
    """The bound for what `Reads` names."""

    __slots__ = ("_args", "_fixed", "_roots", "_short")

    def __init__(self, reads: Reads) -> None:
        self._roots = (_names(reads.args), _names(reads.attrs), _names(reads.ctx), _names(reads.resource))
        names = [name for root in self._roots if root for name in root]
        self._fixed = _FRAME + sum(2 * _HEAD + 4 * len(name) for name in names)
        only_args = self._roots[0] is not None and self._roots[1:] == ((), (), ())
        self._args = self._roots[0] if only_args else None
        self._short = max(0, REQUEST_BYTES - self._fixed) // (4 * max(1, len(names)))

    def is_surely_small(self, args: Any, attrs: Any, ctx: Any, resource: Any) -> bool:
        """True where the encoded request is at most `REQUEST_BYTES` long; False where only encoding it can tell: a
        container is read, or long texts."""
        if self._args is None or type(args) is not dict:
            return self._is_small((args, attrs, ctx, resource))
        for name in self._args:
            value: Any = args.get(name)
            kind = type(value)
            if kind not in _SCALARS and (kind is not str or len(value) > self._short):
                return self._is_small((args, attrs, ctx, resource))
        return self._fixed <= REQUEST_BYTES

    def _is_small(self, sources: tuple[Any, Any, Any, Any]) -> bool:
        size = self._fixed
        for names, source in zip(self._roots, sources, strict=True):
            if names is None:
                return False
            if names and type(source) is dict:
                for name in names:
                    value: Any = source.get(name)
                    kind = type(value)
                    if kind in _TEXTS:
                        size += _TEXTS[kind] * len(value)
                    elif kind in _CONTAINERS:
                        return False
        return size <= REQUEST_BYTES


def _names(members: Members) -> tuple[str, ...] | None:
    return None if isinstance(members, Everything) else tuple(sorted(members))
