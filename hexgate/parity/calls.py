"""Random calls: values that cross types, absence, Unicode, the edges of 64 bits, depth, size, and what no JSON holds."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import types
import uuid
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from hexgate.decision.decision import User
from hexgate.limits import INT_MAX, INT_MIN, TIMESTAMP_MAX, TIMESTAMP_MIN
from hexgate.parity.expressions import MEMBERS
from hexgate.values import Duration, Timestamp, UInt

NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 3, 16, 499, 500, 501, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**30,
    0.0, -0.0, 0.5, 1.0, -1.5, 500.0, 499.99999999999994, 1e16, 1e308, -1e308, 5e-324, 9007199254740992.0, float("nan"), float("inf"),
    True, False, None, UInt(1), UInt(2**64 - 1),
)  # fmt: skip
TEXTS: tuple[Any, ...] = (
    "", "a", "A", "b", "abc", "aBC", "é", "e\u0301", "😀b", "a,b", "12", "-7", "1.5", "true", "USD", "usd", "USD ", "ＵＳＤ", "a\n", "\0", "ÿ",
    "\u2028", "K", "ſ", "2024-02-29T12:00:00Z", "1h30m", "+05:30", "UTC", "Europe/Berlin", "x" * 300, "\ud800", "a\udfffb",
    b"", b"a", b"\xff", b"abc",
)  # fmt: skip


class _Text(str):
    """A str subclass whose equality lies."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class _Colour(enum.Enum):
    RED = 1


class _Currency(enum.StrEnum):
    USD = "USD"


class _Name(enum.Enum):
    A = "a"


class _Number(int):
    """A subclass of int that is no int of a request."""


class _Size(enum.IntEnum):
    ONE = 1


class _Elements(list[Any]):
    """A list whose length and elements lie."""

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError("not to be asked")


class _Members(dict[str, Any]):
    """A dict that has every key."""

    def __missing__(self, key: str) -> int:
        return 1

    def __contains__(self, key: object) -> bool:
        return True


class _Data(bytes):
    """A subclass of bytes."""


class _Pair(NamedTuple):
    a: int
    b: int


class _Zone(datetime.tzinfo):
    """A time zone whose code is the caller's."""

    def utcoffset(self, _: datetime.datetime | None) -> datetime.timedelta:
        raise RuntimeError("not to be asked")

    dst = utcoffset

    def tzname(self, _: datetime.datetime | None) -> str:
        raise RuntimeError("not to be asked")


FOREIGN: tuple[Any, ...] = (
    decimal.Decimal("1.5"), _Text("USD"), _Colour.RED, object(), {1, 2}, 1j, datetime.date(2024, 2, 29), datetime.datetime(2024, 2, 29),
    datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC), bytearray(b"a"), range(3), {1: 2}, {"\ud800": 1}, type,
    bytearray(b"\xff\0"), memoryview(b"abc"), memoryview(b"abcd")[::2], memoryview(bytearray(b"a")), memoryview(b"abcd").cast("H"), _Data(b"a"),
    Timestamp(TIMESTAMP_MAX), Timestamp(TIMESTAMP_MAX + 1), Timestamp(TIMESTAMP_MIN), Timestamp(TIMESTAMP_MIN - 1), Timestamp(10**40), Timestamp(True),
    Timestamp(1.5), Duration(INT_MAX), Duration(INT_MAX + 1), Duration(INT_MIN), Duration(INT_MIN - 1), Duration("x"), datetime.timedelta(seconds=1),  # type: ignore[arg-type]
    datetime.datetime.max.replace(tzinfo=datetime.UTC), datetime.datetime.min.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=14))),
    datetime.datetime(2024, 2, 29, 12, tzinfo=_Zone()), datetime.time(1), _Currency.USD, _Size.ONE, _Number(1), _Elements([1, 2]), _Members(a=1), _Pair(1, 2),
    {_Currency.USD: 1}, {_Text("a"): 1}, {"a": 1, _Currency.USD: 1}, {_Name.A: 1}, {True: 1}, {None: 1}, collections.OrderedDict(a=1), types.MappingProxyType({"a": 1}),
    collections.deque([1]), frozenset({1}), uuid.UUID(int=1), ...,
)  # fmt: skip
"""What no JSON holds: some of it values of the language, most of it unsupported, none of it a reason to run a caller's code."""


