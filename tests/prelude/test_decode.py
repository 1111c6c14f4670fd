"""Reading requests: every form of every value, and everything that is malformed (docs/abi.md A2)."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import ormsgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hexgate.compiler.emit import HEAP_BYTES
from hexgate.limits import ALLOCATION_BUDGET, REQUEST_BYTES
from hexgate.values import Duration, Timestamp, UInt, Unsupported, Value
from tests.engines.notation import same
from tests.prelude.harness import HEAP, Prelude, prelude
from tests.prelude.loose_writer import LooseWriter, mutate
from tests.prelude.strict_reader import MalformedError, read_array

U = Unsupported()
VALUES: tuple[tuple[str, Value], ...] = (
    ("00", 0), ("7f", 127), ("e0", -32), ("ff", -1),
    ("c0", None), ("c2", False), ("c3", True),
    ("cc 00", 0), ("cc ff", 255), ("cd ffff", 65535), ("ce ffffffff", 2**32 - 1),
    ("cf 7fffffffffffffff", 2**63 - 1), ("cf 8000000000000000", UInt(2**63)), ("cf ffffffffffffffff", UInt(2**64 - 1)),
    ("d0 80", -128), ("d0 7f", 127), ("d1 8000", -32768), ("d2 80000000", -(2**31)), ("d3 8000000000000000", -(2**63)),
    ("d3 ffffffffffffffff", -1), ("d3 7fffffffffffffff", 2**63 - 1),
    ("ca 3f800000", 1.0), ("ca 3dcccccd", 0.10000000149011612), ("ca 80000000", -0.0), ("ca 00000001", 2.0**-149),
    ("ca 7f800000", U), ("ca ff800000", U), ("ca 7fc00000", U), ("ca 7f800001", U),
    ("cb 3fb999999999999a", 0.1), ("cb 8000000000000000", -0.0), ("cb 7fefffffffffffff", 1.7976931348623157e308),
    ("cb 7ff0000000000000", U), ("cb fff0000000000000", U), ("cb 7ff8000000000000", U), ("cb fff0000000000001", U),
    ("a0", ""), ("a1 61", "a"), ("d9 01 61", "a"), ("da 0001 61", "a"), ("db 00000001 61", "a"), ("a1 00", "\0"),
    ("a2 c280", "\x80"), ("a2 dfbf", "\u07ff"), ("a3 e0a080", "\u0800"), ("a3 ed9fbf", "\ud7ff"), ("a3 ee8080", "\ue000"),
    ("a3 efbfbf", "\uffff"), ("a4 f0908080", "\U00010000"), ("a4 f48fbfbf", "\U0010ffff"),
    ("ab 6162636465666768 c3a9 69", "abcdefghéi"), ("a9 616263646566 e28082", "abcdef\u2002"),
    ("c4 00", b""), ("c4 01 ff", b"\xff"), ("c5 0001 80", b"\x80"), ("c6 00000001 00", b"\0"),
    ("90", ()), ("91 01", (1,)), ("dc 0001 01", (1,)), ("dd 00000001 01", (1,)), ("92 91 90 c0", (((),), None)),
    ("80", {}), ("81 a1 61 01", {"a": 1}), ("de 0001 a1 61 01", {"a": 1}), ("df 00000001 d9 01 61 01", {"a": 1}),
    ("82 a1 62 01 a1 61 81 a1 62 02", {"b": 1, "a": {"b": 2}}), ("82 a1 61 01 a2 6161 02", {"a": 1, "aa": 2}),
    ("82 a0 01 a1 00 02", {"": 1, "\0": 2}),
    ("81 01 02", U), ("81 c4 01 61 02", U), ("82 a1 61 01 01 02", U), ("81 90 a0", U), ("81 d4 00 00 a0", U), ("81 c3 c0", U),
    ("81 cb 7ff8000000000000 01", U),
    ("c7 00 00", U), ("d4 00 00", U), ("d7 00 0000000000000000", U), ("c7 03 05 616263", U), ("c8 0001 07 00", U),
    ("c9 00000001 7f 00", U), ("d8 09 00000000000000000000000000000000", U), ("c7 03 03 696e74", U), ("d4 04 02", U),
    ("d7 01 0000000000000001", UInt(1)), ("d7 01 ffffffffffffffff", UInt(2**64 - 1)), ("c7 08 01 0000000000000007", UInt(7)),
    ("c8 0008 01 0000000000000007", UInt(7)), ("d6 01 00000001", U), ("c7 09 01 000000000000000007", U),
    ("d7 02 ffffffffffffffff", Duration(-1)), ("d7 02 8000000000000000", Duration(-(2**63))), ("d6 02 00000000", U),
    ("c7 0c ff 00000000 0000000000000000", Timestamp(0)), ("c7 0c 06 3b9ac9ff ffffffffffffffff", Timestamp(-1)),
    ("c9 0000000c 06 00000001 0000000000000001", Timestamp(10**9 + 1)),
    ("c7 0c ff 3b9aca00 0000000000000000", U), ("c7 0c ff ffffffff 0000000000000000", U),
    ("c7 0c 06 00000000 fffffff1886e0900", Timestamp(-62_135_596_800 * 10**9)), ("c7 0c 06 3b9ac9ff fffffff1886e08ff", U),
    ("c7 0c 06 3b9ac9ff 0000003afff4417f", Timestamp(253_402_300_800 * 10**9 - 1)), ("c7 0c 06 00000000 0000003afff44180", U),
    ("c7 0c 06 00000000 7fffffffffffffff", U), ("c7 0c 06 00000000 8000000000000000", U),
    ("d6 ff 00000000", U), ("d7 ff 0000000000000000", U), ("c7 0c 05 00000000 0000000000000000", U),
)  # fmt: skip
"""One value each, in hexadecimal."""

MALFORMED: tuple[str, ...] = (
    "", "c1", "cc", "cd 00", "ce 000000", "cf 00000000000000", "d0", "d3 00000000000000", "ca 000000", "cb 00000000000000",
    "a1", "bf", "d9", "d9 01", "da 00", "da 0001", "db 000000", "db 00000001", "db ffffffff", "db 7fffffff", "c4", "c4 01",
    "c5 ffff 00", "c6 80000000", "c6 ffffffff", "91", "92 00", "dc", "dc 0001", "dd 0000", "dd ffffffff", "dd 7fffffff 00",
    "dd 00010000", "81", "81 a0", "de", "de 0001 a0", "df", "df ffffffff", "df 7fffffff a0 00", "df 80000000 a0 00", "df 80000001 a0 00",
    "c7", "c7 00", "c7 01 00", "c8 0001 00", "c9 ffffffff 00", "c9 80000000 00", "d4", "d4 00", "d7 01 00", "d8 00 00",
    "00 00", "c0 c0", "90 90",
    "a1 80", "a1 ff", "a1 c2", "a2 c241", "a2 c080", "a2 c1bf", "a2 c2c2", "a3 e08080", "a3 e09fbf", "a3 eda080", "a3 edbfbf", "a2 e282",
    "a3 e28241", "a4 f0808080", "a4 f08fbfbf", "a4 f4908080", "a4 f5808080", "a4 f7bfbfbf", "a1 f8", "a5 f888808080", "a3 f09080", "a4 f0908041",
    "a9 61626364656667 e2 82", "a8 61626364656667 c3", "a8 80 61626364656667",
    "82 a1 61 01 a1 61 02", "82 a1 61 01 d9 01 61 02", "83 a1 61 01 a1 62 01 a1 61 02", "82 a0 00 a0 00", "81 a1 61 82 a0 00 a0 00",
    "91 c1", "92 c1 00", "81 c1 00", "81 01 c1", "81 a1 61 c1", "d4 00 c1 00", "81 01 a1 ff",
    "91" * 33, "91" * 32 + "90", "91" * 32 + "80", "81 a0" * 32 + "90", "81" * 32 + "80" + "c0" * 32, "91" * 40 + "c0", "91" * 60_000,
)  # fmt: skip


NAMES = ("decode_array", "decode_request", "is_utf8", "find_text_key", "map_find", "search_index")


@pytest.fixture(scope="module")
def module() -> Prelude:
    return prelude(*NAMES)


def decoded(module: Prelude, data: bytes, count: int) -> tuple[Value, ...] | None:
    """The values that the module reads; None where it finds the data malformed."""
    table = module.call("decode_array", module.place(data), len(data), count)
    if not table:
        return None
    return tuple(module.element(cell) for cell in struct.unpack(f"<{count}i", module.load(table, 4 * count)))


def expected(data: bytes, count: int) -> tuple[Value, ...] | None:
    try:
        return read_array(data, count)
    except MalformedError:
        return None


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(module: Prelude, text: str, value: Value) -> None:
    data = b"\x91" + bytes.fromhex(text)
    assert same(decoded(module, data, 1), (value,))
    assert same(expected(data, 1), (value,))
    for end in range(len(data)):
        assert decoded(module, data[:end], 1) is None, f"cut at {end}"
    assert decoded(module, data + b"\0", 1) is None


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:40])
def test_malformed(module: Prelude, text: str) -> None:
    data = b"\x91" + bytes.fromhex(text)
    assert decoded(module, data, 1) is None
    assert expected(data[:200], 1) is None


@pytest.mark.parametrize("count", [*range(20), 31, 32, 33, 300, 65_535, 65_536 - 5])
def test_array_of_exactly_so_many(module: Prelude, count: int) -> None:
    heads = [b"\xdd" + count.to_bytes(4, "big")]
    if count < 2**16:
        heads.append(b"\xdc" + count.to_bytes(2, "big"))
    if count < 16:
        heads.append(bytes([0x90 | count]))
    for head in heads:
        if len(head) + count <= REQUEST_BYTES:
            assert decoded(module, head + b"\xc0" * count, count) == (None,) * count
            assert decoded(module, head + b"\xc0" * count, count + 1) is None
            assert decoded(module, head + b"\xc0" * (count + 1), count) is None
    # A short form holds a count's low four bits only: others must not be taken for it.
    assert decoded(module, bytes([0x90 | (count & 15)]) + b"\xc0" * count, count) == ((None,) * count if count < 16 else None)


def test_depth(module: Prelude) -> None:
    for opening in (b"\x91", b"\x81\xa0"):
        assert decoded(module, b"\x91" + opening * 32 + b"\xc0", 1) is not None
        assert decoded(module, b"\x91" + opening * 33 + b"\xc0", 1) is None
        # Depth counts what is open, not what was.
        assert decoded(module, b"\x93" + (opening * 32 + b"\xc0") * 3, 3) is not None


def test_request(module: Prelude) -> None:
    parts = [b"\xa1r", b"\xa1t", b"\xa1u", b"\x80", b"\x80", b"\xd4\0\0", b"\x81\xa1a\1", b"\xc0"]

    def accepted(position: int, value: bytes) -> bool:
        data = b"\x98" + b"".join([*parts[:position], value, *parts[position + 1 :]])
        return module.call("decode_request", module.place(data), len(data)) != 0

    text, number, map_, unsupported, odd_map = b"\xa0", b"\1", b"\x80", b"\xd4\0\0", b"\x81\1\1"
    for position in range(8):
        answers = [accepted(position, value) for value in (text, number, map_, unsupported, odd_map)]
        assert answers == {
            0: [True, False, False, False, False], 1: [True, False, False, False, False],
            3: [False, False, True, True, True], 4: [False, False, True, True, True],
            5: [False, False, True, True, True], 6: [False, False, True, True, True],
        }.get(position, [True] * 5)  # fmt: skip


def samples(seed: str, count: int) -> Iterator[tuple[bytes, int, random.Random]]:
    dice = random.Random(seed)
    writer = LooseWriter(dice)
    for _ in range(count):
        size = dice.choice((1, 2, 8, 16, 17))
        yield writer.array([writer.value(dice.choice((0, 1, 1, 2, 3))) for _ in range(size)]), size, dice


def test_every_form_at_random(module: Prelude) -> None:
    read = 0
    for data, size, _ in samples("forms", 1200):
        values = decoded(module, data, size)
        assert same(values, expected(data, size)), data.hex()
        read += values is not None
    assert read > 1000


def test_mutations_never_trap_and_are_never_taken_wrongly(module: Prelude) -> None:
    refused = taken = 0
    for data, size, dice in samples("mutations", 700):
        for _ in range(12):
            changed = mutate(dice, data)
            values = decoded(module, changed, size)
            assert same(values, expected(changed, size)), changed.hex()
            refused, taken = refused + (values is None), taken + (values is not None)
    assert refused > 3000 and taken > 500


@settings(max_examples=100, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])) | st.binary(),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text("ab\u00e9", max_size=3), inner, max_size=20),
))  # fmt: skip
def test_what_an_encoder_writes(value: object) -> None:
    data = ormsgpack.packb([value])
    assert same(decoded(prelude(*NAMES), data, 1), (_frozen(value),))


def _frozen(value: object) -> object:
    match value:
        case list():
            return tuple(map(_frozen, value))
        case dict():
            return {key: _frozen(member) for key, member in value.items()}
        case bool():
            return value
        case int():
            return value if value < 2**63 else UInt(value)
    return value


def test_utf8_of_every_first_three_bytes(module: Prelude) -> None:
    """Each pair of bytes, alone and before a byte or two that may go on."""
    for first in range(0x80, 0x100):
        for second in range(0x00, 0x100, 1 if first >= 0xC0 else 17):
            for tail in (b"", b"\x80", b"\xbf\x80", b"a"):
                text = bytes([first, second]) + tail
                valid = module.call("is_utf8", module.place(text), len(text))
                assert valid == _is_utf8(text), text.hex()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


FULL: dict[str, tuple[int, bytes, bool]] = {
    "small numbers": (65_000, b"\1", True),
    "empty lists": (65_000, b"\x90", True),
    "chains of lists": (2_000, b"\x91" * 31 + b"\xc0", True),
    "chains of maps": (1_000, b"\x81\xa0" * 31 + b"\xc0", True),
    "doubles": (7_200, b"\xcb" + b"\x3f" * 8, True),
    "counts that promise more": (13_000, b"\xdd\0\0\xf0\0", False),
    "counts that promise more, in maps": (10_000, b"\xdf\0\0\x70\0\xa0", False),
}
"""How many values, the bytes of each, and whether that is a request at all."""


@pytest.mark.parametrize("kind", FULL)
def test_largest_requests_leave_room(module: Prelude, kind: str) -> None:
    """Room in the heap for twice the allocation budget and a quarter of a MiB beyond."""
    count, value, well_formed = FULL[kind]
    data = b"\xdd" + count.to_bytes(4, "big") + value * count
    assert len(data) <= REQUEST_BYTES
    assert (module.call("decode_array", module.place(data), len(data), count) != 0) == well_formed
    assert module.left()[0] - HEAP <= HEAP_BYTES - 2 * ALLOCATION_BUDGET - 2**18


@pytest.mark.parametrize("order", ["as drawn", "ascending", "descending", "long prefix"])
def test_many_keys_cost_little(module: Prelude, order: str) -> None:
    """Fuel for each key of a large map: a bound that quadratic work would pass a hundred times over."""
    keys = [f"{i:05}".encode() for i in range(8_000)]
    if order == "as drawn":
        random.Random("order").shuffle(keys)
    if order == "descending":
        keys.reverse()
    if order == "long prefix":
        keys = [b"a" * 25 + key[1:] for key in keys[:1_900]]
    data = b"\x91\xde" + len(keys).to_bytes(2, "big") + b"".join(bytes([0xA0 | len(key)]) + key + b"\1" for key in keys)
    before = module.fuel()
    assert decoded(module, data, 1) is not None
    assert (before - module.fuel()) / len(keys) < 8_000
    repeated = data.replace(b"\xde" + len(keys).to_bytes(2, "big"), b"\xde" + (len(keys) + 1).to_bytes(2, "big"))
    for key in (keys[0], keys[-1], keys[len(keys) // 2]):
        assert decoded(module, repeated + bytes([0xA0 | len(key)]) + key + b"\1", 1) is None


KEYS: dict[str, list[str]] = {
    "in order": [f"{i:04}" for i in range(4_000)],
    "of all lengths": ["x" * i for i in range(300)],
    "a byte apart": [f"argument_{i}" + end for i in range(100) for end in ("", "\0", "a", "\U0010ffff")],
    "at the edge of words": ["1234567" + end for end in ("", "a", "b", "8", "8a", "8b", "89abcdef", "89abcdeg", "89abcdefg")],
    "drawn": sorted({"".join(random.Random(i).choices("ab\0\uffffé", k=i % 11)) for i in range(3_000)}),
}  # fmt: skip


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 17, 31, 4_000])
def test_members_of_maps_with_and_without_an_index(module: Prelude, kind: str, size: int) -> None:
    """Every key of a request's map is found, and none that is not there; a key of another type never is."""
    keys = KEYS[kind][:size]
    random.Random(size).shuffle(keys)
    data = ormsgpack.packb([dict(zip(keys, range(size), strict=False))])
    (cell,) = struct.unpack("<i", module.load(module.call("decode_array", module.place(data), len(data), 1), 4))
    map_, entries = module.load(cell, 16), struct.unpack("<iiii", module.load(cell, 16))
    assert (entries[1], entries[3] != 0) == (len(keys), len(keys) >= 8)
    # The next call starts from an empty heap but writes nothing to it: the decoded map stays where it is.
    absent = [f"{keys[0]}?", "", "argument_", "12345678", "\uffff" * 3, "0", "x" * 299 + "y"] if keys else ["", "a"]
    for asked in [*keys, *(key for key in absent if key not in keys)]:
        module.place(data)
        found = module.call("map_find", cell, module.write(asked))
        assert module.load(cell, 16) == map_
        assert (module.element(found) if found else None) == (keys.index(asked) if asked in keys else None)
    for other in (None, True, 1, UInt(1), b"", ()):
        module.place(data)
        assert module.call("map_find", cell, module.write(other)) == 0
