"""Values to combine: every type, every edge of the numbers, and what may stand in a request in place of a value."""

from __future__ import annotations

import math

from hexgate.faults import Fault
from hexgate.values import BoolKey, Duration, Timestamp, TypeValue, UInt, Unsupported, Value

INTS: tuple[int, ...] = (
    0, 1, -1, 2, 3, -3, 7, 10, -10, 63, 64, 65, 2**31, -(2**31), 3037000499, 3037000500, 2**53 - 1, 2**53, 2**53 + 1,
    -(2**53) - 1, 2**62, 2**63 - 1025, 2**63 - 513, 2**63 - 512, 2**63 - 1, -(2**63), -(2**63) + 1,
)  # fmt: skip
UINTS: tuple[UInt, ...] = tuple(
    map(UInt, (0, 1, 2, 3, 10, 64, 2**32, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1025, 2**64 - 1))
)
DOUBLES: tuple[float, ...] = (
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994, -0.49999999999999994, 0.1, 1e-320, 5e-324,
    2.0**52 + 0.5, 2.0**53, 2.0**53 + 2, -(2.0**53), 2.0**62, 2.0**63, -(2.0**63), 2.0**63 - 1024, -(2.0**63) - 2048,
    2.0**64, 2.0**64 - 2048, 1e19, 1e300, -1e300, 1.7976931348623157e308, math.inf, -math.inf, math.nan,
)  # fmt: skip
NUMBERS: tuple[Value, ...] = (*INTS, *UINTS, *DOUBLES)

TEXTS: tuple[str, ...] = ("", "a", "b", "ab", "abcdefgh", "abcdefghi", "abcdefgi", "é", "\uffff", "\U0001f600", "\0", "1", "A" * 40)
BYTES: tuple[bytes, ...] = (b"", b"a", b"\xff", b"abcdefgh", b"\xed\xa0\x80", "é".encode())
TIMES: tuple[Value, ...] = (
    Timestamp(0), Timestamp(1), Timestamp(-1), Timestamp(10**9), Timestamp(-62_135_596_800 * 10**9),
    Timestamp(253_402_300_800 * 10**9 - 1), Duration(0), Duration(1), Duration(-1), Duration(-1_500_000_000),
    Duration(2**63 - 1), Duration(-(2**63)),
)  # fmt: skip
TYPES: tuple[Value, ...] = (TypeValue("int"), TypeValue("type"), TypeValue("google.protobuf.Duration"))
LISTS: tuple[Value, ...] = (
    (), (1,), (UInt(1),), (1.0,), (1, 2), (2, 1), ("a", "b"), (math.nan,), ((), (1,)), ((1, (2, (3,))), 4), (None, None),
    (Unsupported(),), (1, Unsupported()), (Unsupported(), 1), (2, Unsupported()), (True, False), (3, 1, 2, 1.0, UInt(2)),
    tuple(range(40)), ({"a": 1}, {"a": 1.0}),
)  # fmt: skip
MAPS: tuple[Value, ...] = (
    {}, {"a": 1}, {"a": 1.0}, {"a": 2}, {"b": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {1: "x"}, {UInt(1): "x"},
    {BoolKey.TRUE: 1, BoolKey.FALSE: 0}, {"a": Unsupported()}, {"a": Unsupported(), "b": 1}, {"a": 2, "b": Unsupported()},
    {2**63 - 1: 1}, {UInt(2**63): 1}, {-(2**63): 1, 2**53 + 1: 2, 0: 3}, {"a": {"a": (1, 2)}}, {"": None, "\0": 1},
    {f"key{i}": i for i in range(30)},
)  # fmt: skip
FAULTS: tuple[Value | Fault, ...] = (Fault.NO_SUCH_KEY, Fault.UNSUPPORTED_VALUE)

SAMPLE: tuple[Value | Fault, ...] = (
    None, True, False, 0, 1, -1, 2**63 - 1, -(2**63), UInt(0), UInt(1), UInt(2**64 - 1), 0.0, 1.0, -1.5, 2.0**63, math.nan,
    math.inf, *TEXTS[:6], *BYTES[:3], *TIMES, *TYPES[:2], *LISTS, *MAPS, *FAULTS,
)  # fmt: skip
"""Some of everything, few enough to try in pairs."""

KINDS: tuple[Value | Fault, ...] = (
    None, True, False, 0, 2, -(2**63), UInt(2), 2.0, math.nan, "", "a", b"", b"a", (), (1, 2), {}, {"a": 2}, {2: 2}, Timestamp(0),
    Duration(1), TypeValue("int"), *FAULTS,
)  # fmt: skip
"""Every type, a value or two of each."""

EVERYTHING: tuple[Value | Fault, ...] = (
    None, True, False, *NUMBERS, *TEXTS, *BYTES, *TIMES, *TYPES, *LISTS, *MAPS, *FAULTS,
)  # fmt: skip
