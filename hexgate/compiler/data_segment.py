"""The module's constant memory: cells of constant values, tables, names; each distinct piece once.

Layout of a cell: docs/abi.md A4.1. Addresses start at `DATA_START`; the canonical cells below are not here.
"""

from __future__ import annotations

import struct

from hexgate.faults import Fault
from hexgate.values import BoolKey, Duration, Key, Timestamp, TypeValue, UInt, Unsupported, Value, value_of_key

DATA_START = 1024
NULL_CELL, FALSE_CELL, TRUE_CELL = 512, 528, 544
INDEXED_ENTRIES = 8
"""The number of entries from which on a map has an index, as `$index_entries` makes one."""

_CELL = struct.Struct("<iiQ")


class DataSegment:
    """Grows while a policy is lowered; `content` is its bytes in the end."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._pieces: dict[tuple[int, bytes], int] = {}
        self._texts: dict[str, int] = {}

    @classmethod
    def continuing(cls, content: bytes) -> DataSegment:
        """A segment that begins with what another one has laid out."""
        segment = cls()
        segment._bytes.extend(content)
        return segment

    @property
    def content(self) -> bytes:
        return bytes(self._bytes)

    def place(self, piece: bytes, alignment: int = 1) -> int:
        """The address of a piece of data; the same piece is stored once."""
        found = self._pieces.get((alignment, piece))
        if found is not None:
            return found
        self._bytes.extend(bytes(-len(self._bytes) % alignment))
        address = DATA_START + len(self._bytes)
        self._bytes.extend(piece)
        self._pieces[alignment, piece] = address
        return address

    def cell(self, value: Value) -> int:
        """The address of the cell of a constant value."""
        if type(value) is str:
            known = self._texts.get(value)
            if known is None:
                text = value.encode()
                known = self._texts[value] = self._pack(6, len(text), self.place(text))
            return known
        if type(value) is int:
            return self._pack(3, 0, value & (2**64 - 1))
        if value is None:
            return NULL_CELL
        if type(value) is bool:
            return TRUE_CELL if value else FALSE_CELL
        if type(value) is Unsupported:
            return fault_cell(Fault.UNSUPPORTED_VALUE)
        return self._pack(*self._fields(value))

    def _pack(self, tag: int, aux: int, payload: int) -> int:
        return self.place(_CELL.pack(tag, aux, payload), 16)

    def _fields(self, value: Value) -> tuple[int, int, int]:
        """Tag, aux and payload of a value that is no canonical cell, int or string."""
        if type(value) is UInt:
            return 4, 0, int(value)
        if type(value) is float:
            return 5, 0, int.from_bytes(struct.pack("<d", value), "little")
        if type(value) is bytes:
            return 7, len(value), self.place(value)
        if type(value) is tuple:
            cells = [self.cell(element) for element in value]
            return 8, len(cells), self.place(struct.pack(f"<{len(cells)}i", *cells), 4)
        if type(value) is dict:
            pairs = [self.cell(part) for key, member in value.items() for part in (value_of_key(key), member)]
            entries = self.place(struct.pack(f"<{len(pairs)}i", *pairs), 4)
            return 9, len(value), entries | self._index(list(value), entries) << 32
        if type(value) is Timestamp:
            seconds, nanoseconds = divmod(value.nanoseconds, 10**9)
            return 10, nanoseconds, seconds & (2**64 - 1)
        if type(value) is Duration:
            return 11, 0, value.nanoseconds & (2**64 - 1)
        if type(value) is TypeValue:
            name = value.name.encode()
            return 12, len(name), self.place(name)
        raise TypeError(f"no cell for a {type(value).__name__}")

    def _index(self, keys: list[Key], entries: int) -> int:
        """The address of a map's index, the addresses of its entries in the order of their keys, or 0 for few."""
        if len(keys) < INDEXED_ENTRIES:
            return 0
        order = sorted(range(len(keys)), key=lambda i: _key_order(keys[i]))
        return self.place(struct.pack(f"<{len(keys)}i", *(entries + 8 * i for i in order)), 4)


def _key_order(key: Key) -> tuple[int, int, list[int]]:
    """What orders keys as `$key_order` does: bools, then numbers, then strings by length and by words of eight bytes."""
    if isinstance(key, BoolKey):
        return 0, key is BoolKey.TRUE, []
    if not isinstance(key, str):
        return 1, int(key), []
    text = key.encode()
    words = [text[at : at + 8] for at in range(0, len(text), 8)]
    return 2, len(text), [int.from_bytes(word, "little") << (64 - 8 * len(word)) for word in words]


def fault_cell(fault: Fault) -> int:
    """The address of a fault's cell (A4.2)."""
    return 16 * fault


def name_table(data: DataSegment, names: tuple[str, ...]) -> int:
    """A hash table from names to their indexes; the address of its header.

    Header: i32 mask, then mask + 1 slots, each the i32 address of a record or 0. Record: i32 length, i32 index, the
    name. Hash: 32-bit FNV-1a of the name's UTF-8; collisions go to the next slot.
    """
    size = 2
    while size < 2 * len(names):
        size *= 2
    slots = [0] * size
    for index, name in enumerate(names):
        text = name.encode()
        slot = fnv1a(text) & (size - 1)
        while slots[slot]:
            slot = (slot + 1) & (size - 1)
        slots[slot] = data.place(struct.pack("<ii", len(text), index) + text, 4)
    return data.place(struct.pack(f"<{size + 1}i", size - 1, *slots), 4)


def fnv1a(text: bytes) -> int:
    """The 32-bit FNV-1a hash (Fowler, Noll, Vo)."""
    value = 0x811C9DC5
    for byte in text:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value

