"""What emitted code calls besides functions of the table: members, literals, ranges, comparisons with constants, logic.

The clauses' own words are the model here; the tables of `tests/engines` hold whole expressions on every engine.
"""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Sequence

import pytest

from hexgate.faults import Fault
from hexgate.language.operations_collections import find_key
from hexgate.language.operations_numbers import compare
from hexgate.values import BoolKey, Key, UInt, Unsupported, Value, key_of, value_of_key
from tests.engines.notation import same
from tests.prelude.agreement import Operand, interpreted
from tests.prelude.harness import FALSE, TRUE, Prelude, prelude
from tests.prelude.pools import EVERYTHING, KINDS, MAPS, SAMPLE, TEXTS

NAMES = (
    "select", "has", "map_find", "finish_list", "finish_map", "range_count", "range_key", "range_value", "range_index",
    "equal_text", "equal_number", "equal_single", "opposite", "order_number", "order_text", "is_less", "is_less_equal",
    "is_greater", "is_greater_equal", "and_join", "or_join", "not_a_test", "fn_equal", "compare_numbers", "compare_bytes",
    "same_bytes", "count_code_points", "join_maps",
)  # fmt: skip


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude(*NAMES)


def applied(module: Prelude, name: str, *values: Operand) -> Operand:
    return module.apply(name, *values).value


@pytest.mark.parametrize("operand", EVERYTHING)
def test_members(module: Prelude, operand: Operand) -> None:
    """L3.5, L1.6: a member that is unsupported is a fault when it is selected, not when it is asked for."""
    for name in (*TEXTS, "key7", "key30", "c"):
        chosen: Operand = operand if type(operand) is Fault else Fault.NO_SUCH_OVERLOAD
        present: Operand = chosen
        if type(operand) is dict:
            present = name in operand
            chosen = operand.get(name, Fault.NO_SUCH_KEY)
            chosen = Fault.UNSUPPORTED_VALUE if type(chosen) is Unsupported else chosen
        assert same(applied(module, "select", operand, name), chosen)
        assert applied(module, "has", operand, name) is present


@pytest.mark.parametrize("map_", MAPS)
def test_keys_of_every_type(module: Prelude, map_: dict[Key, Value]) -> None:
    for key in EVERYTHING:
        if type(key) is Fault:
            continue
        cell = module.call("map_find", module.write(map_), module.write(key))
        found = find_key(map_, key)
        assert (cell == 0) == (found is None), key
        if found is not None:
            assert same(module.element(cell), map_[found])


@pytest.mark.parametrize("key", [0, 1, 7, 39, 2**62])
def test_keys_that_are_equal_numbers(module: Prelude, key: int) -> None:
    """L1.2, L3.5: an int, a uint and a double find the same entry."""
    for written, asked in itertools.product((key, UInt(key)), (key, UInt(key), float(key))):
        assert applied(module, "map_find", {"a": 1, written: "here"}, asked) == "here"
    assert module.call("map_find", module.write({key: 1}), module.write(key + 0.5 if key < 2**50 else float(key * 4))) == 0


def literal(module: Prelude, name: str, tag: int, cells: Sequence[Operand], count: int) -> Operand:
    """A literal's cell as emitted code leaves it, finished."""
    addresses = [module.write(part) for part in cells]
    array = module.place(struct.pack(f"<{len(addresses)}i", *addresses))
    return module.outcome(module.call(name, module.place(struct.pack("<iiQ", tag, count, array)))).value


PARTS: tuple[Operand, ...] = (
    1, UInt(1), 2, 1.0, "a", "b", "a\0", True, False, None, b"a", (), Fault.NO_SUCH_KEY, Fault.OVERFLOW, "a", "b", "c", "d", 3, UInt(2**63), "",
)  # fmt: skip


def test_list_literals(module: Prelude) -> None:
    """L2.2: the first fault; otherwise 16 bytes an element."""
    dice = random.Random("lists")
    for _ in range(500):
        parts = dice.choices(PARTS, k=dice.randrange(6))
        expected: Operand = next((p for p in parts if type(p) is Fault), tuple(parts))
        assert same(literal(module, "finish_list", 8, parts, len(parts)), expected)
        assert module.left()[2] == 2**20 - (0 if type(expected) is Fault else 16 * len(parts))


