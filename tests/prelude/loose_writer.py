"""Random MessagePack: any form of a value, the shortest or not, and bytes changed at random."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

TEXTS = ("", "a", "b", "amount", "user_id", "é", "\U0001f600", "\0", "x" * 31, "x" * 32, "y" * 300)


class LooseWriter:
    """Writes random values, each in a form drawn at random."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def value(self, depth: int) -> bytes:
        """A value with lists and maps at most `depth` deep."""
        kinds: list[Callable[[int], bytes]] = [self._number, self._text, self._scalar]
        return self.dice.choice([*kinds, self._list, self._map] if depth else kinds)(depth)

    def array(self, values: list[bytes]) -> bytes:
        """A list of written values."""
        return self._head(len(values), (0x90, 15), {0xDC: 2, 0xDD: 4}) + b"".join(values)

    def map_(self, entries: dict[bytes, bytes]) -> bytes:
        """A map of written keys and values."""
        return self._head(len(entries), (0x80, 15), {0xDE: 2, 0xDF: 4}) + b"".join(k + v for k, v in entries.items())

    def text(self, text: str) -> bytes:
        """A string."""
        data = text.encode()
        return self._head(len(data), (0xA0, 31), {0xD9: 1, 0xDA: 2, 0xDB: 4}) + data

    def _head(self, length: int, short: tuple[int, int], long: dict[int, int]) -> bytes:
        forms = [bytes([marker]) + length.to_bytes(size, "big") for marker, size in long.items() if length < 256**size]
        if length <= short[1]:
            forms += [bytes([short[0] | length])] * 3
        return self.dice.choice(forms)

    def _text(self, _: int) -> bytes:
        return self.text(self.dice.choice(TEXTS))

    def _number(self, _: int) -> bytes:
        size = self.dice.choice((1, 2, 4, 8))
        exponent = {1: 0, 2: 1, 4: 2, 8: 3}[size]
        bits = self.dice.randbytes(size) if self.dice.random() < 0.8 else self.dice.choice((b"\0", b"\x7f", b"\x80", b"\xff")) * size
        match self.dice.randrange(6):
            case 0 | 1:
                return bytes([self.dice.choice((*range(0x80), *range(0xE0, 0x100)))])
            case 2:
                return bytes([0xCC + exponent]) + bits
            case 3:
                return bytes([0xD0 + exponent]) + bits
            case 4:
                return b"\xca" + (struct.pack(">f", self.dice.uniform(-9, 9)) if self.dice.random() < 0.5 else self.dice.randbytes(4))
            case _:
                edges = (0.0, -0.0, 5e-324, 1e308, float("inf"), float("-inf"), float("nan"))
                return b"\xcb" + struct.pack(">d", self.dice.choice(edges) if self.dice.random() < 0.5 else self.dice.gauss(0, 1e9))

    def _scalar(self, _: int) -> bytes:
        match self.dice.randrange(4):
            case 0:
                return self.dice.choice((b"\xc0", b"\xc2", b"\xc3"))
            case 1:
                data = self.dice.randbytes(self.dice.choice((0, 1, 8, 40, 300)))
                return self._head(len(data), (0, -1), {0xC4: 1, 0xC5: 2, 0xC6: 4}) + data
            case _:
                return self._extension()

    def _extension(self) -> bytes:
        kind = self.dice.choice((0, 1, 2, 3, 4, 5, 6, 6, 127, 128, 255, 255))
        seconds = self.dice.choice((0, -1, 1_700_000_000, -62135596800, -62135596801, 253402300799, 253402300800, 2**63 - 1, -(2**63)))
        nanoseconds = self.dice.choice((0, 1, 999_999_999, 1_000_000_000, 2**32 - 1))
        payload = self.dice.choice(
            (b"", self.dice.randbytes(8), self.dice.randbytes(8), struct.pack(">Iq", nanoseconds, seconds), self.dice.randbytes(4))
        )
        fixed = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}.get(len(payload))
        if fixed is not None and self.dice.random() < 0.5:
            return bytes([fixed, kind]) + payload
        return self._head(len(payload), (0, -1), {0xC7: 1, 0xC8: 2, 0xC9: 4}) + bytes([kind]) + payload

    def _list(self, depth: int) -> bytes:
        return self.array([self.value(depth - 1) for _ in range(self.dice.choice((0, 1, 2, 3, 16, 20)))])

    def _map(self, depth: int) -> bytes:
        keys = [self.text(f"{self.dice.choice(TEXTS)}{self.dice.randrange(40)}") for _ in range(self.dice.choice((0, 1, 2, 3, 17)))]
        if self.dice.random() < 0.1:
            keys.append(self.value(0))
        return self.map_({key: self.value(depth - 1) for key in keys})


def mutate(dice: random.Random, data: bytes) -> bytes:
    """The data with a byte changed, taken out, put in, or its end cut, once to three times."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(changed) + 1)
        match dice.randrange(5):
            case 0 | 1 if at < len(changed):
                changed[at] = dice.choice((dice.randrange(256), changed[at] ^ (1 << dice.randrange(8)), 0xDD, 0xDF, 0xC1))
            case 2 if at < len(changed):
                del changed[at]
            case 3:
                changed.insert(at, dice.randrange(256))
            case 4:
                del changed[at:]
    return bytes(changed)
