"""What of a call's values is written into an event: plain JSON, masked, bounded, and a note on whatever is not exact.

Pointers are RFC 6901, from the event's root, as in OPA's decision log: `/input/args/amount`.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hexgate.audit.masking import MaskTree
from hexgate.decision.mask_paths import Masked
from hexgate.decision.reads import Everything, Members
from hexgate.decision.request import instant_of, pack_carefully
from hexgate.limits import INT_MIN, REQUEST_DEPTH, UINT_MAX
from hexgate.values import Duration, Timestamp, UInt

STRING_CHARACTERS = 2_048
"""Longest string that is recorded."""

INPUT_BYTES = 16_384
"""Length in bytes of all recorded values of one event, as JSON. A root that does not fit is erased."""

NAME_CHARACTERS = 128
"""Longest member name that is recorded."""

POINTERS = 64
"""How many single values an event may say to be erased, masked or typed; beyond it a whole root is erased."""

MASK = "[masked]"
HASH_PREFIX = "hmac-sha256:"


class _RootTooLargeError(Exception):
    """A root does not fit into an event."""


@dataclass(slots=True)
class Notes:
    """What a reader of an event must know about its values: `erased` are not in it, `masked` are replaced, `types` has
    those whose JSON is not of their own type."""

    erased: list[str] = field(default_factory=list)
    masked: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)

    def count(self) -> int:
        return len(self.erased) + len(self.masked) + len(self.types)


Keyed = Callable[[bytes], str]
"""A keyed hash, in hex."""

Roots = tuple[tuple[str, Any, Members, MaskTree], ...]
"""By root: its name in `input`, its value, what constraints read of it, and its masks."""


def record_roots(roots: Roots, keyed: Keyed) -> tuple[dict[str, Any], Notes]:
    """The `input` of an event and its notes. Never raises for any value."""
    made: dict[str, Any] = {}
    notes = Notes()
    left = INPUT_BYTES
    for name, value, members, masks in roots:
        if value is None or (type(value) is dict and not value):
            continue
        pointer = f"/input/{name}"
        found = Notes()
        try:
            recorded = _record_root(value, members, masks, pointer, found, keyed)
            size = len(json.dumps(recorded))
            if size > left or notes.count() + found.count() > POINTERS:
                raise _RootTooLargeError
        except _RootTooLargeError:
            notes.erased.append(pointer)
            continue
        left -= size
        if recorded is not None:
            made[name] = recorded
        notes.erased += found.erased
        notes.masked += found.masked
        notes.types |= found.types
    return made, notes


def _record_root(value: Any, members: Members, masks: MaskTree, pointer: str, notes: Notes, keyed: Keyed) -> Any:
    if type(value) is not dict:
        notes.types[pointer] = "unsupported"
        return None
    walk = _Walk(notes, keyed)
    made: dict[str, Any] = {}
    for key, member in value.items():
        if type(key) is str and (isinstance(members, Everything) or key in members):
            walk.member(made, key, member, masks.get(key), pointer, 2)
        else:
            walk.erase(pointer, key)
    return made


@dataclass(slots=True)
class _Walk:
    """One pass over a root. Looks at exact types only: no code of the caller's is run."""

    notes: Notes
    keyed: Keyed
    characters: int = 0

    def member(self, made: dict[str, Any], key: str, value: Any, mask: Masked | MaskTree | None, above: str, depth: int) -> None:
        if len(key) > NAME_CHARACTERS or not _is_unicode(key):
            raise _RootTooLargeError
        pointer = f"{above}/{key.replace('~', '~0').replace('/', '~1')}"
        if type(value) is str and len(value) > STRING_CHARACTERS and not isinstance(mask, Masked):
            self._note(self.notes.erased, pointer)
        else:
            made[key] = self.value(value, mask, pointer, depth)

    def erase(self, above: str, key: Any) -> None:
        """Say that a member is not in the event."""
        if type(key) is not str or len(key) > NAME_CHARACTERS or not _is_unicode(key):
            raise _RootTooLargeError
        self._note(self.notes.erased, f"{above}/{key.replace('~', '~0').replace('/', '~1')}")

    def value(self, value: Any, mask: Masked | MaskTree | None, pointer: str, depth: int) -> Any:
        """The JSON that stands for a value."""
        if isinstance(mask, Masked):
            self._note(self.notes.masked, pointer)
            return MASK if mask is Masked.MASK else HASH_PREFIX + self.keyed(hashed_bytes(value))
        kind = type(value)
        if mask is not None and value is not None and kind not in (dict, list, tuple):
            # The path leads on to members, which this value does not have: it is not what the author expected.
            self._note(self.notes.masked, pointer)
            return MASK
        self._charge(len(value) if kind is str or kind is bytes else 1)
        if value is None or kind is bool:
            return value
        if kind is str:
            if len(value) > STRING_CHARACTERS:
                raise _RootTooLargeError  # an element of a list: leaving it out would move the others
            return value if _is_unicode(value) else self._typed(pointer, "unsupported", None)
        if kind is int:
            return value if INT_MIN <= value <= UINT_MAX else self._typed(pointer, "unsupported", None)
        if kind is float:
            return value if math.isfinite(value) else self._typed(pointer, "unsupported", None)
        if (kind is list or kind is tuple) and depth <= REQUEST_DEPTH:
            return [self.value(element, mask, f"{pointer}/{index}", depth + 1) for index, element in enumerate(value)]
        if kind is dict and depth <= REQUEST_DEPTH and all(type(key) is str for key in value):
            made: dict[str, Any] = {}
            for key, member in value.items():
                self.member(made, key, member, None if mask is None else mask.get(key), pointer, depth + 1)
            return made
        return self._typed(pointer, *_describe(value))

    def _typed(self, pointer: str, type_: str, value: Any) -> Any:
        if self.notes.count() >= POINTERS:
            raise _RootTooLargeError
        self.notes.types[pointer] = type_
        return value

    def _note(self, pointers: list[str], pointer: str) -> None:
        if self.notes.count() >= POINTERS:
            raise _RootTooLargeError
        pointers.append(pointer)

    def _charge(self, characters: int) -> None:
        self.characters += characters
        if self.characters > INPUT_BYTES:
            raise _RootTooLargeError