class CallGenerator:
    """Draws calls from one source of randomness."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def value(self, depth: int = 3) -> Any:
        """A value of any kind."""
        random = self._random
        kind = random.random()
        if kind < 0.34:
            return random.choice(NUMBERS)
        if kind < 0.68:
            return random.choice(TEXTS)
        if kind < 0.74:
            return random.choice(FOREIGN)
        if depth <= 0:
            return random.choice(NUMBERS)
        if kind < 0.87:
            made = [self.value(depth - 1) for _ in range(random.randint(0, 4))]
            return tuple(made) if kind > 0.86 else made
        return self.members(depth - 1)

    def members(self, depth: int = 3) -> dict[str, Any]:
        """A map with some of the names that constraints read."""
        names = self._random.sample(MEMBERS, self._random.choice((0, 4, 6, 7, 8, 8)))
        return {name: self._named(name, depth) for name in names}

    def _named(self, name: str, depth: int) -> Any:
        """A value that mostly has the kind that constraints expect of the name."""
        random = self._random
        if random.random() < 0.35 or depth <= 0:
            return self.value(depth)
        if name == "m":
            return self.members(depth - 1)
        if name == "l":
            return [self.value(depth - 1) for _ in range(random.randint(0, 5))]
        return random.choice(TEXTS) if name in "st" else random.choice(NUMBERS)

    def rare(self) -> Any:
        """Arguments that are deep, large, or none at all."""
        kind = self._random.randrange(9)
        if kind == 0:
            return nested(self._random.choice((31, 32, 33, 34, 100, 5_000)))
        if kind == 1:
            return {"s": "x" * self._random.choice((16_000, 65_400, 65_536, 200_000))}
        if kind == 2:
            return {"l": [0] * self._random.choice((1_000, 9_000, 70_000)), "a": 1}
        if kind == 3:
            return self._random.choice((None, [], "args", 5, object(), (1,)))
        if kind == 4:
            return {"m": nested(self._random.choice((30, 31, 32))), "a": 1}
        if kind == 5:
            # Around the steps and the bytes that one constraint may take (L2.9, L2.10).
            count = self._random.choice((9_998, 9_999, 10_000, 10_001, 5_000, 100, 16 * 625, 400))
            return {**self.members(), "l": [self._random.choice((1, "a", 0.5, None, True))] * count}
        if kind == 6:
            count = self._random.choice((15, 16, 17, 400, 2_000))
            return {**self.members(), "m": {f"{n:x}": n for n in range(count)}, "l": [[n] for n in range(count)]}
        if kind == 7:
            return {**self.members(), "s": self._random.choice("aé,") * self._random.choice((1_023, 1_024, 21_000, 60_000)), "t": "a" * self._random.choice((15, 16, 63, 64, 5_000))}
        return {"s": "a" * 4_000 + "b", "t": "a" * 2_000 + "b", "l": ["a" * 100] * 50}

    def arguments(self) -> Any:
        """The arguments of a call."""
        return self.rare() if self._random.random() < 0.006 else self.members()

    def user(self, roles: tuple[str, ...]) -> User | None:
        """Who calls: mostly somebody with one of these roles."""
        random = self._random
        if random.random() < 0.01:
            return random.choice((None, User("", roles[0]), User("alice", "nobody"), User(5, roles[0]), User("\ud800", roles[0]), User("u" * 300, roles[0]), User("alice", "R"), User("alice", _Text(roles[0]))))  # type: ignore[arg-type]
        return User(random.choice(("alice", "bob", "é")), random.choice(roles), self.members(2) if random.random() < 0.5 else {})


def nested(depth: int) -> dict[str, Any]:
    """Maps in maps, so deep, under the member `m`."""
    inner: dict[str, Any] = {"a": 1}
    for _ in range(depth - 1):
        inner = {"m": inner}
    return inner
