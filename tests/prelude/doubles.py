"""Doubles to try: random bits, denormals, and the neighbours of powers of two and of ten."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator


def double(bits: int) -> float:
    """The double of 64 bits."""
    return float(struct.unpack("<d", struct.pack("<Q", bits % 2**64))[0])


def bits_of(value: float) -> int:
    """The 64 bits of a double."""
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


def neighbours_of_powers() -> Iterator[float]:
    """Every power of two and of ten that is a double, and the doubles about it."""
    for exponent in range(2046):
        yield from (double((exponent << 52) + step) for step in (-1, 0, 1))
    for power in range(-323, 309):
        yield from (double(bits_of(float(f"1e{power}")) + step) for step in (-1, 0, 1))


def random_doubles(seed: str, count: int) -> Iterator[float]:
    """Bits, denormals, short decimals and their neighbours, whole numbers, everyday ones; of both signs."""
    dice = random.Random(seed)
    for number in range(count):
        match number % 6:
            case 0 | 1:
                value = double(dice.getrandbits(64))
            case 2:
                value = double(dice.getrandbits(dice.randrange(1, 53)))
            case 3:
                decimal = dice.randrange(10 ** dice.randrange(1, 19)) / 10 ** dice.randrange(20)
                value = double(bits_of(decimal) + dice.choice((0, 0, 1)))
            case 4:
                value = float(dice.getrandbits(dice.randrange(1, 70)))
            case _:
                value = dice.uniform(-1000, 1000)
        yield value if dice.random() < 0.7 else -value