def _describe(value: Any) -> tuple[str, Any]:
    """Type and JSON of a value that JSON has no type for."""
    kind = type(value)
    if kind is bytes:
        return "bytes", base64.b64encode(value).decode()
    if kind is UInt:
        return "uint", int(value)
    if kind is datetime:
        value = instant_of(value)
        kind = type(value)
    if kind is Timestamp and type(value.nanoseconds) is int:
        return "timestamp", value.nanoseconds
    if kind is Duration and type(value.nanoseconds) is int:
        return "duration", value.nanoseconds
    return "unsupported", None


def hashed_bytes(value: Any) -> bytes:
    """What a hashed value's HMAC is over: the UTF-8 of a string, so that it can be looked up; else the digest's bytes."""
    if type(value) is str:
        return value.encode("utf-8", "surrogatepass")
    return pack_carefully(value)


def restore_value(value: Any, pointer: str, types: dict[str, str]) -> Any:
    """The value that a recorded one stands for: the inverse of what `record_roots` did, but for what is masked."""
    type_ = types.get(pointer)
    if type_ is not None:
        return _RESTORE[type_](value)
    if type(value) is list:
        return [restore_value(element, f"{pointer}/{index}", types) for index, element in enumerate(value)]
    if type(value) is dict:
        return {
            key: restore_value(member, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", types)
            for key, member in value.items()
        }
    return value


_RESTORE: dict[str, Callable[[Any], Any]] = {
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "uint": UInt,
    "timestamp": Timestamp,
    "duration": Duration,
    "unsupported": lambda _: object(),
}
TYPES = frozenset(_RESTORE)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
