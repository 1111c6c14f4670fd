"""Equality, order, arithmetic and the math library (docs/language.md L3, L6). Operands are values, never faults."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hexgate.faults import EvaluationFault, Fault
from hexgate.language.state import State, scan_steps, utf8_length
from hexgate.limits import INT_MAX, INT_MIN, TIMESTAMP_MAX, TIMESTAMP_MIN, UINT_MAX
from hexgate.values import Duration, Timestamp, UInt, Unsupported, Value

_NUMBERS = frozenset({int, UInt, float})
_ORDERED = frozenset({str, bytes, bool, Timestamp, Duration})


def no_overload() -> EvaluationFault:
    """The fault of operands that no overload takes."""
    return EvaluationFault(Fault.NO_SUCH_OVERLOAD)


def read(value: Any) -> Any:
    """A value that stood in a list, a map or a variable, now read (L1.6)."""
    if type(value) is Unsupported:
        raise EvaluationFault(Fault.UNSUPPORTED_VALUE)
    return value


def equal(state: State, left: Any, right: Any) -> bool:
    """L3.1, charged by L2.9. Raises EvaluationFault where an unsupported value is compared."""
    a, b = type(left), type(right)
    if a is b and (a is str or a is int):
        if a is str and len(left) >= 16 and len(right) >= 16 and utf8_length(left) == utf8_length(right):
            state.charge_scan(left)
        return left is right or bool(left == right)
    if a is Unsupported or b is Unsupported:
        raise EvaluationFault(Fault.UNSUPPORTED_VALUE)
    if a in _NUMBERS:
        if b not in _NUMBERS:
            return False
        return bool(float(left) == float(right) if (a is float) != (b is float) else left == right)
    if a is not b:
        return False
    if a is tuple:
        return _equal_lists(state, left, right)
    if a is dict:
        return _equal_maps(state, left, right)
    if a is bytes and len(left) == len(right):
        state.charge_scan(left)
    return bool(left == right)


def _equal_lists(state: State, left: tuple[Any, ...], right: tuple[Any, ...]) -> bool:
    """Element by element."""
    if len(left) != len(right):
        return False
    state.charge_steps(len(left) // 16 + 1)
    return all(equal(state, x, y) for x, y in zip(left, right, strict=True))


def _equal_maps(state: State, left: dict[Any, Any], right: dict[Any, Any]) -> bool:
    """Entry by entry in the left one's order. A key that the right one lacks decides before its value is looked at."""
    if len(left) != len(right):
        return False
    state.charge_steps(len(left) // 16 + 1)
    for key, member in left.items():
        if type(key) is str:
            state.charge_scan(key)
        if key not in right or not equal(state, member, right[key]):
            return False
    return True


def compare(left: Any, right: Any) -> int | None:
    """-1, 0 or 1 by L3.2, None with a NaN. Raises no_such_overload."""
    a, b = type(left), type(right)
    if not (a in _NUMBERS and b in _NUMBERS) and not (a is b and a in _ORDERED):
        raise no_overload()
    if (a is float) != (b is float):
        left, right = float(left), float(right)
    if left < right:
        return -1
    if left > right:
        return 1
    return 0 if left == right else None


def _ordering(test: Callable[[int], bool]) -> Callable[[State, Any, Any], bool]:
    def operation(state: State, left: Any, right: Any) -> bool:
        if type(left) is type(right) and (type(left) is str or type(left) is bytes) and len(left) >= 16 <= len(right):
            state.charge_steps(min(scan_steps(left), scan_steps(right)))
        order = compare(left, right)
        return order is not None and test(order)

    return operation


def _fit_int(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    raise EvaluationFault(Fault.OVERFLOW)


def _fit_uint(value: int) -> UInt:
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise EvaluationFault(Fault.OVERFLOW)


def fit_duration(nanoseconds: int) -> Duration:
    """A duration within 64 bits (L1.4)."""
    return Duration(_fit_int(nanoseconds))


def fit_timestamp(nanoseconds: int) -> Timestamp:
    """A timestamp within years 1 to 9999 (L1.4)."""
    if TIMESTAMP_MIN <= nanoseconds <= TIMESTAMP_MAX:
        return Timestamp(nanoseconds)
    raise EvaluationFault(Fault.OVERFLOW)


def add(state: State, left: Any, right: Any) -> Value:
    a, b = type(left), type(right)
    if (a is Timestamp and b is Duration) or (a is Duration and b is Timestamp):
        return fit_timestamp(left.nanoseconds + right.nanoseconds)
    if a is not b:
        raise no_overload()
    if a is int:
        return _fit_int(left + right)
    if a is float:
        return float(left + right)
    if a is str:
        return state.new_text(left + right)
    if a is UInt:
        return _fit_uint(int(left) + int(right))
    if a is bytes:
        return state.new_bytes(left + right)
    if a is tuple:
        return state.new_list(left + right)
    if a is Duration:
        return fit_duration(left.nanoseconds + right.nanoseconds)
    raise no_overload()


def subtract(_: State, left: Any, right: Any) -> Value:
    a, b = type(left), type(right)
    if a is Timestamp and b is Duration:
        return fit_timestamp(left.nanoseconds - right.nanoseconds)
    if a is not b:
        raise no_overload()
    if a is int:
        return _fit_int(left - right)
    if a is float:
        return float(left - right)
    if a is UInt:
        return _fit_uint(int(left) - int(right))
    if a is Timestamp or a is Duration:
        return fit_duration(left.nanoseconds - right.nanoseconds)
    raise no_overload()


def multiply(_: State, left: Any, right: Any) -> Value:
    if type(left) is not type(right):
        raise no_overload()
    if type(left) is int:
        return _fit_int(left * right)
    if type(left) is float:
        return float(left * right)
    if type(left) is UInt:
        return _fit_uint(int(left) * int(right))
    raise no_overload()


def divide(_: State, left: Any, right: Any) -> Value:
    if type(left) is not type(right):
        raise no_overload()
    if type(left) is float:
        return _divide_doubles(left, right)
    if type(left) not in (int, UInt):
        raise no_overload()
    if right == 0:
        raise EvaluationFault(Fault.DIVIDE_BY_ZERO)
    if type(left) is UInt:
        return UInt(int(left) // int(right))
    quotient = abs(left) // abs(right)
    return _fit_int(quotient if (left < 0) == (right < 0) else -quotient)


def _divide_doubles(left: float, right: float) -> float:
    """IEEE 754 division, which Python refuses for zero."""
    if right != 0.0:
        return left / right
    if left == 0.0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def modulo(_: State, left: Any, right: Any) -> Value:
    if type(left) is not type(right) or type(left) not in (int, UInt):
        raise no_overload()
    if right == 0:
        raise EvaluationFault(Fault.DIVIDE_BY_ZERO)
    if type(left) is UInt:
        return UInt(int(left) % int(right))
    remainder: int = abs(left) % abs(right)
    return remainder if left >= 0 else -remainder


def negate(_: State, operand: Any) -> Value:
    if type(operand) is int:
        return _fit_int(-operand)
    if type(operand) is float:
        return -operand
    raise no_overload()


def logical_not(_: State, operand: Any) -> bool:
    if type(operand) is not bool:
        raise no_overload()
    return not operand


def _extreme(wins: Callable[[int | None], bool]) -> Callable[[State, Any], Value]:
    def operation(state: State, operand: Any) -> Value:
        if type(operand) in _NUMBERS:
            return operand  # type: ignore[no-any-return]
        if type(operand) is not tuple:
            raise no_overload()
        state.charge_steps(len(operand) // 16)
        if not operand:
            raise EvaluationFault(Fault.INVALID_ARGUMENT)
        best: Any = None
        for element in operand:
            if type(read(element)) not in _NUMBERS:
                raise no_overload()
            if best is None or best != best or wins(compare(element, best)):
                best = element
        return best  # type: ignore[no-any-return]

    return operation


def _round_half_away(value: float) -> float:
    whole = math.trunc(value)
    if abs(value - whole) >= 0.5:
        whole += 1 if value > 0 else -1
    return math.copysign(float(whole), value)


def _rounding(how: Callable[[float], float]) -> Callable[[State, Any], float]:
    def operation(_: State, operand: Any) -> float:
        if type(operand) is not float:
            raise no_overload()
        return math.copysign(float(how(operand)), operand) if math.isfinite(operand) else operand

    return operation


def _double_test(test: Callable[[float], bool]) -> Callable[[State, Any], bool]:
    def operation(_: State, operand: Any) -> bool:
        if type(operand) is not float:
            raise no_overload()
        return test(operand)

    return operation


def _absolute(_: State, operand: Any) -> Value:
    if type(operand) is int:
        return _fit_int(abs(operand))
    if type(operand) is UInt:
        return operand
    if type(operand) is float:
        return abs(operand)
    raise no_overload()


def _sign(_: State, operand: Any) -> Value:
    if type(operand) is float:
        return operand if operand == 0.0 or math.isnan(operand) else math.copysign(1.0, operand)
    if type(operand) is int:
        return (operand > 0) - (operand < 0)
    if type(operand) is UInt:
        return UInt(int(operand > 0))
    raise no_overload()


def _square_root(_: State, operand: Any) -> float:
    if type(operand) not in _NUMBERS:
        raise no_overload()
    value = float(operand)
    return math.sqrt(value) if value >= 0 else math.nan


def _of_kind(bits: int, kind: type) -> Value:
    """64 bits as an int or a uint."""
    bits &= UINT_MAX
    if kind is UInt:
        return UInt(bits)
    return bits - 2**64 if bits > INT_MAX else bits


def _bits(how: Callable[[int, int], int]) -> Callable[[State, Any, Any], Value]:
    def operation(_: State, left: Any, right: Any) -> Value:
        if type(left) is not type(right) or type(left) not in (int, UInt):
            raise no_overload()
        return _of_kind(how(int(left), int(right)), type(left))

    return operation


def _bit_not(_: State, operand: Any) -> Value:
    if type(operand) not in (int, UInt):
        raise no_overload()
    return _of_kind(~int(operand), type(operand))


def _shift(how: Callable[[int, int], int]) -> Callable[[State, Any, Any], Value]:
    def operation(_: State, operand: Any, offset: Any) -> Value:
        if type(operand) not in (int, UInt) or type(offset) is not int:
            raise no_overload()
        if offset < 0:
            raise EvaluationFault(Fault.INVALID_ARGUMENT)
        bits = int(operand) & UINT_MAX
        return _of_kind(how(bits, offset) if offset < 64 else 0, type(operand))

    return operation


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "modulo": modulo,
    "negate": negate,
    "not": logical_not,
    "equal": equal,
    "not_equal": lambda state, left, right: not equal(state, left, right),
    "less": _ordering(lambda order: order < 0),
    "less_equal": _ordering(lambda order: order <= 0),
    "greater": _ordering(lambda order: order > 0),
    "greater_equal": _ordering(lambda order: order >= 0),
    "math_greatest": _extreme(lambda order: order == 1),
    "math_least": _extreme(lambda order: order == -1),
    "math_ceil": _rounding(math.ceil),
    "math_floor": _rounding(math.floor),
    "math_round": _rounding(_round_half_away),
    "math_trunc": _rounding(math.trunc),
    "math_abs": _absolute,
    "math_sign": _sign,
    "math_sqrt": _square_root,
    "math_is_nan": _double_test(math.isnan),
    "math_is_inf": _double_test(math.isinf),
    "math_is_finite": _double_test(math.isfinite),
    "math_bit_and": _bits(lambda a, b: a & b),
    "math_bit_or": _bits(lambda a, b: a | b),
    "math_bit_xor": _bits(lambda a, b: a ^ b),
    "math_bit_not": _bit_not,
    "math_bit_shift_left": _shift(lambda bits, n: bits << n),
    "math_bit_shift_right": _shift(lambda bits, n: bits >> n),
}
