"""Writing answers: what is written reads back as the same value, by the reader of requests and by Python's."""

from __future__ import annotations

import pytest

from hexgate.faults import Fault
from hexgate.runtime.expression_engine import _read_answer
from hexgate.values import BoolKey, Duration, Timestamp, TypeValue, UInt, Unsupported, Value
from tests.engines.notation import same
from tests.prelude.harness import HEAP, HEAP_END, Prelude, TrapError, prelude
from tests.prelude.pools import EVERYTHING
from tests.prelude.strict_reader import read_array

FORMS: tuple[tuple[Value | Fault, str], ...] = (
    (None, "c0"), (False, "c2"), (True, "c3"), (1, "d3 0000000000000001"), (-(2**63), "d3 8000000000000000"),
    (UInt(1), "d7 01 0000000000000001"), (UInt(2**64 - 1), "d7 01 ffffffffffffffff"), (1.0, "cb 3ff0000000000000"),
    (-0.0, "cb 8000000000000000"), ("", "db 00000000"), ("é", "db 00000002 c3a9"), (b"\xff", "c6 00000001 ff"), ((), "dd 00000000"),
    ((1.0, None), "dd 00000002 cb 3ff0000000000000 c0"), ({}, "df 00000000"), ({"a": True}, "df 00000001 db 00000001 61 c3"),
    ({BoolKey.TRUE: None}, "df 00000001 c3 c0"), (Timestamp(-1), "c7 0c 06 3b9ac9ff ffffffffffffffff"), (Duration(-1), "d7 02 ffffffffffffffff"),
    (TypeValue("int"), "c9 00000003 03 696e74"), (Fault.NO_SUCH_KEY, "d4 04 02"), (Fault.ALLOCATION_BUDGET_EXCEEDED, "d4 04 0c"),
    ((Unsupported(),), "dd 00000001 d4 04 08"),
)  # fmt: skip


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude("encode_value")


def encoded(module: Prelude, value: Value | Fault, room: int = HEAP_END - HEAP) -> bytes:
    end = module.call("encode_value", module.write(value), HEAP, HEAP + room)
    return module.load(HEAP, end - HEAP)


@pytest.mark.parametrize(("value", "form"), FORMS)
def test_forms(module: Prelude, value: Value | Fault, form: str) -> None:
    assert encoded(module, value) == bytes.fromhex(form)


@pytest.mark.parametrize("value", EVERYTHING)
def test_what_is_written_reads_back(module: Prelude, value: Value | Fault) -> None:
    data = encoded(module, value)
    answer, end = _read_answer(data)
    assert end == len(data)
    if type(value) is Fault:
        assert answer.fault is value
    elif "Unsupported" not in repr(value):
        assert same(answer, value)
    if type(value) in (str, bytes, int, UInt, bool, type(None), Timestamp, Duration):
        assert same(read_array(b"\x91" + data, 1), (value,))


def test_an_answer_without_room_traps(module: Prelude) -> None:
    """Room for 32 bytes more than are written is always enough; less than are written never is."""
    values: tuple[Value, ...] = ("x" * 1000, ("x" * 20,) * 40, b"y" * 100, tuple(range(100)), {"a": {"b": "c" * 50}})
    for value in values:
        size = len(encoded(module, value))
        assert encoded(module, value, size + 32) == encoded(module, value)
        for room in (0, 1, 31, size - 1):
            with pytest.raises(TrapError):
                encoded(module, value, room)
