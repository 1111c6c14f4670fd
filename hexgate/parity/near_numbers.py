"""Numbers around a boundary, and the edges of the number types."""

from __future__ import annotations

import decimal
import math
from collections.abc import Iterator
from typing import Any

from hexgate.limits import INT_MAX, INT_MIN, UINT_MAX
from hexgate.values import UInt

EDGES: tuple[Any, ...] = (
    0, 1, -1, 0.0, -0.0, 0.5, -0.5, INT_MAX, INT_MIN, INT_MAX + 1, UINT_MAX, UINT_MAX + 1, INT_MIN - 1, UInt(0), UInt(1), UInt(UINT_MAX),
    UInt(2**63), 2.0**53, 2**53 + 1, 2.0**63, -(2.0**63), 2.0**64, 9223372036854774784.0, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308,
    1e10, 2**31, 2**32, 63, 64, -64, 10**30, math.nan, math.inf, -math.inf, decimal.Decimal("1.5"),
)  # fmt: skip
"""Where arithmetic and conversions change their behaviour, and numbers that no request can hold."""

FEW: tuple[Any, ...] = (1, -1, 0, 1.5, UInt(1), INT_MAX, INT_MIN, UINT_MAX, math.nan, math.inf, 10**30)
"""One of each kind."""


def near_number(number: Any) -> Iterator[Any]:
    """A number, what is one step away from it, the same in other types, and what only looks like it."""
    exact = int(number) if type(number) is not float else number
    yield number if type(number) is not UInt else exact
    if isinstance(exact, float):
        yield from (math.nextafter(exact, math.inf), math.nextafter(exact, -math.inf), exact + 1, exact - 1, -exact)
        if math.isfinite(exact):
            whole = math.floor(exact)
            yield from (whole, whole + 1, whole - 1, str(exact), decimal.Decimal(exact))
            if 0 <= whole <= UINT_MAX:
                yield UInt(whole)
        return
    yield from (exact - 1, exact + 1, exact + 2, -exact)
    if abs(exact) <= 2**70:
        as_double = float(exact)
        yield from (as_double, math.nextafter(as_double, math.inf), math.nextafter(as_double, -math.inf), as_double + 0.5)
    for other in (exact, exact - 1, exact + 1):
        if 0 <= other <= UINT_MAX:
            yield UInt(other)
    yield from (str(exact), exact * 10, [exact], decimal.Decimal(exact))