def test_map_literals(module: Prelude) -> None:
    """L2.2 and L1.2: the first fault, then a key of another type, then two equal keys; otherwise 32 bytes an entry."""
    dice = random.Random("maps")
    seen = set()
    for _ in range(4000):
        parts = dice.choices(PARTS, k=2 * dice.randrange(5))
        expected = _map_of(parts)
        assert same(literal(module, "finish_map", 9, parts, len(parts) // 2), expected)
        assert module.left()[2] == 2**20 - (0 if type(expected) is Fault else 16 * len(parts))
        seen.add(expected if type(expected) is Fault else None)
    assert seen == {None, Fault.NO_SUCH_KEY, Fault.OVERFLOW, Fault.NO_SUCH_OVERLOAD, Fault.DUPLICATE_KEY}


def _map_of(parts: Sequence[Operand]) -> Operand:
    for part in parts:
        if type(part) is Fault:
            return part
    made: dict[Key, Value] = {}
    keys = [key_of(key) for key in parts[::2]]
    if None in keys:
        return Fault.NO_SUCH_OVERLOAD
    for key, member in zip(keys, parts[1::2], strict=True):
        if key in made:
            return Fault.DUPLICATE_KEY
        made[key] = member  # type: ignore[index]
    return made


def test_literals_beyond_the_budget(module: Prelude) -> None:
    module.budgets = (0, 47)
    try:
        assert literal(module, "finish_list", 8, (1, 2), 2) == (1, 2)
        assert literal(module, "finish_list", 8, (1, 2, 3), 3) is Fault.ALLOCATION_BUDGET_EXCEEDED
        assert literal(module, "finish_map", 9, ("a", 2), 1) == {"a": 2}
        assert literal(module, "finish_map", 9, ("a", 2, "b", 3), 2) is Fault.ALLOCATION_BUDGET_EXCEEDED
    finally:
        module.budgets = (10_000, 2**20)


@pytest.mark.parametrize("value", KINDS)
def test_ranges(module: Prelude, value: Operand) -> None:
    count = module.call("range_count", module.write(value))
    if type(value) not in (tuple, dict):
        assert count == -1
        return
    assert type(value) is tuple or type(value) is dict
    assert count == len(value)
    keys = [value_of_key(key) for key in value] if type(value) is dict else list(range(len(value)))
    elements = list(value.values()) if type(value) is dict else list(value)
    for i in range(count):
        called = {name: module.element(module.call(name, module.write(value), i)) for name in ("range_key", "range_value", "range_index")}
        assert same(called["range_index"], keys[i]) and same(called["range_value"], elements[i])
        assert same(called["range_key"], keys[i] if type(value) is dict else elements[i])


@pytest.mark.parametrize("constant", [v for v in SAMPLE if type(v) in (str, bytes, int, UInt, float, bool, type(None))])
def test_equality_with_a_constant_is_equality(module: Prelude, constant: Value) -> None:
    name = {str: "equal_text", bytes: "equal_text", bool: "equal_single", type(None): "equal_single"}.get(type(constant), "equal_number")
    for left in EVERYTHING:
        assert applied(module, name, left, constant) is interpreted("equal", (left, constant))[0]


@pytest.mark.parametrize("constant", [v for v in SAMPLE if type(v) in (str, int, UInt, float)])
def test_order_with_a_constant_is_order(module: Prelude, constant: Value) -> None:
    for left in EVERYTHING:
        order = module.call("order_text" if type(constant) is str else "order_number", module.write(left), module.write(constant))
        for id_ in ("less", "less_equal", "greater", "greater_equal"):
            assert module.read(module.call(f"is_{id_}", order)) is interpreted(id_, (left, constant))[0]


def test_order_of_texts(module: Prelude) -> None:
    dice = random.Random("order")
    texts = ["".join(dice.choices("ab\0é\uffff\U00010000", k=dice.randrange(12))) for _ in range(120)]
    for left, right in itertools.product(texts, texts):
        assert module.call("compare_bytes", module.write(left), module.write(right)) == compare(left, right)


@pytest.mark.parametrize("length", [0, 1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 100])
def test_same_bytes_at_every_place(module: Prelude, length: int) -> None:
    data = random.Random(length).randbytes(length)
    for skip in range(3):
        assert module.call("same_bytes", module.place(bytes(skip) + data) + skip, module.place(data + b"\1"), length) == 1
        for at in range(length):
            other = data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :]
            assert module.call("same_bytes", module.place(bytes(skip) + data) + skip, module.place(other), length) == 0


def test_code_points(module: Prelude) -> None:
    dice = random.Random("code points")
    for _ in range(1500):
        text = "".join(dice.choices("a\0é\u07ff\u0800\uffff\U00010000\U0010ffff", k=dice.randrange(40)))
        data = text.encode()
        assert module.call("count_code_points", module.place(data), len(data)) == len(text)


LOGIC: tuple[tuple[str, Operand, Operand, Operand], ...] = (
    ("and_join", True, True, True), ("and_join", True, False, False), ("and_join", Fault.OVERFLOW, False, False),
    ("and_join", Fault.OVERFLOW, True, Fault.OVERFLOW), ("and_join", Fault.OVERFLOW, Fault.NO_SUCH_KEY, Fault.OVERFLOW),
    ("and_join", True, Fault.NO_SUCH_KEY, Fault.NO_SUCH_KEY), ("and_join", 1, False, False), ("and_join", 1, True, Fault.NO_SUCH_OVERLOAD),
    ("and_join", 1, Fault.NO_SUCH_KEY, Fault.NO_SUCH_OVERLOAD), ("and_join", Fault.NO_SUCH_KEY, None, Fault.NO_SUCH_KEY),
    ("and_join", True, "", Fault.NO_SUCH_OVERLOAD),
    ("or_join", False, False, False), ("or_join", False, True, True), ("or_join", Fault.OVERFLOW, True, True),
    ("or_join", Fault.OVERFLOW, False, Fault.OVERFLOW), ("or_join", Fault.OVERFLOW, Fault.NO_SUCH_KEY, Fault.OVERFLOW),
    ("or_join", False, Fault.NO_SUCH_KEY, Fault.NO_SUCH_KEY), ("or_join", 1, True, True), ("or_join", 1, False, Fault.NO_SUCH_OVERLOAD),
    ("or_join", 1, Fault.NO_SUCH_KEY, Fault.NO_SUCH_OVERLOAD), ("or_join", False, (), Fault.NO_SUCH_OVERLOAD),
)  # fmt: skip


@pytest.mark.parametrize(("name", "left", "right", "expected"), LOGIC)
def test_logic(module: Prelude, name: str, left: Operand, right: Operand, expected: Operand) -> None:
    """L2.3, after the left operand has not decided."""
    assert applied(module, name, left, right) is expected


def test_opposite(module: Prelude) -> None:
    assert module.call("opposite", TRUE) == FALSE
    assert module.call("opposite", FALSE) == TRUE
    assert applied(module, "opposite", Fault.NO_SUCH_KEY) is Fault.NO_SUCH_KEY


def test_entries_of_many_maps_in_one(module: Prelude) -> None:
    """transformMapEntry (L2.9, L2.10): the entries in order, or duplicate_key; size²/16 steps and 32 bytes an entry."""
    maps: tuple[Value, ...] = ({"a": 1}, {}, {"b": 2, 1: 3}, {BoolKey.TRUE: None})
    made = module.apply("join_maps", maps)
    assert same(made.value, {"a": 1, "b": 2, 1: 3, BoolKey.TRUE: None})
    assert (made.steps, made.bytes) == (1, 128)
    one: dict[Key, Value] = {1: 2}
    same_one: dict[Key, Value] = {UInt(1): 2}
    assert applied(module, "join_maps", (one, same_one)) is Fault.DUPLICATE_KEY
    assert applied(module, "join_maps", (one, 5)) is Fault.NO_SUCH_OVERLOAD
    many: tuple[Value, ...] = tuple({f"k{i}": i} for i in range(401))
    assert applied(module, "join_maps", many[:400]) == {f"k{i}": i for i in range(400)}
    assert applied(module, "join_maps", many) is Fault.ITERATION_BUDGET_EXCEEDED


def test_random_values_are_equal_as_interpreted(module: Prelude) -> None:
    dice = random.Random("equal")
    plain = [value for value in SAMPLE if type(value) is not Fault]

    def value(depth: int) -> Value:
        match dice.randrange(4 if depth else 1):
            case 1:
                return tuple(value(depth - 1) for _ in range(dice.randrange(3)))
            case 2 | 3:
                keys: list[Key] = [dice.choice(("a", "b", 1, UInt(1), BoolKey.TRUE)) for _ in range(dice.randrange(3))]
                return {key: value(depth - 1) for key in keys}
        return dice.choice(plain)

    def changed(of: Value) -> Value:
        if type(of) is tuple:
            return tuple(map(changed, of))
        if type(of) is dict:
            entries = [(key, changed(member)) for key, member in of.items()]
            return dict(dice.sample(entries, len(entries)))
        return float(of) if type(of) is int and abs(of) < 2**53 and dice.random() < 0.3 else value(0) if dice.random() < 0.03 else of

    answers = []
    for _ in range(4000):
        left = value(4)
        right = changed(left)
        answers.append(interpreted("equal", (left, right))[0])
        assert applied(module, "fn_equal", left, right) is answers[-1], (left, right)
    assert {True, False, Fault.UNSUPPORTED_VALUE} == set(answers)
